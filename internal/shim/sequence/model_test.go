package sequence

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// broker is one partition as Apache Kafka 4.3 keeps it: what it answers was measured on three real brokers.
type broker struct {
	t    *testing.T
	log  []string
	pids map[int64]*producerState
}

type producerState struct {
	epoch int16
	last  []appended // the last five
}

type appended struct {
	first, last int32
	offset      int64
}

func (b *broker) produce(bound Binding, span int32, bytes string) (code int16, offset int64) {
	s := b.pids[bound.ProducerID]
	if s == nil { // any first sequence is taken
		s = &producerState{epoch: bound.Epoch}
		b.pids[bound.ProducerID] = s
		return b.append(s, bound, span, bytes)
	}
	switch {
	case bound.Epoch < s.epoch:
		return kerr.InvalidProducerEpoch.Code, -1
	case bound.Epoch > s.epoch:
		if bound.Sequence != 0 {
			return kerr.OutOfOrderSequenceNumber.Code, -1
		}
		s.epoch, s.last = bound.Epoch, nil
		return b.append(s, bound, span, bytes)
	}
	for _, a := range s.last {
		if a.first == bound.Sequence && a.last == bound.Sequence+span-1 {
			return 0, a.offset // whatever the bytes are
		}
	}
	if n := len(s.last); n > 0 && s.last[n-1].last+1 != bound.Sequence {
		return kerr.OutOfOrderSequenceNumber.Code, -1
	}
	return b.append(s, bound, span, bytes)
}

func (b *broker) append(s *producerState, bound Binding, span int32, bytes string) (int16, int64) {
	offset := int64(len(b.log))
	b.log = append(b.log, bytes)
	s.last = append(s.last, appended{bound.Sequence, bound.Sequence + span - 1, offset})
	if len(s.last) > Window {
		s.last = s.last[1:]
	}
	return 0, offset
}

// flight is a batch between a connection and the broker.
type flight struct {
	bytes string
	entry *Entry
	bound Binding
	code  int16
	at    int64
}

// world drives a lane as the proxy does: up to five on the way on a connection that keeps their order and may be cut anywhere;
// what has no outcome is sent again, one after the other, before anything else is settled.
type world struct {
	t        *testing.T
	rand     *rand.Rand
	broker   *broker
	lane     *Lane
	bindings map[Binding]string
	flights  []*flight
	acked    []string
	refused  map[string]bool
	pids     int64
	faults   int
}

func (w *world) bind(f *flight) {
	f.bound = f.entry.Binding
	if other, used := w.bindings[f.bound]; used && other != f.bytes {
		w.t.Fatalf("%+v is bound to %s and to %s", f.bound, other, f.bytes)
	}
	w.bindings[f.bound] = f.bytes
	f.entry.Sent()
}

// ask the broker, with faults: refused for good, refused for now, appended and then answered with an error.
func (w *world) ask(f *flight) (code int16, offset int64) {
	switch w.rand.IntN(40) {
	case 0:
		w.faults++
		return kerr.NotEnoughReplicas.Code, -1
	case 1:
		w.faults++
		return kerr.NotLeaderForPartition.Code, -1
	case 2:
		w.faults++
		if code, offset = w.broker.produce(f.bound, f.entry.span, f.bytes); code == 0 {
			return kerr.NotEnoughReplicasAfterAppend.Code, -1
		}
		return code, offset
	case 3:
		if w.broker.pids[f.bound.ProducerID] != nil || f.bound.Sequence == 0 {
			w.faults++
			return kerr.MessageTooLarge.Code, -1
		}
	}
	return w.broker.produce(f.bound, f.entry.span, f.bytes)
}

func (w *world) renew() {
	w.pids++
	w.lane.Renew(w.pids, 0)
}

