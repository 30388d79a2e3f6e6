package proxy

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/shim/audit"
	"mooring.dev/mooring/internal/shim/policy"
	"mooring.dev/mooring/internal/shim/sequence"
	"mooring.dev/mooring/internal/shim/wire"
)

// produced is a Produce request on its way.
type produced struct {
	who    *audit.Client
	policy *policy.Policy
	req    wire.Produce
	frame  *wire.Frame
	users  atomic.Int32 // of the frame
	// writing says that the frame is being written to a broker, awaited that somebody waits for the end of that; with conn.mu.
	writing, awaited bool
	head             wire.Header
	client           []byte
	of               *client // if a batch is to be made idempotent
	x                *exchange
	number           int64 // in the order of reading
	wanted           int16 // acks as they came
	swallow          bool  // acks was 0: the client expects no answer
	paused           bool  // it had to wait
	parts            []part
	sent             int // parts that the broker gets
	// entries says that some part has been given a sequence.
	entries bool
}

// part is one partition of the request.
type part struct {
	name    []byte
	records int32
	verdict policy.Verdict
	// done is an answer of the shim's own: what is refused, or known to be written already.
	done   bool
	code   int16
	offset int64
	entry  *sequence.Entry
	line   *line
	turn   *turn // until it is settled
	// open says that its outcome is sought.
	open bool
}

// usualParts is how many partitions most requests have at most.
const usualParts = 2

// readProduce reads a Produce, judges it, and gives its batches their place. The frame belongs to it then; if there is an error it
// is released.
func (c *conn) readProduce(f *wire.Frame, h wire.Header) (*produced, error) {
	// One piece of memory for what every request needs.
	r := &struct {
		x     exchange
		p     produced
		parts [usualParts]part
		wire  [usualParts]wire.Part
	}{}
	p := &r.p
	p.frame, p.head, p.policy, p.client, p.parts, p.req.Parts = f, h, c.server.policy.Load(), h.ClientID, r.parts[:0], r.wire[:0]
	if err := wire.ParseProduce(&p.req, h.Version, f.Bytes[h.Body:]); err != nil {
		f.Release()
		return nil, err
	}
	p.number = c.server.seq.numbers.Add(1 << 16) // there is room before it
	p.who, p.wanted, p.x = c.audit(h.ClientID), p.req.Acks, &r.x
	*p.x = exchange{kind: produce, key: h.Key, version: h.Version, id: h.CorrelationID, at: time.Now(), produce: p}
	c.mu.Lock()
	inFlight := c.produces + 1
	c.mu.Unlock()
	p.who.Produced(h.Version, p.req.Acks, inFlight)
	c.judge(p, len(f.Bytes))
	wanted := false
	for i := range p.parts {
		wanted = wanted || p.upgrades(i)
	}
	if !wanted {
		return p, nil
	}
	c.server.seq.mu.Lock()
	err := c.enter(p)
	c.server.seq.mu.Unlock()
	if err != nil {
		c.drop(asked{frame: f, produce: p})
		return nil, err
	}
	return p, nil
}

// sendProduce sends a Produce that was read, or answers it.
func (c *conn) sendProduce(p *produced) error {
	if err := c.sequence(p); err != nil {
		p.abandon(c)
		p.frame.Release()
		return err
	}
	if p.sent == 0 && len(p.parts) > 0 {
		return c.answerProduce(p)
	}
	if p.sent < len(p.parts) {
		c.rebuild(p)
	}
	c.bind(p)
	if p.req.Acks == 0 { // nobody answers
		c.post(c.upstream(), p.frame.Whole, user{frame: p.frame})
		return nil
	}
	// A request that may have to be sent again is held until it is answered, and every one until it is written.
	p.users.Store(1)
	if p.held() {
		p.users.Store(2)
	} else if len(p.parts) > 1 {
		p.keepNames()
	}
	p.writing = true
	if p.entries {
		c.keeps.Store(true)
	} else {
		c.bound.Store(true)
	}
	if err := c.enqueue(p.x, p.frame.Whole, user{produce: p}); err != nil {
		p.abandon(c) // nobody waits for its answer
		p.frame.Release()
		return err
	}
	return nil
}

