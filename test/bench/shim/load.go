package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// work is what the clients do.
type work struct {
	name string
	size int
	sync bool
}

var works = []work{{"1 KiB records", 1024, false}, {"100 B records", 100, false}, {"1 KiB, one by one", 1024, true}}

// client is without idempotence, so that there is something to upgrade. On kfake it asks for acks=1, and costs the brokers the
// same whatever is asked; on real brokers replication would be what is measured, so there it asks for all.
func (b *bench) client(w *way, sync bool) (*kgo.Client, error) {
	acks := kgo.LeaderAck()
	if b.apache {
		acks = kgo.AllISRAcks()
	}
	opts := append(slices.Clone(w.opts), kgo.DefaultProduceTopic(topic), kgo.DisableIdempotentWrite(), kgo.RequiredAcks(acks), kgo.MaxProduceRequestsInflightPerBroker(5),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(200_000), kgo.ProducerBatchMaxBytes(1<<20), kgo.MetadataMinAge(time.Second))
	if sync {
		opts = append(opts, kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	return kgo.NewClient(opts...)
}

func (b *bench) measure(ctx context.Context) error {
	for _, w := range b.ways { // what is only done once is not measured
		for _, k := range works {
			if _, err := b.round(ctx, w, k, 200*time.Millisecond); err != nil {
				return fmt.Errorf("%s, %s: %w", w.name, k.name, err)
			}
		}
	}
	for round := range b.rounds {
		for _, k := range works {
			for i := range b.ways {
				w := b.ways[(i+round)%len(b.ways)] // nobody is always first
				s, err := b.round(ctx, w, k, b.took)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", w.name, k.name, err)
				}
				w.samples[k.name] = append(w.samples[k.name], s)
			}
		}
		fmt.Printf("round %d of %d done\n", round+1, b.rounds)
	}
	return nil
}

func (b *bench) round(ctx context.Context, w *way, k work, took time.Duration) (s sample, err error) {
	client, err := b.client(w, k.sync)
	if err != nil {
		return s, err
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, &kgo.Record{Value: []byte("first")}).FirstErr(); err != nil { // connections, metadata, producer IDs
		return s, err
	}
	var before, after time.Duration
	if w.pid != 0 {
		if before, err = cpu(w.pid); err != nil {
			return s, err
		}
	}
	var records int64
	var elapsed time.Duration
	if k.sync {
		records, elapsed, s.p50, s.p99, err = oneByOne(ctx, client, k, took)
	} else {
		records, elapsed, err = flood(ctx, client, k, took)
	}
	if err != nil {
		return s, err
	}
	bytes := float64(records) * float64(k.size)
	s.rate, s.megabytes = float64(records)/elapsed.Seconds(), bytes/elapsed.Seconds()/1e6
	if w.pid != 0 {
		if s.rss, err = rss(w.pid); err != nil {
			return s, err
		}
		if after, err = cpu(w.pid); err != nil {
			return s, err
		}
		s.cpu = (after - before).Seconds() / (bytes / 1e9)
	}
	return s, nil
}

func value(size int) []byte {
	v := make([]byte, size)
	for i := range v {
		v[i] = byte(rand.IntN(256))
	}
	return v
}

// flood produces as fast as the client takes records.
func flood(ctx context.Context, client *kgo.Client, k work, took time.Duration) (int64, time.Duration, error) {
	var failed atomic.Pointer[error]
	var records atomic.Int64
	v := value(k.size)
	begin := time.Now()
	for time.Since(begin) < took {
		for range 100 {
			client.Produce(ctx, &kgo.Record{Value: v}, func(_ *kgo.Record, err error) {
				if err != nil {
					failed.Store(&err)
				}
				records.Add(1)
			})
		}
		if err := failed.Load(); err != nil {
			return 0, 0, *err
		}
	}
	err := client.Flush(ctx)
	if e := failed.Load(); e != nil {
		err = *e
	}
	return records.Load(), time.Since(begin), err
}

// oneByOne produces each record when the one before is acknowledged.
func oneByOne(ctx context.Context, client *kgo.Client, k work, took time.Duration) (int64, time.Duration, time.Duration, time.Duration, error) {
	v := value(k.size)
	var each []time.Duration
	begin := time.Now()
	for time.Since(begin) < took {
		at := time.Now()
		if err := client.ProduceSync(ctx, &kgo.Record{Value: v}).FirstErr(); err != nil {
			return 0, 0, 0, 0, err
		}
		each = append(each, time.Since(at))
	}
	elapsed := time.Since(begin)
	slices.Sort(each)
	return int64(len(each)), elapsed, each[len(each)/2], each[len(each)*99/100], nil
}
