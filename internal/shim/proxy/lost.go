package proxy

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/shim/wire"
)

// settleLost settles a Produce that will get no answer on this connection.
func (c *conn) settleLost(x *exchange) {
	p := x.produce
	resp := kmsg.NewPtrProduceResponse()
	resp.Version = x.version
	failed := false
	for i := range p.parts {
		q, wp := &p.parts[i], &p.req.Parts[i]
		if q.done {
			continue
		}
		a := kmsg.NewProduceResponseTopicPartition()
		a.Partition, a.ErrorCode, a.BaseOffset, a.LogStartOffset = wp.Partition, kerr.RequestTimedOut.Code, -1, -1
		if q.open {
			c.server.seq.mu.Lock()
			verdict := q.entry.Lost()
			mine := q.entry.Owner == any(c)
			c.server.seq.mu.Unlock()
			if mine {
				a.ErrorCode = c.recover(x, q, wp, verdict, kerr.RequestTimedOut.Code)
			} else {
				c.disown(q)
			}
		} else if p.swallow {
			a.ErrorCode = c.insist(x, q, wp, a.ErrorCode)
		}
		if a.ErrorCode == 0 {
			if q.entry != nil {
				a.BaseOffset = q.entry.Offset
			}
			p.acknowledged(q)
		}
		failed = failed || a.ErrorCode != 0
		t := topicOf(resp, wp)
		t.Partitions = append(t.Partitions, a)
	}
	if !p.entries && !p.swallow {
		// Nothing is known and nothing can be found out: the end of the connection is the answer.
		c.sendNow()
		c.gone.Store(true)
	}
	c.deliver(x, resp, nil, true, failed) //nolint:errcheck // the connection ends anyway
}

// askAgain asks another broker what the lost one did not answer: metadata, most often. It says false if nobody answers.
func (c *conn) askAgain(x *exchange) bool {
	req := kmsg.RequestForKey(x.key)
	req.SetVersion(x.version)
	if c.closing.Load() || req.ReadFrom(x.again) != nil {
		return false
	}
	c.sendNow()
	resp, err := c.courier().anyone(c.server.ctx, req)
	if err != nil {
		return false
	}
	if versions, ok := resp.(*kmsg.ApiVersionsResponse); ok {
		capVersions(versions)
	} else if carries(x.key, x.version) && c.server.rewrite(resp) != nil {
		return false
	}
	c.reply(wire.AppendResponse(nil, x.id, resp)[4:], nil)
	return true
}

// settleRest settles what the broker still owed when its connection ended, in order.
func (c *conn) settleRest(left []*exchange) {
	for _, x := range left {
		switch {
		case x == nil:
		case x.kind == own:
			close(x.reply)
		case x.kind == produce:
			c.settleLost(x)
		case x.again != nil && c.askAgain(x):
		default:
			// What comes after cannot be answered in order.
			c.sendNow()
			c.gone.Store(true)
			c.out.Lock()
			c.flush()
			c.pop()
			c.out.Unlock()
		}
	}
	c.out.Lock()
	c.flush()
	c.send()
	c.out.Unlock()
}
