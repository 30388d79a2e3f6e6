package proxy

import (
	"net"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/shim/wire"
)

// produced waits for the answer to a Produce of version 7, and returns its error code.
func (b *bench) produced(r *wire.Reader) int16 {
	b.t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Version = 7
	return readAnswer(b.t, r, req).(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode
}

// send one record, and wait until the shim has read it.
func (b *bench) send(conn net.Conn, acks int16, value string) {
	b.t.Helper()
	before := b.seen()
	if _, err := conn.Write(produceOne(1, acks, []byte("app"), value)); err != nil {
		b.t.Fatal(err)
	}
	eventually(b.t, "the shim has read "+value, func() bool { return b.seen() == before+1 })
}

// seen is how many records of the client were read.
func (b *bench) seen() (n int64) {
	for _, v := range b.book.Clients() {
		if v.ClientID == "app" {
			n += v.Seen.Records
		}
	}
	return n
}

// others writes a record as another client, on a connection of its own, and waits for its answer: what could be written
// meanwhile is written then.
func (b *bench) others() {
	b.t.Helper()
	conn := b.dialLeader()
	if _, err := conn.Write(produceOne(1, 1, []byte("other"), ".")); err != nil {
		b.t.Fatal(err)
	}
	if code := b.produced(wire.NewReader(conn, 1<<20)); code != 0 {
		b.t.Fatalf("another client was answered with %d", code)
	}
}

// inLog is what the client has written, in the order of the log.
func (b *bench) inLog() string {
	return strings.ReplaceAll(strings.Join(b.values("orders", 0), ""), ".", "")
}

// held keeps the first request of a kind until let is closed, and then does with it what then says. Others pass.
func (b *bench) held(key kmsg.Key, then error) (arrived, let chan struct{}) {
	arrived, let = make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	b.cluster.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		if first.Swap(true) {
			return nil, nil, false
		}
		b.cluster.SleepControl(func() { close(arrived); <-let })
		return nil, then, then != nil
	})
	return arrived, let
}

func (b *bench) moveLeader() {
	b.t.Helper()
	if err := b.cluster.MoveTopicPartition("orders", 0, (b.cluster.LeaderFor("orders", 0)+1)%3); err != nil {
		b.t.Fatal(err)
	}
}
