package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/hack/localkube/internal/assets"
	"mooring.dev/mooring/hack/localkube/internal/cluster"
	"mooring.dev/mooring/hack/localkube/internal/component"
)

// envDir names the control plane's folder when --dir does not.
const envDir = "MOORING_LOCALKUBE_DIR"

// startTimeout is many times what a start takes on a slow machine.
const startTimeout = 2 * time.Minute

// dirFlag is the flag of every command about one control plane.
type dirFlag struct{ dir string }

func (f *dirFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "dir", "", "folder of the control plane (default $"+envDir+", else localkube in $"+assets.EnvCache+" or in mooring in the user's cache folder)")
}

// resolve returns the absolute folder.
func (f *dirFlag) resolve() (string, error) {
	dir := f.dir
	if dir == "" {
		dir = os.Getenv(envDir)
	}
	if dir == "" {
		root, err := assets.CacheRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "localkube")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("cannot make --dir %s absolute: %w; give an absolute path", dir, err)
	}
	return abs, nil
}

// upFlags are the flags of the commands that bring a control plane up.
type upFlags struct {
	binaryFlags
	dirFlag
	nodeFlags
	layout    component.Layout
	extraArgs []string
	timeout   time.Duration
}

func (f *upFlags) add(cmd *cobra.Command) {
	f.binaryFlags.add(cmd, component.ForUp())
	f.dirFlag.add(cmd)
	f.nodeFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.layout.BindAddress, "bind-address", component.DefaultBindAddress, "address the API server listens on; whoever reaches it still needs a credential")
	flags.StringVar(&f.layout.AdvertiseAddress, "advertise-address", "", "address at which pods reach the API server (default the bind address, or loopback if that is every address)")
	flags.StringVar(&f.layout.ServiceClusterIPRange, "service-cluster-ip-range", component.DefaultServiceClusterIPRange, "CIDR of the Services' addresses")
	ports := &f.layout.Ports
	for name, port := range map[string]*int{
		"apiserver-port": &ports.APIServer, "etcd-port": &ports.EtcdClient, "etcd-peer-port": &ports.EtcdPeer,
		"controller-manager-port": &ports.ControllerManager, "scheduler-port": &ports.Scheduler,
	} {
		flags.IntVar(port, name, 0, "0 for a free one")
	}
	flags.StringArrayVar(&f.extraArgs, "arg", nil, "one more flag for a component, as COMPONENT=FLAG, for example kube-apiserver=--v=4 (can be repeated)")
	flags.DurationVar(&f.timeout, "timeout", startTimeout, "how long the start may take once the binaries are there")
}

// up returns started=false when the control plane already ran.
func (f *upFlags) up(cmd *cobra.Command) (state *cluster.State, started bool, err error) {
	if f.layout.Dir, err = f.resolve(); err != nil {
		return nil, false, err
	}
	if err := f.nodeFlags.apply(cmd, f); err != nil {
		return nil, false, err
	}
	if f.layout.AdvertiseAddress == "" {
		f.layout.AdvertiseAddress = f.layout.BindAddress
		if f.layout.BindAddress == "0.0.0.0" || f.layout.BindAddress == "::" {
			f.layout.AdvertiseAddress = component.DefaultBindAddress
		}
	}
	if f.layout.ExtraArgs, err = parseExtraArgs(f.extraArgs); err != nil {
		return nil, false, err
	}
	components, err := component.Select(f.components)
	if err != nil {
		return nil, false, err
	}
	return cluster.Up(cmd.Context(), cluster.UpOptions{
		Layout:     f.layout,
		Components: components,
		Binaries:   func() (string, string, error) { return f.ensure(cmd, false) },
		Timeout:    f.timeout,
		Report:     progress(),
	})
}

// parseExtraArgs sorts COMPONENT=FLAG by component.
func parseExtraArgs(args []string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, arg := range args {
		name, flag, found := strings.Cut(arg, "=")
		c, err := component.Get(name)
		if !found || err != nil || c.Service == nil || !strings.HasPrefix(flag, "-") {
			return nil, fmt.Errorf("--arg %s is not COMPONENT=FLAG of a component that is started; write it like kube-apiserver=--v=4", arg)
		}
		out[name] = append(out[name], flag)
	}
	return out, nil
}

// export is the line that a shell evaluates to use the control plane.
func export(kubeconfig string) string {
	plain := func(r rune) bool {
		return strings.ContainsRune("/._-+,:@%", r) || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	}
	if slices.ContainsFunc([]rune(kubeconfig), func(r rune) bool { return !plain(r) }) {
		kubeconfig = "'" + strings.ReplaceAll(kubeconfig, "'", `'\''`) + "'"
	}
	return "export KUBECONFIG=" + kubeconfig
}

func newUpCommand() *cobra.Command {
	var flags upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring a control plane up and leave it running",
		Long:  "Bring a control plane up, wait until it is ready, leave it running, and print the export line for its kubeconfig to stdout.\nDoes nothing where one already runs; where one is half dead, stops the rest and removes its data first.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, _, err := flags.up(cmd)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), export(state.Kubeconfig))
			return nil
		},
	}
	flags.add(cmd)
	return cmd
}

func newRunCommand() *cobra.Command {
	var flags upFlags
	var keepData bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Bring a control plane up, and down again at ctrl-C or SIGTERM",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, started, err := flags.up(cmd)
			if err != nil {
				return err
			}
			if !started {
				return fmt.Errorf("the control plane in %s is someone else's to stop; run down first, or use another --dir", state.Layout.Dir)
			}
			fmt.Fprintln(cmd.OutOrStdout(), export(state.Kubeconfig))
			progress()("running until ctrl-C or SIGTERM")
			<-cmd.Context().Done()
			// A second signal gives up the grace and kills.
			ctx, stop := signal.NotifyContext(context.WithoutCancel(cmd.Context()), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return cluster.Down(ctx, cluster.DownOptions{Dir: state.Layout.Dir, KeepData: keepData, Grace: cluster.DefaultGrace, Report: progress()})
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&keepData, "keep-data", false, "keep the data, keys, ports and logs for the next up")
	return cmd
}
