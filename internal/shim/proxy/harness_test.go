package proxy

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/audit"
)

// bench is a shim before a fake cluster of three brokers.
type bench struct {
	*Server
	t       testing.TB
	cluster *kfake.Cluster
	address string
	book    *audit.Book
	// leaks counts dials of the clients to anything but the shim.
	leaks atomic.Int32
}

// policyOf is a contract with a guarantee and a mode.
func policyOf(g contract.Guarantee, mode contract.Mode, bootstrap []string) contract.Contract {
	c := contract.Contract{
		Version:   contract.Version,
		Profile:   contract.Profile{Name: "test"},
		Cluster:   contract.Cluster{Name: "test", BootstrapServers: bootstrap},
		Guarantee: g,
		Enforcement: contract.Enforcement{
			Mode: mode, Acks: -1, Idempotence: g == contract.Idempotent || g == contract.Transactional, Unsupported: contract.UnsupportedCount,
		},
		Limits: contract.Limits{MaxInFlight: 5},
		Timing: contract.Timing{DeliveryTimeout: 20000, Drain: 5000},
	}
	if g == contract.AtMostOnce {
		c.Enforcement.Acks = 0
	}
	return c
}

func start(t testing.TB, g contract.Guarantee, mode contract.Mode, change ...func(*contract.Contract, *Options)) *bench {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(3, "orders", "other"), kfake.SleepOutOfOrder())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	c := policyOf(g, mode, cluster.ListenAddrs())
	o := Options{Addresses: AddressesPorts, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&c, &o)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, cluster: cluster, book: &audit.Book{}}
	b.Server = New(c, b.book, o)
	at, err := b.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	b.address = at.String()
	return b
}

// client that reaches the cluster through the shim alone.
func (b *bench) client(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	real := make(map[string]bool)
	for _, a := range b.cluster.ListenAddrs() {
		real[a] = true
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if real[address] || !strings.HasPrefix(address, "127.") {
			b.leaks.Add(1)
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.address), kgo.Dialer(dial), kgo.MetadataMinAge(50 * time.Millisecond)}, opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		c.Close()
		if n := b.leaks.Load(); n > 0 {
			b.t.Errorf("%d dials went past the shim", n)
		}
	})
	return c
}

// weak is a producer as sarama, kafka-go and others are at their defaults.
func weak(acks kgo.Acks) []kgo.Opt {
	return []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.RequiredAcks(acks), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxProduceRequestsInflightPerBroker(5), kgo.ProducerLinger(0)}
}

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// batches reads all record batches of a partition as the broker has them.
func (b *bench) batches(topic string, partition int32) (all []kmsg.RecordBatch) {
	b.t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...))
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	for offset := int64(0); ; {
		req := kmsg.NewPtrFetchRequest()
		req.MaxBytes, req.MinBytes, req.MaxWaitMillis = 50<<20, 0, 0
		req.SessionEpoch = -1
		rt, rp := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
		rt.Topic, rt.TopicID = topic, b.topicID(c, topic)
		rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes, rp.CurrentLeaderEpoch = partition, offset, 50<<20, -1
		rt.Partitions = []kmsg.FetchRequestTopicPartition{rp}
		req.Topics = []kmsg.FetchRequestTopic{rt}
		leader := b.cluster.LeaderFor(topic, partition)
		resp, err := c.Broker(int(leader)).Request(deadline(b.t), req)
		if err != nil {
			b.t.Fatal(err)
		}
		got := resp.(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches
		if len(got) == 0 {
			return all
		}
		for len(got) > 0 {
			var batch kmsg.RecordBatch
			if err := batch.ReadFrom(got); err != nil {
				b.t.Fatal(err)
			}
			got = got[12+batch.Length:]
			offset = batch.FirstOffset + int64(batch.NumRecords)
			all = append(all, batch)
		}
	}
}

func (b *bench) topicID(c *kgo.Client, topic string) [16]byte {
	req := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = &topic
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(deadline(b.t), c)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.Topics[0].TopicID
}

// values reads the records of a partition, in order.
func (b *bench) values(topic string, partition int32) (all []string) {
	b.t.Helper()
	for _, batch := range b.batches(topic, partition) {
		raw := batch.Records
		if batch.Attributes&7 != 0 {
			b.t.Fatal("the test produces without compression")
		}
		for range batch.NumRecords {
			var r kmsg.Record
			if err := r.ReadFrom(raw); err != nil {
				b.t.Fatal(err)
			}
			all = append(all, string(r.Value))
			length, n := varint(raw)
			raw = raw[n+length:]
		}
	}
	return all
}

func varint(b []byte) (value, size int) {
	var v uint64
	for shift := 0; ; shift += 7 {
		v |= uint64(b[size]&0x7f) << shift
		size++
		if b[size-1]&0x80 == 0 {
			return int(v >> 1), size
		}
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(20 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it never came to this: %s", what)
		}
	}
}
