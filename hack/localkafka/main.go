// Localkafka runs an Apache Kafka cluster on this machine, without containers: several brokers in several racks on
// 127.0.0.1, with every security protocol, for Mooring's tests and demo. See README.md and the package local.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/hack/localkafka/local"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "localkafka:", err)
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "localkafka",
		Short:         "Apache Kafka on this machine, without containers",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	var dir string
	root.PersistentFlags().StringVar(&dir, "dir", "", "the cluster's folder (default: kafka/clusters/default in $MOORING_CACHE or the user's cache)")
	root.AddCommand(
		newUp(&dir), newRun(&dir), newDown(&dir), newStatus(&dir),
		newTool(&dir), newFetch(), newServeEmbedded(&dir),
	)
	root.AddCommand(newNodeCommands(&dir)...)
	return root
}

// progress goes to standard error, so that standard output can be evaluated by a shell.
func progress(line string) { fmt.Fprintln(os.Stderr, "localkafka:", line) }

// load finds the cluster that --dir names.
func load(dir string) (*local.Cluster, error) {
	dir, err := folder(dir)
	if err != nil {
		return nil, err
	}
	cluster, err := local.Load(dir)
	if err != nil {
		return nil, err
	}
	cluster.ReportTo(progress)
	return cluster, nil
}

func folder(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	return local.DefaultDir()
}

func newFetch() *cobra.Command {
	return &cobra.Command{
		Use:   "fetch",
		Short: "Fetch Apache Kafka's jars into the cache and start nothing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			jars, err := local.Fetch(cmd.Context(), progress)
			if err == nil {
				fmt.Println(jars)
			}
			return err
		},
	}
}

func newServeEmbedded(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:    "serve-embedded",
		Short:  "The background process of 'up --embedded'",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return local.ServeEmbedded(cmd.Context(), *dir)
		},
	}
}
