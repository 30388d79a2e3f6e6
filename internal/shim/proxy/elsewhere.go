package proxy

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// A client that sends to a node which does not lead the partition any more, or is away, learns nothing of it: the shim brings its
// batches to the leader, because an error could make it send again what is written, or in another order. That is slow, so its
// connection ends, at a moment when nothing is on the way: it looks for the leader then. Where such a moment does not come, one is
// made: nothing more is read, for a moment, until everything that was read is answered. What was not read then the client sends
// again, as a whole and in order, to the leader. It must not have begun to send there already: then the connection goes on.

const (
	// elsewhereFor is how long a moment is waited for at which nothing is on the way.
	elsewhereFor = 5 * time.Second
	// quietFor is how long nothing has to come then: right after an answer is when most clients send the next request.
	quietFor = 50 * time.Millisecond
	// holdFor is how long nothing is read to make one.
	holdFor = 100 * time.Millisecond
)

// sendElsewhere says that the client should look for the leader.
func (c *conn) sendElsewhere() {
	c.elsewhere.CompareAndSwap(0, time.Now().UnixNano())
}

// hold reading, if the connection should have ended by now, until everything that was read is answered. It says whether the
// connection can end then. Everything that has come was read.
func (c *conn) hold() bool {
	since := c.elsewhere.Load()
	if since == 0 || c.unheard.Load() || time.Now().UnixNano()-since < int64(elsewhereFor) || c.in.Arrived() < bytesIn(c.client) {
		return false
	}
	end := time.Now().Add(holdFor)
	timer := time.AfterFunc(holdFor, c.changed.Broadcast)
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.order.len() > 0 && !c.ended && time.Now().Before(end) {
		c.changed.Wait()
	}
	if c.order.len() == 0 && c.server.seq.readers.Load() == 0 {
		return true
	}
	c.elsewhere.Store(time.Now().UnixNano())
	return false
}

// goElsewhere tells the client at once, before this connection counts as read and others go on without it, and before the shim has
// done with the broker: what the client has sent here meanwhile it has to send again before it sends anything to the new leader.
func (c *conn) goElsewhere() error {
	c.sendNow()
	c.hangUp()
	return errElsewhere
}

// rests says whether the goroutine of requests waits for the next one. Only then may its deadline be set: within a request it would
// end the connection.
func (c *conn) rests(now bool) {
	c.mu.Lock()
	c.resting = now
	nudge := c.nudging
	c.nudging = false
	if nudge && !now && !c.stopping.Load() {
		c.client.SetReadDeadline(time.Time{}) //nolint:errcheck // then it is closed already
	}
	c.mu.Unlock()
	if now && c.elsewhere.Load() != 0 {
		c.nudge()
	}
}

// nudge wakes the goroutine of requests in a moment, if the connection can end then. A client that expects no answers reads the end of the
// connection when it looks, and is served until then.
func (c *conn) nudge() {
	if c.elsewhere.Load() == 0 {
		return
	}
	if c.unheard.Load() {
		if c.elsewhere.Swap(1) != 1 {
			c.sendNow()
			c.hangUp()
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resting && !c.nudging && c.order.len() == 0 && c.taken.Load() >= bytesIn(c.client) { // else it goes on by itself
		c.nudging = true
		c.client.SetReadDeadline(time.Now().Add(quietFor)) //nolint:errcheck // then it is closed already
	}
}

// nudged says, after the goroutine of requests was woken, whether it was for this, and whether the connection can end: it cannot
// if something has come meanwhile.
func (c *conn) nudged() (was, ends bool) {
	if c.elsewhere.Load() == 0 || c.unheard.Load() {
		return false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.ended, c.order.len() == 0 && c.in.Buffered() == 0 && c.in.Arrived() >= bytesIn(c.client)
}

// partTime bounds how long the end of the client's side is waited for.
const partTime = 3 * time.Second // it most often comes at once

// part from a client that is still there: it reads everything that was answered, and then the end. What it sends meanwhile is not
// taken, so that it is certainly not written. Closing at once could throw away answers that it has not read.
func (c *conn) part(patience time.Duration) (reset bool) {
	tcp, ok := c.client.(*net.TCPConn)
	if !ok || tcp.CloseWrite() != nil {
		return false
	}
	c.client.SetReadDeadline(time.Now().Add(patience)) //nolint:errcheck // then it is closed already
	_, err := io.Copy(io.Discard, c.client)
	return errors.Is(err, syscall.ECONNRESET)
}
