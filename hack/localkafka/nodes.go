package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/hack/localkafka/local"
)

func newDown(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "End every broker and remove the cluster's files",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, err := load(*dir)
			if errors.Is(err, local.ErrNoCluster) {
				progress("nothing to take down")
				return nil
			}
			if err != nil {
				return err
			}
			return takeDown(cmd.Context(), cluster)
		},
	}
}

func newStatus(dir *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the nodes; exit 0 only if all of them run and are ready",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, err := load(*dir)
			if err != nil {
				return err
			}
			show := showTable
			if asJSON {
				show = showJSON
			}
			if err := show(cluster); err != nil {
				return err
			}
			return allUp(cmd.Context(), cluster)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print state.json instead of a table")
	return cmd
}

func showJSON(cluster *local.Cluster) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(cluster.State())
}

func showTable(cluster *local.Cluster) error {
	nodes, err := cluster.Status()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tSTATE\tPID\tRACK\tROLES\tPLAINTEXT\tLOG")
	for _, n := range nodes {
		pid, roles := "-", "broker"
		if n.Process != nil && n.Phase != local.NodeStopped {
			pid = fmt.Sprint(n.Process.PID)
		}
		if n.Controller {
			roles = "broker,controller"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", n.ID, n.Phase, pid, n.Rack, roles, n.At(local.ListenerPlaintext), n.Log)
	}
	return w.Flush()
}

func allUp(ctx context.Context, cluster *local.Cluster) error {
	nodes, err := cluster.Status()
	if err != nil {
		return err
	}
	if s := cluster.State(); s.Phase != local.PhaseRunning {
		return fmt.Errorf("the start of the cluster in %s is not done (%s); wait for it, or run 'localkafka up' to begin anew", s.Dir, s.Phase)
	}
	for _, n := range nodes {
		if n.Phase != local.NodeRunning {
			return fmt.Errorf("node %d is %s; start or resume it, or run 'localkafka up' to begin anew", n.ID, n.Phase)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return cluster.WaitReady(ctx)
}

func newNodeCommands(dir *string) []*cobra.Command {
	type operation = func(*local.Cluster, context.Context, int32) error
	newCommand := func(name, short, done string, operate operation) *cobra.Command {
		var node int32
		cmd := &cobra.Command{
			Use:   name,
			Short: short,
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				cluster, err := load(*dir)
				if err != nil {
					return err
				}
				if err := operate(cluster, cmd.Context(), node); err != nil {
					return err
				}
				progress(fmt.Sprintf("node %d %s", node, done))
				return nil
			},
		}
		cmd.Flags().Int32Var(&node, "node", 0, "the node's id")
		_ = cmd.MarkFlagRequired("node") // fails only for a flag that does not exist
		return cmd
	}
	return []*cobra.Command{
		newCommand("kill", "End a node at once, as a power failure would (SIGKILL)", "is killed", (*local.Cluster).Kill),
		newCommand("stop", "Ask a node to shut down (SIGTERM) and wait until it has", "is stopped", (*local.Cluster).Stop),
		newCommand("start", "Start a stopped node and wait until it is registered", "is started", (*local.Cluster).Start),
		newCommand("pause", "Freeze a node (SIGSTOP)", "is paused", (*local.Cluster).Pause),
		newCommand("resume", "Let a frozen node go on (SIGCONT)", "is resumed", (*local.Cluster).Resume),
	}
}
