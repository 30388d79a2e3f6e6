package sink

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/contract"
)

// Defaults where the profile says nothing.
const (
	// DefaultMaxRequestSize is max.request.size, in bytes; it is the Java client's.
	DefaultMaxRequestSize = 1 << 20
	// DefaultBatchSize is batch.size, in bytes: how much goes to one partition before records without a key go to the next.
	DefaultBatchSize = 16 << 10
	// DefaultLinger is linger.ms. A request waits for its own record, so none is added: what comes while a batch is on its way
	// shares the next one.
	DefaultLinger = 0
	// DefaultRetryBackoff is retry.backoff.ms; it doubles up to a second, as the Java client's does.
	DefaultRetryBackoff = 100 * time.Millisecond
	// DefaultTransactionTimeout is transaction.timeout.ms.
	DefaultTransactionTimeout = time.Minute
)

// MaxRecordSize is the size that a record may have, in bytes (max.request.size).
func MaxRecordSize(c contract.Contract) int64 {
	if n := c.Limits.MaxRequestSize; n > 0 {
		return int64(n)
	}
	return DefaultMaxRequestSize
}

// Options of the producer that a contract asks for. Where to connect, and as whom, is not among them.
func Options(c contract.Contract) ([]kgo.Opt, error) {
	batching, err := batching(c)
	if err != nil {
		return nil, err
	}
	opts := append(batching, timing(c)...)
	opts = append(opts, durability(c)...)
	return append(opts,
		// The account bounds what is buffered. These two would block or fail a part of a request.
		kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.RecordPartitioner(partitioner{inner: chooser(c)}),
		kgo.DisableClientMetrics(),
	), nil
}

// Idempotent says whether the producer is. AtLeastOnce and AtMostOnce are without, because a cluster that refuses producer IDs
// to its clients is a reason to choose them.
func Idempotent(c contract.Contract) bool {
	return c.Enforcement.Idempotence || c.Guarantee == contract.Idempotent || c.Guarantee == contract.Transactional
}

func durability(c contract.Contract) []kgo.Opt {
	if Idempotent(c) {
		return []kgo.Opt{kgo.RequiredAcks(kgo.AllISRAcks())}
	}
	acks := kgo.AllISRAcks()
	switch c.Enforcement.Acks {
	case 1:
		acks = kgo.LeaderAck()
	case 0:
		acks = kgo.NoAck()
	}
	inFlight := min(max(int(c.Limits.MaxInFlight), 1), 5)
	return []kgo.Opt{kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(inFlight)}
}

func batching(c contract.Contract) ([]kgo.Opt, error) {
	linger := time.Duration(DefaultLinger)
	if c.Batching.Linger != nil {
		linger = min(c.Batching.Linger.Duration(), time.Minute)
	}
	codec, err := compression(c.Batching.Compression)
	if err != nil {
		return nil, err
	}
	// A batch holds what a request may: batch.size says when a batch is full enough, and not that a larger record is refused.
	largest := min(max(MaxRecordSize(c), 1<<10), 1<<29)
	return []kgo.Opt{
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchMaxBytes(int32(largest)),
		kgo.BrokerMaxWriteBytes(int32(min(max(largest*2, 100<<20), 1<<30))),
		kgo.ProducerBatchCompression(codec),
	}, nil
}

func compression(name string) (kgo.CompressionCodec, error) {
	switch name {
	case "", "none":
		return kgo.NoCompression(), nil
	case "gzip":
		return kgo.GzipCompression(), nil
	case "snappy":
		return kgo.SnappyCompression(), nil
	case "lz4":
		return kgo.Lz4Compression(), nil
	case "zstd":
		return kgo.ZstdCompression(), nil
	}
	return kgo.NoCompression(), fmt.Errorf("batching.compression %.40q is not one that Kafka has", name)
}

func timing(c contract.Contract) []kgo.Opt {
	t := c.Timing
	opts := []kgo.Opt{
		kgo.RetryBackoffFn(backoff(t.RetryBackoff.Duration())),
		kgo.MetadataMinAge(250 * time.Millisecond), // a moved leader is found after this long, and not after five seconds
	}
	if d := t.RequestTimeout.Duration(); d > 0 {
		opts = append(opts, kgo.ProduceRequestTimeout(max(d, 100*time.Millisecond)))
	}
	if d := t.MetadataMaxAge.Duration(); d > 0 {
		opts = append(opts, kgo.MetadataMaxAge(min(max(d, time.Second), time.Hour)))
	}
	if d := t.ConnectionsMaxIdle.Duration(); d > 0 {
		opts = append(opts, kgo.ConnIdleTimeout(min(max(d, time.Second), 15*time.Minute)))
	}
	if n, err := strconv.ParseInt(c.Properties["retries"], 10, 32); err == nil && n > 0 {
		opts = append(opts, kgo.RecordRetries(int(n)))
	}
	return opts
}

// DeliveryTimeout is how long a record may take, a second at least. It is not among the Options; see deadlines.
func DeliveryTimeout(c contract.Contract) time.Duration {
	return max(c.Timing.DeliveryTimeout.Duration(), time.Second)
}

func backoff(first time.Duration) func(int) time.Duration {
	if first <= 0 {
		first = DefaultRetryBackoff
	}
	return func(attempt int) time.Duration {
		d := first
		for ; attempt > 1 && d < time.Second; attempt-- {
			d *= 2
		}
		return max(first, min(d, time.Second))
	}
}

// transactional options come after Options.
func transactional(t contract.Transactions) []kgo.Opt {
	timeout := t.Timeout.Duration()
	if timeout <= 0 {
		timeout = DefaultTransactionTimeout
	}
	return []kgo.Opt{kgo.TransactionalID(t.ID), kgo.TransactionTimeout(timeout)}
}
