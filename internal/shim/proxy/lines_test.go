package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

func TestABatchIsNotOvertakenWhileItsConnectionGetsAProducerID(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	arrived, let := b.held(kmsg.InitProducerID, nil)
	one, two := b.dialLeader(), b.dialLeader()
	b.send(one, 0, "A")
	<-arrived
	b.send(two, 0, "B")
	b.others()
	close(let)
	eventually(t, "both are written", func() bool { return b.book.Acknowledged() == 3 })
	if got := b.inLog(); got != "AB" {
		t.Errorf("the log has %s", got)
	}
}

// A client with acks=0 takes whatever connection is free for the next batch of a partition, and waits for nothing.
func TestWithoutAcksTheOrderIsThatOfReadingWhateverTheConnection(t *testing.T) {
	for _, then := range []error{nil, errors.New("the node is lost, and the batch with it")} {
		b := start(t, contract.Idempotent, contract.Upgrade)
		arrived, let := b.held(kmsg.Produce, then)
		conns := []net.Conn{b.dialLeader(), b.dialLeader(), b.dialLeader()}
		const want = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" // far more than may be in flight
		for i, v := range want {
			b.send(conns[i*i%len(conns)], 0, string(v))
			if i == 0 {
				<-arrived
			}
		}
		b.moveLeader()
		close(let)
		eventually(t, "all are written", func() bool { return b.book.Acknowledged() == int64(len(want)) })
		if got := b.inLog(); got != want {
			t.Errorf("the log has %s", got)
		}
		eventually(t, "all memory is given back", func() bool { return b.buffers.Held() == 0 })
	}
}

// The old leader is frozen with what the client has sent; most of it the shim has not even read. The client hears of the new
// leader, and sends on to that one.
func TestWhatWaitsAtTheOldLeaderGoesFirst(t *testing.T) {
	for name, then := range map[string]error{"it answers that it leads no more": nil, "its connection is lost": errors.New("lost")} {
		t.Run(name, func(t *testing.T) {
			b := start(t, contract.Idempotent, contract.Upgrade)
			b.others() // so that the producer state is there
			arrived, let := b.held(kmsg.Produce, then)
			const before, after = "abcdefghijklmnopqrst", "ABCDE"
			old := b.dialLeader()
			var all []byte
			for i, v := range before {
				all = append(all, produceOne(int32(i), 1, []byte("app"), string(v))...)
			}
			if _, err := old.Write(all); err != nil {
				t.Fatal(err)
			}
			<-arrived
			// Another process with the same client ID writes to the partition too.
			peer := b.dialLeader()
			if _, err := peer.Write(produceOne(1, 1, []byte("app"), "!")); err != nil {
				t.Fatal(err)
			}
			eventually(t, "two of the first process, and that of the other, are read", func() bool { return b.seen() == 3 })
			b.moveLeader()
			fresh := b.dialLeader()
			var rest []byte
			for i, v := range after {
				rest = append(rest, produceOne(int32(i), 1, []byte("app"), string(v))...)
			}
			if _, err := fresh.Write(rest); err != nil {
				t.Fatal(err)
			}
			b.others()
			close(let)
			for conn, n := range map[net.Conn]int{old: len(before), fresh: len(after)} {
				r := wire.NewReader(conn, 1<<20)
				for i := range n {
					if code := b.produced(r); code != 0 {
						t.Errorf("answer %d has code %d", i, code)
					}
				}
			}
			b.produced(wire.NewReader(peer, 1<<20))
			if got := strings.ReplaceAll(b.inLog(), "!", ""); got != before+after {
				t.Errorf("the log has %s", got)
			}
		})
	}
}

