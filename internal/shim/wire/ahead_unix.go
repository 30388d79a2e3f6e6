//go:build unix

package wire

import (
	"io"
	"net"
	"syscall"
)

// lendable says whether memory can be lent to this reader while there is something to read. It takes a connection that can be
// waited for without reading: with TLS there may be bytes that the socket does not show.
func (r *Reader) lendable() bool {
	tcp, ok := r.src.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	r.raw, r.attempt = raw, r.try
	return true
}

// try reads once. False means that nothing was there: the caller waits, without memory.
func (r *Reader) try(fd uintptr) bool {
	r.borrow()
	for {
		n, err := syscall.Read(int(fd), r.buf[r.end:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			r.Release()
			return false
		case err != nil:
			r.err = err
		case n == 0:
			r.err = io.EOF
		default:
			r.end += n
			r.arrived += int64(n)
			r.err = nil
		}
		return true
	}
}

// Spill reads what has come, without waiting, into memory of its own, until that holds limit bytes; it returns how much more it holds.
// It is for whoever does not read on for a while, so that the peer need not keep what it has sent. Errors and the end of the stream
// are left to the next reading.
func (r *Reader) Spill(limit int) int {
	if r.raw == nil || len(r.spilled) >= limit {
		return 0
	}
	scratch, _ := ahead.large.Get().(*[readAhead]byte)
	if scratch == nil {
		scratch = new([readAhead]byte)
	}
	defer ahead.large.Put(scratch)
	before := len(r.spilled)
	r.raw.Read(func(fd uintptr) bool { //nolint:errcheck // the next reading has the error too
		for len(r.spilled) < limit {
			n, err := syscall.Read(int(fd), scratch[:min(limit-len(r.spilled), readAhead)])
			switch {
			case err == syscall.EINTR:
				continue
			case n <= 0:
				return true
			}
			r.spilled = append(r.spilled, scratch[:n]...)
		}
		return true
	})
	return len(r.spilled) - before
}
