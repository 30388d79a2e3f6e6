package sequence

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// Partition of a topic.
type Partition struct {
	Topic string
	Index int32
}

// Binding is what a broker knows a batch by, together with its partition.
type Binding struct {
	ProducerID int64
	Epoch      int16
	Sequence   int32
}

// Print is a batch's fingerprint: what stays the same when a client sends it again.
type Print struct {
	Client         string
	CRC            uint32
	Size           int
	Count          int32
	First, Largest int64
}

// State of an entry.
type State int

// States.
const (
	// Open: its outcome is still sought.
	Open State = iota
	// Written is in the log.
	Written
	// Unwritten is proven not to be in the log under its binding.
	Unwritten
	// Orphan was given up on with an unknown outcome; a resend may find it.
	Orphan
)

// Entry is one batch in a lane.
type Entry struct {
	Binding
	Print
	State State
	// Offset of the first record, -1 while it is not known.
	Offset int64
	// Owner is whoever seeks the outcome: only its attempts decide about another binding.
	Owner any
	// Counted says that its records were counted as acknowledged: a resend of it is answered and not counted again.
	Counted atomic.Bool
	// Told says that its outcome was written to the client, which may not have read it.
	Told bool
	// At is when the batch came.
	At time.Time

	lane     *Lane
	span     int32
	attempts int
	unsure   bool // an attempt may have been appended
	alone    bool // nothing before it was unsettled when it was sent last
}

// Lane is what one producer ID writes to one partition.
type Lane struct {
	Partition Partition

	id      int64
	epoch   int16
	next    int32
	seen    bool     // a broker acknowledged a batch of this epoch
	hole    bool     // what was refused left a hole: nothing more of this epoch will be taken
	entries []*Entry // not settled, or not answered; in the order of their sequences
	doubts  int
}

// NewLane begins at sequence 0.
func NewLane(p Partition, id int64, epoch int16) *Lane {
	return &Lane{Partition: p, id: id, epoch: epoch}
}

// Window is how many batches of a producer a broker remembers for each partition.
const Window = 5

// Free says whether the lane can take another batch now; otherwise one has to be settled first.
func (l *Lane) Free() bool {
	open := 0
	for _, e := range l.entries {
		switch {
		case e.State == Unwritten && e.Owner != nil:
			return false // it waits for another binding, and goes first
		case e.State == Open:
			open++
		}
	}
	if l.hole || !l.seen {
		return open == 0
	}
	return open < Window
}

// Stuck says whether the lane can take no batch until a producer ID of its own replaces this one: its first batch has an
// unknown outcome and nobody seeks it, or it has no epochs left.
func (l *Lane) Stuck() bool {
	lost := func(e *Entry) bool { return e.State == Orphan && e.Epoch == l.epoch && e.ProducerID == l.id }
	return l.epoch == math.MaxInt16 || (!l.seen && slices.ContainsFunc(l.entries, lost))
}

// Quiet says that nobody seeks the outcome of anything in the lane.
func (l *Lane) Quiet() bool {
	return !slices.ContainsFunc(l.entries, func(e *Entry) bool { return e.Owner != nil && (e.State == Open || e.State == Unwritten) })
}

// Bind gives the next sequence to a batch of so many records. The lane has to be Free, and not Stuck.
func (l *Lane) Bind(records int32, print Print) *Entry {
	if l.hole {
		l.bump()
	}
	e := &Entry{Print: print, Offset: -1, span: records}
	l.give(e)
	return e
}

// give the next sequence.
func (l *Lane) give(e *Entry) {
	e.Binding = Binding{l.id, l.epoch, l.next}
	e.State, e.lane, e.unsure = Open, l, false
	l.entries = append(l.entries, e)
	// Sequences go round at 2^31, as in the Java client.
	l.next = int32((int64(l.next) + int64(e.span)) % (math.MaxInt32 + 1))
}

// bump goes on in the next epoch. Nothing that is unsettled in the present one can be written any more.
func (l *Lane) bump() {
	for _, e := range l.entries {
		if e.Epoch == l.epoch && e.ProducerID == l.id && (e.State == Open || e.State == Orphan) {
			e.State = Unwritten
		}
	}
	l.epoch++
	l.next, l.seen, l.hole = 0, false, false
}

// Lane that the entry has its binding from.
func (e *Entry) Lane() *Lane { return e.lane }

// Sent says that the batch goes on the wire with its present binding.
func (e *Entry) Sent() {
	e.attempts++
	e.alone = true
	for _, before := range e.lane.entries {
		if before == e {
			return
		}
		// An orphan is no hindrance: nobody sends it. If it is missing, so is this one, and both may go.
		if before.State == Open {
			e.alone = false
		}
	}
}

// Verdict on an attempt.
type Verdict int

