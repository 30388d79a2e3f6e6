package rig

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is one connection through the relay.
type link struct {
	node           *relayNode
	client, broker net.Conn

	mu      sync.Mutex
	pending []call
}

func (l *link) close() {
	l.client.Close()
	l.broker.Close()
}

var errTooLarge = errors.New("a frame of more than 256 MiB")

func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > 256<<20 {
		return nil, errTooLarge
	}
	frame := make([]byte, 4+n)
	copy(frame, size[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

func (l *link) requests() {
	for {
		frame, err := readFrame(l.client)
		if err != nil {
			return
		}
		c, err := l.node.relay.see(frame[4:])
		if err != nil {
			return
		}
		if take(&l.node.tear) {
			l.node.relay.counts.Cuts.Add(1)
			l.broker.Write(frame[:len(frame)/2]) //nolint:errcheck // it is cut anyway
			return
		}
		if !c.unanswered {
			l.mu.Lock()
			l.pending = append(l.pending, c)
			l.mu.Unlock()
		}
		if _, err := l.broker.Write(frame); err != nil {
			return
		}
	}
}

func (l *link) answers() {
	for {
		frame, err := readFrame(l.broker)
		if err != nil || len(frame) < 8 {
			return
		}
		l.mu.Lock()
		if len(l.pending) == 0 {
			l.mu.Unlock()
			return
		}
		c := l.pending[0]
		l.pending = l.pending[1:]
		l.mu.Unlock()
		if c.produce && take(&l.node.deafen) {
			l.node.relay.counts.Cuts.Add(1)
			return
		}
		if frame, err = l.node.relay.rewrite(c, frame); err != nil {
			return
		}
		if d := l.node.delay.Load(); d > 0 {
			<-time.After(time.Duration(d))
		}
		if _, err := l.client.Write(frame); err != nil {
			return
		}
	}
}

// take one of what is left.
func take(left *atomic.Int32) bool {
	for n := left.Load(); n > 0; n = left.Load() {
		if left.CompareAndSwap(n, n-1) {
			return true
		}
	}
	return false
}
