package proxy

import (
	"encoding/binary"
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
		if tcpInfo(fd, info[:]) == len(info) {
			state = info[0]
		}
	})
	if err != nil { // closed on this side
		return true, false
	}
	return state != tcpEstablished && state != tcpFinWait1 && state != tcpFinWait2, state == tcpClose
}

// bytesReceived is where struct tcp_info has tcpi_bytes_received (since Linux 4.1).
const bytesReceived = 128

// bytesIn is how many bytes have come on a connection since its beginning, whether they were read or not; 0 if that is not
// known. The end of the stream may count as one.
func bytesIn(conn net.Conn) (n int64) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) { //nolint:errcheck // then it is closed, and nothing comes any more
		var info [bytesReceived + 8]byte
		if tcpInfo(fd, info[:]) == len(info) {
			n = int64(binary.NativeEndian.Uint64(info[bytesReceived:]))
		}
	})
	return n
}

// tcpInfo fills in what fits of struct tcp_info, and returns how much that is.
func tcpInfo(fd uintptr, info []byte) int {
	size := uint32(len(info))
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
		uintptr(unsafe.Pointer(unsafe.SliceData(info))), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return int(size)
}
