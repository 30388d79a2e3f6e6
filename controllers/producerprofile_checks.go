package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/principal"
)

// inputs are what decides beside the brokers: while they are as they were, only the brokers can have changed.
func (a *access) inputs() accessInputs {
	return accessInputs{a.cluster, a.desired, a.own, a.siblings, a.refusals}
}

type accessInputs struct {
	cluster  string
	desired  principal.Desired
	own      principal.Owned
	siblings principal.Siblings
	// refusals are in it, because with one the profile goes on wanting what it has.
	refusals []principal.Refusal
}

// checks are what reconciles of one process remember of the last look at quotas and ACLs, by profile. Nothing depends on
// it for safety: a new process asks the brokers once more.
type checks struct {
	mu    sync.Mutex
	byUID map[types.UID]check
	// homes are the clusters that profiles look at.
	homes map[types.UID]string
}

type check struct {
	of accessInputs
	// due is when the brokers are asked again.
	due      time.Time
	managed  *v1alpha1.ManagedAccess
	refusals []principal.Refusal
	notes    []string
}

func (m *checks) get(uid types.UID) (check, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.byUID[uid]
	return c, ok
}

func (m *checks) set(uid types.UID, c check) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byUID == nil {
		m.byUID = make(map[types.UID]check)
	}
	m.byUID[uid] = c
}

func (m *checks) forget(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byUID, uid)
}

// moved records the cluster of a profile, and returns the one before if it was another.
func (m *checks) moved(uid types.UID, cluster string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.homes == nil {
		m.homes = make(map[types.UID]string)
	}
	before := m.homes[uid]
	m.homes[uid] = cluster
	if before == cluster {
		return ""
	}
	return before
}

// release forgets everything of a profile.
func (m *checks) release(uid types.UID) {
	m.forget(uid)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.homes, uid)
}
