package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func batchOf(size int, seed uint64) Batch {
	r := rand.New(rand.NewPCG(seed, seed))
	b := make(Batch, max(size, batchHeader))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-12))
	b[atMagic] = 2
	binary.BigEndian.PutUint32(b[atLastDelta:], 9)
	binary.BigEndian.PutUint32(b[atCount:], 10)
	binary.BigEndian.PutUint32(b[atCRC:], crc32.Checksum(b[atAttributes:], castagnoli))
	return b
}

func TestSetProducerKeepsTheChecksumRight(t *testing.T) {
	for _, size := range []int{61, 62, 100, 4096, deltaFrom - 1, deltaFrom, deltaFrom + 1, 1 << 20, 5<<20 + 3} {
		b := batchOf(size, uint64(size))
		before := bytes.Clone(b)
		b.SetProducer(1234567890123, 7, 1<<31-1)
		if want := crc32.Checksum(b[atAttributes:], castagnoli); b.CRC() != want {
			t.Errorf("%d bytes: checksum %x, want %x", size, b.CRC(), want)
		}
		if id, epoch, sequence := b.Producer(); id != 1234567890123 || epoch != 7 || sequence != 1<<31-1 {
			t.Errorf("%d bytes: producer %d, %d, %d", size, id, epoch, sequence)
		}
		copy(before[atCRC:atAttributes], b[atCRC:atAttributes])
		copy(before[atProducerID:atCount], b[atProducerID:atCount])
		if !bytes.Equal(before, b) {
			t.Errorf("%d bytes: something else has changed", size)
		}
	}
}

func TestSetProducerDoesNotMendADamagedBatch(t *testing.T) {
	for _, size := range []int{1000, 100_000} {
		b := batchOf(size, 1)
		b[len(b)-1] ^= 1
		b.SetProducer(1, 2, 3)
		if b.CRC() == crc32.Checksum(b[atAttributes:], castagnoli) {
			t.Errorf("%d bytes: the broker would take a damaged batch", size)
		}
	}
}

func FuzzSetProducer(f *testing.F) {
	f.Add([]byte("records"), int64(0), int16(0), int32(0))
	f.Add(bytes.Repeat([]byte{0xff}, 20_000), int64(-1), int16(-1), int32(-1))
	f.Fuzz(func(t *testing.T, records []byte, id int64, epoch int16, sequence int32) {
		b := append(batchOf(0, 1), records...)
		binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-12))
		binary.BigEndian.PutUint32(b[atCRC:], crc32.Checksum(b[atAttributes:], castagnoli))
		b.SetProducer(id, epoch, sequence)
		if want := crc32.Checksum(b[atAttributes:], castagnoli); b.CRC() != want {
			t.Errorf("checksum %x, want %x", b.CRC(), want)
		}
	})
}

// requests of every version of Produce, with and without a transaction.
func produceRequest(version int16, txn *string) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = version, 1, 1500
	if version >= 3 {
		req.TransactionID = txn
	}
	for i, name := range []string{"orders", "a"} {
		rt := kmsg.NewProduceRequestTopic()
		if version >= 13 {
			rt.TopicID = [16]byte{byte(i + 1)}
		} else {
			rt.Topic = name
		}
		for p := range int32(2) {
			rp := kmsg.NewProduceRequestTopicPartition()
			rp.Partition, rp.Records = p, []byte(batchOf(100*(i+1), uint64(p)))
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	return req
}

func TestEveryVersionOfProduceIsReadAndItsAcksRewritten(t *testing.T) {
	for version := range int16(14) {
		for _, txn := range []*string{nil, new(""), new("a transactional ID")} {
			req := produceRequest(version, txn)
			frame := AppendRequest(nil, 42, []byte("client"), req)[4:]
			h, err := ParseHeader(frame)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Header{Key: 0, Version: version, CorrelationID: 42, ClientID: []byte("client"), Body: h.Body}, h); diff != "" {
				t.Errorf("version %d: %s", version, diff)
			}
			var p Produce
			if err := ParseProduce(&p, version, frame[h.Body:]); err != nil {
				t.Fatalf("version %d: %v", version, err)
			}
			if p.Acks != 1 || p.Timeout != 1500 || len(p.Parts) != 4 || p.Parts[3].Partition != 1 || !bytes.Equal(p.Parts[3].Records, req.Topics[1].Partitions[1].Records) {
				t.Errorf("version %d: %+v", version, p)
			}
			if version < 13 && string(p.Parts[2].Topic) != "a" || version >= 13 && p.Parts[2].TopicID != [16]byte{2} {
				t.Errorf("version %d: the topic is %q %v", version, p.Parts[2].Topic, p.Parts[2].TopicID)
			}
			p.SetAcks(-1)
			req.Acks = -1
			if want := AppendRequest(nil, 42, []byte("client"), req)[4:]; !bytes.Equal(frame, want) {
				t.Errorf("version %d: more than the acks has changed", version)
			}
		}
	}
}

