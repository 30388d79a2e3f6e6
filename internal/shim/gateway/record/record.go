// Package record is a Kafka record as the HTTP dialects describe it, before any client library has seen it.
package record

// What a record may leave open.
const (
	// AnyPartition lets the partitioner choose.
	AnyPartition int32 = -1
	// Now lets the producer set the time of sending.
	Now int64 = -1
)

// Header of a record. Kafka allows a name more than once, and a nil value.
type Header struct {
	Key   string
	Value []byte
}

// Record to be written. A nil key and an empty key are different things, and so are a nil value (a tombstone) and an empty
// one.
type Record struct {
	Key, Value []byte
	Headers    []Header
	// Partition wanted, or AnyPartition.
	Partition int32
	// Timestamp in milliseconds since 1970, or Now.
	Timestamp int64
}

// New is a record that leaves the partition and the time open.
func New() Record { return Record{Partition: AnyPartition, Timestamp: Now} }

// Size of the record's own bytes: key, value and headers, without what Kafka's format adds.
func (r *Record) Size() int64 {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return int64(n)
}
