// Package pool holds one connection per KafkaCluster: it dials, probes, rotates credentials, looks at the cluster at every
// interval, and wakes whom a change concerns. A reconcile never dials and never closes; it asks For, and gets an Admin or
// an error at once.
package pool

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
)

// Conn is one connection to a cluster: an Admin that can be polled and closed.
type Conn interface {
	kafka.Admin
	Poll(ctx context.Context) (franz.Changes, error)
	Close()
}

// Dial makes a Conn from settings; it may fail on the settings alone, and need not reach the cluster.
type Dial func(s kafka.Settings) (Conn, error)

// Options shape a Pool.
type Options struct {
	Dial Dial
	Log  logr.Logger
	// OutageGrace is how long a cluster may be away before the topics on it are woken to say so. Default 2 minutes: a
	// restart of the brokers should not turn ten thousand topics to Unknown and back.
	OutageGrace time.Duration
	// ProbeTimeout bounds one look at a cluster. Default 20 s.
	ProbeTimeout time.Duration
}

// Pool is a set of connections by KafkaCluster name. Make one with New, and run it with Start.
type Pool struct {
	options Options

	mu       sync.Mutex
	ctx      context.Context // that of Start; nil before
	members  map[string]*member
	clusters *feed[string]
	topics   *feed[TopicRef]
	// alsoTopics is nil while nobody has asked for it.
	alsoTopics *feed[TopicRef]
	group      sync.WaitGroup
}

// TopicRef names a topic on a cluster. An empty Topic stands for every topic of the cluster.
type TopicRef struct{ Cluster, Topic string }

// New returns a Pool.
func New(options Options) *Pool {
	if options.OutageGrace == 0 {
		options.OutageGrace = 2 * time.Minute
	}
	if options.ProbeTimeout == 0 {
		options.ProbeTimeout = 20 * time.Second
	}
	return &Pool{options: options, members: make(map[string]*member), clusters: newFeed[string](), topics: newFeed[TopicRef]()}
}

// NeedLeaderElection makes the pool run on the leader alone: only it has reconciles to serve.
func (p *Pool) NeedLeaderElection() bool { return true }

// Start serves until ctx ends, and then closes every connection.
func (p *Pool) Start(ctx context.Context) error {
	p.mu.Lock()
	p.ctx = ctx
	for _, m := range p.members {
		p.launch(m)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.group.Wait()
	return nil
}

func (p *Pool) launch(m *member) {
	ctx, cancel := context.WithCancel(p.ctx)
	m.stop = cancel
	p.group.Go(func() { m.run(ctx) })
}

// Ensure makes the pool connect to a cluster with these settings. It returns at once; State tells how it went, and
// Clusters when that changes. With other settings than before, the old connection serves until the new one has proven itself.
func (p *Pool) Ensure(name string, s kafka.Settings) {
	p.ensure(name).want(s)
}

// ensure returns the member of this name, a new one if there was none.
func (p *Pool) ensure(name string) *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.members[name]
	if !ok {
		m = newMember(p, name)
		p.members[name] = m
		if p.ctx != nil {
			p.launch(m)
		}
	}
	return m
}

// Hold says why a cluster cannot be connected to at all: a Secret is missing. A connection that stands goes on.
func (p *Pool) Hold(name string, err error) {
	p.ensure(name).hold(err)
}

// Remove closes the connection to a cluster.
func (p *Pool) Remove(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, ok := p.members[name]
	if !ok {
		return
	}
	delete(p.members, name)
	if m.stop != nil {
		m.stop()
	}
}

// State is what is known of the connection to a cluster.
func (p *Pool) State(name string) State {
	if m := p.member(name); m != nil {
		return m.state()
	}
	return State{Phase: Unknown}
}

// For is the Admin of a cluster, or an *kafka.Error that says why there is none now.
func (p *Pool) For(name string) (kafka.Admin, error) {
	m := p.member(name)
	if m == nil {
		return nil, kafka.NewError(kafka.ClassNotConnected, "KafkaCluster %s has not been looked at yet", name)
	}
	return m.admin()
}

// Forget stops looking at a topic, if there is a connection.
func (p *Pool) Forget(cluster, topic string) {
	if m := p.member(cluster); m != nil {
		if conn := m.current(); conn != nil {
			conn.Forget(topic)
		}
	}
}

// Leave ends the interest of an observer in the topics of a cluster, if there is a connection.
func (p *Pool) Leave(cluster, observer string) {
	if m := p.member(cluster); m != nil {
		if conn := m.current(); conn != nil {
			conn.Leave(observer)
		}
	}
}

// Ages says how long ago the last look at each cluster succeeded; a cluster that never answered is not in it.
func (p *Pool) Ages() map[string]time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	ages := make(map[string]time.Duration, len(p.members))
	for name, m := range p.members {
		m.mu.Lock()
		if !m.lookedAt.IsZero() {
			ages[name] = time.Since(m.lookedAt)
		}
		m.mu.Unlock()
	}
	return ages
}

func (p *Pool) member(name string) *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.members[name]
}

// Phase names the state of a connection.
type Phase int

// The phases.
const (
	// Unknown: the pool was never told of the cluster.
	Unknown Phase = iota
	// Connecting: nothing has answered yet, nor failed.
	Connecting
	// Connected: the last look at the cluster succeeded.
	Connected
	// Failing: the last look, or the first connection, failed.
	Failing
)

// State is what is known of the connection to a cluster.
type State struct {
	Phase Phase
	// Info is of the last look that succeeded.
	Info kafka.ClusterInfo
	// Err is why the connection is Failing.
	Err error
	// RotationErr is why newer settings do not work, while the connection with the older ones serves.
	RotationErr error
	// Out is true once a cluster has been away for longer than the grace.
	Out bool
}
