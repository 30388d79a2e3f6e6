package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os/exec"
	"sync"
)

// newClusterID is a random UUID in Kafka's spelling.
func newClusterID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:])    // never fails since Go 1.24
	raw[0] = raw[0]&0x3f | 0x40 // Kafka refuses ids that begin with a dash, which its command line takes for a flag
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// formatAll runs Kafka's own storage tool for every node at once: each takes a JVM's start, most of it waiting.
func formatAll(ctx context.Context, j jvm, s State) error {
	errs := make([]error, len(s.Nodes))
	var all sync.WaitGroup
	for i, node := range s.Nodes {
		all.Go(func() { errs[i] = format(ctx, j, s, node) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err // the settings are the same for all nodes, and so are their errors: one is enough to read
		}
	}
	return nil
}

func format(ctx context.Context, j jvm, s State, node Node) error {
	args := []string{"format", "--cluster-id", s.ClusterID, "--config", node.Properties}
	for _, u := range s.Users {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			// Every node gets the same users: whichever becomes the first controller writes its own to the log.
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, u.Name, u.Password))
		}
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, j.java, j.Args(quickOptions, "kafka.tools.StorageTool", args...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted while formatting node %d: %w", node.ID, ctx.Err())
		}
		return &StartError{
			Node: node.ID, Log: node.Properties, Tail: tail(out.String(), 20),
			Err: fmt.Errorf("Kafka's storage tool did not format its folder %s (%w); look at its words and at the properties that were asked for", node.DataDir, err),
		}
	}
	return nil
}
