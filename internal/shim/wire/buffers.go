package wire

import (
	"encoding/binary"
	"io"
	"math/bits"
	"sync"
)

// Buffers hold frames. What all of them hold together is bounded, with what is kept for the next ones: where no room is left
// Reserve waits, which stops the reading of that socket and so the peer.
type Buffers struct {
	mu    sync.Mutex
	freed *sync.Cond
	// budget is what may be held at once, held what is. One frame may be larger than the budget if it is alone.
	budget, held int
	// waiting is how many wait for room.
	waiting int
	// kept is how many bytes are in idle.
	kept int
	idle [classes][][]byte
}

// Classes of buffers: powers of two from 4 KiB to 8 MiB, and what is halfway between two of them, each with room for a header
// beside the records. Larger ones are made and dropped.
const (
	smallest = 12
	classes  = 23
	beside   = 4 << 10
	// near is how many classes above its own a frame may be in: then it has at most three times what it needs.
	near = 3
	// firstStep is what is allocated for a frame above the budget before its bytes have come.
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

// Read reads the rest of the present frame of r, waiting for room first.
func (b *Buffers) Read(r *Reader) (*Frame, error) {
	b.Reserve(r, func() {})
	return b.ReadReserved(r)
}

// Reserve waits for room for the rest of the present frame of r. If it has to wait it calls before.
func (b *Buffers) Reserve(r *Reader, before func()) {
	n := room(r.Remaining() + 4)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full(n) {
		b.mu.Unlock()
		before()
		b.mu.Lock()
	}
	for b.full(n) {
		b.waiting++
		b.freed.Wait()
		b.waiting--
	}
	b.held += n
}

// room that is reserved for a frame of n bytes.
func room(n int) int {
	if c := class(n); c >= 0 {
		return capacity(c)
	}
	return n
}

func (b *Buffers) full(n int) bool { return b.held > 0 && b.held+n > b.budget }

// ReadReserved reads the rest of the present frame of r, for which Reserve has found room. Where that is more than the budget,
// the memory grows as bytes come.
func (b *Buffers) ReadReserved(r *Reader) (*Frame, error) {
	size := r.Remaining() + 4
	f := &Frame{from: b, room: room(size)}
	first := size
	if f.room > b.budget {
		first = min(size, firstStep)
	}
	f.Whole = b.get(first)
	if larger := cap(f.Whole) - f.room; larger > 0 {
		b.mu.Lock()
		b.held += larger
		b.mu.Unlock()
		f.room += larger
	}
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
		f.Whole = larger
	}
	f.Bytes = f.Whole[4:]
	binary.BigEndian.PutUint32(f.Whole, uint32(size-4))
	return f, nil
}

// Release gives the memory back. A nil frame, and one that was released, have none.
func (f *Frame) Release() {
	if f == nil || f.from == nil {
		return
	}
	b := f.from
	f.from = nil
	b.mu.Lock()
	b.held -= f.room
	b.keep(f.Whole)
	waits := b.waiting > 0
	b.mu.Unlock()
	f.Bytes, f.Whole = nil, nil
	if waits {
		b.freed.Broadcast()
	}
}

// class of the smallest buffer that holds n bytes; -1 if none does.
func class(n int) int {
	n = max(n-beside, 1<<smallest)
	octave := bits.Len(uint(n - 1)) // the power of two that holds n
	c := 2 * (octave - smallest)
	if c > 0 && n <= 3<<(octave-2) {
		c-- // three quarters of it do
	}
	if c >= classes {
		return -1
	}
	return c
}

// capacity of the buffers of a class.
func capacity(class int) int {
	if class%2 == 1 {
		return 3<<(class/2+smallest-1) + beside
	}
	return 1<<(class/2+smallest) + beside
}

func (b *Buffers) get(n int) []byte {
	c := class(n)
	if c < 0 {
		return make([]byte, n)
	}
	b.mu.Lock()
	// A larger one will do: another would cost more than its pages, which are in memory already.
	for i := c; i < min(c+near+1, classes); i++ {
		if list := b.idle[i]; len(list) > 0 {
			p := list[len(list)-1]
			list[len(list)-1] = nil
			b.idle[i] = list[:len(list)-1]
			b.kept -= cap(p)
			b.mu.Unlock()
			return p[:n]
		}
	}
	// What is kept in other sizes makes room: all of it together stays within the budget.
	for i := range b.idle {
		if b.held+b.kept <= b.budget {
			break
		}
		for _, p := range b.idle[i] {
			b.kept -= cap(p)
		}
		b.idle[i] = nil
	}
	b.mu.Unlock()
	return make([]byte, n, capacity(c))
}

// keep memory for the next frames. The caller holds mu.
func (b *Buffers) keep(p []byte) {
	c := class(max(cap(p), 1))
	if c < 0 || cap(p) != capacity(c) || b.held+b.kept+cap(p) > b.budget {
		return
	}
	b.kept += cap(p)
	b.idle[c] = append(b.idle[c], p)
}

// Trim drops the memory that is kept for the next frames.
func (b *Buffers) Trim() {
	b.mu.Lock()
	b.idle, b.kept = [classes][][]byte{}, 0
	b.mu.Unlock()
}

// Loose is a frame, its size included, that is in no Buffers.
func Loose(whole []byte) *Frame { return &Frame{Whole: whole, Bytes: whole[4:]} }
