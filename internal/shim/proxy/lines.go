package proxy

import (
	"net"
	"slices"
	"time"

	"mooring.dev/mooring/internal/shim/sequence"
)

// line is what one client writes to one partition, over all of its connections. It has one lane, so one producer ID and one
// row of sequences, and its batches go to the brokers in the order in which they were read: what comes on one connection goes
// one behind the other without waiting, and what comes on another waits until everything before it is settled.
//
// A client is whoever has its client ID in this pod. Several processes may share one; then they wait for each other where they
// write to the same partition, which keeps their order too.
type line struct {
	lane *sequence.Lane
	// turns in their order. The batches of the first may be sent.
	turns []*turn
	spare *turn
	// users are the connections that batches came on and that live.
	users []*conn
}

// turn is a stretch of batches that came on one connection. They are counted until they are settled.
type turn struct {
	line *line
	of   *conn
	n    int
}

// enter a batch that was just read. Whoever holds seq.mu calls this, and leave.
func (l *line) enter(c *conn) *turn {
	if !slices.Contains(l.users, c) {
		l.users = append(l.users, c)
	}
	if n := len(l.turns); n > 0 && l.turns[n-1].of == c {
		l.turns[n-1].n++
		return l.turns[n-1]
	}
	t := l.spare
	if l.spare = nil; t == nil {
		t = &turn{line: l}
	}
	t.of, t.n = c, 1
	l.turns = append(l.turns, t)
	return t
}

// leave says that a batch is settled, or will not be sent. It returns true if another turn begins.
func (t *turn) leave() bool {
	t.n--
	l, begins := t.line, false
	for len(l.turns) > 0 && l.turns[0].n == 0 {
		l.spare = l.turns[0]
		l.spare.of = nil
		n := copy(l.turns, l.turns[1:])
		l.turns[n] = nil
		l.turns = l.turns[:n]
		begins = n > 0
	}
	return begins
}

// enter the lines of a request that was just read, all at once: requests wait only for requests that came before them, so
// they never wait for each other. The caller holds seq.mu; it is let go while waiting.
func (c *conn) enter(p *produced) error {
	p.of = c.join(p.client)
	c.numbered(p)
	if p.swallow {
		for _, other := range slices.Clone(p.of.members) {
			if err := c.awaitReading(p, other); err != nil {
				return err
			}
		}
	}
	for i := range p.parts {
		if p.upgrades(i) {
			q := &p.parts[i]
			q.line = p.of.producer.line(q.name, p.req.Parts[i].Partition)
			if err := c.behind(p, q.line); err != nil {
				return err
			}
		}
	}
	for i := range p.parts {
		if q := &p.parts[i]; q.line != nil {
			q.turn = q.line.enter(c)
		}
	}
	return nil
}

// await the turn of a request. The caller holds seq.mu; it is let go while waiting.
func (c *conn) await(p *produced) error {
	for !p.next() {
		if c.closed() {
			return net.ErrClosed
		}
		if err := c.pause(p); err != nil {
			return err
		}
	}
	// A client that has gone does not wait for this any more. It may have sent the same records again, in other batches.
	if p.paused && !p.swallow && c.clientGone() {
		return errGone
	}
	return nil
}

// next says whether it is the turn of a request.
func (p *produced) next() bool {
	for i := range p.parts {
		if q := &p.parts[i]; q.turn != nil && q.line.turns[0] != q.turn {
			return false
		}
	}
	return true
}

// leaveLine says that a part is settled, or will not be sent. The caller holds seq.mu.
func (c *conn) leaveLine(q *part) {
	if q.turn == nil {
		return
	}
	if q.turn.leave() {
		c.server.seq.changed.Broadcast()
	}
	q.turn = nil
}

// pause until something was settled. What is posted is pushed first: what is waited for may depend on it. The caller holds
// seq.mu; it is let go meanwhile.
func (c *conn) pause(p *produced) error {
	p.paused = true
	c.stand()
	defer c.goOn()
	seq := &c.server.seq
	if len(c.posted.bytes) == 0 {
		seq.changed.Wait()
		return nil
	}
	seq.mu.Unlock()
	defer seq.mu.Lock()
	return c.push()
}

// behind the batches of the line that have come on connections to other nodes goes what comes on this one: a client that waits for
// answers goes from one node to another when the partition has a new leader. (One that does not, with acks=0, may take any connection
// for any batch.) The caller holds seq.mu; it is let go while waiting.
func (c *conn) behind(p *produced, l *line) error {
	if !slices.ContainsFunc(l.users, func(u *conn) bool { return u.node != c.node }) {
		return nil
	}
	// Who was read to its end may have more by the next time, as long as its connection lives.
	for _, other := range slices.Clone(l.users) { // it is let go
		if other == c || other.node == c.node {
			continue
		}
		if err := c.awaitReading(p, other); err != nil {
			return err
		}
	}
	return nil
}

// awaitReading waits until the other connection has read what has come on it before this request. What another request waits for
// came before that one: it takes a number below. Nobody waits for one that waits in this place itself with a later number, or for
// memory: so they never wait for each other. The caller holds seq.mu; it is let go while waiting.
func (c *conn) awaitReading(p *produced, other *conn) error {
	come := bytesIn(other.client)
	if other == c || other.taken.Load() >= come {
		return nil
	}
	seq := &c.server.seq
	r := &reading{of: other, come: come, number: p.number}
	seq.reading = append(seq.reading, r)
	seq.readers.Add(1)
	c.waits.Store(p.number)
	defer func() {
		c.waits.Store(0)
		seq.readers.Add(-1)
		seq.reading = slices.DeleteFunc(seq.reading, func(other *reading) bool { return other == r })
	}()
	c.stand()
	defer c.goOn()
	seq.changed.Broadcast() // who waits for this one looks again
	if c.later == nil {
		seq.mu.Unlock()
		err := c.push()
		seq.mu.Lock()
		if err != nil {
			return err
		}
	}
	for other.taken.Load() < come && !other.read.Load() && other.waits.Load() <= p.number && !other.over.Load() {
		if c.closed() {
			return net.ErrClosed
		}
		seq.changed.Wait()
	}
	return nil
}

// reading is what a request waits for: that a connection has read what has come on it.
type reading struct {
	of     *conn
	come   int64
	number int64
}

// numbered gives a request its place among those that wait for each other's connections: that of its reading, or, if others wait
// until it is read, before theirs. The caller holds seq.mu.
func (c *conn) numbered(p *produced) {
	for _, r := range c.server.seq.reading {
		if r.of == c && c.taken.Load() < r.come && r.number <= p.number {
			p.number = r.number - 1
		}
	}
}

// caughtUp says how many bytes of the client were read and have entered their lines.
func (c *conn) caughtUp(bytes int64) {
	c.taken.Store(bytes)
	if c.server.seq.readers.Load() > 0 {
		c.server.seq.wake()
	}
}

// client is what the connections with one client ID share.
type client struct {
	id       string
	producer *producer
	members  []*conn
	// refused is why there is no producer ID, and refusedAt since when.
	refused   error
	refusedAt time.Time
}

// join the client that a request is from. The caller holds seq.mu.
func (c *conn) join(clientID []byte) *client {
	if c.present != nil && c.present.id == string(clientID) {
		return c.present
	}
	seq := &c.server.seq
	k := seq.clients[string(clientID)]
	if k == nil {
		k = &client{id: string(clientID), producer: seq.take()}
		seq.clients[k.id] = k
	}
	if !slices.Contains(k.members, c) {
		k.members = append(k.members, c)
		c.clients = append(c.clients, k)
	}
	c.present = k
	return k
}
