package main

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/hack/localkafka/local"
)

func newTool(dir *string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tool NAME [ARGUMENT]...",
		Short: "Run one of Apache Kafka's own console tools on the cluster",
		Long: `Run one of Apache Kafka's own console tools, with --bootstrap-server for this cluster unless the arguments have one.
NAME is the full name of any Java class in the jars, or one of:
  ` + strings.Join(local.ToolNames(), "\n  "),
		Example: "  localkafka tool kafka-topics --list\n  localkafka --dir DIR tool kafka-configs --describe --entity-type brokers --entity-name 1 --all",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, err := load(*dir)
			if err != nil {
				return err
			}
			tool, err := cluster.Tool(cmd.Context(), args[0], args[1:]...)
			if err != nil {
				return err
			}
			// The tool takes this program's place: its exit code, its terminal and its signals are then its own.
			err = syscall.Exec(tool.Path, tool.Args, tool.Environ())
			return fmt.Errorf("%s could not be run; look at the rights of that program: %w", tool.Path, err)
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows NAME is the tool's
	return cmd
}
