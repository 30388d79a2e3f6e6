package proxy

import (
	"net"
	"syscall"
	"unsafe"
)

// States of a TCP connection, from include/net/tcp_states.h.
const (
	tcpEstablished = 1
	tcpFinWait1    = 4
	tcpFinWait2    = 5
	tcpClose       = 7
)

// closedByPeer says whether the other end has closed the connection, also while bytes that it sent before wait to be read;
// reset says that it threw bytes away that it had not read.
func closedByPeer(conn net.Conn) (closed, reset bool) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return false, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true, false
	}
	state := byte(tcpEstablished)
	err = raw.Control(func(fd uintptr) {
		var info [8]byte // the state is the first byte of struct tcp_info
		size := uint32(len(info))
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 {
			state = info[0]
		}
	})
	if err != nil { // closed on this side
		return true, false
	}
	return state != tcpEstablished && state != tcpFinWait1 && state != tcpFinWait2, state == tcpClose
}
