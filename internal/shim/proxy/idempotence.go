package proxy

import (
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

// sequence gives every batch that is to be made idempotent its binding, when it is its turn. A batch that is a client's resend
// gets the one that its first copy has, or its answer.
func (c *conn) sequence(p *produced) error {
	if p.of == nil {
		return nil
	}
	refused := c.needProducer(p.of)
	if refused != nil && c.closed() {
		return net.ErrClosed
	}
	c.server.seq.mu.Lock()
	defer c.server.seq.mu.Unlock()
	if err := c.await(p); err != nil {
		return err
	}
	if refused != nil {
		c.unsequenced(p, refused)
		return nil
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

// unsequenced is what happens when the cluster gives no producer ID: what the contract says about what cannot be upgraded. The
// caller holds seq.mu.
func (c *conn) unsequenced(p *produced, why error) {
	if time.Since(c.complained) > time.Minute {
		c.complained = time.Now()
		c.server.log.Error("no idempotence: the brokers give no producer ID", "err", why)
	}
	for i := range p.parts {
		if p.upgrades(i) && p.policy.Contract.Enforcement.Unsupported == contract.UnsupportedReject {
			q := &p.parts[i]
			q.done, q.code = true, kerr.PolicyViolation.Code
			p.who.Rejected(policy.NotIdempotent)
			p.sent--
			c.leaveLine(q)
		}
	}
}

// needProducer makes sure that the client has a producer ID. Where several connections ask for one the first answer counts.
func (c *conn) needProducer(k *client) error {
	if c.identified == k {
		return nil
	}
	seq := &c.server.seq
	seq.mu.Lock()
	ready, refused := k.producer.ready, k.refused
	if time.Since(k.refusedAt) >= refusedFor {
		refused = nil
	}
	seq.mu.Unlock()
	if !ready {
		if refused != nil {
			return refused
		}
		id, epoch, err := c.askProducer()
		seq.mu.Lock()
		defer seq.mu.Unlock()
		if !k.producer.ready && err != nil {
			k.refused, k.refusedAt = err, time.Now()
			return err
		}
		if !k.producer.ready {
			k.producer.id, k.producer.epoch, k.producer.ready = id, epoch, true
		}
	}
	c.identified = k
	return nil
}

// refusedFor is how long a client's batches go without a producer ID before it is asked for again.
const refusedFor = 10 * time.Second

// askProducer asks the broker for a producer ID, and the next one if the connection breaks meanwhile.
func (c *conn) askProducer() (int64, int16, error) {
	for until := time.Now().Add(producerPatience); ; {
		resp, err := c.ask(newProducer())
		if err != nil {
			if c.closed() || !c.keeps.Load() {
				return 0, 0, err
			}
			c.server.pause(50 * time.Millisecond)
			continue
		}
		r := resp.(*kmsg.InitProducerIDResponse)
		if r.ErrorCode == 0 {
			return r.ProducerID, r.ProducerEpoch, nil
		}
		err = kerr.ErrorForCode(r.ErrorCode)
		if !kerr.IsRetriable(err) || time.Now().After(until) {
			return 0, 0, fmt.Errorf("InitProducerId: %w", err)
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
	print := sequence.Print{Client: p.of.id, CRC: batch.CRC(), Size: len(batch), Count: batch.Count(), First: first, Largest: largest}
	l := q.line
	for j := range i {
		if p.parts[j].line == l {
			return errTwice
		}
	}
	var partition sequence.Partition
	if l.lane != nil {
		partition = l.lane.Partition
	} else {
		partition = sequence.Partition{Topic: string(q.name), Index: wp.Partition}
	}
	for {
		if c.closed() {
			return net.ErrClosed
		}
		if found := seq.table.Find(partition, print, c.abandonedBy); found != nil {
			switch found.State {
			case sequence.Written:
				p.who.Resends.Add(1)
				q.done, q.code, q.offset, q.entry = true, 0, found.Offset, found
				found.Owner = c
				p.sent--
				p.acknowledged(q)
				c.leaveLine(q)
				return nil
			case sequence.Unwritten:
				found.Abandon()
				continue
			}
			p.who.Resends.Add(1)
			found.Owner = c
			p.take(q, found)
			return nil
		}
		if l.lane == nil {
			seq.open(partition, l, p.of.producer.id, p.of.producer.epoch)
		}
		if l.lane.Stuck() && l.lane.Quiet() {
			if err := c.renew(partition, l); err != nil {
				return err
			}
		}
		if l.lane.Free() && !l.lane.Stuck() {
			e := l.lane.Bind(q.records, print)
			e.Owner, e.At = c, p.x.at
			p.take(q, e)
			p.who.UpgradedBatches.Add(1)
			return nil
		}
		if err := c.pause(p); err != nil {
			return err
		}
	}
}

func (p *produced) take(q *part, e *sequence.Entry) {
	q.entry, q.open, p.entries = e, true, true
}

// renew gives a line a producer ID of its own. The caller holds seq.mu; it is let go while the brokers are asked.
func (c *conn) renew(partition sequence.Partition, l *line) error {
	seq := &c.server.seq
	seq.mu.Unlock()
	id, epoch, err := c.askProducer()
	seq.mu.Lock()
	if err == nil {
		seq.open(partition, l, id, epoch)
	}
	return err
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

// settled takes a part off its line. The caller holds seq.mu.
func (c *conn) settled(q *part) {
	q.open = false
	c.leaveLine(q)
}

// abandon what will not be sent. A client that expects no answer believes it to be written.
func (p *produced) abandon(c *conn) {
	if p.swallow {
		p.who.Swallowed.Add(1)
		for i := range p.parts {
			if q := &p.parts[i]; !q.done {
				c.server.lost.Add(int64(q.records))
			}
		}
	}
	c.server.seq.mu.Lock()
	defer c.server.seq.mu.Unlock()
	for i := range p.parts {
		q := &p.parts[i]
		if q.open {
			q.entry.Abandon()
		} else if q.entry != nil {
			q.entry.Owner = nil
		}
		c.settled(q)
	}
	c.server.seq.changed.Broadcast()
}
