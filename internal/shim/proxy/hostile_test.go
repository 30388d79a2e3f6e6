package proxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

func itoa(n int32) string { return strconv.Itoa(int(n)) }

func readAnswer(t testing.TB, r *wire.Reader, req kmsg.Request) kmsg.Response {
	t.Helper()
	defer r.Release()
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	frame, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := upstream.Decode(frame, req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func (b *bench) realOf(node int32) string {
	c, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...))
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(deadline(b.t), c)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, broker := range resp.Brokers {
		if broker.NodeID == node {
			return net.JoinHostPort(broker.Host, itoa(broker.Port))
		}
	}
	b.t.Fatal("no such node")
	return ""
}

// oneRecord is a batch of one record, without a producer.
func oneRecord(value string) []byte {
	r := kmsg.Record{Value: []byte(value)}
	r.Length = int32(len(r.AppendTo(nil)) - 1)
	b := kmsg.RecordBatch{Magic: 2, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 1, PartitionLeaderEpoch: -1, Records: r.AppendTo(nil)}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func TestWhatIsNotKafkaEndsItsConnectionAndNothingElse(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	r := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for name, bytes := range map[string][]byte{
		"noise":                        append([]byte{0, 0, 0x13, 0x88}, noise...),
		"a length of 2 GB":             {0x7f, 0xff, 0xff, 0xff},
		"a negative length":            {0xff, 0xff, 0xff, 0xff},
		"an empty frame":               {0, 0, 0, 0},
		"a TLS hello":                  {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03},
		"an HTTP request":              []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"an API key that nobody knows": {0, 0, 0, 10, 0x03, 0xe8, 0, 0, 0, 0, 0, 1, 0xff, 0xff},
		"a version that nobody knows":  {0, 0, 0, 10, 0, 3, 0x03, 0xe8, 0, 0, 0, 1, 0xff, 0xff},
		"SaslHandshake version 0":      {0, 0, 0, 17, 0, 17, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 5, 'P', 'L', 'A', 'I', 'N'},
		"a Produce that is cut off":    {0, 0, 0, 14, 0, 0, 0, 7, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", b.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second)) //nolint:errcheck // then it is closed already
			if _, err := conn.Write(bytes); err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, conn); n > 0 {
				t.Errorf("it was answered with %d bytes (%v)", n, err)
			}
		})
	}
	if err := b.client().ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); err != nil {
		t.Errorf("others are served: %v", err)
	}
}

// What is held in memory is bounded, whatever a thousand connections do. The figures are of kfake and the clients too.
func TestMemoryIsBoundedWhateverAThousandConnectionsDo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version = 9
	for name, tt := range map[string]struct {
		bytes func(i int) []byte
		stays bool // the shim has no reason to end the connection
		conns int
	}{
		"nothing":                       {func(int) []byte { return nil }, true, 1000},
		"random bytes":                  {func(i int) []byte { return noise[i : 8192+i] }, false, 1000},
		"random bytes in a frame":       {func(i int) []byte { return append([]byte{0, 0, 0x20, 0}, noise[i:8192+i]...) }, false, 1000},
		"half frames, 84 MB each":       {func(int) []byte { return append([]byte{0x05, 0, 0, 0}, noise[:8192]...) }, true, 1000},
		"a length of 2 GB":              {func(int) []byte { return append([]byte{0x7f, 0xff, 0xff, 0xff}, noise[:8192]...) }, false, 1000},
		"requests, and reads no answer": {func(int) []byte { return bytes.Repeat(wire.AppendRequest(nil, 1, nil, metadata), 2000) }, true, 100},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, contract.Idempotent, contract.Upgrade, func(_ *contract.Contract, o *Options) { o.FrameMemory = 8 << 20 })
			before := inUse()
			for i := range tt.conns {
				conn, err := net.Dial("tcp", b.address)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
					t.Fatal(err)
				}
				conn.SetWriteDeadline(time.Now().Add(10 * time.Second)) //nolint:errcheck // then it is closed already
				if _, err := conn.Write(tt.bytes(i)); err != nil && tt.stays {
					t.Fatal(err)
				}
			}
			want := int64(0)
			if tt.stays {
				want = int64(tt.conns)
			}
			// One whose frame begins with other bytes may wait for the rest of it.
			eventually(t, "all were looked at", func() bool { n := b.book.Connections.Load(); return n == want || (!tt.stays && n < want+100) })
			grown := inUse() - before
			t.Logf("%d KiB for each of %d connections", grown/int64(tt.conns)>>10, tt.conns)
			if grown > 100<<20 {
				t.Errorf("%d connections hold %d MiB", tt.conns, grown>>20)
			}
		})
	}
}

// inUse is the memory of this process that is in use.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func TestASlowReaderStopsOnlyItself(t *testing.T) {
	b := start(t, contract.AtLeastOnce, contract.Upgrade)
	conn, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 9
	frames := bytes.Repeat(wire.AppendRequest(nil, 1, nil, req), 10_000)
	wrote := 0
	for ; wrote < 256<<20; wrote += len(frames) { // it never reads an answer
		conn.SetWriteDeadline(time.Now().Add(time.Second)) //nolint:errcheck // then it is closed already
		if _, err := conn.Write(frames); err != nil {
			break
		}
	}
	if wrote >= 256<<20 {
		t.Error("nothing stopped it")
	}
	if err := b.client(weak(kgo.LeaderAck())...).ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); err != nil {
		t.Errorf("others are served: %v", err)
	}
}

func TestDrainAnswersWhatIsInFlight(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	arrived, let := make(chan struct{}), make(chan struct{})
	b.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.SleepControl(func() { close(arrived); <-let })
		return nil, nil, false
	})
	client := b.client(append(weak(kgo.LeaderAck()), kgo.RecordRetries(0))...)
	result := make(chan error, 1)
	client.Produce(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}, func(_ *kgo.Record, err error) { result <- err })
	<-arrived
	drained := make(chan Summary, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
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
	if s := <-drained; s != (Summary{Acknowledged: 1, Flushed: 1}) {
		t.Errorf("%+v", s)
	}
	if err := <-result; err != nil {
		t.Errorf("the client was told %v", err)
	}
}
