package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// DefaultFrameLimit is socket.request.max.bytes of a broker: larger requests it refuses too.
const DefaultFrameLimit = 100 << 20

// ErrFrame is what a peer did that is not Kafka's protocol. The connection cannot go on.
var ErrFrame = errors.New("not a frame of Kafka's protocol")

// Reader cuts a stream into frames: an int32 size, and so many bytes. The bytes that a frame still has are read with
// Peek, Read, or Relay; Next goes on to the next frame and is an error while any are left.
//
// From a TCP connection it reads as much as is there, because system calls are what a relay costs. The memory for that is lent
// to it when there is something to read, so that a connection that waits has none.
type Reader struct {
	src       io.Reader
	limit     int
	remaining int // of the present frame

	buf        []byte
	start, end int
	arrived    int64 // bytes that were read from src

	// Of a TCP connection; otherwise buf is this reader's own.
	raw     syscall.RawConn
	attempt func(fd uintptr) bool
	spilled []byte // what Spill read, and nobody has taken yet
	large   *[readAhead]byte
	small   *[peekable]byte
	err     error // of the last attempt
}

// NewReader reads frames of at most limit bytes from src.
func NewReader(src io.Reader, limit int) *Reader {
	r := &Reader{src: src, limit: limit}
	if r.lendable() {
		return r
	}
	r.buf = make([]byte, peekable)
	return r
}

// Next reads the size of the next frame. io.EOF means that the stream ended between two frames.
func (r *Reader) Next() (int, error) {
	if r.remaining != 0 {
		return 0, fmt.Errorf("%w: %d bytes of the frame before were not read", ErrFrame, r.remaining)
	}
	if err := r.fill(4); err != nil {
		return 0, err
	}
	size := r.size()
	if size < 0 || int(size) > r.limit {
		return 0, fmt.Errorf("%w: its size is %d, and 0 to %d are taken", ErrFrame, size, r.limit)
	}
	r.start += 4
	r.remaining = int(size)
	return int(size), nil
}

func (r *Reader) size() int32 { return int32(binary.BigEndian.Uint32(r.buf[r.start:])) }

// Ready says whether the frame after the present one is here already, as a whole: reading it will not wait. The present one
// must have been read.
func (r *Reader) Ready() bool {
	have := r.end - r.start
	return r.remaining == 0 && have >= 4 && have-4 >= int(uint32(r.size()))
}

// Remaining is how many bytes of the frame were not read yet.
func (r *Reader) Remaining() int { return r.remaining }

// Peek shows the next n bytes of the frame, at most 4096, without reading them. They are good until the next call.
func (r *Reader) Peek(n int) ([]byte, error) {
	if n > r.remaining {
		return nil, fmt.Errorf("%w: it ends after %d bytes where %d are needed", ErrFrame, r.remaining, n)
	}
	if err := r.fill(n); err != nil {
		return nil, noEOF(err)
	}
	return r.buf[r.start : r.start+n], nil
}

// Skip reads n bytes that Peek showed.
func (r *Reader) Skip(n int) {
	n = min(n, r.remaining, r.end-r.start)
	r.start += n
	r.remaining -= n
}

// Read implements io.Reader within the frame; at its end it is io.EOF.
func (r *Reader) Read(p []byte) (int, error) {
	if r.remaining == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), r.remaining)]
	n, err := 0, error(nil)
	if r.start == r.end && len(p) < readAhead/2 && r.raw != nil {
		err = r.fill(1) // what comes after it most often is here too
	}
	switch {
	case r.start < r.end:
		n = copy(p, r.buf[r.start:r.end])
		r.start += n
	case err == nil && len(r.spilled) > 0:
		r.Release()
		n = r.unspill(p)
	case err == nil:
		r.Release()
		n, err = r.src.Read(p)
		r.arrived += int64(n)
	}
	r.remaining -= n
	if n > 0 {
		return n, nil
	}
	return 0, noEOF(err)
}

// Relay writes the rest of the frame, after its head, to dst. Where both ends are TCP connections most of it does not
// pass through this process: io.Copy becomes splice(2).
func (r *Reader) Relay(dst io.Writer, head []byte) error {
	have := min(r.end-r.start, r.remaining)
	both := net.Buffers{head, r.buf[r.start : r.start+have]}
	if _, err := both.WriteTo(dst); err != nil {
		return err
	}
	r.start += have
	r.remaining -= have
	if r.remaining == 0 {
		return nil
	}
	r.Release()
	if n := min(len(r.spilled), r.remaining); n > 0 {
		if _, err := dst.Write(r.spilled[:n]); err != nil {
			return err
		}
		r.unspill(r.spilled[:n])
		if r.remaining -= n; r.remaining == 0 {
			return nil
		}
	}
	n, err := io.CopyN(dst, r.src, int64(r.remaining))
	r.arrived += n
	r.remaining -= int(n)
	return noEOF(err)
}

// Discard reads the rest of the frame and drops it.
func (r *Reader) Discard() error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// Arrived is how many bytes were read from the stream, those that are buffered included, and those that Spill read once they are
// taken.
func (r *Reader) Arrived() int64 { return r.arrived }

// Buffered is how many bytes were read beyond what was asked for.
func (r *Reader) Buffered() int { return r.end - r.start }

// fill reads until n bytes are in buf, at most peekable.
func (r *Reader) fill(n int) error {
	for r.end-r.start < n {
		if err := r.more(n); err != nil {
			if r.end > r.start {
				return noEOF(err)
			}
			return err
		}
	}
	return nil
}

// more reads what there is, once; room for n bytes from start on is made first.
func (r *Reader) more(n int) error {
	if len(r.spilled) > 0 {
		r.borrow()
		r.end += r.unspill(r.buf[r.end:])
		return nil
	}
	if r.raw != nil {
		err := r.raw.Read(r.attempt)
		if err == nil {
			err = r.err
		}
		return err
	}
	if r.start == r.end {
		r.start, r.end = 0, 0
	} else if r.start+n > len(r.buf) {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	got, err := io.ReadAtLeast(r.src, r.buf[r.end:], 1)
	r.arrived += int64(got)
	r.end += got
	return err
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
