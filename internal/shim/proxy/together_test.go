package proxy

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/wire"
)

// produceOne is a Produce of one record, without a producer, to partition 0 of orders.
func produceOne(id int32, acks int16, clientID []byte, value string) []byte {
	return produceWithin(id, acks, clientID, value, 5000)
}

// produceWithin is produceOne with a timeout, in milliseconds.
func produceWithin(id int32, acks int16, clientID []byte, value string, timeout int32) []byte {
	return produceTo("orders", id, acks, clientID, value, timeout)
}

// produceTo is produceWithin for partition 0 of a topic.
func produceTo(topic string, id int32, acks int16, clientID []byte, value string, timeout int32) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 7, acks, timeout
	rt, rp := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	rt.Topic, rp.Records = topic, oneRecord(value)
	rt.Partitions = []kmsg.ProduceRequestTopicPartition{rp}
	req.Topics = []kmsg.ProduceRequestTopic{rt}
	return wire.AppendRequest(nil, id, clientID, req)
}

// dial the address of the leader of partition 0 of orders, as the shim gives it to clients.
func (b *bench) dialLeader() net.Conn {
	b.t.Helper()
	if c := b.client(); c.Ping(deadline(b.t)) != nil { // metadata makes the addresses known
		b.t.Fatal("the shim does not answer")
	}
	return b.dialNode(b.cluster.LeaderFor("orders", 0))
}

// dialNode connects to the address that clients have for a node.
func (b *bench) dialNode(node int32) net.Conn {
	b.t.Helper()
	b.nodes.mu.Lock()
	k := b.nodes.known[node]
	address := net.JoinHostPort(k.host, itoa(k.port))
	b.nodes.mu.Unlock()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second)) //nolint:errcheck // then it is closed already
	return conn
}

// Far more requests come in one packet than may be in flight: those that go to the broker together must go before the shim waits
// for a place. Answers of the shim's own (an ApiVersions from the future) are between them, and everything stays in order.
func TestRequestsThatComeTogetherAreAnsweredInOrder(t *testing.T) {
	for _, g := range []contract.Guarantee{contract.AtLeastOnce, contract.Idempotent} {
		t.Run(string(g), func(t *testing.T) {
			b := start(t, g, contract.Upgrade, func(_ *contract.Contract, o *Options) { o.FrameMemory = 16 << 10 })
			conn := b.dialLeader()
			var all []byte
			const n = 200
			for id := range int32(n) {
				if id%7 == 3 {
					all = binary.BigEndian.AppendUint32(all, 11)
					all = binary.BigEndian.AppendUint16(all, uint16(kmsg.ApiVersions))
					all = binary.BigEndian.AppendUint16(all, 99)
					all = binary.BigEndian.AppendUint32(all, uint32(id))
					all = append(all, 0xff, 0xff, 0)
				} else {
					all = append(all, produceOne(id, 1, []byte("raw"), "record "+itoa(id))...)
				}
			}
			if _, err := conn.Write(all); err != nil {
				t.Fatal(err)
			}
			r := wire.NewReader(conn, 1<<20)
			defer r.Release()
			for id := range int32(n) {
				if _, err := r.Next(); err != nil {
					t.Fatalf("answer %d: %v", id, err)
				}
				frame, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				if got := int32(binary.BigEndian.Uint32(frame)); got != id {
					t.Fatalf("answer %d is for request %d", id, got)
				}
				if id%7 == 3 {
					if code := int16(binary.BigEndian.Uint16(frame[4:])); code != kerr.UnsupportedVersion.Code {
						t.Fatalf("ApiVersions was answered with %d", code)
					}
					continue
				}
				if all, ok := wire.Successes(nil, 7, frame[4:]); !ok || len(all) != 1 {
					t.Fatalf("request %d was answered with %x", id, frame)
				}
			}
			var want []string
			for id := range int32(n) {
				if id%7 != 3 {
					want = append(want, "record "+itoa(id))
				}
			}
			if got := b.values("orders", 0); strings.Join(got, ",") != strings.Join(want, ",") {
				t.Errorf("the log has %d records, in this order: %v", len(got), got)
			}
			eventually(t, "all memory is given back", func() bool { return b.buffers.Held() == 0 })
			if n := b.book.Acknowledged(); n != int64(len(want)) {
				t.Errorf("%d records were counted as acknowledged, of %d", n, len(want))
			}
		})
	}
}

