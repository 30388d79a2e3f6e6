package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/hack/localkube/internal/cluster"
)

func newDownCommand() *cobra.Command {
	var flags dirFlag
	var keepData bool
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop a control plane and remove its data",
		Long:  "Stop every component, wait until each is gone, and remove the data.\nExits 0 when nothing runs.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := flags.resolve()
			if err != nil {
				return err
			}
			return cluster.Down(cmd.Context(), cluster.DownOptions{Dir: dir, KeepData: keepData, Grace: grace, Report: progress()})
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&keepData, "keep-data", false, "keep the data, keys, ports and logs for the next up")
	cmd.Flags().DurationVar(&grace, "timeout", cluster.DefaultGrace, "how long each component may take after SIGTERM, before SIGKILL; 0 kills at once")
	return cmd
}

func newStatusCommand() *cobra.Command {
	var flags dirFlag
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print a line for each component; exit status 1 unless all are ready",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := flags.resolve()
			if err != nil {
				return err
			}
			statuses, err := cluster.Status(cmd.Context(), dir)
			if err != nil {
				return err
			}
			if len(statuses) == 0 {
				return fmt.Errorf("nothing runs in %s; run up to start a control plane there", dir)
			}
			return printStatus(cmd, statuses)
		},
	}
	flags.add(cmd)
	return cmd
}

func printStatus(cmd *cobra.Command, statuses []cluster.ComponentStatus) error {
	var err error
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tPID\tSTATE\tURL")
	for _, s := range statuses {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", s.Name, s.PID, s.Condition, s.URL)
		if s.Condition != cluster.Ready {
			err = errSilent
		}
	}
	if flushErr := table.Flush(); flushErr != nil {
		return flushErr
	}
	return err
}

func newStopComponentCommand() *cobra.Command {
	var flags dirFlag
	var kill bool
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "stop-component NAME",
		Short: "Stop one component and keep its data",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := flags.resolve()
			if err != nil {
				return err
			}
			if kill {
				grace = 0
			}
			return cluster.StopComponent(cmd.Context(), cluster.SingleOptions{Dir: dir, Name: args[0], Timeout: grace, Report: progress()})
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&kill, "kill", false, "send SIGKILL at once, as a crash would")
	cmd.Flags().DurationVar(&grace, "timeout", cluster.DefaultGrace, "how long it may take after SIGTERM, before SIGKILL")
	return cmd
}

func newStartComponentCommand() *cobra.Command {
	var flags dirFlag
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "start-component NAME",
		Short: "Start a stopped component with the same ports and data, and wait until it is ready",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := flags.resolve()
			if err != nil {
				return err
			}
			return cluster.StartComponent(cmd.Context(), cluster.SingleOptions{Dir: dir, Name: args[0], Timeout: timeout, Report: progress()})
		},
	}
	flags.add(cmd)
	cmd.Flags().DurationVar(&timeout, "timeout", startTimeout, "how long the start may take")
	return cmd
}
