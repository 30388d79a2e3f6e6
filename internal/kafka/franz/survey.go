package franz

import (
	"context"
	"slices"
	"strings"
	"sync"

	"mooring.dev/mooring/internal/kafka"
)

// Survey implements kafka.Admin.
func (a *Admin) Survey(ctx context.Context, observer string, i kafka.Interest) (map[string]kafka.Sighting, error) {
	names := a.view.watch(observer, i)
	found := make(map[string]kafka.Sighting, len(names))
	var unseen []string
	for _, name := range names {
		if o, ok := a.view.get(name, i.Keys); ok {
			found[name] = kafka.Sighting{Observed: o}
			continue
		}
		unseen = append(unseen, name)
	}
	// Each joins the next shared look: a hundred profiles that start at once cost a few requests, and not a hundred.
	var group sync.WaitGroup
	var mu sync.Mutex
	for _, name := range unseen {
		group.Go(func() {
			o, err := a.describe.Do(ctx, name, a.view.keysOf(name))
			mu.Lock()
			defer mu.Unlock()
			found[name] = kafka.Sighting{Observed: o, Err: kafka.FromClient(err)}
		})
	}
	group.Wait()
	return found, away(found)
}

// away is the error of a survey that says something of the cluster and not of a topic.
func away(found map[string]kafka.Sighting) error {
	for _, s := range found {
		switch kafka.ClassOf(s.Err) {
		case kafka.ClassUnauthorized, kafka.ClassInvalid, kafka.ClassAbsent:
			continue // of this one topic
		}
		if s.Err != nil {
			return s.Err
		}
	}
	return nil
}

// Leave implements kafka.Admin.
func (a *Admin) Leave(observer string) { a.view.leave(observer) }

// interests are what surveys want to see, by their observers. view's lock guards it.
type interests struct {
	// keys that each observer wants of a topic, by the topic's name.
	keys map[string]map[string][]string
	// prefixes of each observer.
	prefixes map[string][]string
	// names that each observer has an entry in keys for.
	names map[string][]string
}

func newInterests() interests {
	return interests{keys: make(map[string]map[string][]string), prefixes: make(map[string][]string), names: make(map[string][]string)}
}

func (w *interests) has(name string) bool { return len(w.keys[name]) > 0 }

// with adds the keys that observers want of a topic to others; nil, which is all keys, swallows any other.
func (w *interests) with(name string, keys []string) []string {
	for _, more := range w.keys[name] {
		keys = unionKeys(keys, more)
	}
	return keys
}

// matches says whether some observer's prefix stands for the name.
func (w *interests) matches(name string) bool {
	for _, prefixes := range w.prefixes {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			return true
		}
	}
	return false
}

// watch replaces the interest of an observer, and returns the names that it comes to, sorted.
func (v *view) watch(observer string, i kafka.Interest) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	names := slices.Clone(i.Names)
	for _, prefix := range i.Prefixes {
		from, _ := slices.BinarySearch(v.names, prefix)
		for ; from < len(v.names) && strings.HasPrefix(v.names[from], prefix); from++ {
			names = append(names, v.names[from])
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	before := v.watched.names[observer]
	v.watched.names[observer] = names
	v.watched.prefixes[observer] = i.Prefixes
	for _, name := range names {
		if v.watched.keys[name] == nil {
			v.watched.keys[name] = make(map[string][]string)
		}
		v.watched.keys[name][observer] = i.Keys
	}
	for _, name := range before {
		if _, still := slices.BinarySearch(names, name); !still {
			v.unwatch(observer, name)
		}
	}
	return names
}

func (v *view) leave(observer string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, name := range v.watched.names[observer] {
		v.unwatch(observer, name)
	}
	delete(v.watched.names, observer)
	delete(v.watched.prefixes, observer)
}

func (v *view) unwatch(observer, name string) {
	delete(v.watched.keys[name], observer)
	if len(v.watched.keys[name]) == 0 {
		delete(v.watched.keys, name)
	}
	v.drop(name)
}

// setNames records the topics of a look at the whole cluster, and returns those that are new and that a prefix stands for.
// One that went is found by its sighting.
func (v *view) setNames(names []string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	before := v.names
	v.names = names
	if before == nil {
		return nil // the first look; nobody has asked yet
	}
	var appeared []string
	for _, name := range names {
		if _, was := slices.BinarySearch(before, name); !was && !v.watched.has(name) && v.watched.matches(name) {
			appeared = append(appeared, name)
		}
	}
	return appeared
}
