package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/hack/localkafka/local"
)

// upFlags are the flags of up and run.
type upFlags struct {
	config      local.Config
	embedded    bool
	deleteTopic bool
	properties  []string
}

func (f *upFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.embedded, "embedded", false, "kfake instead of Apache Kafka: up in a moment, plaintext only, data in memory")
	flags.IntVar(&f.config.Brokers, "brokers", 3, "how many brokers")
	flags.StringVar(&f.config.Address, "address", "", "the IPv4 address of this machine that brokers listen on and are known by; whoever reaches it is a super user (default "+local.DefaultAddress+")")
	flags.StringSliceVar(&f.config.Racks, "racks", nil, "the racks, given to the brokers in turn (default rack-a,rack-b,rack-c)")
	flags.StringArrayVar(&f.properties, "property", nil, "a server property for every broker, as name=value; can be repeated")
	flags.BoolVar(&f.config.Authorizer, "authorizer", false, "turn Kafka's StandardAuthorizer on")
	flags.BoolVar(&f.deleteTopic, "delete-topic-enable", true, "let topics be deleted")
	flags.StringVar(&f.config.Heap, "heap", "", "each broker's -Xmx (default 512m)")
	flags.BoolVar(&f.config.FastJVM, "fast-jvm", false, "stop the JIT at C1: brokers start faster and run slower")
	flags.StringArrayVar(&f.config.JVMOptions, "jvm-option", nil, "an option for every broker's JVM; can be repeated")
	flags.DurationVar(&f.config.Timeout, "timeout", 3*time.Minute, "how long to wait for started brokers")
}

func (f *upFlags) Config(dir string) (local.Config, error) {
	cfg := f.config
	cfg.Dir, cfg.Progress = dir, progress
	cfg.DisableTopicDeletion = !f.deleteTopic
	if len(f.properties) > 0 {
		cfg.Properties = map[string]string{}
	}
	for _, p := range f.properties {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			return cfg, fmt.Errorf("the property %q has no value; write --property name=value", p)
		}
		cfg.Properties[name] = value
	}
	if f.embedded {
		self, err := os.Executable()
		if err != nil {
			return cfg, fmt.Errorf("localkafka can't find its own program to run in the background; run it by its full path: %w", err)
		}
		cfg.EmbeddedCommand = []string{self, "serve-embedded"}
	}
	return cfg, nil
}

func (f *upFlags) Up(ctx context.Context, dir string) (*local.Cluster, error) {
	cfg, err := f.Config(dir)
	if err != nil {
		return nil, err
	}
	cluster, err := local.Up(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := cluster.State()
	progress(fmt.Sprintf("the cluster is ready; all about it is in %s/state.json", s.Dir))
	fmt.Println("export KAFKA_BOOTSTRAP_SERVERS=" + strings.Join(s.Bootstrap.Plaintext, ","))
	return cluster, nil
}

func newUp(dir *string) *cobra.Command {
	var flags upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring the cluster up and leave it running",
		Long: `Bring the cluster up and leave it running. A cluster that runs already is left as it is; what is left of one that
runs only in part is cleared away first. The last line can be evaluated: eval "$(localkafka up)".`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := flags.Up(cmd.Context(), *dir)
			return err
		},
	}
	flags.register(cmd)
	return cmd
}

func newRun(dir *string) *cobra.Command {
	var flags upFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Bring the cluster up, wait for Ctrl-C or SIGTERM, and take it down",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, err := flags.Up(cmd.Context(), *dir)
			if err != nil {
				return err
			}
			progress("running until Ctrl-C")
			<-cmd.Context().Done()
			return takeDown(context.WithoutCancel(cmd.Context()), cluster)
		},
	}
	flags.register(cmd)
	return cmd
}

func takeDown(ctx context.Context, cluster *local.Cluster) error {
	if err := cluster.Down(ctx); err != nil {
		return err
	}
	progress("the cluster in " + cluster.State().Dir + " is down and its files are gone")
	return nil
}