func TestNoCutOffProduceIsTaken(t *testing.T) {
	for _, version := range []int16{0, 3, 9, 13} {
		frame := AppendRequest(nil, 1, nil, produceRequest(version, nil))[4:]
		h, _ := ParseHeader(frame)
		var p Produce
		for n := range frame[h.Body:] {
			if err := ParseProduce(&p, version, frame[h.Body:h.Body+n]); !errors.Is(err, ErrFrame) {
				t.Fatalf("version %d: %d bytes of %d: %v", version, n, len(frame)-h.Body, err)
			}
		}
	}
}

func FuzzParseProduce(f *testing.F) {
	for _, version := range []int16{0, 2, 3, 8, 9, 12, 13} {
		frame := AppendRequest(nil, 1, nil, produceRequest(version, nil))[4:]
		h, _ := ParseHeader(frame)
		f.Add(version, frame[h.Body:])
	}
	f.Fuzz(func(t *testing.T, version int16, body []byte) {
		var p Produce
		if ParseProduce(&p, version, body) != nil {
			return
		}
		total := 0
		for _, part := range p.Parts {
			total += len(part.Records)
			AsBatch(part.Records)
		}
		if total > len(body) {
			t.Errorf("%d bytes of records in %d bytes", total, len(body))
		}
	})
}

func FuzzParseHeader(f *testing.F) {
	f.Add([]byte{0, 18, 0, 3, 0, 0, 0, 1, 0, 1, 'a', 0})
	f.Add([]byte{0, 0, 0, 9, 0, 0, 0, 1, 0xff, 0xff, 1, 0, 2, 1, 2})
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, err := ParseHeader(frame)
		if err == nil && (h.Body > len(frame) || len(h.ClientID) > len(frame)) {
			t.Errorf("%+v is outside of %d bytes", h, len(frame))
		}
		ResponseBody(frame, h.Key, h.Version) //nolint:errcheck // it must not panic
	})
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 1, 2, 0, 0, 0, 0}, byte(0))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 1}, byte(1))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, byte(2))
	f.Fuzz(func(t *testing.T, stream []byte, how byte) {
		var src io.Reader = bytes.NewReader(stream)
		if how&1 != 0 {
			src = iotest.OneByteReader(src)
		}
		r := NewReader(src, 1<<20)
		buffers := NewBuffers(1 << 20)
		rest := stream
		for {
			size, err := r.Next()
			if err != nil {
				break
			}
			if size != int(binary.BigEndian.Uint32(rest)) {
				t.Fatalf("size %d", size)
			}
			var got []byte
			switch how >> 1 % 3 {
			case 0:
				frame, err := buffers.Read(r)
				if err != nil {
					return
				}
				got = bytes.Clone(frame.Bytes)
				frame.Release()
			case 1:
				var out bytes.Buffer
				if r.Relay(&out, nil) != nil {
					return
				}
				got = out.Bytes()
			default:
				if got, err = io.ReadAll(r); err != nil {
					return
				}
			}
			if !bytes.Equal(got, rest[4:4+size]) {
				t.Fatalf("%d bytes differ", size)
			}
			rest = rest[4+size:]
		}
		if buffers.Held() != 0 {
			t.Errorf("%d bytes are held for nothing", buffers.Held())
		}
	})
}

func TestALengthAloneAllocatesNothing(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 50 {
		r := NewReader(io.MultiReader(bytes.NewReader([]byte{0x06, 0, 0, 0}), bytes.NewReader(make([]byte, 100))), DefaultFrameLimit)
		if _, err := r.Next(); !errors.Is(err, ErrFrame) && err != nil {
			t.Fatal(err)
		}
		if _, err := NewBuffers(16 << 20).Read(r); err == nil {
			t.Fatal("half a frame is no frame")
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 50*2*firstStep {
		t.Errorf("50 claims of 100 MB allocated %d bytes", grown)
	}
	if _, err := NewReader(bytes.NewReader([]byte{0x7f, 0xff, 0xff, 0xff}), DefaultFrameLimit).Next(); !errors.Is(err, ErrFrame) {
		t.Errorf("2 GB: %v", err)
	}
}

func TestBuffersWaitForRoom(t *testing.T) {
	b := NewBuffers(100 << 10)
	read := func(n int) *Frame {
		stream := append(binary.BigEndian.AppendUint32(nil, uint32(n)), make([]byte, n)...)
		r := NewReader(bytes.NewReader(stream), DefaultFrameLimit)
		if _, err := r.Next(); err != nil {
			t.Error(err)
		}
		f, err := b.Read(r)
		if err != nil {
			t.Error(err)
		}
		return f
	}
	first := read(60 << 10)
	second := make(chan *Frame)
	go func() { second <- read(60 << 10) }()
	select {
	case <-second:
		t.Fatal("there was no room")
	default:
	}
	first.Release()
	first.Release() // once is enough, and twice does no harm
	(<-second).Release()
	read(3 << 20).Release() // larger than all, and alone
	if b.Held() != 0 {
		t.Errorf("%d bytes are held for nothing", b.Held())
	}
}
