package proxy

import "time"

// A connection whose requests cannot go on, because a partition has no leader or too much is in flight, is not read on. What its
// client has sent then stands in the socket, and when that is full at the client, where nobody sees it. Should the client go on to
// another node meanwhile, what comes there could not wait for it (see behind). So the bytes of a connection that stands still are read,
// and only that: they take their places when its turn comes.

const (
	// spillAfter is how long a connection stands still before its bytes are read, and how often that is done.
	spillAfter = 20 * time.Millisecond
	// spillLimit bounds the bytes of one connection, spillTotal those of all.
	spillLimit = 1 << 20
	spillTotal = 4 << 20
)

// stand says that the goroutine which reads requests is about to wait for something else. Whoever waits no more calls goOn.
func (c *conn) stand() {
	c.mu.Lock()
	c.standing()
	c.mu.Unlock()
}

// standing is stand for who holds mu.
func (c *conn) standing() {
	if c.later != nil { // it is read on
		return
	}
	c.stands = true
	if c.spiller == nil {
		c.spiller = time.AfterFunc(spillAfter, c.spill)
		return
	}
	c.spiller.Reset(spillAfter)
}

// goOn says that the goroutine which reads requests goes on. What was spilled is its own again.
func (c *conn) goOn() {
	c.mu.Lock()
	c.going()
	c.mu.Unlock()
}

// going is goOn for who holds mu.
func (c *conn) going() {
	if c.stands {
		c.stands = false
		c.spiller.Stop()
	}
}

// spill reads what has come, again and again until the connection goes on.
func (c *conn) spill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stands || c.ended {
		return
	}
	room := spillTotal - c.server.spilled.Load()
	if room > 0 {
		n := c.in.Spill(min(spillLimit, c.in.Spilled()+int(room)))
		c.spilled += int64(n)
		c.server.spilled.Add(int64(n))
	}
	c.spiller.Reset(spillAfter)
}

// unspilled gives back what was counted for bytes that were taken meanwhile.
func (c *conn) unspilled() {
	if c.spilled == 0 {
		return
	}
	if now := int64(c.in.Spilled()); now < c.spilled {
		c.server.spilled.Add(now - c.spilled)
		c.spilled = now
	}
}
