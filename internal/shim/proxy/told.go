package proxy

import (
	"mooring.dev/mooring/internal/shim/sequence"
)

// abandonedBy says whether the owner of a batch is gone, so that the same bytes elsewhere are its resend. One that was
// answered is gone only if the client threw the connection away with answers that it had not read, which resets it.
func (c *conn) abandonedBy(e *sequence.Entry) bool {
	other := e.Owner.(*conn)
	if other == c {
		return false
	}
	closed, reset := closedByPeer(other.client)
	if e.Told {
		return reset || other.reset.Load()
	}
	return closed || other.gone.Load()
}

// reached says whether the answers of the shim's own have reached the client.
func (c *conn) reached(p *produced, got bool) {
	c.server.seq.mu.Lock()
	defer c.server.seq.mu.Unlock()
	var told []*sequence.Entry
	if c.spare != nil {
		told, c.spare = c.spare[:0], nil
	}
	for i := range p.parts {
		e := p.parts[i].entry
		switch {
		case e == nil || e.Owner != any(c):
		case p.swallow:
			e.Answer()
		case got:
			told = append(told, e)
			e.Told = true
		default:
			e.Owner = nil
		}
	}
	c.remember(told)
	c.server.seq.changed.Broadcast()
}

// remember the answers that were written last: if the client resets the connection it may not have read them. The caller
// holds seq.mu.
func (c *conn) remember(told []*sequence.Entry) {
	if len(told) == 0 {
		c.spare = told
		return
	}
	for i, e := range c.told[c.next] {
		if e.Owner == any(c) {
			e.Answer()
		}
		c.told[c.next][i] = nil
	}
	c.spare = c.told[c.next]
	c.told[c.next] = told
	c.next = (c.next + 1) % len(c.told)
}

// forget what was answered, when the connection has ended. The caller holds seq.mu.
func (c *conn) forget() {
	for _, told := range c.told {
		for _, e := range told {
			switch {
			case e.Owner != any(c):
			case c.reset.Load():
				e.Owner, e.Told = nil, false
			default:
				e.Answer()
			}
		}
	}
}
