//go:build !linux

package proxy

import "net"

// closedByPeer is not known here: a resend is recognised once the reading of the first connection has found its end.
func closedByPeer(net.Conn) (closed, reset bool) { return false, false }

// bytesIn is not known here: a request that comes on another connection than the one before it may overtake what is not read yet.
func bytesIn(net.Conn) int64 { return 0 }
