package proxy

import (
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/shim/sequence"
	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

// hangUp tells a client with acks=0 that something failed in the one way there is: it ends the connection, as a broker does.
// What the client has sent until it notices is still taken.
func (c *conn) hangUp() {
	if tcp, ok := c.client.(*net.TCPConn); ok {
		tcp.CloseWrite() //nolint:errcheck // then it is closed already
	}
}

// allWritten treats an answer that says of every partition that it is written, which nearly every one is. It says false, and has
// done nothing, if this is not such an answer.
func (c *conn) allWritten(x *exchange, frame []byte) bool {
	p := x.produce
	at, err := wire.ResponseBody(frame, x.key, x.version)
	if err != nil || p.sent < len(p.parts) {
		return false
	}
	all, ok := wire.Successes(c.successes[:0], x.version, frame[at:])
	if c.successes = all; cap(all) > keptSuccesses {
		c.successes = nil
	}
	if !ok || len(all) != len(p.parts) {
		return false
	}
	for i := range p.parts {
		p.parts[i].offset = -1
	}
	for i := range all {
		s := &all[i]
		q := p.at(i, s)
		if q == nil || q.offset != -1 || s.Offset < 0 {
			return false
		}
		q.offset = s.Offset
	}
	for i := range p.parts {
		q, wp := &p.parts[i], &p.req.Parts[i]
		p.who.Error(0)
		if q.entry != nil {
			a := kmsg.ProduceResponseTopicPartition{Partition: wp.Partition, BaseOffset: q.offset}
			c.settlePart(x, q, wp, &a)
		}
		p.acknowledged(q)
	}
	return true
}

// acknowledged counts the records of a part that the brokers acknowledged, once for all copies of a batch.
func (p *produced) acknowledged(q *part) {
	if q.entry == nil || q.entry.Counted.CompareAndSwap(false, true) {
		p.who.Acknowledged.Add(int64(q.records))
	}
}

// keptSuccesses bounds the memory that is kept for reading answers.
const keptSuccesses = 64

// at is the part that an answer is about; it most often is at the same place.
func (p *produced) at(i int, s *wire.Success) *part {
	if len(p.parts) == 1 {
		return &p.parts[0] // its name may have gone with the frame
	}
	for j := range p.parts {
		k := (i + j) % len(p.parts)
		if wp := &p.req.Parts[k]; wp.Partition == s.Partition && wp.TopicID == s.TopicID && string(wp.Topic) == string(s.Topic) {
			return &p.parts[k]
		}
	}
	return nil
}

// produceAnswer treats the broker's answer to a Produce.
func (c *conn) produceAnswer(x *exchange, frame []byte) error {
	p := x.produce
	if c.allWritten(x, frame) {
		return c.deliver(x, nil, frame, false, false)
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version = x.version
	decoded, err := upstream.Decode(frame, req)
	if err != nil {
		c.settleLost(x)
		return fmt.Errorf("%w: %w", errUpstream, err)
	}
	resp := decoded.(*kmsg.ProduceResponse)
	changed := p.sent < len(p.parts) || len(resp.Brokers) > 0
	if err := c.server.rewrite(resp); err != nil {
		resp.Brokers = nil // the client asks for metadata instead
	}
	failed := false
	seen := 0
	for t := range resp.Topics {
		for i := range resp.Topics[t].Partitions {
			a := &resp.Topics[t].Partitions[i]
			q, wp := p.find(&resp.Topics[t], a.Partition)
			if q == nil {
				return fmt.Errorf("%w: Produce of a partition that was not asked for", errUpstream)
			}
			seen++
			p.who.Error(a.ErrorCode)
			switch {
			case q.entry != nil:
				changed = c.settlePart(x, q, wp, a) || changed
			case p.swallow && a.ErrorCode != 0:
				a.ErrorCode = c.insist(x, q, wp, a.ErrorCode)
			}
			if a.ErrorCode == 0 {
				p.acknowledged(q)
			} else {
				failed = true
			}
		}
	}
	if seen < p.sent {
		c.settleLost(x)
		return fmt.Errorf("%w: Produce without an answer for every partition", errUpstream)
	}
	return c.deliver(x, resp, frame, changed, failed)
}

// deliver the answer to the client.
func (c *conn) deliver(x *exchange, resp *kmsg.ProduceResponse, frame []byte, changed, failed bool) error {
	p := x.produce
	c.server.book.Latency.Observe(time.Since(x.at))
	defer c.releaseEntries(p)
	c.leaveLines(p)
	if p.swallow {
		c.reply(nil, nil)
		c.reached(p, true)
		for i := range p.parts {
			failed = failed || (p.parts[i].done && p.parts[i].code != 0)
		}
		if failed {
			p.who.Swallowed.Add(1)
			c.server.lost.Add(p.unwritten(resp))
			c.sendNow()
			c.hangUp()
		}
		return nil
	}
	if changed {
		p.appendDone(resp)
		frame = wire.AppendResponse(nil, x.id, resp)[4:]
	}
	c.reply(frame, p.ifBound())
	return nil
}

// leaveLines says that nothing of a request is sought any more; batches with a sequence most often have said so already.
func (c *conn) leaveLines(p *produced) {
	for i := range p.parts {
		if q := &p.parts[i]; q.turn != nil {
			c.disown(q)
		}
	}
}

// releaseEntries lets the frame go that was held for sending it again.
func (c *conn) releaseEntries(p *produced) {
	if p.held() {
		p.release()
	}
}

// unwritten is how many records of a request the brokers did not take.
func (p *produced) unwritten(resp *kmsg.ProduceResponse) (n int64) {
	for t := range resp.Topics {
		for _, a := range resp.Topics[t].Partitions {
			if q, _ := p.find(&resp.Topics[t], a.Partition); q != nil && a.ErrorCode != 0 {
				n += int64(q.records)
			}
		}
	}
	return n
}

// find the part that an answer is about.
func (p *produced) find(t *kmsg.ProduceResponseTopic, partition int32) (*part, *wire.Part) {
	if len(p.parts) == 1 {
		return &p.parts[0], &p.req.Parts[0]
	}
	for i := range p.parts {
		wp := &p.req.Parts[i]
		if !p.parts[i].done && wp.Partition == partition && wp.TopicID == t.TopicID && string(wp.Topic) == t.Topic {
			return &p.parts[i], wp
		}
	}
	return nil, nil
}

// settlePart takes what a broker answered for a batch with a binding, and sends it again until it is settled or time is up.
// It says whether the answer for the client is another than the broker's.
func (c *conn) settlePart(x *exchange, q *part, wp *wire.Part, a *kmsg.ProduceResponseTopicPartition) bool {
	seq := &c.server.seq
	seq.mu.Lock()
	e := q.entry
	verdict := e.Answered(a.ErrorCode, a.BaseOffset)
	mine := e.Owner == any(c)
	if mine && (verdict == sequence.Done || verdict == sequence.Refused) {
		c.settled(q)
		seq.mu.Unlock()
		seq.changed.Broadcast()
		return c.put(a, e, verdict, a.ErrorCode)
	}
	seq.mu.Unlock()
	seq.changed.Broadcast()
	if !mine {
		c.disown(q)
		return false
	}
	code := c.recover(x, q, wp, verdict, a.ErrorCode)
	done := sequence.Done
	if code != 0 {
		done = sequence.Refused
	}
	c.put(a, e, done, code)
	return true
}

// put the outcome into the answer.
func (c *conn) put(a *kmsg.ProduceResponseTopicPartition, e *sequence.Entry, verdict sequence.Verdict, code int16) bool {
	if verdict != sequence.Done {
		changed := a.ErrorCode != code
		a.ErrorCode = code
		return changed
	}
	if a.ErrorCode == 0 {
		return false
	}
	a.ErrorCode, a.ErrorMessage, a.ErrorRecords = 0, nil, nil
	a.BaseOffset, a.LogAppendTime, a.LogStartOffset = e.Offset, -1, -1
	return true
}

// disown a batch that another connection has taken over.
func (c *conn) disown(q *part) {
	c.server.seq.mu.Lock()
	c.settled(q)
	c.server.seq.mu.Unlock()
	c.server.seq.changed.Broadcast()
}
