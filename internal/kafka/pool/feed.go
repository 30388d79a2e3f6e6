package pool

import (
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Clusters is a source that fires with the name of a KafkaCluster whose connection changed.
func (p *Pool) Clusters(h handler.TypedEventHandler[string, reconcile.Request]) source.Source {
	return source.TypedChannel(p.clusters.out, h)
}

// Topics is a source that fires with a topic that a look found changed.
func (p *Pool) Topics(h handler.TypedEventHandler[TopicRef, reconcile.Request]) source.Source {
	return source.TypedChannel(p.topics.out, h)
}

// AlsoTopics is a second source of what Topics fires with, for another controller: what one source has taken, no other
// gets. It must be asked for before the pool starts.
func (p *Pool) AlsoTopics(h handler.TypedEventHandler[TopicRef, reconcile.Request]) source.Source {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alsoTopics == nil {
		p.alsoTopics = newFeed[TopicRef]()
	}
	return source.TypedChannel(p.alsoTopics.out, h)
}

// changed tells everybody who listens of a topic.
func (p *Pool) changed(ref TopicRef) {
	p.topics.send(ref)
	p.mu.Lock()
	also := p.alsoTopics
	p.mu.Unlock()
	if also != nil {
		also.send(ref)
	}
}

// feed hands items from connections to a source. Sending never waits: a connection must go on looking while the
// controllers are busy. An item that waits already is not added again.
type feed[T comparable] struct {
	out chan event.TypedGenericEvent[T]

	mu      sync.Mutex
	pending map[T]struct{}
	order   []T
	pumping bool
}

func newFeed[T comparable]() *feed[T] {
	return &feed[T]{out: make(chan event.TypedGenericEvent[T], 1024), pending: make(map[T]struct{})}
}

func (f *feed[T]) send(item T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, waits := f.pending[item]; waits {
		return
	}
	f.pending[item] = struct{}{}
	f.order = append(f.order, item)
	if !f.pumping {
		f.pumping = true
		go f.pump()
	}
}

// pump moves items to the channel until none waits. Before the controllers have started nobody reads the channel; then it
// stays, and ends with the process.
func (f *feed[T]) pump() {
	for {
		f.mu.Lock()
		if len(f.order) == 0 {
			f.pumping = false
			f.mu.Unlock()
			return
		}
		item := f.order[0]
		f.order = f.order[1:]
		delete(f.pending, item)
		f.mu.Unlock()
		f.out <- event.TypedGenericEvent[T]{Object: item}
	}
}
