package wire

import (
	"encoding/binary"
	"hash/crc32"
)

// Where the fields of a record batch (magic 2) are.
const (
	atLength     = 8
	atMagic      = 16
	atCRC        = 17
	atAttributes = 21 // the checksum covers what begins here
	atLastDelta  = 23
	atFirstTime  = 27
	atMaxTime    = 35
	atProducerID = 43
	atEpoch      = 51
	atSequence   = 53
	atCount      = 57
	batchHeader  = 61
)

// Batch is a record batch of the present format (magic 2, since Kafka 0.11): bytes with a header of 61.
type Batch []byte

// AsBatch gives records as one batch of the present format, and false if they are none, or more than one.
func AsBatch(records []byte) (Batch, bool) {
	if len(records) < batchHeader || records[atMagic] != 2 {
		return nil, false
	}
	b := Batch(records)
	length := int32(binary.BigEndian.Uint32(b[atLength:]))
	return b, int(length) == len(b)-atLength-4 && b.LastOffsetDelta() >= 0
}

// CRC is the CRC-32C of the batch, as its header says.
func (b Batch) CRC() uint32 { return binary.BigEndian.Uint32(b[atCRC:]) }

// Codec is the number of the compression codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
func (b Batch) Codec() int { return int(b[atAttributes+1] & 7) }

// Transactional says whether the batch is part of a transaction.
func (b Batch) Transactional() bool { return b[atAttributes+1]&0x10 != 0 }

// LastOffsetDelta is the count of records less one; sequences count by it.
func (b Batch) LastOffsetDelta() int32 { return int32(binary.BigEndian.Uint32(b[atLastDelta:])) }

// Times are the first and the largest timestamp, in milliseconds.
func (b Batch) Times() (first, largest int64) {
	return int64(binary.BigEndian.Uint64(b[atFirstTime:])), int64(binary.BigEndian.Uint64(b[atMaxTime:]))
}

// Producer is who the batch says has written it. Idempotent batches have an ID of at least 0.
func (b Batch) Producer() (id int64, epoch int16, sequence int32) {
	return int64(binary.BigEndian.Uint64(b[atProducerID:])), int16(binary.BigEndian.Uint16(b[atEpoch:])), int32(binary.BigEndian.Uint32(b[atSequence:]))
}

// Count of records, as the header says.
func (b Batch) Count() int32 { return int32(binary.BigEndian.Uint32(b[atCount:])) }

// deltaFrom is the size from which on correcting a checksum is cheaper than computing it.
const deltaFrom = 8 << 10

// SetProducer writes who has written the batch, and corrects the checksum. A checksum that was wrong stays wrong: the
// broker finds what was damaged on the way here.
func (b Batch) SetProducer(id int64, epoch int16, sequence int32) {
	var was, is [atCount - atProducerID]byte
	copy(was[:], b[atProducerID:])
	binary.BigEndian.PutUint64(is[0:], uint64(id))
	binary.BigEndian.PutUint16(is[8:], uint16(epoch))
	binary.BigEndian.PutUint32(is[10:], uint32(sequence))
	sum := b.CRC()
	if len(b) < deltaFrom && sum == crc32.Checksum(b[atAttributes:], castagnoli) {
		copy(b[atProducerID:], is[:])
		sum = crc32.Checksum(b[atAttributes:], castagnoli)
	} else {
		copy(b[atProducerID:], is[:])
		for i := range is {
			is[i] ^= was[i]
		}
		sum ^= shift(raw(is[:]), len(b)-atCount)
	}
	binary.BigEndian.PutUint32(b[atCRC:], sum)
}
