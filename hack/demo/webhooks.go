package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

// prepareWebhooks makes a certificate for the operator's webhooks and a copy of config/webhook that calls them on this
// machine: there is no Service to call here. It returns the operator's flags.
func (s *stage) prepareWebhooks() ([]string, error) {
	o := envtest.WebhookInstallOptions{Paths: []string{filepath.Join("config", "webhook", "manifests.yaml")}}
	if err := o.PrepWithoutInstalling(); err != nil {
		return nil, fmt.Errorf("prepare the webhooks: %w", err)
	}
	s.undo = append(s.undo, o.Cleanup)
	s.webhooks = filepath.Join(s.dir, "webhooks.yaml")
	var manifests []byte
	for _, c := range o.MutatingWebhooks {
		c.APIVersion, c.Kind = "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"
		text, err := yaml.Marshal(c)
		if err != nil {
			return nil, err
		}
		manifests = append(append(manifests, "---\n"...), text...)
	}
	for _, c := range o.ValidatingWebhooks {
		c.APIVersion, c.Kind = "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"
		text, err := yaml.Marshal(c)
		if err != nil {
			return nil, err
		}
		manifests = append(append(manifests, "---\n"...), text...)
	}
	return []string{
		"--webhook-bind-address=" + net.JoinHostPort(o.LocalServingHost, strconv.Itoa(o.LocalServingPort)),
		"--webhook-cert-dir=" + o.LocalServingCertDir,
	}, os.WriteFile(s.webhooks, manifests, 0o600)
}

// installWebhooks tells the API server to call the operator, once it answers.
func (s *stage) installWebhooks(ctx context.Context) error {
	if s.webhooks == "" {
		return nil
	}
	return s.quietKubectl(ctx, "apply", "--server-side", "-f", s.webhooks)
}
