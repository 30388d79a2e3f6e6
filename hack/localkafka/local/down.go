package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Down ends every node and removes the cluster's files. It kills rather than asks (SIGKILL): the data goes anyway, and
// controllers that are asked all at once wait for a majority that is no longer there. A second Down finds nothing to do.
func (c *Cluster) Down(ctx context.Context) error {
	err := c.exclusively(ctx, func(s *State) error { return takeDown(ctx, *s) })
	if errors.Is(err, ErrNoCluster) {
		return nil
	}
	return err
}

func takeDown(ctx context.Context, s State) error {
	if err := killAll(ctx, s.Nodes); err != nil {
		return err
	}
	return removeFiles(s)
}

func killAll(ctx context.Context, nodes []Node) error {
	for _, n := range nodes {
		if err := signal(n.Process, syscall.SIGKILL); err != nil {
			return fmt.Errorf("node %d could not be stopped: %w", n.ID, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, n := range nodes {
		if err := waitGone(ctx, n.Process); err != nil {
			return fmt.Errorf("node %d (process %d) was killed and is still there: %w; look at what it waits for with 'ps -o pid,stat,wchan %d'", n.ID, n.Process.PID, err, n.Process.PID)
		}
	}
	return nil
}

// removeFiles removes what localkafka wrote, by name, and the folder only if nothing else is in it: it may have been
// named by a slip of the hand. The state goes last, so that a removal that was cut off can be done again.
func removeFiles(s State) error {
	ours := []string{filepath.Join(s.Dir, "certs"), filepath.Join(s.Dir, "log4j2.xml"), filepath.Join(s.Dir, "kfake.log")}
	for _, n := range s.Nodes {
		if n.Dir != s.Dir {
			ours = append(ours, n.Dir)
		}
	}
	for _, pattern := range []string{".state.json-*", ".log4j2.xml-*"} { // what a crash leaves of writeAtomic
		halfWritten, _ := filepath.Glob(filepath.Join(s.Dir, pattern)) // only a bad pattern fails
		ours = append(ours, halfWritten...)
	}
	ours = append(ours, statePath(s.Dir))
	for _, path := range ours {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("%s could not be removed; remove it by hand: %w", path, err)
		}
	}
	_ = os.Remove(s.Dir) // fails if somebody put something there, and then it should stay
	return nil
}
