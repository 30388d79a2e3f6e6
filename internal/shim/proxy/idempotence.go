package proxy

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/policy"
	"mooring.dev/mooring/internal/shim/sequence"
	"mooring.dev/mooring/internal/shim/wire"
)

// producerPatience bounds how long a producer ID is asked for while the brokers say "later".
const producerPatience = 10 * time.Second

// sequence gives every batch that is to be made idempotent its binding, waiting where a lane is full. A batch that is a
// client's resend gets the one that its first copy has, or its answer.
func (c *conn) sequence(p *produced) error {
	wanted := false
	for i := range p.parts {
		wanted = wanted || p.upgrades(i)
	}
	if !wanted {
		return nil
	}
	if err := c.needProducer(); err != nil {
		if c.closed() {
			return net.ErrClosed
		}
		c.unsequenced(p, err)
		return nil
	}
	c.server.seq.mu.Lock()
	defer c.server.seq.mu.Unlock()
	if err := c.afterOthers(p); err != nil {
		return err
	}
	for i := range p.parts {
		if p.upgrades(i) {
			if err := c.sequencePart(p, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *produced) upgrades(i int) bool {
	q := &p.parts[i]
	return !q.done && q.verdict.Action == policy.Upgrade && q.verdict.Reason == policy.NotIdempotent
}

func (c *conn) closed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// unsequenced is what happens when the cluster gives no producer ID: what the contract says about what cannot be upgraded.
func (c *conn) unsequenced(p *produced, why error) {
	if time.Since(c.refusedAt) > time.Minute {
		c.refusedAt = time.Now()
		c.server.log.Error("no idempotence: the brokers give no producer ID", "err", why)
	}
	for i := range p.parts {
		if p.upgrades(i) && p.policy.Contract.Enforcement.Unsupported == contract.UnsupportedReject {
			q := &p.parts[i]
			q.done, q.code = true, kerr.PolicyViolation.Code
			p.who.Rejected(policy.NotIdempotent)
			p.sent--
		}
	}
}

// needProducer makes sure that the connection has a producer ID.
func (c *conn) needProducer() error {
	if c.producer.ready {
		return nil
	}
	if idle := c.server.seq.take(); idle != nil {
		c.producer = idle
		return nil
	}
	if c.refused != nil && time.Since(c.refusedAt) < 10*time.Second {
		return c.refused
	}
	until := time.Now().Add(producerPatience)
	for {
		resp, err := c.ask(newProducer())
		if err != nil {
			return err
		}
		r := resp.(*kmsg.InitProducerIDResponse)
		if r.ErrorCode == 0 {
			c.producer = &producer{id: r.ProducerID, epoch: r.ProducerEpoch, ready: true}
			return nil
		}
		err = kerr.ErrorForCode(r.ErrorCode)
		if !kerr.IsRetriable(err) || time.Now().After(until) {
			c.refused = fmt.Errorf("InitProducerId: %w", err)
			return c.refused
		}
		c.server.pause(100 * time.Millisecond)
	}
}

func newProducer() *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.Version = 1
	req.TransactionTimeoutMillis = 60000
	req.ProducerID, req.ProducerEpoch = -1, -1
	return req
}

var errTwice = fmt.Errorf("%w: one partition twice in a Produce request", wire.ErrFrame)

// sequencePart finds or gives the binding of one batch. The caller holds seq.mu; it is let go while waiting.
func (c *conn) sequencePart(p *produced, i int) error {
	q, wp, seq := &p.parts[i], &p.req.Parts[i], &c.server.seq
	batch, _ := wire.AsBatch(wp.Records)
	first, largest := batch.Times()
	print := sequence.Print{Client: c.textOf(p.client), CRC: batch.CRC(), Size: len(batch), Count: batch.Count(), First: first, Largest: largest}
	s := c.producer.slot(q.name, wp.Partition)
	for j := range i {
		if p.parts[j].slot == s {
			return errTwice
		}
	}
	var partition sequence.Partition
	if s.own != nil {
		partition = s.own.Partition
	} else {
		partition = sequence.Partition{Topic: string(q.name), Index: wp.Partition}
	}
	for {
		if c.closed() {
			return net.ErrClosed
		}
		if found := seq.table.Find(partition, print, c.abandonedBy); found != nil {
			p.who.Resends.Add(1)
			switch {
			case found.State == sequence.Written:
				q.done, q.code, q.offset, q.entry = true, 0, found.Offset, found
				found.Owner = c
				p.sent--
				p.acknowledged(q)
				return nil
			case found.State == sequence.Unwritten:
				found.Abandon()
				continue
			case s.n == 0 || s.busy == found.Lane():
				found.Owner = c
				p.take(q, s, found)
				return nil
			}
			p.who.Resends.Add(-1)
		} else {
			if s.own == nil {
				seq.open(partition, s, c.producer.id, c.producer.epoch)
			}
			if s.own.Stuck() && s.n == 0 {
				if err := c.renew(partition, s); err != nil {
					return err
				}
			}
			if s.own.Free() && (s.n == 0 || s.busy == s.own) {
				e := s.own.Bind(q.records, print)
				e.Owner, e.At = c, time.Now()
				p.take(q, s, e)
				p.who.UpgradedBatches.Add(1)
				return nil
			}
		}
		if err := c.pause(); err != nil {
			return err
		}
	}
}

func (p *produced) take(q *part, s *slot, e *sequence.Entry) {
	q.entry, q.slot, q.open = e, s, true
	s.busy = e.Lane()
	s.n++
	p.entries = true
}

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

// renew gives a lane a producer ID of its own. The caller holds seq.mu; it is let go while the brokers are asked.
func (c *conn) renew(partition sequence.Partition, s *slot) error {
	seq := &c.server.seq
	seq.mu.Unlock()
	resp, err := c.ask(newProducer())
	seq.mu.Lock()
	if err != nil {
		return err
	}
	r := resp.(*kmsg.InitProducerIDResponse)
	if r.ErrorCode != 0 {
		return errors.New("InitProducerId: " + kerr.ErrorForCode(r.ErrorCode).Error())
	}
	seq.open(partition, s, r.ProducerID, r.ProducerEpoch)
	return nil
}

// bind writes the bindings into the batches: they go on the wire now.
func (c *conn) bind(p *produced) {
	if !p.entries {
		return
	}
	c.server.seq.mu.Lock()
	defer c.server.seq.mu.Unlock()
	for i := range p.parts {
		if q := &p.parts[i]; q.open {
			q.write(&p.req.Parts[i])
		}
	}
}

// write the binding into the batch. The caller holds seq.mu.
func (q *part) write(wp *wire.Part) {
	b := q.entry.Binding
	wire.Batch(wp.Records).SetProducer(b.ProducerID, b.Epoch, b.Sequence)
	q.entry.Sent()
}

// settled takes a part off its slot. The caller holds seq.mu.
func (q *part) settled() {
	q.open = false
	q.slot.n--
}

// abandon what was bound and will not be sent.
func (p *produced) abandon(c *conn) {
	c.server.seq.mu.Lock()
	defer c.server.seq.mu.Unlock()
	for i := range p.parts {
		q := &p.parts[i]
		if q.open {
			q.entry.Abandon()
			q.settled()
		} else if q.entry != nil {
			q.entry.Owner = nil
		}
	}
	c.server.seq.changed.Broadcast()
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

// textOf a client ID, which is the same for all requests of nearly every connection.
func (c *conn) textOf(clientID []byte) string {
	if string(clientID) != c.clientID {
		c.clientID = string(clientID)
	}
	return c.clientID
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