// The old leader's connection stands still, because of another topic, when the client has another batch for the partition on it. It was
// read to its end before, when another process with the same client ID wrote to the new leader.
func TestWhatCameOnTheOldConnectionLaterGoesFirstToo(t *testing.T) {
	for name, size := range map[string]int{"it is in the socket": 10, "it is more than the socket takes": 40 << 10} {
		t.Run(name, func(t *testing.T) {
			b := start(t, contract.Idempotent, contract.Upgrade)
			old := b.dialLeader()
			r := wire.NewReader(old, 1<<20)
			b.send(old, 1, "a")
			b.produced(r)
			b.moveLeader()
			peer := b.dialLeader()
			b.send(peer, 1, "!")
			b.produced(wire.NewReader(peer, 1<<20))
			arrived, let := b.held(kmsg.Produce, nil)
			const others = 20
			var all []byte
			for i := range int32(others) {
				all = append(all, produceTo("other", i, 1, []byte("app"), strings.Repeat(itoa(i%10), size), 5000)...)
			}
			go old.Write(append(all, produceOne(others, 1, []byte("app"), "b")...)) //nolint:errcheck // no answer would come
			<-arrived
			if size > 10 {
				eventually(t, "the client has nothing left", func() bool { return b.spilled.Load() > 500<<10 })
			}
			fresh := b.dialLeader()
			b.send(fresh, 1, "c")
			eventually(t, "it is read", func() bool { return b.seen() >= 4 })
			b.others()
			close(let)
			for i := range others + 1 {
				if code := b.produced(r); code != 0 {
					t.Errorf("answer %d has code %d", i, code)
				}
			}
			if code := b.produced(wire.NewReader(fresh, 1<<20)); code != 0 {
				t.Errorf("what came after the new leader was known has code %d", code)
			}
			if got := b.inLog(); got != "a!bc" {
				t.Errorf("the log has %s", got)
			}
			old.Close()
			eventually(t, "what was read ahead is given back", func() bool { return b.spilled.Load() == 0 })
		})
	}
}

// away is a dial function that reaches no broker at the address that is in gone: nobody is there, or something in between takes
// the connection and drops it.
func away(gone *atomic.Value, dropped bool) func(*contract.Contract, *Options) {
	return func(_ *contract.Contract, o *Options) {
		o.dial = func(ctx context.Context, s upstream.Settings, address string) (*upstream.Conn, error) {
			if gone.Load() != address {
				return upstream.Dial(ctx, s, address)
			}
			if !dropped {
				return nil, errors.New("connection refused")
			}
			up, err := upstream.Dial(ctx, s, address)
			if err == nil {
				err = up.Conn.(*net.TCPConn).CloseRead()
			}
			return up, err
		}
	}
}

func TestAClientOfABrokerThatIsAwayIsKept(t *testing.T) {
	for name, dropped := range map[string]bool{"nobody is there": false, "the connection is dropped": true} {
		t.Run(name, func(t *testing.T) {
			var gone atomic.Value
			b := start(t, contract.Idempotent, contract.Upgrade, away(&gone, dropped))
			b.others()
			gone.Store(b.realOf(b.cluster.LeaderFor("orders", 0)))
			conn := b.dialLeader()
			hello := kmsg.NewPtrApiVersionsRequest()
			if _, err := conn.Write(wire.AppendRequest(nil, 1, []byte("app"), hello)); err != nil {
				t.Fatal(err)
			}
			r := wire.NewReader(conn, 1<<20)
			readAnswer(t, r, hello)
			b.send(conn, 1, "A")
			b.moveLeader()
			if code := b.produced(r); code != 0 {
				t.Errorf("it was answered with %d", code)
			}
			if got := b.inLog(); got != "A" {
				t.Errorf("the log has %s", got)
			}
			// A batch with a producer of its own cannot be brought elsewhere by the shim.
			own := b.dialNode(nodeAt(t, b, gone.Load().(string)))
			idempotent := oneRecord("x")
			wire.Batch(idempotent).SetProducer(7, 0, 0)
			if _, err := own.Write(produceRecords(1, idempotent)); err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, own); n > 0 {
				t.Errorf("a broker that does not lead answered with %d bytes (%v)", n, err)
			}
			// What only that broker can answer ends the connection, as no connection would.
			other := b.dialNode(nodeAt(t, b, gone.Load().(string)))
			if _, err := other.Write(wire.AppendRequest(nil, 1, []byte("app"), kmsg.NewPtrListGroupsRequest())); err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, other); n > 0 {
				t.Errorf("another broker answered for it with %d bytes (%v)", n, err)
			}
		})
	}
}

