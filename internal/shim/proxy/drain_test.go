package proxy

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
)

func TestDrainReadsWhatAClientWithoutAcksLeftBehind(t *testing.T) {
	const records = 300
	b := start(t, contract.Idempotent, contract.Upgrade)
	arrived, let := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(arrived) })
	b.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.SleepControl(func() { first(); <-let })
		return nil, nil, false
	})
	client := b.client(append(weak(kgo.NoAck()), kgo.ProducerBatchCompression(kgo.NoCompression()))...)
	for range records { // one request each: most of them wait in the socket, because the broker does not answer
		if err := client.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte(strings.Repeat("x", 1024))}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	<-arrived
	client.Close()
	drained := make(chan Summary, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		drained <- b.Drain(ctx)
	}()
	eventually(t, "nobody is let in", func() bool {
		conn, err := net.Dial("tcp", b.address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(let)
	if s := <-drained; s != (Summary{Acknowledged: records, Flushed: records}) {
		t.Errorf("%+v", s)
	}
	if got := len(b.values("orders", 0)); got != records {
		t.Errorf("%d of %d records are on the broker", got, records)
	}
}

// What a client without acks has sent, and the brokers have not answered when the time is up, is lost as far as anybody knows.
func TestDrainCountsWhatItHadToLeave(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	arrived, let := b.held(kmsg.Produce, nil)
	defer close(let)
	one, two := b.dialLeader(), b.dialLeader()
	const records = 20 // on the way, waiting for a place, and waiting for their turn on the other connection
	for i := range records {
		b.send([]net.Conn{one, two}[i/10], 0, itoa(int32(i)))
	}
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	// What the first connection has sent is not answered. When it is given up, the other one's turn comes: that may still be written.
	s := b.Drain(ctx)
	if s.Lost < records/2 || s.Lost+s.Acknowledged != records || s.Flushed != s.Acknowledged {
		t.Errorf("%+v of %d records", s, records)
	}
}