// Verdicts.
const (
	// Done: it is in the log.
	Done Verdict = iota
	// Refused for good: tell the client. The entry has left its lane.
	Refused
	// Again: send it again with the same binding.
	Again
	// Rebind: it is not in the log; give it another binding with Rebind and send it.
	Rebind
	// Renew: as Rebind, but the producer ID is used up; give the lane another one first.
	Renew
)

// Lost says that an attempt will have no answer.
func (e *Entry) Lost() Verdict {
	e.attempts--
	switch e.State {
	case Written:
		return Done
	case Unwritten:
		return Rebind
	}
	e.unsure = true
	return Again
}

// Answered says what a broker answered to an attempt.
func (e *Entry) Answered(code int16, offset int64) Verdict {
	e.attempts--
	kind := classify(code)
	switch {
	case kind == written:
		e.wrote(offset)
		return Done
	case e.State == Written:
		return Done // a later batch proved it
	case e.State == Unwritten:
		return Rebind
	}
	switch kind {
	case missing:
		return e.missing()
	case fenced:
		return Renew
	case refused:
		e.refuse()
		return Refused
	case held:
	default:
		e.unsure = true
	}
	return Again
}

// missing: the sequence did not fit. That is proof only if nothing before it was unsettled, and no copy is on the way.
func (e *Entry) missing() Verdict {
	if !e.alone || e.attempts > 0 {
		return Again
	}
	e.State = Unwritten
	return Rebind
}

func (e *Entry) wrote(offset int64) {
	e.State = Written
	if offset >= 0 {
		e.Offset = offset
	}
	l := e.lane
	current := e.Epoch == l.epoch && e.ProducerID == l.id
	for _, before := range l.entries {
		if before == e {
			break
		}
		// What is before it in its epoch was written too, unless this was the first that the broker saw of the producer.
		if before.Epoch == e.Epoch && before.ProducerID == e.ProducerID && (!current || l.seen) &&
			(before.State == Open || before.State == Orphan) {
			before.State = Written
		}
	}
	if current {
		l.seen = true
	}
}

// refuse takes the entry out of its lane. If an earlier attempt may have been appended it stays, as an orphan.
func (e *Entry) refuse() {
	if e.unsure || e.attempts > 0 {
		e.State, e.Owner = Orphan, nil
		return
	}
	e.State = Unwritten
	if e.Epoch == e.lane.epoch && e.ProducerID == e.lane.id {
		e.lane.hole = true
	}
	e.lane.remove(e)
}

// Abandon gives up: the client is told an error, or is gone. What may be in the log stays, for a resend to find.
func (e *Entry) Abandon() {
	e.Owner = nil
	switch e.State {
	case Open:
		e.refuse()
	case Unwritten:
		e.lane.remove(e)
	}
}

// Answer says that the outcome has reached the client: the same bytes again are new records.
func (e *Entry) Answer() { e.lane.remove(e) }

func (l *Lane) remove(e *Entry) {
	l.entries = slices.DeleteFunc(l.entries, func(other *Entry) bool { return other == e })
}

// Rebind gives an entry that is Unwritten the next sequence of the lane, which may be another than it was in. In the lane
// that it was in it begins the next epoch.
func (l *Lane) Rebind(e *Entry) {
	from := e.lane
	current := e.Epoch == from.epoch && e.ProducerID == from.id
	switch {
	case from == l && current:
		l.bump()
	case current:
		from.after(e)
		from.hole = true
	}
	from.remove(e)
	if l.hole {
		l.bump()
	}
	l.give(e)
}

// after marks what came after a missing batch in its epoch: it is missing too.
func (l *Lane) after(missing *Entry) {
	i := slices.Index(l.entries, missing)
	for _, e := range l.entries[i+1:] {
		if e.Epoch == missing.Epoch && e.ProducerID == missing.ProducerID && (e.State == Open || e.State == Orphan) {
			e.State = Unwritten
		}
	}
}

// Renew gives the lane another producer ID. What had an unknown outcome under the old one is in doubt.
func (l *Lane) Renew(id int64, epoch int16) {
	for _, e := range l.entries {
		if e.State == Open || e.State == Orphan {
			if e.unsure {
				l.doubts++
			}
			e.State = Unwritten
		}
	}
	l.id, l.epoch, l.next, l.seen, l.hole = id, epoch, 0, false, false
}

// Fenced says that nothing can prove any more whether the entry was written under its binding.
func (e *Entry) Fenced() {
	if e.unsure {
		e.lane.doubts++
	}
	e.State = Unwritten
}

// Doubts is how many batches may have been written twice, since the last call.
func (l *Lane) Doubts() int {
	n := l.doubts
	l.doubts = 0
	return n
}

// Clean says that nothing in the lane is unsettled.
func (l *Lane) Clean() bool { return len(l.entries) == 0 }

// ID and epoch of the lane's producer now.
func (l *Lane) ID() (int64, int16) { return l.id, l.epoch }
