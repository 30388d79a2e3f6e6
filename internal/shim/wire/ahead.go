package wire

import (
	"sync"
	"sync/atomic"
)

// How much a Reader reads before it knows what a frame is: readAhead, while few connections have something to read at once, so
// that this memory is bounded; else peekable, which is what Peek needs.
const (
	peekable     = 4 << 10
	readAhead    = 64 << 10
	maxReadAhead = 64
)

// ahead is the memory that is lent to Readers.
var ahead struct {
	lent         atomic.Int32
	large, small sync.Pool
}

// borrow memory to read into, and move there what is left of before.
func (r *Reader) borrow() {
	rest := r.buf[r.start:r.end]
	switch {
	case r.large != nil || r.small != nil:
	case ahead.lent.Add(1) <= maxReadAhead:
		if r.large, _ = ahead.large.Get().(*[readAhead]byte); r.large == nil {
			r.large = new([readAhead]byte)
		}
		r.buf = r.large[:]
	default:
		ahead.lent.Add(-1)
		if r.small, _ = ahead.small.Get().(*[peekable]byte); r.small == nil {
			r.small = new([peekable]byte)
		}
		r.buf = r.small[:]
	}
	r.start, r.end = 0, copy(r.buf, rest)
}

// Release gives back what was lent to the reader. Whoever reads calls it when it reads no more. What was read ahead is kept, in
// memory of its own size.
func (r *Reader) Release() {
	if r.large == nil && r.small == nil {
		return
	}
	r.buf = append([]byte(nil), r.buf[r.start:r.end]...)
	r.start, r.end = 0, len(r.buf)
	if r.large != nil {
		ahead.large.Put(r.large)
		ahead.lent.Add(-1)
	} else {
		ahead.small.Put(r.small)
	}
	r.large, r.small = nil, nil
}

// unspill moves what was spilled into p, and returns how much that was.
func (r *Reader) unspill(p []byte) int {
	n := copy(p, r.spilled)
	r.arrived += int64(n)
	if r.spilled = r.spilled[n:]; len(r.spilled) == 0 {
		r.spilled = nil
	}
	return n
}

// Spilled is how many bytes Spill has read that are not taken yet.
func (r *Reader) Spilled() int { return len(r.spilled) }

// Lent is how many Readers have the larger memory now.
func Lent() int { return int(ahead.lent.Load()) }
