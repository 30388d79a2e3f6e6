package sink

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/gateway/record"
)

// chooser of partitions for records that name none. Default does what the Java client does since 3.3 (KIP-794): murmur2 of
// the key, and without a key one partition for about batch.size bytes, preferring those that keep up. RoundRobin ignores keys,
// as Java's RoundRobinPartitioner does.
func chooser(c contract.Contract) kgo.Partitioner {
	if c.Batching.Partitioner == "RoundRobin" {
		return kgo.RoundRobinPartitioner()
	}
	size := DefaultBatchSize
	if b := c.Batching.BatchSize; b != nil && *b > 0 {
		size = int(*b)
	}
	return kgo.UniformBytesPartitioner(size, true, true, nil)
}

// partitioner puts a record where its slot wants it, and otherwise where the chooser does.
type partitioner struct{ inner kgo.Partitioner }

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	inner := p.inner.ForTopic(topic)
	if byBackup, ok := inner.(kgo.TopicBackupPartitioner); ok {
		return backupPartitioner{topicPartitioner{inner}, byBackup}
	}
	return topicPartitioner{inner}
}

type topicPartitioner struct{ inner kgo.TopicPartitioner }

func wanted(r *kgo.Record) int32 {
	if c, ok := r.Context.(*carrier); ok {
		return c.slot.wanted
	}
	return record.AnyPartition
}

// RequiresConsistency says that all partitions count, and not only those with a leader.
func (t topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return wanted(r) >= 0 || t.inner.RequiresConsistency(r)
}

func (t topicPartitioner) Partition(r *kgo.Record, n int) int {
	if w := wanted(r); w >= 0 {
		return explicit(r, w, n)
	}
	return t.inner.Partition(r, n)
}

// explicit is the partition wanted, or -1, which fails the record, if the topic has none of that number.
func explicit(r *kgo.Record, want int32, n int) int {
	if int(want) < n {
		return int(want)
	}
	r.Context.(*carrier).slot.noPartition = true
	return -1
}

type backupPartitioner struct {
	topicPartitioner
	byBackup kgo.TopicBackupPartitioner
}

func (t backupPartitioner) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if w := wanted(r); w >= 0 {
		return explicit(r, w, n)
	}
	return t.byBackup.PartitionByBackup(r, n, backup)
}
