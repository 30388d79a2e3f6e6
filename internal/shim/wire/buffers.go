package wire

import (
	"io"
	"math/bits"
	"sync"
)

// Buffers hold frames. What all of them hold together is bounded: where no room is left Frame waits, which stops the
// reading of that socket and so the peer.
type Buffers struct {
	mu    sync.Mutex
	freed *sync.Cond
	// budget is what may be held at once, held what is. One frame may be larger than the budget if it is alone.
	budget, held int
	idle         [classes][][]byte
}

// Classes of buffers: powers of two from 4 KiB to 2 MiB, each with room for a header beside the records. Larger ones are
// made and dropped.
const (
	smallest = 12
	classes  = 10
	beside   = 4 << 10
	// idleBytes bounds what is kept in each class for the next frames: five of the largest batches that brokers take.
	idleBytes = 5 * firstStep
	// firstStep is what is allocated for a larger frame before its bytes have come.
	firstStep = 1<<20 + beside
)

// NewBuffers holds at most budget bytes of frames at once.
func NewBuffers(budget int) *Buffers {
	b := &Buffers{budget: budget}
	b.freed = sync.NewCond(&b.mu)
	return b
}

// Frame is a frame in memory. Release gives it back.
type Frame struct {
	// Bytes of the frame, after its size.
	Bytes []byte
	// Whole are four bytes for the size, and Bytes.
	Whole []byte
	room  int
	from  *Buffers
}

// Held is how many bytes are held.
func (b *Buffers) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// Read reads the rest of the present frame of r, waiting for room first. The memory grows as bytes come.
func (b *Buffers) Read(r *Reader) (*Frame, error) {
	size := r.Remaining() + 4
	f := &Frame{from: b, room: size}
	b.take(size)
	f.Whole = b.get(min(size, firstStep))
	have := 4
	for {
		until := min(size, cap(f.Whole))
		f.Whole = f.Whole[:until]
		n, err := io.ReadFull(r, f.Whole[have:until])
		have += n
		if err != nil {
			f.Release()
			return nil, noEOF(err)
		}
		if have == size {
			break
		}
		larger := b.get(min(size, 2*cap(f.Whole)))
		copy(larger, f.Whole)
		b.put(f.Whole)
		f.Whole = larger
	}
	f.Bytes = f.Whole[4:]
	size -= 4
	f.Whole[0], f.Whole[1], f.Whole[2], f.Whole[3] = byte(size>>24), byte(size>>16), byte(size>>8), byte(size)
	return f, nil
}

// Release gives the memory back. A nil frame, and one that was released, have none.
func (f *Frame) Release() {
	if f == nil || f.from == nil {
		return
	}
	b := f.from
	f.from = nil
	b.put(f.Whole)
	f.Bytes, f.Whole = nil, nil
	b.mu.Lock()
	b.held -= f.room
	b.mu.Unlock()
	b.freed.Broadcast()
}

func (b *Buffers) take(n int) {
	b.mu.Lock()
	for b.held > 0 && b.held+n > b.budget {
		b.freed.Wait()
	}
	b.held += n
	b.mu.Unlock()
}

// class of the smallest buffer that holds n bytes; -1 if none does.
func class(n int) int {
	c := max(bits.Len(uint(max(n-beside, 1)-1)), smallest) - smallest
	if c >= classes {
		return -1
	}
	return c
}

// capacity of the buffers of a class.
func capacity(class int) int { return 1<<(class+smallest) + beside }

func (b *Buffers) get(n int) []byte {
	c := class(n)
	if c < 0 {
		return make([]byte, n)
	}
	b.mu.Lock()
	if list := b.idle[c]; len(list) > 0 {
		p := list[len(list)-1]
		b.idle[c] = list[:len(list)-1]
		b.mu.Unlock()
		return p[:n]
	}
	b.mu.Unlock()
	return make([]byte, n, capacity(c))
}

func (b *Buffers) put(p []byte) {
	c := class(max(cap(p), 1))
	if c < 0 || cap(p) != capacity(c) {
		return
	}
	b.mu.Lock()
	if (len(b.idle[c])+1)*cap(p) <= idleBytes {
		b.idle[c] = append(b.idle[c], p)
	}
	b.mu.Unlock()
}

// Trim drops the memory that is kept for the next frames.
func (b *Buffers) Trim() {
	b.mu.Lock()
	b.idle = [classes][][]byte{}
	b.mu.Unlock()
}

// Loose is a frame, its size included, that is in no Buffers.
func Loose(whole []byte) *Frame { return &Frame{Whole: whole, Bytes: whole[4:]} }
