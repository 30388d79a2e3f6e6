package local

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// Cluster is a handle on the cluster in a folder. Any number of handles, in any number of processes, can be on the same
// one: each operation takes the cluster's lock and reads its state anew.
type Cluster struct {
	dir     string
	timeout time.Duration
	report  *reporter

	mu    sync.Mutex
	state State
}

// Load finds the cluster that was brought up in a folder earlier, by whichever process. It does not look whether its
// nodes are alive: see [Cluster.Status] and [Cluster.WaitReady]. Where there is none, the error is [ErrNoCluster].
func Load(dir string) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("the cluster folder %q can't be made absolute; name it from the root: %w", dir, err)
	}
	s, err := loadState(dir)
	if err != nil {
		return nil, err
	}
	return &Cluster{dir: dir, timeout: 3 * time.Minute, report: newReporter(nil), state: s}, nil
}

// ReportTo gives the handle a [Config.Progress] function, which a loaded one lacks.
func (c *Cluster) ReportTo(progress func(string)) { c.report = newReporter(progress) }

// State is what this handle knows of the cluster: as of its last operation.
func (c *Cluster) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.clone()
}

func (c *Cluster) remember(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s.clone()
}

// exclusively runs an operation on the state as it is on disk, with nobody else at work on this cluster.
func (c *Cluster) exclusively(ctx context.Context, operate func(*State) error) error {
	unlock, err := lockCluster(ctx, c.dir, c.report)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := loadState(c.dir)
	if err != nil {
		return err
	}
	err = operate(&s)
	c.remember(s)
	return err
}

func lockCluster(ctx context.Context, dir string, r *reporter) (func(), error) {
	path, err := lockFile(dir)
	if err != nil {
		return nil, err
	}
	return lock(ctx, path, r)
}

// NodePhase is whether a node's process lives.
type NodePhase string

// The phases of a node.
const (
	NodeRunning NodePhase = "Running"
	NodePaused  NodePhase = "Paused"
	NodeStopped NodePhase = "Stopped"
)

// NodeStatus is what the operating system says of a node. Whether it answers is for [Cluster.WaitReady] to say.
type NodeStatus struct {
	Node
	Phase NodePhase
}

// Status looks at every node's process now.
func (c *Cluster) Status() ([]NodeStatus, error) {
	s, err := loadState(c.dir)
	if err != nil {
		return nil, err
	}
	c.remember(s)
	statuses := make([]NodeStatus, 0, len(s.Nodes))
	for _, n := range s.Nodes {
		statuses = append(statuses, NodeStatus{Node: n, Phase: phaseOf(n)})
	}
	return statuses, nil
}

func phaseOf(n Node) NodePhase {
	switch stateOf(n.Process) {
	case processRunning:
		return NodeRunning
	case processPaused:
		return NodePaused
	default:
		return NodeStopped
	}
}

// WaitReady returns when every node of the cluster answers a Metadata request on its own port, lists every node (which
// means: registered and not fenced) and accepts connections on its other listeners. It fails at once when a node's
// process is not there. It waits until ctx ends, and 3 minutes (or [Config.Timeout]) at most.
func (c *Cluster) WaitReady(ctx context.Context) error {
	s, err := loadState(c.dir)
	if err != nil {
		return err
	}
	c.remember(s)
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return waitReady(ctx, s.Nodes)
}