// produceRecords is a Produce of a batch as it is.
func produceRecords(id int32, records []byte) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 7, -1, 5000
	rt, rp := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	rt.Topic, rp.Records = "orders", records
	rt.Partitions = []kmsg.ProduceRequestTopicPartition{rp}
	req.Topics = []kmsg.ProduceRequestTopic{rt}
	return wire.AppendRequest(nil, id, []byte("idempotent"), req)
}

func nodeAt(t *testing.T, b *bench, address string) int32 {
	for _, id := range b.nodes.ids() {
		if real, _ := b.nodes.real(id); real == address {
			return id
		}
	}
	t.Fatalf("no node is at %s", address)
	return 0
}

func TestAClientKeepsItsConnectionWhenItsBrokersBreaks(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	conn := b.dialLeader()
	r := wire.NewReader(conn, 1<<20)
	var n atomic.Int32
	b.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		if n.Add(1) == 2 {
			return nil, errors.New("the connection breaks"), true
		}
		return nil, nil, false
	})
	for _, v := range []string{"A", "B", "C"} {
		b.send(conn, 1, v)
		if code := b.produced(r); code != 0 {
			t.Errorf("%s was answered with %d", v, code)
		}
	}
	if got := b.inLog(); got != "ABC" {
		t.Errorf("the log has %s", got)
	}
}

// A client's next try could be another batch with the same records: it is not told to try while the outcome is open.
func TestNoErrorIsAnsweredWhileTheOutcomeIsOpen(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	conn := b.dialLeader()
	over := make(chan struct{})
	time.AfterFunc(2*time.Second, func() { close(over) })
	b.cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		select {
		case <-over:
			return nil, nil, false
		default:
		}
		return refusal(r.(*kmsg.ProduceRequest), kerr.NotEnoughReplicas.Code), nil, true
	})
	if _, err := conn.Write(produceWithin(1, 1, []byte("app"), "A", 500)); err != nil {
		t.Fatal(err)
	}
	if code := b.produced(wire.NewReader(conn, 1<<20)); code != 0 {
		t.Errorf("it was answered with %d", code)
	}
	if got := b.inLog(); got != "A" {
		t.Errorf("the log has %s", got)
	}
}

// What a client left behind unsent when it gave up it may send again in other batches.
func TestWhatWaitsForItsTurnIsNotSentOnceItsClientHasGone(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	arrived, let := b.held(kmsg.Produce, nil)
	first, second := b.dialLeader(), b.dialLeader()
	b.send(first, 1, "A")
	<-arrived
	b.send(second, 1, "B")
	second.Close()
	third := b.dialLeader()
	b.send(third, 1, "C")
	close(let)
	if code := b.produced(wire.NewReader(third, 1<<20)); code != 0 {
		t.Errorf("it was answered with %d", code)
	}
	if got := b.inLog(); got != "AC" {
		t.Errorf("the log has %s", got)
	}
}

// After the shim had to bring a batch to another broker the client has to look for the leader: its connection ends, between two
// requests, after all answers.
func TestAClientIsSentToTheNewLeader(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	conn := b.dialLeader()
	r := wire.NewReader(conn, 1<<20)
	b.send(conn, 1, "A")
	b.produced(r)
	b.moveLeader()
	b.send(conn, 1, "B")
	if code := b.produced(r); code != 0 {
		t.Errorf("it was answered with %d", code)
	}
	if n, err := io.Copy(io.Discard, conn); n > 0 || err != nil {
		t.Errorf("%d bytes, %v; want the end of the connection", n, err)
	}
	fresh := b.dialLeader()
	b.send(fresh, 1, "C")
	b.produced(wire.NewReader(fresh, 1<<20))
	if got := b.inLog(); got != "ABC" {
		t.Errorf("the log has %s", got)
	}
}