func TestARequestThatBeginsAndDoesNotEndIsGivenUp(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade, func(_ *contract.Contract, o *Options) { o.stall = 100 * time.Millisecond })
	idle, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	half, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	if _, err := half.Write([]byte{0, 0, 0x10, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	half.SetReadDeadline(time.Now().Add(20 * time.Second)) //nolint:errcheck // then it is closed already
	if n, err := half.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("it was answered with %d bytes, %v", n, err)
	}
	eventually(t, "its memory is given back", func() bool { return b.buffers.Held() == 0 })
	if _, err := idle.Write(wire.AppendRequest(nil, 5, nil, kmsg.NewPtrApiVersionsRequest())); err != nil {
		t.Fatal(err)
	}
	readAnswer(t, wire.NewReader(idle, 1<<20), kmsg.NewPtrApiVersionsRequest())
}

// kafka-go does not say who it is, and has no client ID: the shim knows it by how its connections begin.
func TestKafkaGoIsNamedByItsRequests(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	conn := b.dialLeader()
	hello := kmsg.NewPtrApiVersionsRequest()
	hello.Version = 0
	if _, err := conn.Write(wire.AppendRequest(nil, 1, []byte{}, hello)); err != nil {
		t.Fatal(err)
	}
	readAnswer(t, wire.NewReader(conn, 1<<20), hello)
	if _, err := conn.Write(produceOne(2, 0, []byte{}, "x")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the record is acknowledged", func() bool { return b.book.Acknowledged() == 1 })
	for _, v := range b.book.Clients() {
		if v.Seen.Acks["0"] == 1 && v.Library == "kafka-go (by its requests)" {
			return
		}
	}
	t.Errorf("%+v", b.book.Clients())
}

// A client that gives its connection up before the answer has come, and sends the batch again on another.
func TestARecognisedResendIsCountedOnce(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	arrived, let := make(chan struct{}), make(chan struct{})
	first := true
	b.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		if first {
			first = false
			b.cluster.SleepControl(func() { close(arrived); <-let })
		}
		return nil, nil, false
	})
	conn := b.dialLeader()
	if _, err := conn.Write(produceOne(1, 1, []byte("raw"), "x")); err != nil {
		t.Fatal(err)
	}
	<-arrived
	conn.Close()
	close(let)
	eventually(t, "the first copy is written", func() bool { return b.book.Acknowledged() == 1 })
	again := b.dialLeader()
	if _, err := again.Write(produceOne(1, 1, []byte("raw"), "x")); err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version = 7
	if resp := readAnswer(t, wire.NewReader(again, 1<<20), req).(*kmsg.ProduceResponse); resp.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Errorf("%+v", resp)
	}
	if got := b.values("orders", 0); len(got) != 1 || b.book.Acknowledged() != 1 {
		t.Errorf("the log has %v, and %d records are counted", got, b.book.Acknowledged())
	}
}

func TestAQueueKeepsItsOrder(t *testing.T) {
	var q queue
	in, out := int32(0), int32(0)
	for round := range 300 {
		for range round % 7 {
			q.push(&exchange{id: in})
			in++
		}
		for range round % 6 {
			x := q.first()
			if x == nil {
				break
			}
			if x.id != out {
				t.Fatalf("%d comes where %d should", x.id, out)
			}
			q.pop()
			out++
		}
		if q.len() != int(in-out) || len(q.all()) != q.len() {
			t.Fatalf("it says that it has %d, and has %d", q.len(), in-out)
		}
	}
	for q.len() > 0 {
		q.pop()
	}
	if q.first() != nil || cap(q.items) > keptQueue {
		t.Errorf("an empty queue keeps %d places", cap(q.items))
	}
}

// The beginning of the next frame is read with the one before, and each reader has memory only while there is something to read.
func TestAConnectionThatWaitsHasNoMemoryToReadInto(t *testing.T) {
	b := start(t, contract.AtLeastOnce, contract.Upgrade)
	client := b.client(weak(kgo.LeaderAck())...)
	if err := client.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all that was lent is given back", func() bool { return wire.Lent() == 0 })
}
