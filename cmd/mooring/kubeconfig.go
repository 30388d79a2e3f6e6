package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// restConfig finds the API server as kubectl does, and inside a pod as a pod does.
func restConfig(cmd *cobra.Command) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	path, err := cmd.Flags().GetString("kubeconfig")
	if err != nil {
		return nil, err
	}
	rules.ExplicitPath = path
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("no API server to talk to: %w; give --kubeconfig, or set KUBECONFIG", err)
	}
	return config, nil
}
