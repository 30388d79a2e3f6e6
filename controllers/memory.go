package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mooring.dev/mooring/internal/topic"
)

// lagGrace is how long after our own create a topic that is not seen is on its way, and not lost.
const lagGrace = time.Minute

// memory is what reconciles of one process remember of a topic. Nothing depends on it for safety: a new process asks the
// brokers once more.
type memory struct {
	mu    sync.Mutex
	byUID map[types.UID]remembered
}

type remembered struct {
	// generation that untaken is about.
	generation int64
	untaken    []topic.Change
	// created is the topic that we made, and when.
	created   topic.ID
	createdAt time.Time
}

func (m *memory) get(uid types.UID) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byUID[uid]
}

func (m *memory) set(uid types.UID, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byUID == nil {
		m.byUID = make(map[types.UID]remembered)
	}
	m.byUID[uid] = r
}

func (m *memory) forget(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byUID, uid)
}
