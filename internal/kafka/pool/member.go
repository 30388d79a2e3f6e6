package pool

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
)

const (
	defaultInterval = 30 * time.Second
	// Pauses after a failed look: the first failure is looked at again soon, a dead cluster seldom.
	firstPause, longestPause = 500 * time.Millisecond, 15 * time.Second
)

// member is one cluster of the pool. One goroutine, run, dials and polls; everybody else reads.
type member struct {
	pool *Pool
	name string
	stop context.CancelFunc
	// kick has room for one: run looks again at once.
	kick chan struct{}

	mu       sync.Mutex
	settings kafka.Settings
	conn     Conn
	connHash string // of the settings that conn was made with
	status   State
	failing  time.Time // since when; zero while it is not
	lookedAt time.Time // when a look last succeeded; zero before
	failures int
}

func newMember(p *Pool, name string) *member {
	return &member{pool: p, name: name, kick: make(chan struct{}, 1), status: State{Phase: Connecting}}
}

func (m *member) want(s kafka.Settings) {
	m.mu.Lock()
	changed := m.settings.ConnectionHash() != s.ConnectionHash() || m.settings.ExpectedClusterID != s.ExpectedClusterID || m.settings.Interval != s.Interval
	m.settings = s
	m.mu.Unlock()
	if changed {
		m.wake()
	}
}

// hold fails a member that has no connection, for a reason that the settings give. Settings from before are forgotten:
// dialled again, their failure and this one would take turns, and wake every topic each time.
func (m *member) hold(err error) {
	m.mu.Lock()
	if m.conn == nil {
		m.settings = kafka.Settings{}
	}
	changed := m.conn == nil && message(m.status.Err) != err.Error()
	if changed {
		m.status = State{Phase: Failing, Err: kafka.NewError(kafka.ClassNotConnected, "%s", err.Error())}
	}
	m.mu.Unlock()
	if changed {
		m.pool.changed(TopicRef{Cluster: m.name})
	}
}

func (m *member) wake() {
	select {
	case m.kick <- struct{}{}:
	default: // a look is due already
	}
}

func (m *member) state() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

func (m *member) current() Conn {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conn
}

func (m *member) admin() (kafka.Admin, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.status.Phase {
	case Connected:
		return m.conn, nil
	case Failing:
		return nil, m.status.Err
	default:
		return nil, kafka.NewError(kafka.ClassNotConnected, "KafkaCluster %s is not connected yet", m.name)
	}
}

func (m *member) run(ctx context.Context) {
	defer m.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-m.kick:
		}
		m.look(ctx)
		timer.Reset(m.pause())
	}
}

func (m *member) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		m.conn.Close()
		m.conn = nil
	}
	m.status = State{Phase: Unknown}
}

// pause until the next look: the interval give or take a tenth, so that many clusters do not beat in step; less after
// a failure, doubling.
func (m *member) pause() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failures > 0 {
		return min(longestPause, firstPause<<min(m.failures-1, 10))
	}
	interval := m.settings.Interval
	if interval <= 0 {
		interval = defaultInterval
	}
	return interval - interval/10 + rand.N(interval/5+1)
}

// look is one round: move to newer settings if there are any, then poll.
func (m *member) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, m.pool.options.ProbeTimeout)
	defer cancel()
	m.mu.Lock()
	settings, conn, rotate := m.settings, m.conn, m.settings.ConnectionHash() != m.connHash
	m.mu.Unlock()
	if len(settings.BootstrapServers) == 0 {
		return
	}
	var rotationErr error
	if conn == nil || rotate {
		fresh, changes, err := m.prove(ctx, settings)
		if err == nil {
			m.adopt(fresh, settings, changes)
			return
		}
		if conn == nil {
			m.fail(ctx, err)
			return
		}
		rotationErr = err
	}
	changes, err := conn.Poll(ctx)
	if err == nil {
		err = m.checkIdentity(conn, settings)
	}
	if err != nil {
		m.fail(ctx, err)
		return
	}
	m.succeed(conn, changes, rotationErr)
}

