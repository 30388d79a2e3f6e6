package franz

import (
	"reflect"
	"slices"
	"sync"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// view is what is known of one cluster: the topics that somebody observes, and the cluster as a whole.
type view struct {
	mu      sync.RWMutex
	info    kafka.ClusterInfo
	tracked map[string][]string // topic name to the keys that its observer wants; nil is all
	watched interests           // what surveys want besides
	names   []string            // every topic that the last look at the whole cluster found, Kafka's own left out; sorted
	seen    map[string]sighting
	shared  sharedConfigs // what is in seen more than once
}

// sighting is one topic as it was last seen, with the keys that were asked for.
type sighting struct {
	keys []string
	topic.Observed
}

func newView() *view {
	return &view{
		info:    kafka.ClusterInfo{ControllerID: -1, Topics: -1},
		tracked: make(map[string][]string),
		watched: newInterests(),
		seen:    make(map[string]sighting),
	}
}

func (v *view) clusterInfo() kafka.ClusterInfo {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.info
}

// setInfo returns whether anything that a reconcile could care about is new.
func (v *view) setInfo(info kafka.ClusterInfo) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	changed := !reflect.DeepEqual(v.info, info)
	v.info = info
	return changed
}

func (v *view) track(name string, keys []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tracked[name] = keys
}

func (v *view) forget(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.tracked, name)
	v.drop(name)
}

// drop forgets a sighting that nobody cares for.
func (v *view) drop(name string) {
	if _, tracked := v.tracked[name]; !tracked && !v.watched.has(name) {
		delete(v.seen, name)
	}
}

func (v *view) trackedKeys() map[string][]string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	keysOf := make(map[string][]string, len(v.tracked))
	for name, keys := range v.tracked {
		keysOf[name] = v.watched.with(name, keys)
	}
	for name := range v.watched.keys {
		if _, tracked := v.tracked[name]; !tracked {
			keysOf[name] = v.watched.with(name, []string{})
		}
	}
	return keysOf
}

// keysOf are the keys that anybody wants of a topic: to look for one at fewer would make the others look again.
func (v *view) keysOf(name string) []string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	keys, tracked := v.tracked[name]
	if !tracked {
		keys = []string{}
	}
	return v.watched.with(name, keys)
}

// get returns a sighting that answers for the keys.
func (v *view) get(name string, keys []string) (topic.Observed, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	s, ok := v.seen[name]
	if !ok || !covers(s.keys, keys) {
		return topic.Observed{}, false
	}
	return s.Observed, true
}

// put records a sighting and returns whether it differs from the one before in anything that matters. An older sighting
// never replaces a newer one: two looks may be under way at once.
func (v *view) put(name string, keys []string, o topic.Observed) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, tracked := v.tracked[name]; !tracked && !v.watched.has(name) {
		return false
	}
	before, known := v.seen[name]
	if known && before.At > o.At {
		return false
	}
	o.Config = v.shared.one(o.Config)
	v.seen[name] = sighting{keys: keys, Observed: o}
	return known && !alike(before.Observed, o)
}

// alike compares what reconciles act on. Which broker leads a partition is not part of it: a rolling restart would wake
// every topic once per broker for nothing.
func alike(a, b topic.Observed) bool {
	a.At, b.At = 0, 0
	a.Partitions, b.Partitions = withoutLeaders(a.Partitions), withoutLeaders(b.Partitions)
	return reflect.DeepEqual(a, b)
}

func withoutLeaders(partitions []topic.Partition) []topic.Partition {
	same := slices.Clone(partitions)
	for i := range same {
		same[i].Leader = min(same[i].Leader, 0)
		same[i].ISR = slices.Sorted(slices.Values(same[i].ISR))
	}
	return same
}

func covers(have, want []string) bool {
	if have == nil {
		return true
	}
	if want == nil {
		return false
	}
	for _, key := range want {
		if !slices.Contains(have, key) {
			return false
		}
	}
	return true
}

func union(a, b []string) []string {
	keys := append(slices.Clone(a), b...)
	slices.Sort(keys)
	return slices.Compact(keys)
}
