package proxy

import (
	"sync"
	"time"

	"mooring.dev/mooring/internal/shim/wire"
)

// asked is a request that was read.
type asked struct {
	frame   *wire.Frame
	head    wire.Header
	produce *produced // of a Produce
}

// later are the requests of a client without acks that were read and are not treated yet. Such a client waits for nothing, and
// takes any connection for the next batch: so its connections are read at once, as long as there is memory, and what has to wait
// waits here.
type later struct {
	mu      sync.Mutex
	changed *sync.Cond
	items   []asked
	ended   bool  // no more will come
	err     error // of treating them; nothing more is treated then
	done    sync.WaitGroup
}

// maxLater bounds the requests of a connection that wait.
const maxLater = 1024

// postpone a request, and those after it.
func (c *conn) postpone(r asked) error {
	if c.later == nil {
		if err := c.push(); err != nil { // only one goroutine pushes
			c.drop(r)
			return err
		}
		c.later = &later{}
		c.later.changed = sync.NewCond(&c.later.mu)
		c.later.done.Go(c.treatLater)
	}
	l := c.later
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.items) >= maxLater && l.err == nil {
		l.changed.Wait()
	}
	if l.err != nil {
		c.drop(r)
		return l.err
	}
	l.items = append(l.items, r)
	l.changed.Broadcast()
	return nil
}

// treatLater treats what was postponed, in order, until no more will come.
func (c *conn) treatLater() {
	for {
		r, ok := c.nextLater()
		if !ok {
			break
		}
		if err := c.treat(r); err != nil {
			l := c.later
			l.mu.Lock()
			l.err = err
			l.changed.Broadcast()
			l.mu.Unlock()
			c.client.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // it wakes the reading of requests
			break
		}
	}
	l := c.later
	l.mu.Lock()
	rest := l.items
	l.items = nil
	l.mu.Unlock()
	for _, r := range rest {
		c.drop(r)
	}
}

// nextLater is false when no more will come.
func (c *conn) nextLater() (asked, bool) {
	l := c.later
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.items) == 0 {
		l.mu.Unlock()
		c.push() //nolint:errcheck // a client without acks is kept
		l.mu.Lock()
	}
	for len(l.items) == 0 {
		if l.ended {
			return asked{}, false
		}
		l.changed.Wait()
	}
	r := l.items[0]
	l.items[0] = asked{}
	if l.items = l.items[1:]; len(l.items) == 0 {
		l.items = nil
	}
	l.changed.Broadcast()
	return r, true
}

// endLater waits until everything that was postponed is treated.
func (c *conn) endLater() error {
	l := c.later
	if l == nil {
		return nil
	}
	l.mu.Lock()
	l.ended = true
	l.changed.Broadcast()
	l.mu.Unlock()
	l.done.Wait()
	return l.err
}

// drop a request that will not be treated.
func (c *conn) drop(r asked) {
	if r.produce != nil {
		r.produce.abandon(c)
	}
	r.frame.Release()
}
