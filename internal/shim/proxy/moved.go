package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"mooring.dev/mooring/internal/shim/sequence"
)

// moved remembers which partitions a node does not lead any more, because the shim itself had to bring a batch elsewhere. What
// a client still sends there is answered NOT_LEADER_OR_FOLLOWER without being sent, so that it looks for the leader and
// nothing overtakes.
type moved struct {
	count atomic.Int32
	mu    sync.Mutex
	until map[place]time.Time
}

type place struct {
	partition sequence.Partition
	node      int32
}

// movedFor bounds how long a mark stays when no metadata passes that lifts it.
const movedFor = 10 * time.Second

func (m *moved) mark(p sequence.Partition, node int32, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.until == nil {
		m.until = make(map[place]time.Time)
	}
	m.until[place{p, node}] = now.Add(movedFor)
	m.count.Store(int32(len(m.until)))
}

// from says whether a partition has left a node.
func (m *moved) from(p sequence.Partition, node int32, now time.Time) bool {
	if m.count.Load() == 0 {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.until[place{p, node}]
	if ok && now.After(until) {
		delete(m.until, place{p, node})
		m.count.Store(int32(len(m.until)))
		return false
	}
	return ok
}

// leads says what metadata showed: the client may send there again.
func (m *moved) leads(p sequence.Partition, node int32) {
	if m.count.Load() == 0 {
		return
	}
	m.mu.Lock()
	delete(m.until, place{p, node})
	m.count.Store(int32(len(m.until)))
	m.mu.Unlock()
}
