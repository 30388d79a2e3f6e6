package local

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// stopTimeout bounds a controlled shutdown, in which a broker hands its leaderships over.
const stopTimeout = 90 * time.Second

// Kill ends a node as a power failure would (SIGKILL), and returns when it is gone. Its data stays. A stopped node is
// left as it is.
func (c *Cluster) Kill(ctx context.Context, id int32) error {
	return c.end(ctx, id, syscall.SIGKILL)
}

// Stop asks a node to shut down (SIGTERM) and returns when it has: up to 90 seconds. Without a majority of controllers
// it may not get there. A stopped node is left as it is.
func (c *Cluster) Stop(ctx context.Context, id int32) error {
	return c.end(ctx, id, syscall.SIGTERM)
}

func (c *Cluster) end(ctx context.Context, id int32, sig syscall.Signal) error {
	return c.onNode(ctx, id, func(_ *State, n *Node) error {
		if phaseOf(*n) == NodePaused && sig == syscall.SIGTERM {
			return fmt.Errorf("node %d is paused and can't hear that it should stop; resume it first, or kill it", id)
		}
		if err := signal(n.Process, sig); err != nil {
			return fmt.Errorf("node %d could not be stopped: %w", id, err)
		}
		ctx, cancel := context.WithTimeout(ctx, stopTimeout)
		defer cancel()
		if sig == syscall.SIGKILL {
			return ended(ctx, *n)
		}
		return c.report.During(fmt.Sprintf("stopping node %d", id), func() error { return ended(ctx, *n) })
	})
}

func ended(ctx context.Context, n Node) error {
	if err := waitGone(ctx, n.Process); err != nil {
		return fmt.Errorf("node %d (process %d) did not end (%w); read %s, or kill it", n.ID, n.Process.PID, err, n.Log)
	}
	return nil
}

// Start starts a stopped node on its old data and ports, and returns when it is registered: it answers, and it and all
// the other live nodes list each other. While fewer controllers live than a majority, none can register: Start then
// returns as soon as the process runs. A running node is left as it is (and waited for), a paused one is an error.
func (c *Cluster) Start(ctx context.Context, id int32) error {
	return c.onNode(ctx, id, func(s *State, n *Node) error {
		switch phaseOf(*n) {
		case NodePaused:
			return fmt.Errorf("node %d is paused, not stopped; resume it", id)
		case NodeStopped:
			j, err := toolchain(ctx, s.Dir, c.report)
			if err != nil {
				return err
			}
			if n.Process, err = launchBroker(j, *s, *n); err != nil {
				return err
			}
			if err := saveState(*s); err != nil {
				return err
			}
		}
		live, quorum := liveNodes(*s)
		if !quorum {
			c.report.Sayf("node %d runs, and can register only when a majority of the controllers runs: start another one", id)
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		return c.report.During(fmt.Sprintf("waiting for node %d to be ready", id), func() error {
			return waitReady(ctx, live)
		})
	})
}

// liveNodes are those that run and are not paused, and whether they hold a majority of the controllers.
func liveNodes(s State) (live []Node, quorum bool) {
	voters, alive := 0, 0
	for _, n := range s.Nodes {
		runs := phaseOf(n) == NodeRunning
		if runs {
			live = append(live, n)
		}
		if n.Controller {
			voters++
			if runs {
				alive++
			}
		}
	}
	return live, alive > voters/2
}

// Pause freezes a node (SIGSTOP): its connections stay open and nothing answers on them. The cluster fences it after
// broker.session.timeout.ms, 6 seconds here.
func (c *Cluster) Pause(ctx context.Context, id int32) error {
	return c.toggle(ctx, id, syscall.SIGSTOP, processPaused)
}

// Resume lets a paused node go on (SIGCONT). It does not wait until the cluster takes it back: [Cluster.WaitReady] does.
func (c *Cluster) Resume(ctx context.Context, id int32) error {
	return c.toggle(ctx, id, syscall.SIGCONT, processRunning)
}

func (c *Cluster) toggle(ctx context.Context, id int32, sig syscall.Signal, want processState) error {
	return c.onNode(ctx, id, func(_ *State, n *Node) error {
		if phaseOf(*n) == NodeStopped {
			return fmt.Errorf("node %d is stopped; start it first", id)
		}
		if err := signal(n.Process, sig); err != nil {
			return fmt.Errorf("node %d could not be paused or resumed: %w", id, err)
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		err := poll(ctx, 10*time.Millisecond, func() (bool, error) { return stateOf(n.Process) == want, nil })
		if err != nil {
			return fmt.Errorf("node %d was sent %q and did not become %s; look at process %d: %w", id, sig, want, n.Process.PID, err)
		}
		return nil
	})
}

// onNode finds the node, in the state as it is on disk, for an operation on it alone.
func (c *Cluster) onNode(ctx context.Context, id int32, operate func(*State, *Node) error) error {
	return c.exclusively(ctx, func(s *State) error {
		if s.Settings.Embedded {
			return fmt.Errorf("the cluster in %s is embedded: its nodes share one process, and none can be stopped, started or paused alone; bring up Apache Kafka (without --embedded) for that", s.Dir)
		}
		if _, err := s.Node(id); err != nil {
			return err
		}
		for i := range s.Nodes {
			if s.Nodes[i].ID == id {
				return operate(s, &s.Nodes[i])
			}
		}
		return nil
	})
}
