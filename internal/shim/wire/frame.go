package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// DefaultFrameLimit is socket.request.max.bytes of a broker: larger requests it refuses too.
const DefaultFrameLimit = 100 << 20

// readAhead is how much a Reader reads before it knows what a frame is. It is small because every connection has two of
// them for as long as it lives, and large enough that a frame of a few records takes one system call. A stream that has shown
// often that its frames are somewhat larger gets more: system calls are what a relay costs.
const (
	readAhead     = 4 << 10
	moreReadAhead = 32 << 10
	often         = 8
)

// ErrFrame is what a peer did that is not Kafka's protocol. The connection cannot go on.
var ErrFrame = errors.New("not a frame of Kafka's protocol")

// Reader cuts a stream into frames: an int32 size, and so many bytes. The bytes that a frame still has are read with
// Peek, Read, or Relay; Next goes on to the next frame and is an error while any are left.
type Reader struct {
	src        io.Reader
	limit      int
	remaining  int // of the present frame
	start, end int
	buf        []byte
	larger     int // frames that readAhead did not hold, and moreReadAhead would have
}

// NewReader reads frames of at most limit bytes from src.
func NewReader(src io.Reader, limit int) *Reader {
	return &Reader{src: src, limit: limit, buf: make([]byte, readAhead)}
}

// Next reads the size of the next frame. io.EOF means that the stream ended between two frames.
func (r *Reader) Next() (int, error) {
	if r.remaining != 0 {
		return 0, fmt.Errorf("%w: %d bytes of the frame before were not read", ErrFrame, r.remaining)
	}
	if err := r.fill(4); err != nil {
		return 0, err
	}
	size := int32(binary.BigEndian.Uint32(r.buf[r.start:]))
	if size < 0 || int(size) > r.limit {
		return 0, fmt.Errorf("%w: its size is %d, and 0 to %d are taken", ErrFrame, size, r.limit)
	}
	r.start += 4
	r.remaining = int(size)
	if len(r.buf) == readAhead && size > readAhead-4 && size <= moreReadAhead-4 {
		if r.larger++; r.larger == often {
			grown := make([]byte, moreReadAhead)
			r.end = copy(grown, r.buf[r.start:r.end])
			r.start, r.buf = 0, grown
		}
	}
	return int(size), nil
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

// Read implements io.Reader within the frame; at its end it is io.EOF.
func (r *Reader) Read(p []byte) (int, error) {
	if r.remaining == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), r.remaining)]
	n, err := 0, error(nil)
	if r.start < r.end {
		n = copy(p, r.buf[r.start:r.end])
		r.start += n
	} else {
		n, err = r.src.Read(p)
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
	n, err := io.CopyN(dst, r.src, int64(r.remaining))
	r.remaining -= int(n)
	return noEOF(err)
}

// Discard reads the rest of the frame and drops it.
func (r *Reader) Discard() error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func (r *Reader) fill(n int) error {
	if r.end-r.start >= n {
		return nil
	}
	if r.start == r.end {
		r.start, r.end = 0, 0
	} else if r.start+n > len(r.buf) {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	got, err := io.ReadAtLeast(r.src, r.buf[r.end:], n-(r.end-r.start))
	r.end += got
	if err != nil && r.end > r.start {
		return noEOF(err)
	}
	return err
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Buffered is how many bytes were read beyond what was asked for.
func (r *Reader) Buffered() int { return r.end - r.start }
