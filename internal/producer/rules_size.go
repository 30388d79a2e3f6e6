package producer

import (
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/api/resource"

	"mooring.dev/mooring/api/v1alpha1"
)

// sizeField is a field that holds a size in bytes.
type sizeField struct {
	name         string // below spec.batching
	least, most  int64
	otherwise    int64 // the Java client's default
	get          func(b v1alpha1.ProducerBatching) *resource.Quantity
	ID, sentence string
}

var sizeFields = []sizeField{
	{"batchSize", 0, math.MaxInt32, 16384, func(b v1alpha1.ProducerBatching) *resource.Quantity { return b.BatchSize },
		"size-batch", "spec.batching.batchSize must be a whole number of bytes from 0 (no batching) to 2147483647, for example 64Ki"},
	{"bufferMemory", 1, math.MaxInt64, 33554432, func(b v1alpha1.ProducerBatching) *resource.Quantity { return b.BufferMemory },
		"size-buffer-memory", "spec.batching.bufferMemory must be a whole number of bytes from 1, for example 32Mi"},
	{"maxRequestSize", 1, math.MaxInt32, 1048576, func(b v1alpha1.ProducerBatching) *resource.Quantity { return b.MaxRequestSize },
		"size-max-request", "spec.batching.maxRequestSize must be a whole number of bytes from 1 to 2147483647, for example 1Mi"},
}

// sizeCEL is a size as a CEL quantity: the field is a string or an integer.
func sizeCEL(name string) string { return "quantity(string(self.batching." + name + "))" }

func rangeRule(f sizeField) Rule {
	return Rule{
		ID: f.ID, Severity: Error, Fields: []string{"spec.batching." + f.name},
		CEL: fmt.Sprintf("!has(self.batching) || !has(self.batching.%[1]s) || (%[2]s.isInteger() && !%[2]s.isLessThan(quantity('%[3]d')) && !%[2]s.isGreaterThan(quantity('%[4]d')))",
			f.name, sizeCEL(f.name), f.least, f.most),
		Sentence: f.sentence,
		Source:   "ProducerConfig of kafka-clients 4.3",
		check: when(func(c *Config) bool {
			q := f.get(batchingOf(&c.Spec))
			if q == nil {
				return false
			}
			n, whole := q.AsInt64()
			return !whole || n < f.least || n > f.most
		}),
	}
}

func orBytes(q *resource.Quantity, otherwise int64) resource.Quantity {
	if q == nil {
		return *resource.NewQuantity(otherwise, resource.BinarySI)
	}
	return *q
}

var sizeRules = []Rule{
	rangeRule(sizeFields[0]), rangeRule(sizeFields[1]), rangeRule(sizeFields[2]),
	{
		ID: "batch-above-buffer", Severity: Error, Fields: []string{"spec.batching.bufferMemory", "spec.batching.batchSize"},
		CEL: `!has(self.batching) || !(has(self.batching.bufferMemory) ? quantity(string(self.batching.bufferMemory)) : quantity('33554432')).isLessThan(` +
			`has(self.batching.batchSize) ? quantity(string(self.batching.batchSize)) : quantity('16384'))`,
		Sentence: "spec.batching.bufferMemory (32Mi unless set) must hold at least one spec.batching.batchSize (16Ki unless set), or send() fails for every record; raise the one, or lower the other",
		Source:   "BufferPool.allocate of kafka-clients 4.3",
		check: when(func(c *Config) bool {
			b := batchingOf(&c.Spec)
			buffer, batch := orBytes(b.BufferMemory, 33554432), orBytes(b.BatchSize, 16384)
			return buffer.Cmp(batch) < 0
		}),
	},
	{
		ID: "request-above-buffer", Severity: Warning, Fields: []string{"spec.batching.maxRequestSize"},
		Sentence: "a record as large as spec.batching.maxRequestSize (1Mi unless set) does not fit into spec.batching.bufferMemory, and send() fails for it; raise spec.batching.bufferMemory",
		Source:   "KafkaProducer.ensureValidRecordSize",
		check: when(func(c *Config) bool {
			request, okRequest := c.whole(propMaxRequestSize)
			buffer, okBuffer := c.whole(propBufferMemory)
			return okRequest && okBuffer && request > buffer
		}),
	},
	{
		ID: "batch-above-request", Severity: Warning, Fields: []string{"spec.batching.batchSize"},
		Sentence: "a batch above spec.batching.maxRequestSize (1Mi unless set) makes requests that brokers may refuse with MESSAGE_TOO_LARGE; lower spec.batching.batchSize, or raise spec.batching.maxRequestSize",
		Source:   "Sender and RecordAccumulator of kafka-clients 4.3",
		check: when(func(c *Config) bool {
			batch, okBatch := c.whole(propBatchSize)
			request, okRequest := c.whole(propMaxRequestSize)
			return okBatch && okRequest && batch > request
		}),
	},
}
