package proxy

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/wire"
)

// sink is a broker that takes everything: it answers each Produce, InitProducerId and ApiVersions, and reads no body.
func sink(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveSink(conn)
		}
	}()
	return l.Addr().String()
}

func serveSink(conn net.Conn) {
	defer conn.Close()
	in := make([]byte, 256<<10)
	r := wire.NewReader(conn, wire.DefaultFrameLimit)
	defer r.Release()
	for {
		if _, err := r.Next(); err != nil {
			return
		}
		head, err := r.Peek(8)
		if err != nil {
			return
		}
		key, id := binary.BigEndian.Uint16(head), int32(binary.BigEndian.Uint32(head[4:]))
		for err == nil {
			_, err = r.Read(in)
		}
		if err != io.EOF {
			return
		}
		var resp kmsg.Response
		switch kmsg.Key(key) {
		case kmsg.InitProducerID:
			p := kmsg.NewPtrInitProducerIDResponse()
			p.Version, p.ProducerID = 1, 7
			resp = p
		default:
			p := kmsg.NewPtrProduceResponse()
			p.Version = 7
			t := kmsg.NewProduceResponseTopic()
			t.Topic = "orders"
			t.Partitions = append(t.Partitions, kmsg.NewProduceResponseTopicPartition())
			p.Topics = append(p.Topics, t)
			resp = p
		}
		if _, err := conn.Write(wire.AppendResponse(nil, id, resp)); err != nil {
			return
		}
	}
}

// copyRelay is the floor: it copies bytes both ways and knows nothing.
func copyRelay(t testing.TB, to string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				return
			}
			go func() { io.Copy(up, client); up.Close() }()     //nolint:errcheck // the benchmark sees it
			go func() { io.Copy(client, up); client.Close() }() //nolint:errcheck // the benchmark sees it
		}
	}()
	return l.Addr().String()
}

// plainRequest is a Produce of one batch of so many bytes, as a client without idempotence sends it.
func plainRequest(size int, acks int16) []byte {
	records := make([]byte, size)
	binary.BigEndian.PutUint32(records[8:], uint32(size-12))
	records[16] = 2
	binary.BigEndian.PutUint32(records[23:], uint32(size/1024))
	binary.BigEndian.PutUint32(records[57:], uint32(size/1024+1))
	for i := 43; i < 57; i++ {
		records[i] = 0xff
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 7, acks, 30000
	rt, rp := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	rt.Topic, rp.Records = "orders", records
	rt.Partitions = []kmsg.ProduceRequestTopicPartition{rp}
	req.Topics = []kmsg.ProduceRequestTopic{rt}
	return wire.AppendRequest(nil, 1, []byte("bench"), req)
}

// drive sends requests, five on the way, and reads their answers.
func drive(b *testing.B, address string, request []byte) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	b.SetBytes(int64(len(request)))
	b.ReportAllocs()
	tokens := make(chan struct{}, 5)
	done := make(chan error, 1)
	go func() {
		r := wire.NewReader(conn, wire.DefaultFrameLimit)
		defer r.Release()
		for range b.N {
			if _, err := r.Next(); err != nil {
				done <- err
				return
			}
			if err := r.Discard(); err != nil {
				done <- err
				return
			}
			<-tokens
		}
		done <- nil
	}()
	b.ResetTimer()
	for range b.N {
		tokens <- struct{}{}
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRelay puts the shim beside a relay that only copies, in one run.
func BenchmarkRelay(b *testing.B) {
	to := sink(b)
	through := func(g contract.Guarantee, mode contract.Mode) func(testing.TB) string {
		return func(t testing.TB) string {
			s := start(t, g, mode, func(c *contract.Contract, _ *Options) { c.Cluster.BootstrapServers = []string{to} })
			return s.address
		}
	}
	for _, size := range []int{16 << 10, 1 << 20} {
		for _, way := range []struct {
			name string
			open func(testing.TB) string
		}{
			{"direct", func(testing.TB) string { return to }},
			{"copy", func(t testing.TB) string { return copyRelay(t, to) }},
			{"audit", through(contract.Idempotent, contract.Audit)},
			{"acks", through(contract.AtLeastOnce, contract.Upgrade)},
			{"idempotence", through(contract.Idempotent, contract.Upgrade)},
		} {
			b.Run(fmt.Sprintf("%dKiB/%s", size>>10, way.name), func(b *testing.B) { drive(b, way.open(b), plainRequest(size, 1)) })
		}
	}
}