// settle the oldest flight, whose answer, if any, is known.
func (w *world) settle(verdict Verdict) {
	f := w.flights[0]
	w.flights = w.flights[1:]
	for tries := 0; ; tries++ {
		switch verdict {
		case Done:
			w.acked = append(w.acked, f.bytes)
			if f.entry.Offset >= 0 && w.broker.log[f.entry.Offset] != f.bytes {
				w.t.Fatalf("%s was acknowledged with the offset of %s", f.bytes, w.broker.log[f.entry.Offset])
			}
			f.entry.Answer()
			return
		case Refused:
			w.refused[f.bytes] = true
			return
		case Renew:
			w.renew()
			w.lane.Rebind(f.entry)
		case Rebind:
			w.lane.Rebind(f.entry)
		}
		if tries > 200 {
			w.t.Fatalf("%s is never settled", f.bytes)
		}
		w.bind(f)
		code, offset := w.ask(f)
		if w.rand.IntN(10) == 0 { // the answer is lost
			w.faults++
			verdict = f.entry.Lost()
			continue
		}
		verdict = f.entry.Answered(code, offset)
	}
}

func TestEveryBatchIsWrittenOnceInOrderWhateverIsLost(t *testing.T) {
	faults, doubts := 0, 0
	for seed := range uint64(400) {
		w := drive(t, seed, rand.New(rand.NewPCG(seed, 1)))
		faults += w.faults
		doubts += w.lane.Doubts()
	}
	t.Logf("%d faults, %d doubts", faults, doubts)
	if faults < 1000 {
		t.Error("too few faults to show anything")
	}
}

// drive 200 batches through a lane.
func drive(t *testing.T, seed uint64, r *rand.Rand) *world {
	w := &world{t: t, rand: r, broker: &broker{t: t, pids: make(map[int64]*producerState)}, bindings: make(map[Binding]string), refused: make(map[string]bool)}
	w.lane = NewLane(Partition{"orders", 0}, 0, 0)
	if seed%7 == 0 {
		w.lane.epoch = 1<<15 - 3 // its epochs end soon
	}
	for i := 0; i < 200; {
		for len(w.flights) < Window && w.lane.Free() && i < 200 {
			if w.lane.Stuck() {
				w.renew()
			}
			f := &flight{bytes: fmt.Sprint(i), code: -2}
			f.entry = w.lane.Bind(w.rand.Int32N(5)+1, Print{CRC: uint32(i)})
			f.entry.Owner, f.entry.At = w, time.Time{}
			w.bind(f)
			w.flights = append(w.flights, f)
			i++
			if w.rand.IntN(3) == 0 {
				break
			}
		}
		w.connection()
	}
	for len(w.flights) > 0 {
		w.connection()
	}
	w.check(seed)
	if !w.lane.Clean() && len(w.lane.entries) > len(w.refused) {
		t.Fatalf("seed %d: %d entries are left", seed, len(w.lane.entries))
	}
	return w
}

// choices are random numbers that a fuzzer chooses, as far as they go.
type choices struct {
	bytes []byte
	rest  *rand.PCG
}

func (c *choices) Uint64() uint64 {
	if len(c.bytes) == 0 {
		return c.rest.Uint64()
	}
	v := uint64(c.bytes[0])
	c.bytes = c.bytes[1:]
	return v<<56 | v<<24 // where rand looks for small numbers
}

func FuzzLane(f *testing.F) {
	f.Add(uint64(7), []byte{0, 255, 3})
	f.Add(uint64(1), []byte{})
	f.Fuzz(func(t *testing.T, seed uint64, bytes []byte) {
		drive(t, seed, rand.New(&choices{bytes[:min(len(bytes), 2000)], rand.NewPCG(seed, 1)}))
	})
}

// connection takes what is on the way to the broker, in order, or is cut at some place.
func (w *world) connection() {
	if len(w.flights) == 0 {
		return
	}
	reached, answered := len(w.flights), len(w.flights)
	if w.rand.IntN(6) == 0 {
		w.faults++
		reached = w.rand.IntN(len(w.flights) + 1)
		answered = w.rand.IntN(reached + 1)
	}
	batch := w.flights
	for _, f := range batch[:reached] {
		f.code, f.at = w.ask(f)
	}
	for i, f := range batch {
		// A batch that was settled by sending it again while this one was on the way has changed nothing for this answer.
		if i < answered {
			w.settle(f.entry.Answered(f.code, f.at))
		} else {
			w.settle(f.entry.Lost())
		}
	}
}

