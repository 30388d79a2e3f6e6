package proxy

import (
	"sync"
	"time"

	"mooring.dev/mooring/internal/shim/sequence"
)

// sequencer is the state of package sequence, shared by all connections: clients send a batch again on another connection
// than the one that took it first.
type sequencer struct {
	mu      sync.Mutex
	changed *sync.Cond // something was settled
	table   sequence.Table
	// idle are producers of connections that ended with nothing unsettled. They are used again: brokers keep state for each
	// producer ID (KIP-936).
	idle []*producer
	// lanes in use, by producers that live.
	used map[*sequence.Lane]struct{}
	// swept is when old entries were dropped last.
	swept time.Time
}

// maxIdle bounds the producers that wait for a connection.
const maxIdle = 64

// producer is what a connection writes with.
type producer struct {
	id    int64
	epoch int16
	ready bool
	lanes map[string]map[int32]*slot
}

// slot is a partition that a connection writes to.
type slot struct {
	own *sequence.Lane
	// busy is the lane of the batches on the way, which is another than own when they are resends; n is how many there are.
	busy *sequence.Lane
	n    int
}

func (q *sequencer) init() {
	q.changed = sync.NewCond(&q.mu)
	q.used = make(map[*sequence.Lane]struct{})
}

func (q *sequencer) wake() {
	q.mu.Lock()
	q.mu.Unlock() //nolint:staticcheck // whoever is about to wait has to be waiting
	q.changed.Broadcast()
}

// slot of a partition. The caller holds mu.
func (p *producer) slot(topic []byte, index int32) *slot {
	of := p.lanes[string(topic)]
	if of == nil {
		if p.lanes == nil {
			p.lanes = make(map[string]map[int32]*slot)
		}
		of = make(map[int32]*slot)
		p.lanes[string(topic)] = of
	}
	s := of[index]
	if s == nil {
		s = &slot{}
		of[index] = s
	}
	return s
}

// open a lane for a partition. The caller holds mu.
func (q *sequencer) open(p sequence.Partition, s *slot, id int64, epoch int16) {
	if s.own != nil {
		delete(q.used, s.own)
		if s.own.Clean() {
			q.table.Remove(s.own)
		}
	}
	s.own = sequence.NewLane(p, id, epoch)
	q.table.Add(s.own)
	q.used[s.own] = struct{}{}
}

// take a producer that waits for a connection.
func (q *sequencer) take() *producer {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.idle) == 0 {
		return nil
	}
	p := q.idle[len(q.idle)-1]
	q.idle = q.idle[:len(q.idle)-1]
	return p
}

// leave gives the producer of a connection that ended back, if nothing of it is unsettled; else what is unsettled stays to
// be found by a resend.
func (q *sequencer) leave(c *conn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.forget()
	q.sweep(time.Now(), c.server.Contract().Timing.DeliveryTimeout.Duration())
	clean := c.producer.ready && len(q.idle) < maxIdle
	c.producer.each(func(s *slot) { clean = clean && (s.own == nil || s.own.Clean()) })
	if clean {
		q.idle = append(q.idle, c.producer)
	} else {
		c.producer.each(func(s *slot) {
			if s.own == nil {
				return
			}
			delete(q.used, s.own)
			if s.own.Clean() {
				q.table.Remove(s.own)
			}
		})
	}
	c.producer = &producer{}
	q.changed.Broadcast()
}

func (p *producer) each(do func(*slot)) {
	for _, of := range p.lanes {
		for _, s := range of {
			do(s)
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
}
