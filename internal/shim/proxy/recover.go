package proxy

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"mooring.dev/mooring/internal/shim/sequence"
	"mooring.dev/mooring/internal/shim/wire"
)

// recover sends a batch again, to whoever leads its partition now, until its outcome is known, or nobody waits for it any
// more. It returns the error code for the client; 0 is that it is written. The goroutine of answers does this for one batch
// after the other, in the order in which they came, so that none overtakes.
func (c *conn) recover(x *exchange, q *part, wp *wire.Part, verdict sequence.Verdict, code int16) int16 {
	p, seq := x.produce, &c.server.seq
	c.sendNow()
	c.quiet(p)
	c.server.book.Unsettled.Add(1)
	defer c.server.book.Unsettled.Add(-1)
	ctx, cancel := context.WithDeadline(c.server.ctx, x.at.Add(c.retryFor(p)))
	defer cancel()
	courier := c.courier()
	backoff := max(p.policy.Contract.Timing.RetryBackoff.Duration(), 20*time.Millisecond)
	if verdict == sequence.Done {
		return c.outcome(q, verdict, code)
	}
	for attempt := 0; ; attempt++ {
		if c.ownSASL.Load() || hopeless(code, x.at) || ctx.Err() != nil || (!p.swallow && c.clientGone()) {
			return c.giveUp(q, code)
		}
		// Where only the sequence did not fit, or another broker leads now, there is nothing to wait for; else give it time.
		if attempt > 0 || (code != kerr.OutOfOrderSequenceNumber.Code && code != kerr.NotLeaderForPartition.Code) {
			wait(ctx, backoff)
			backoff = min(2*backoff, time.Second)
		}
		if !c.bindAgain(ctx, courier, q, wp, verdict) {
			continue
		}
		p.who.Retries.Add(1)
		node, answered, offset, err := courier.deliver(ctx, p, q.entry.Lane().Partition, wp.Records)
		seq.mu.Lock()
		if err != nil {
			c.server.log.Debug("a batch could not be sent again", "partition", q.entry.Lane().Partition, "err", err)
			verdict = q.entry.Lost()
		} else {
			code = answered
			verdict = q.entry.Answered(code, offset)
		}
		mine := q.entry.Owner == any(c)
		doubts := q.entry.Lane().Doubts()
		seq.mu.Unlock()
		seq.changed.Broadcast()
		p.who.Doubts.Add(int64(doubts))
		if err == nil && code == 0 && c.node != bootstrapNode && (node != c.node || c.away.Load()) {
			c.sendElsewhere()
		}
		if !mine || verdict == sequence.Done || verdict == sequence.Refused {
			return c.outcome(q, verdict, code)
		}
	}
}

// insist sends a batch that has no sequence again, for a client that cannot: it may then be written twice, which is what a
// guarantee without idempotence allows.
func (c *conn) insist(x *exchange, q *part, wp *wire.Part, code int16) int16 {
	c.sendNow()
	c.quiet(x.produce)
	ctx, cancel := context.WithDeadline(c.server.ctx, x.at.Add(c.retryFor(x.produce)))
	defer cancel()
	partition := sequence.Partition{Topic: string(q.name), Index: wp.Partition}
	for backoff := 20 * time.Millisecond; !hopeless(code, x.at) && code != 0 && !c.ownSASL.Load() && partition.Topic != ""; backoff = min(2*backoff, time.Second) {
		if wait(ctx, backoff); ctx.Err() != nil {
			break
		}
		x.produce.who.Retries.Add(1)
		if _, answered, _, err := c.courier().deliver(ctx, x.produce, partition, wp.Records); err == nil {
			code = answered
		}
	}
	return code
}

// outcome of a batch that is settled.
func (c *conn) outcome(q *part, verdict sequence.Verdict, code int16) int16 {
	c.disown(q)
	if verdict == sequence.Done {
		return 0
	}
	if code == 0 {
		return kerr.RequestTimedOut.Code
	}
	return code
}

// unknownFor is how long a topic may be unknown to the brokers before that is the answer: they learn of a new one in a moment,
// and a deleted one does not come back.
const unknownFor = 5 * time.Second

// hopeless says whether sending a batch again has no hope after this answer, for a batch that came at that time.
func hopeless(code int16, at time.Time) bool {
	switch code {
	case 0:
		return false
	case kerr.UnknownTopicOrPartition.Code, kerr.UnknownTopicID.Code:
		return time.Since(at) > unknownFor
	}
	return !sequence.Retriable(code)
}

// giveUp tells the client that the outcome is not known; what may be in the log stays to be found by its resend.
func (c *conn) giveUp(q *part, code int16) int16 {
	seq := &c.server.seq
	seq.mu.Lock()
	if q.entry.Owner == any(c) {
		q.entry.Abandon()
	}
	c.settled(q)
	seq.sweep(time.Now(), c.server.Contract().Timing.DeliveryTimeout.Duration())
	seq.mu.Unlock()
	seq.changed.Broadcast()
	switch code {
	case 0, kerr.OutOfOrderSequenceNumber.Code, kerr.UnknownProducerID.Code, kerr.InvalidProducerEpoch.Code, kerr.ProducerFenced.Code:
		return kerr.RequestTimedOut.Code // the client knows of no sequence
	}
	return code
}

// bindAgain gives the batch another binding if the verdict wants that, and makes it ready to be sent.
func (c *conn) bindAgain(ctx context.Context, courier *courier, q *part, wp *wire.Part, verdict sequence.Verdict) bool {
	seq := &c.server.seq
	seq.mu.Lock()
	defer seq.mu.Unlock()
	lane := q.line.lane
	switch {
	case verdict == sequence.Again:
		q.write(wp)
		return true
	case lane == nil || lane.Stuck() || (verdict == sequence.Renew && q.entry.Lane() == lane):
		seq.mu.Unlock()
		id, epoch, err := courier.producer(ctx)
		seq.mu.Lock()
		if err != nil {
			return false
		}
		if lane == nil {
			seq.open(q.entry.Lane().Partition, q.line, id, epoch)
			lane = q.line.lane
		} else {
			lane.Renew(id, epoch)
		}
	}
	if verdict == sequence.Renew && q.entry.State != sequence.Unwritten {
		q.entry.Fenced()
	}
	lane.Rebind(q.entry)
	q.write(wp)
	return true
}

// retryFor is how long the outcome of a batch is sought, from when it came. A batch with a sequence has the delivery timeout, also if
// its client waits for less: an error would make it send the records again, perhaps in other batches, which nobody recognises.
func (c *conn) retryFor(p *produced) time.Duration {
	delivery := p.policy.Contract.Timing.DeliveryTimeout.Duration()
	if p.entries || p.swallow || p.req.Timeout <= 0 {
		return delivery
	}
	return min(delivery, max(time.Duration(p.req.Timeout)*time.Millisecond*9/10, time.Second))
}

// clientGone says whether the client has closed its connection.
func (c *conn) clientGone() bool {
	closed, _ := closedByPeer(c.client)
	return closed || c.gone.Load()
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