func (w *world) check(seed uint64) {
	w.t.Helper()
	count := make(map[string]int)
	last := -1
	for _, v := range w.broker.log {
		count[v]++
		n, err := strconv.Atoi(v)
		if err != nil {
			w.t.Fatal(err)
		}
		if n < last {
			w.t.Errorf("seed %d: %d after %d", seed, n, last)
		}
		last = max(last, n)
		if count[v] > 1 {
			w.t.Errorf("seed %d: %s is there %d times", seed, v, count[v])
		}
	}
	for _, v := range w.acked {
		if count[v] == 0 {
			w.t.Errorf("seed %d: %s was acknowledged and is not there", seed, v)
		}
	}
	if len(w.acked)+len(w.refused) != 200 {
		w.t.Errorf("seed %d: %d acknowledged and %d refused of 200", seed, len(w.acked), len(w.refused))
	}
}

func TestWhatIsUncertainStaysForAResend(t *testing.T) {
	var table Table
	lane := NewLane(Partition{"orders", 0}, 1, 0)
	table.Add(lane)
	owner := new(int)
	live := func(*Entry) bool { return false }
	bind := func(crc uint32) *Entry {
		e := lane.Bind(1, Print{CRC: crc})
		e.Owner = owner
		e.Sent()
		return e
	}
	first := bind(1)
	if lane.Free() {
		t.Error("the broker has acknowledged nothing of the lane, and a second batch could overtake the first")
	}
	first.Answered(0, 0)
	first.Answer()
	second, third := bind(2), bind(3)
	if table.Find(lane.Partition, second.Print, live) != nil {
		t.Error("the first copy is pending on a connection that lives: the same bytes are new records")
	}
	if v := third.Answered(kerr.OutOfOrderSequenceNumber.Code, -1); v != Again {
		t.Errorf("verdict %d: what is before it is not settled, so its sequence may yet fit", v)
	}
	if v := second.Lost(); v != Again {
		t.Errorf("verdict %d: it may be written, so only the same binding is safe", v)
	}
	second.Sent()
	if v := second.Answered(kerr.MessageTooLarge.Code, -1); v != Refused || second.State != Orphan {
		t.Errorf("verdict %d, state %d: the attempt before may have been written", v, second.State)
	}
	found := table.Find(lane.Partition, second.Print, live)
	if found != second || found.Binding != (Binding{1, 0, 1}) {
		t.Errorf("%+v: a resend has to have the binding of the first copy", found)
	}
	third.Sent()
	third.Answered(0, 9)
	if second.State != Written {
		t.Error("what comes after it in its epoch was acknowledged, so it was written")
	}
	third.Answer()
	second.Answer()
	if !lane.Clean() {
		t.Error("everything was answered")
	}
}

func TestARefusedBatchLeavesNoHole(t *testing.T) {
	lane := NewLane(Partition{"orders", 0}, 1, 0)
	for i, code := range []int16{0, kerr.MessageTooLarge.Code} {
		e := lane.Bind(3, Print{CRC: uint32(i)})
		e.Sent()
		if v := e.Answered(code, 0); v == Done {
			e.Answer()
		}
	}
	if next := lane.Bind(1, Print{}); next.Binding != (Binding{1, 1, 0}) {
		t.Errorf("%+v, want the next epoch from 0", next.Binding)
	}
}

func TestSequencesGoRoundWhereKafkaSaysSo(t *testing.T) {
	lane := NewLane(Partition{"orders", 0}, 1, 0)
	lane.next = 1<<31 - 2
	for _, want := range []int32{1<<31 - 2, 1} {
		e := lane.Bind(3, Print{})
		e.Sent()
		e.Answered(0, 0)
		e.Answer()
		if e.Sequence != want {
			t.Errorf("sequence %d, want %d", e.Sequence, want)
		}
	}
}

func TestEveryErrorCodeHasAClass(t *testing.T) {
	for code := int16(-1); code < 200; code++ {
		kind := classify(code)
		if kind == written != (code == 0 || code == kerr.DuplicateSequenceNumber.Code) {
			t.Errorf("%d counts as written", code)
		}
		if kind == refused && Retriable(code) {
			t.Errorf("%d is refused for good, and would be sent again", code)
		}
	}
}
