package proxy

import (
	"net"

	"mooring.dev/mooring/internal/shim/sequence"
)

// afterOthers waits while the outcome of a batch is open that the same client sent to another node before, which led the partition
// then: two connections have two producer IDs, so that nothing else would keep the order of the batches. It does so before
// the request has any binding: two requests could wait for each other's. The caller holds seq.mu; it is let go while waiting.
func (c *conn) afterOthers(p *produced) error {
	client := c.textOf(p.client)
	before := func(e *sequence.Entry) bool {
		other := e.Owner.(*conn)
		return e.Client == client && other != c && !other.over.Load() && other.node != c.node && other.node != bootstrapNode && c.node != bootstrapNode
	}
	for i := range p.parts {
		q, wp := &p.parts[i], &p.req.Parts[i]
		if !p.upgrades(i) {
			continue
		}
		s := c.producer.slot(q.name, wp.Partition)
		var partition sequence.Partition
		if s.own != nil {
			partition = s.own.Partition
		} else {
			partition = sequence.Partition{Topic: string(q.name), Index: wp.Partition}
		}
		for c.server.seq.table.Waits(partition, s.own, before) {
			if c.closed() {
				return net.ErrClosed
			}
			if err := c.pause(); err != nil {
				return err
			}
		}
	}
	return nil
}

// pause until something was settled. What is posted is pushed first: what is waited for may depend on it. The caller holds
// seq.mu; it is let go meanwhile.
func (c *conn) pause() error {
	seq := &c.server.seq
	if len(c.posted.bytes) == 0 {
		seq.changed.Wait()
		return nil
	}
	seq.mu.Unlock()
	defer seq.mu.Lock()
	return c.push()
}