// quiet waits until nobody writes the frame to a broker, so that it can be changed. The connection to that broker is
// closed, or has answered.
func (c *conn) quiet(p *produced) {
	c.mu.Lock()
	p.awaited = true
	for p.writing {
		c.changed.Wait()
	}
	c.mu.Unlock()
}

// ifBound is the request if it matters whether the client gets the answer, else nil.
func (p *produced) ifBound() *produced {
	for i := range p.parts {
		if p.parts[i].entry != nil {
			return p
		}
	}
	return nil
}

// held says whether the request may have to be sent again: one with sequences, and one whose client cannot do that.
func (p *produced) held() bool { return p.entries || p.swallow }

// release the frame when the last user of it is done.
func (p *produced) release() {
	if p.users.Add(-1) == 0 {
		p.frame.Release()
	}
}

// judge the request by the contract, and count what is seen.
func (c *conn) judge(p *produced, size int) {
	acks, large := p.policy.Acks(p.req.Acks), p.policy.Size(size)
	if acks.Reason != policy.Fine {
		p.who.Weak(acks.Reason)
	}
	if acks.Action == policy.Upgrade {
		if p.req.Acks == 0 {
			p.swallow = true
			c.unheard.Store(true)
		}
		p.req.SetAcks(-1)
		p.who.UpgradedAcks.Add(1)
	}
	if n := len(p.req.Parts); n <= cap(p.parts) {
		p.parts = p.parts[:n]
	} else {
		p.parts = make([]part, n)
	}
	for i := range p.parts {
		q := &p.parts[i]
		q.offset = -1
		wp := &p.req.Parts[i]
		q.name = wp.Topic
		if p.req.Version >= 13 {
			q.name = []byte(c.server.topics.name(wp.TopicID))
		}
		q.records = p.count(wp.Records)
		q.verdict = c.judgePart(p, q, wp, acks, large)
		if q.verdict.Reason != policy.Fine && q.verdict != acks {
			p.who.Weak(q.verdict.Reason)
		}
		if q.verdict.Action != policy.Reject {
			p.sent++
			continue
		}
		q.done, q.code = true, q.verdict.Code
		p.who.Rejected(q.verdict.Reason)
	}
}

func (c *conn) judgePart(p *produced, q *part, wp *wire.Part, acks, large policy.Verdict) policy.Verdict {
	switch {
	case acks.Action == policy.Reject:
		return acks
	case large.Reason != policy.Fine:
		return large
	case p.req.Version >= 13 && len(q.name) == 0 && (p.policy.Contract.Topics != nil || p.policy.Contract.Enforcement.Idempotence):
		// The name of this ID is not known here; metadata tells it, and the client asks for that now.
		return policy.Verdict{Action: policy.Reject, Reason: policy.Topic, Code: kerr.UnknownTopicID.Code}
	}
	if v := p.policy.Topic(q.name); v.Reason != policy.Fine {
		return v
	}
	return p.policy.Batch(wp.Records)
}

// count what is seen of a batch, and return how many records it has.
func (p *produced) count(records []byte) int32 {
	p.who.Bytes.Add(int64(len(records)))
	b, ok := wire.AsBatch(records)
	if !ok {
		if len(records) > 0 {
			p.who.Old.Add(1)
		}
		return 0
	}
	n := b.LastOffsetDelta() + 1
	p.who.Records.Add(int64(n))
	p.who.Codecs[b.Codec()].Add(1)
	id, _, _ := b.Producer()
	switch {
	case b.Transactional():
		p.who.Transactional.Add(1)
	case id >= 0:
		p.who.Idempotent.Add(1)
	default:
		p.who.Plain.Add(1)
	}
	return n
}

// answerProduce answers a request of which the broker gets nothing.
func (c *conn) answerProduce(p *produced) error {
	x := p.x
	p.frame.Release()
	if p.wanted == 0 {
		for i := range p.parts {
			if p.parts[i].code != 0 {
				p.who.Swallowed.Add(1)
				return fmt.Errorf("%w: %s", errPolicy, p.parts[i].verdict.Message)
			}
		}
		c.reached(p, true)
		return nil
	}
	resp := kmsg.NewPtrProduceResponse()
	resp.Version = x.version
	p.appendDone(resp)
	x.kind, x.answer = local, wire.AppendResponse(nil, x.id, resp)
	err := c.enqueue(x, nil, user{})
	c.reached(p, err == nil)
	return err
}
