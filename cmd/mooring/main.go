// Command mooring is the operator.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	"mooring.dev/mooring/internal/operator"
)

// gcPercent trades a little CPU for memory: most of the heap is the cache, which never becomes garbage, and room for as much
// again is never used. GOGC overrules it.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if err := command().ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "mooring:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o operator.Options
	cmd := &cobra.Command{
		Use:           "mooring",
		Short:         "Keeps Kafka topics and producer policy as Kubernetes manifests say",
		Long:          "mooring is a Kubernetes operator for Kafka topics and producer policy.\n\nEvery flag can be given as an environment variable: MOORING_ and its name in capitals, with _ for -.\nThe API server is that of --kubeconfig, $KUBECONFIG, the pod, or ~/.kube/config, in this order.",
		Version:       version(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		PreRunE:       func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd.Flags()) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := restConfig(cmd)
			if err != nil {
				return err
			}
			return operator.Run(cmd.Context(), config, o)
		},
	}
	flags := cmd.Flags()
	flags.String("kubeconfig", "", "path of a kubeconfig file")
	flags.StringVar(&o.Namespace, "namespace", "mooring-system", "namespace that the operator runs in; Secrets are read there alone")
	flags.StringVar(&o.MetricsAddress, "metrics-bind-address", ":8080", "address of /metrics; 0 turns it off")
	flags.StringVar(&o.PprofAddress, "pprof-bind-address", "0", "address of /debug/pprof, which asks nobody for a login: 127.0.0.1:6060 is reached with kubectl port-forward; 0 turns it off")
	flags.StringVar(&o.ProbeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0 turns it off")
	flags.StringVar(&o.WebhookAddress, "webhook-bind-address", "0", "address of the admission webhooks, such as :9443; 0 turns them off, and policies are judged in the reconcile alone")
	flags.StringVar(&o.WebhookCertDir, "webhook-cert-dir", "", "folder with tls.crt and tls.key for the webhooks; empty makes a certificate, renews it, and gives its authority to the API server")
	flags.StringVar(&o.ShimImage, "shim-image", "mooring:dev", "image of the producer shim that pods are given: the operator's own image")
	flags.BoolVar(&o.LeaderElect, "leader-elect", false, "let one of several replicas work")
	flags.IntVar(&o.TopicWorkers, "topic-workers", 512, "KafkaTopics reconciled at once; most of them wait for a batch that carries them all")
	flags.DurationVar(&o.OutageGrace, "outage-grace", 2*time.Minute, "how long a Kafka cluster may be away before the topics on it say so")
	flags.StringVar(&o.LogLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&o.LogFormat, "log-format", "json", "json or text")
	return cmd
}

// fromEnvironment fills in the flags that were not given.
func fromEnvironment(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "MOORING_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if !ok || f.Changed || failed != nil {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			failed = fmt.Errorf("environment variable %s: %w", name, err)
		}
	})
	return failed
}

// version is the module's, or the commit's that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return info.Main.Version + " (" + s.Value[:12] + ")"
		}
	}
	return info.Main.Version
}
