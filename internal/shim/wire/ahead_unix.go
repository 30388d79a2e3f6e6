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
