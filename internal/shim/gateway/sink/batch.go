package sink

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/shim/gateway/record"
)

// recordCost is what a record costs beside its own bytes, in memory.
const recordCost = 512

// Batch is the records of one request, and the memory that they are in. Get one from Sink.Batch, and Release it once.
type Batch struct {
	Topic string
	// Records to send. Their bytes may be parts of the Body.
	Records []record.Record
	// Body of the request; see Grow.
	Body []byte

	sink  *Sink
	held  int64 // bytes taken from the account
	slots []slot
	// pending are records without an outcome, and refs those who use the batch: its holder, and each pending record.
	pending, refs atomic.Int32
	done          chan struct{} // holds a token once nothing is pending
	onDone        func()
	// tainted says that a record failed: the client may still be writing it to a connection, so the memory is not used again.
	tainted atomic.Bool
	timer   *time.Timer
}

// slot is one record on its way.
type slot struct {
	batch       *Batch
	record      kgo.Record
	wanted      int32
	noPartition bool
	err         error
	finished    atomic.Bool // after which record and err do not change
}

// carrier is a record's context, by which a promise finds the slot without a closure for each record. It is used once: the
// client derives contexts from it that outlive the record.
type carrier struct {
	context.Context
	slot *slot
}

var batches = sync.Pool{New: func() any { return &Batch{done: make(chan struct{}, 1)} }}

// What a pooled batch may keep; more is given to the garbage collector.
const (
	keepBody  = 256 << 10
	keepSlots = 1024
)

func newBatch(s *Sink, topic string) *Batch {
	b := batches.Get().(*Batch)
	b.sink, b.Topic = s, topic
	b.refs.Store(1)
	return b
}

// Grow takes n bytes from the account for the body; false if they do not fit now. The body gets no memory by it.
func (b *Batch) Grow(n int64) bool {
	if !b.sink.account.Take(n) {
		return false
	}
	b.held += n
	return true
}

// Release says that the holder needs the batch no more. Records that are on their way go on.
func (b *Batch) Release() { b.drop(1) }

func (b *Batch) drop(n int32) {
	if b.refs.Add(-n) > 0 {
		return
	}
	b.sink.account.Give(b.held)
	if b.tainted.Load() {
		return
	}
	clear(b.slots)
	clear(b.Records)
	b.slots, b.Records, b.Body = b.slots[:0], b.Records[:0], b.Body[:0]
	if cap(b.slots) > keepSlots {
		b.slots = nil
	}
	if cap(b.Records) > keepSlots {
		b.Records = nil
	}
	if cap(b.Body) > keepBody {
		b.Body = nil
	}
	select {
	case <-b.done:
	default:
	}
	b.sink, b.held, b.Topic, b.onDone = nil, 0, "", nil
	batches.Put(b)
}

// fill makes a slot of each record; they are given up when the context ends.
func (b *Batch) fill(ctx context.Context) {
	n := len(b.Records)
	if cap(b.slots) < n {
		b.slots = make([]slot, n)
	}
	b.slots = b.slots[:n]
	carriers := make([]carrier, n)
	for i := range b.Records {
		r, s := &b.Records[i], &b.slots[i]
		carriers[i] = carrier{ctx, s}
		s.batch, s.wanted = b, r.Partition
		k := &s.record
		k.Topic, k.Key, k.Value, k.Context = b.Topic, r.Key, r.Value, &carriers[i]
		if len(r.Headers) > 0 {
			k.Headers = make([]kgo.RecordHeader, len(r.Headers))
			for j, h := range r.Headers {
				k.Headers[j] = kgo.RecordHeader(h)
			}
		}
		if r.Timestamp >= 0 {
			k.Timestamp = time.UnixMilli(r.Timestamp)
		}
	}
}

// promise is called by the client, one record after another: it must be quick.
func promise(r *kgo.Record, err error) {
	s := r.Context.(*carrier).slot
	s.err = err
	s.batch.sink.finished(s)
	s.finish()
}

func (s *slot) finish() {
	b := s.batch
	if s.err != nil {
		b.tainted.Store(true)
	}
	s.finished.Store(true)
	if b.pending.Add(-1) == 0 {
		if b.onDone != nil {
			b.onDone()
		}
		b.done <- struct{}{}
	}
	b.drop(1)
}

// Wait until each record has its outcome, or the time is over; false if some have none.
func (b *Batch) Wait(limit time.Duration) bool {
	if b.timer == nil {
		b.timer = time.NewTimer(limit)
	} else {
		b.timer.Reset(limit)
	}
	defer b.timer.Stop()
	select {
	case <-b.done:
		b.done <- struct{}{} // for whoever waits again
		return true
	case <-b.timer.C:
		return false
	}
}

// Outcome of record i, as far as it is known.
func (b *Batch) Outcome(i int) Outcome {
	s := &b.slots[i]
	if !s.finished.Load() {
		return Outcome{Class: Unknown, Partition: -1, Offset: -1,
			Reason: "no answer within the delivery timeout: it is not known whether the record was written, and it may be written yet"}
	}
	return s.outcome()
}

func (s *slot) outcome() Outcome {
	switch {
	case s.noPartition:
		return Outcome{Class: NoPartition, Partition: -1, Offset: -1, Reason: "the topic has no such partition"}
	case s.err != nil:
		class := Classify(s.err)
		return Outcome{Class: class, Partition: -1, Offset: -1, Reason: reason(class, s.err, s.batch.Topic)}
	}
	return Outcome{Partition: s.record.Partition, Offset: s.record.Offset, Timestamp: s.record.Timestamp.UnixMilli()}
}

// Finished says whether each record has its outcome.
func (b *Batch) Finished() bool { return b.pending.Load() == 0 }
