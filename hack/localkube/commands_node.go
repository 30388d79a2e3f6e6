package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/hack/localkube/internal/cluster"
	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/node"
)

// nodeFlags are the flags of the commands that bring a node up.
type nodeFlags struct {
	node    bool
	network string
}

func (f *nodeFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.node, "node", false, "add a node, so that pods run: containerd, kubelet, kube-proxy and DNS (Linux, as root)")
	cmd.Flags().StringVar(&f.network, "node-network", component.DefaultNodeNetwork, "CIDR of the node's and the pods' addresses; the first is this machine's, at which pods reach it")
}

// apply changes the layout to one with a node. The API server listens where pods
// reach it, and nowhere else.
func (f *nodeFlags) apply(cmd *cobra.Command, up *upFlags) error {
	if !f.node {
		return nil
	}
	for _, flag := range []string{"bind-address", "advertise-address"} {
		if cmd.Flags().Changed(flag) {
			return fmt.Errorf("--%s and --node exclude each other: with a node, the API server is at the first address of --node-network", flag)
		}
	}
	up.layout.Node = component.NewNode(up.layout.Dir, f.network)
	address := up.layout.Node.HostAddress().String()
	up.layout.BindAddress, up.layout.AdvertiseAddress = address, address
	if !cmd.Flags().Changed("components") {
		up.components = append(component.ForUp(), component.ForNode()...)
	}
	return nil
}

func newLoadCommand() *cobra.Command {
	var flags dirFlag
	cmd := &cobra.Command{
		Use:   "load FILE...",
		Short: "Load images into the node, so that its pods need no registry",
		Long:  "Load images into the node, so that its pods need no registry. A FILE is a docker-archive, as 'docker save' and hack/image write it.\nPods use such an image with imagePullPolicy Never or IfNotPresent.",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := flags.resolve()
			if err != nil {
				return err
			}
			return cluster.Load(cmd.Context(), cluster.LoadOptions{Dir: dir, Files: args, Report: progress()})
		},
	}
	flags.add(cmd)
	return cmd
}

func newCheckNodeCommand() *cobra.Command {
	var install bool
	cmd := &cobra.Command{
		Use:   "check-node",
		Short: "Say why this machine cannot run a node; exit status 0 if it can",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := node.CheckMachine()
			if err == nil && install {
				err = node.Install(cmd.Context(), progress())
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&install, "install", false, "install what a node needs of Debian's packages, where it is missing")
	return cmd
}

func newSnapshotCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "snapshot",
		Short: "Print what a node could leave behind on this machine, a line each",
		Long:  "Print what a node could leave behind on this machine, a line each. Two outputs are equal if nothing was left between them.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lines, err := node.Snapshot(cmd.Context())
			if err != nil {
				return err
			}
			for _, line := range lines {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			return nil
		},
	}
}
