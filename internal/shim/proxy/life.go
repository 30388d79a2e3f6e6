package proxy

import (
	"cmp"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

// goodbye ends the client's connection so that it has all answers, and finds out whether it has. One that did not keep to the
// protocol is not waited for.
func (c *conn) goodbye(err error) {
	rude := errors.Is(err, wire.ErrFrame) || errors.Is(err, errProtocol) || errors.Is(err, errPolicy) || errors.Is(err, errStalled)
	if closed, reset := closedByPeer(c.client); closed || rude || c.server.ctx.Err() != nil {
		c.reset.CompareAndSwap(false, reset)
		return
	}
	patience := partTime
	if c.stopping.Load() {
		patience /= 10
	}
	if c.part(patience) {
		c.reset.Store(true)
	}
}

// dial the broker that the connection is for. Where it is away the client is served by another one all the same: what it
// produces is brought to whoever leads the partition. So it is if its last connection ended before it answered anything: something
// in between took that connection in its place.
func (c *conn) dial(mute bool) (up *upstream.Conn, err error) {
	ctx := c.server.ctx
	if !mute {
		if up, err = c.server.connect(ctx, c.node); err == nil || c.ownSASL.Load() {
			c.away.Store(false)
			return up, err
		}
	}
	c.away.Store(c.node != bootstrapNode)
	ids := c.server.nodes.ids()
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for _, id := range append(ids, bootstrapNode) {
		if id == c.node {
			continue
		}
		if up, err = c.server.connect(ctx, id); err == nil {
			return up, nil
		}
	}
	return nil, cmp.Or(err, errAway)
}

// upstream is the connection to the broker.
func (c *conn) upstream() *upstream.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

// reconnect to a broker for a client that is kept. It says whether answers are to be read again.
func (c *conn) reconnect() bool {
	mute := !c.heard.Swap(false)
	if !mute {
		c.backoff = 0
	}
	for {
		if c.closing.Load() || c.closed() || c.server.ctx.Err() != nil || (!c.unheard.Load() && c.clientGone()) {
			return false
		}
		if c.backoff > 0 {
			c.server.pause(c.backoff)
		}
		c.backoff = min(max(2*c.backoff, 50*time.Millisecond), time.Second)
		up, err := c.dial(mute)
		if err == nil {
			c.mu.Lock()
			c.up, c.broken = up, false
			c.mu.Unlock()
			c.changed.Broadcast()
			return !c.closing.Load()
		}
		mute = false // whoever answers
	}
}

// kept says whether the client's connection outlives that to the broker, which left so much unanswered: what the shim can bring
// elsewhere it answers itself, and for anything else the end of the connection is the answer. The caller holds mu.
func (c *conn) kept(left []*exchange) bool {
	if c.unheard.Load() {
		return true
	}
	if (c.bound.Load() && !c.keeps.Load()) || c.ownSASL.Load() || c.stopping.Load() {
		return false
	}
	for _, x := range left {
		if (x.kind == relay || x.kind == decode) && x.again == nil || x.kind == produce && !x.produce.entries {
			return false
		}
	}
	return true
}

// finish waits for what is in flight when the client sends no more: Produce requests are seen to their end.
func (c *conn) finish(err error) {
	c.mu.Lock()
	waits := (c.stopping.Load() || errors.Is(err, errElsewhere)) && c.order.len() > 0
	for _, x := range c.order.all() {
		waits = waits || x.kind == produce
	}
	if waits && !errors.Is(err, errPolicy) {
		// The goroutine of answers ends when nothing is left.
		c.up.SetReadDeadline(time.Now().Add(c.patience())) //nolint:errcheck // then it is closed already
		for c.order.len() > 0 && !c.ended {
			c.changed.Wait()
		}
	}
	c.mu.Unlock()
	c.closing.Store(true)
	c.upstream().Close()
}

// patience is how long an answer is waited for when nobody at the client does, and how long when what it sends again may wait for
// this.
func (c *conn) patience() time.Duration {
	if !c.unheard.Load() && c.clientGone() {
		return 2 * time.Second
	}
	return min(c.server.Contract().Timing.DeliveryTimeout.Duration(), 30*time.Second)
}

func (c *conn) report(err error) {
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
	case errors.Is(err, errElsewhere), errors.Is(err, errAway):
		c.server.log.Info("client sent to look for a leader", "node", c.node, "client", c.client.RemoteAddr().String(), "why", err)
	case errors.Is(err, wire.ErrFrame), errors.Is(err, errProtocol):
		c.server.book.Malformed.Add(1)
		c.server.log.Warn("client connection ended", "client", c.client.RemoteAddr().String(), "err", err)
	default:
		c.server.log.Debug("client connection ended", "client", c.client.RemoteAddr().String(), "err", err)
	}
}

// stopReading takes no more requests; those that were taken are answered.
func (c *conn) stopReading() {
	c.stopping.Store(true)
	c.client.SetReadDeadline(c.lastWord()) //nolint:errcheck // then it is closed already
	c.server.seq.wake()
}

// lastWord is until when another request is waited for in a drain: no longer, unless it is on the way already and the client
// believes that it is written (acks=0), or has gone and left it.
func (c *conn) lastWord() time.Time {
	if closed, _ := closedByPeer(c.client); closed || c.unheard.Load() {
		return time.Now().Add(time.Second)
	}
	return time.Unix(1, 0)
}

// abort ends the connection at once.
func (c *conn) abort() {
	c.client.Close()
	c.mu.Lock()
	up := c.up
	c.mu.Unlock()
	if up != nil {
		up.Close()
	}
	c.end()
}

func (c *conn) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.changed.Broadcast()
	c.server.seq.wake()
}
