package proxy

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mooring.dev/mooring/internal/shim/sequence"
)

// sequencer is the state of package sequence, shared by all connections: the order of what a client writes is kept over all of
// its connections, and it may send a batch again on another than the one that took it first.
type sequencer struct {
	mu      sync.Mutex
	changed *sync.Cond // something was settled
	table   sequence.Table
	clients map[string]*client
	// idle are producers of clients that left nothing unsettled. They are used again: brokers keep state for each producer ID
	// (KIP-936).
	idle []*producer
	// lanes in use, by producers that live.
	used map[*sequence.Lane]struct{}
	// swept is when old entries were dropped last.
	swept time.Time
	// numbers counts the requests that were read, and readers those that wait until another connection has read on.
	numbers atomic.Int64
	readers atomic.Int32
	reading []*reading
}

// maxIdle bounds the producers that wait for a client.
const maxIdle = 64

// producer is what a client writes with.
type producer struct {
	id    int64
	epoch int16
	ready bool
	lines map[string]map[int32]*line
}

func (q *sequencer) init() {
	q.changed = sync.NewCond(&q.mu)
	q.used = make(map[*sequence.Lane]struct{})
	q.clients = make(map[string]*client)
}

func (q *sequencer) wake() {
	q.mu.Lock()
	q.mu.Unlock() //nolint:staticcheck // whoever is about to wait has to be waiting
	q.changed.Broadcast()
}

// line of a partition. The caller holds mu.
func (p *producer) line(topic []byte, index int32) *line {
	of := p.lines[string(topic)]
	if of == nil {
		if p.lines == nil {
			p.lines = make(map[string]map[int32]*line)
		}
		of = make(map[int32]*line)
		p.lines[string(topic)] = of
	}
	l := of[index]
	if l == nil {
		l = &line{}
		of[index] = l
	}
	return l
}

// open a lane for a partition. The caller holds mu.
func (q *sequencer) open(p sequence.Partition, l *line, id int64, epoch int16) {
	if l.lane != nil {
		delete(q.used, l.lane)
		if l.lane.Clean() {
			q.table.Remove(l.lane)
		}
	}
	l.lane = sequence.NewLane(p, id, epoch)
	q.table.Add(l.lane)
	q.used[l.lane] = struct{}{}
}

// take a producer that waits for a client, or a new one without an ID. The caller holds mu.
func (q *sequencer) take() *producer {
	if len(q.idle) == 0 {
		return &producer{}
	}
	p := q.idle[len(q.idle)-1]
	q.idle = q.idle[:len(q.idle)-1]
	return p
}

// leave the clients of a connection that ended. Of a client without connections the producer is given back, if nothing of it is
// unsettled; else what is unsettled stays to be found by a resend.
func (q *sequencer) leave(c *conn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.forget()
	for _, k := range c.clients {
		isThis := func(other *conn) bool { return other == c }
		k.members = slices.DeleteFunc(k.members, isThis)
		k.producer.each(func(l *line) { l.users = slices.DeleteFunc(l.users, isThis) })
		q.retire(k)
	}
	c.clients, c.present = nil, nil
	q.sweep(time.Now(), c.server.Contract().Timing.DeliveryTimeout.Duration())
	q.changed.Broadcast()
}

// retire a client that has no connections and nothing unsettled. The caller holds mu.
func (q *sequencer) retire(k *client) {
	clean := len(k.members) == 0
	k.producer.each(func(l *line) { clean = clean && (l.lane == nil || l.lane.Clean()) })
	if !clean {
		return
	}
	delete(q.clients, k.id)
	if k.producer.ready && len(q.idle) < maxIdle {
		q.idle = append(q.idle, k.producer)
		return
	}
	k.producer.each(func(l *line) {
		if l.lane != nil {
			delete(q.used, l.lane)
			q.table.Remove(l.lane)
		}
	})
}

func (p *producer) each(do func(*line)) {
	for _, of := range p.lines {
		for _, l := range of {
			do(l)
		}
	}
}

// sweep drops what nobody sent again for a delivery timeout. The caller holds mu.
func (q *sequencer) sweep(now time.Time, timeout time.Duration) {
	if now.Sub(q.swept) < timeout/4 {
		return
	}
	q.swept = now
	q.table.Expire(now.Add(-timeout), func(l *sequence.Lane) bool { _, ok := q.used[l]; return ok })
	for _, k := range q.clients {
		q.retire(k)
	}
}