// prove dials with settings and looks once; a connection that has not shown the cluster is closed again.
func (m *member) prove(ctx context.Context, s kafka.Settings) (Conn, franz.Changes, error) {
	conn, err := m.pool.options.Dial(s)
	if err != nil {
		return nil, franz.Changes{}, err
	}
	changes, err := conn.Poll(ctx)
	if err == nil {
		err = m.checkIdentity(conn, s)
	}
	if err != nil {
		conn.Close()
		return nil, franz.Changes{}, err
	}
	return conn, changes, nil
}

func (m *member) checkIdentity(conn Conn, s kafka.Settings) error {
	got := conn.Info().ClusterID
	if s.ExpectedClusterID == "" || got == s.ExpectedClusterID {
		return nil
	}
	return kafka.NewError(kafka.ClassIdentityChanged,
		"the bootstrap servers answer as cluster %s, and this KafkaCluster was cluster %s; nothing is written until spec.acceptClusterID is %s or the bootstrap servers are right again",
		got, s.ExpectedClusterID, got)
}

// adopt makes a proven connection the current one, and closes the one before after those who use it have had time to end.
func (m *member) adopt(conn Conn, s kafka.Settings, changes franz.Changes) {
	m.mu.Lock()
	old := m.conn
	m.conn, m.connHash = conn, s.ConnectionHash()
	m.mu.Unlock()
	if old != nil {
		m.pool.options.Log.Info("moved to a new connection", "kafkaCluster", m.name)
		time.AfterFunc(m.pool.options.ProbeTimeout, old.Close)
	}
	m.succeed(conn, changes, nil)
	m.pool.changed(TopicRef{Cluster: m.name}) // the new connection has seen no topic yet
}

func (m *member) succeed(conn Conn, changes franz.Changes, rotationErr error) {
	m.mu.Lock()
	before := m.status
	m.status = State{Phase: Connected, Info: conn.Info(), RotationErr: rotationErr}
	m.failing, m.lookedAt = time.Time{}, time.Now()
	if rotationErr == nil {
		m.failures = 0
	} else {
		m.failures++ // look again soon: the credentials may be on their way to the brokers
	}
	m.mu.Unlock()
	recovered := before.Phase != Connected
	if recovered || changes.Info || message(before.RotationErr) != message(rotationErr) {
		m.pool.clusters.send(m.name)
	}
	if recovered || changes.Brokers {
		m.pool.changed(TopicRef{Cluster: m.name})
		return
	}
	for _, name := range changes.Topics {
		m.pool.changed(TopicRef{Cluster: m.name, Topic: name})
	}
}

func (m *member) fail(ctx context.Context, err error) {
	if ctx.Err() == context.Canceled {
		return // the pool is stopping
	}
	if kafka.ClassOf(err) == kafka.ClassOutcomeUnknown || kafka.ClassOf(err) == kafka.ClassTransient {
		// A look changes nothing, so its outcome is plain: nobody answered in time.
		err = kafka.NewError(kafka.ClassUnreachable, "no broker answered: %v", err)
	}
	now := time.Now()
	m.mu.Lock()
	before := m.status
	if m.failing.IsZero() {
		m.failing = now
	}
	m.failures++
	m.status = State{Phase: Failing, Info: before.Info, Err: err, Out: now.Sub(m.failing) >= m.pool.options.OutageGrace}
	after := m.status
	m.mu.Unlock()
	if before.Phase != Failing || kafka.ClassOf(before.Err) != kafka.ClassOf(err) {
		m.pool.options.Log.Info("cannot reach the cluster", "kafkaCluster", m.name, "error", err.Error())
		m.pool.clusters.send(m.name)
	}
	if before.Phase == Connecting || (after.Out && !before.Out) {
		m.pool.changed(TopicRef{Cluster: m.name})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
