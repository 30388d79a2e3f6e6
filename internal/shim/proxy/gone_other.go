//go:build !linux

package proxy

import "net"

// closedByPeer is not known here: a resend is recognised once the reading of the first connection has found its end.
func closedByPeer(net.Conn) (closed, reset bool) { return false, false }