// It is told at once, also while the shim seeks another connection to the old leader, which is frozen: what it has sent meanwhile on
// this connection nobody reads, and it must come before what it sends to the new leader.
func TestAClientIsSentToTheNewLeaderAtOnce(t *testing.T) {
	var frozen atomic.Value
	thaw, dialled := make(chan struct{}), make(chan struct{}, 16)
	b := start(t, contract.Idempotent, contract.Upgrade, func(_ *contract.Contract, o *Options) {
		o.dial = func(ctx context.Context, s upstream.Settings, address string) (*upstream.Conn, error) {
			if frozen.Load() != address {
				return upstream.Dial(ctx, s, address)
			}
			dialled <- struct{}{}
			select {
			case <-thaw:
			case <-ctx.Done():
			}
			return nil, errors.New("frozen")
		}
	})
	conn := b.dialLeader()
	r := wire.NewReader(conn, 1<<20)
	b.send(conn, 1, "A")
	b.produced(r)
	old := b.realOf(b.cluster.LeaderFor("orders", 0))
	arrived, let := b.held(kmsg.Produce, errors.New("its connection is lost"))
	b.send(conn, 1, "B")
	<-arrived
	b.moveLeader()
	frozen.Store(old)
	close(let)
	if code := b.produced(r); code != 0 {
		t.Errorf("it was answered with %d", code)
	}
	<-dialled
	if n, err := io.Copy(io.Discard, conn); n > 0 || err != nil { // or the deadline of the connection
		t.Errorf("%d bytes, %v; want the end of the connection", n, err)
	}
	close(thaw)
	if got := b.inLog(); got != "AB" {
		t.Errorf("the log has %s", got)
	}
}

// A frozen broker holds its connections and answers nothing. What waits there goes to the new leader before the client's own
// patience ends.
func TestABrokerThatDoesNotAnswerIsNotWaitedForForEver(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade, func(_ *contract.Contract, o *Options) { o.answer = 200 * time.Millisecond })
	arrived, let := b.held(kmsg.Produce, errors.New("it wakes up too late"))
	defer sync.OnceFunc(func() { close(let) })()
	conn := b.dialLeader()
	b.send(conn, 1, "A")
	<-arrived
	b.moveLeader()
	if code := b.produced(wire.NewReader(conn, 1<<20)); code != 0 {
		t.Errorf("it was answered with %d", code)
	}
	if got := b.inLog(); got != "A" {
		t.Errorf("the log has %s", got)
	}
}

// The broker is lost with requests for something else between two batches.
func TestMetadataIsAskedOfAnotherBrokerWhenOneIsLost(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	conn := b.dialLeader()
	r := wire.NewReader(conn, 1<<20)
	b.send(conn, 1, "A")
	b.produced(r)
	arrived, let := b.held(kmsg.Produce, errors.New("lost"))
	ask := kmsg.NewPtrMetadataRequest()
	ask.Version = 9
	all := produceOne(1, 1, []byte("app"), "B")
	all = append(all, wire.AppendRequest(nil, 2, []byte("app"), ask)...)
	offsets := kmsg.NewPtrListOffsetsRequest()
	offsets.Version, offsets.ReplicaID = 4, -1
	all = append(all, wire.AppendRequest(nil, 2, []byte("app"), offsets)...)
	all = append(all, produceOne(3, 1, []byte("app"), "C")...)
	if _, err := conn.Write(all); err != nil {
		t.Fatal(err)
	}
	<-arrived
	eventually(t, "all is read", func() bool { return b.seen() == 3 })
	close(let)
	if code := b.produced(r); code != 0 {
		t.Errorf("B was answered with %d", code)
	}
	resp := readAnswer(t, r, ask).(*kmsg.MetadataResponse)
	if len(resp.Brokers) != 3 || len(resp.Topics) == 0 {
		t.Errorf("%+v", resp)
	}
	for _, broker := range resp.Brokers {
		if b.realOf(broker.NodeID) == net.JoinHostPort(broker.Host, itoa(broker.Port)) {
			t.Errorf("it names a real broker: %+v", broker)
		}
	}
	readAnswer(t, r, offsets)
	if code := b.produced(r); code != 0 {
		t.Errorf("C was answered with %d", code)
	}
	if got := b.inLog(); got != "ABC" {
		t.Errorf("the log has %s", got)
	}
}
