// Package coalesce gathers calls that arrive while an earlier batch is under way into the next batch: group commit.
// A call on an idle group goes out at once; one on a busy group may wait a moment for company, if the group is made so.
package coalesce

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrNoAnswer is what a caller gets when the batch function answered for others and not for it.
var ErrNoAnswer = errors.New("coalesce: the batch had no answer for this key")

// Item is one call in a batch.
type Item[K comparable, V any] struct {
	Key   K
	Value V
}

// Result is the answer to one call.
type Result[R any] struct {
	Value R
	Err   error
}

// Config shapes a Group.
type Config[K comparable, V, R any] struct {
	// Exec carries out one batch. Keys are unique in it. It answers every key; for a failure of the whole batch it returns
	// an error instead, which every caller gets unless Split says otherwise. Its context is the batch's own.
	Exec func(ctx context.Context, batch []Item[K, V]) (map[K]Result[R], error)
	// Merge, when set, lets two calls with the same key share a place in a batch (reads). Without it the second call waits
	// for the next batch (writes).
	Merge func(a, b V) V
	// Weigh is how much of MaxWeight a call takes; nil weighs nothing.
	Weigh func(V) int
	// Split says whether a failed batch of several items is worth trying again in halves, so that one bad item does not
	// fail the others. It sees the outcome of the whole batch. Nil never splits.
	Split func(results map[K]Result[R], err error) bool
	// OnBatch, when set, is told how many items each batch has.
	OnBatch func(items int)
	// MaxItems bounds a batch; 0 means 1,000. MaxWeight likewise; 0 means no bound. A single call heavier than MaxWeight
	// travels alone.
	MaxItems  int
	MaxWeight int
	// Linger is how long a busy group waits before it sends what waits, so that a trickle of calls travels in company too. A
	// group is busy when its last batch began less than ten lingers ago; a call on an idle group goes out at once. 0 never waits.
	Linger time.Duration
	// Parallel is how many batches may be under way at once; 0 means 1.
	Parallel int
	// Timeout of one batch; 0 means 30 s. It is the batch's own: a caller that gives up leaves, and the batch goes on.
	Timeout time.Duration
}

// Group gathers calls. Make one with New.
type Group[K comparable, V, R any] struct {
	config Config[K, V, R]

	mu      sync.Mutex
	waiting []*call[K, V, R]
	running int
	// last is when a batch last began; lingering says that a timer will start the next.
	last      time.Time
	lingering bool
}

type call[K comparable, V, R any] struct {
	item  Item[K, V]
	reply chan Result[R] // buffered: the batch never waits for a caller that left
}

// New returns a Group.
func New[K comparable, V, R any](config Config[K, V, R]) *Group[K, V, R] {
	if config.MaxItems == 0 {
		config.MaxItems = 1000
	}
	if config.Parallel == 0 {
		config.Parallel = 1
	}
	if config.Timeout == 0 {
		config.Timeout = 30 * time.Second
	}
	return &Group[K, V, R]{config: config}
}

// Do travels with the next batch and returns this key's own answer, or the context's error when the caller gives up
// first; the batch goes on without it.
func (g *Group[K, V, R]) Do(ctx context.Context, key K, value V) (R, error) {
	c := &call[K, V, R]{item: Item[K, V]{Key: key, Value: value}, reply: make(chan Result[R], 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	g.startLocked()
	g.mu.Unlock()
	select {
	case r := <-c.reply:
		return r.Value, r.Err
	case <-ctx.Done():
		var zero R
		return zero, ctx.Err()
	}
}

func (g *Group[K, V, R]) startLocked() {
	for g.running < g.config.Parallel && len(g.waiting) > 0 {
		if g.lingerLocked() {
			return
		}
		g.last = time.Now()
		batch := g.takeLocked()
		g.running++
		go g.run(batch)
	}
}

// lingerLocked says whether the next batch should wait for company, and sees to it that it starts. A batch that is full
// does not wait.
func (g *Group[K, V, R]) lingerLocked() bool {
	if g.lingering {
		return len(g.waiting) < g.config.MaxItems
	}
	if g.config.Linger == 0 || len(g.waiting) >= g.config.MaxItems || time.Since(g.last) > 10*g.config.Linger {
		return false
	}
	g.lingering = true
	time.AfterFunc(g.config.Linger, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.lingering = false
		g.last = time.Time{} // it has waited
		g.startLocked()
	})
	return true
}

// batch is the items that go out, and who waits for each.
type batch[K comparable, V, R any] struct {
	items   []Item[K, V]
	callers map[K][]*call[K, V, R]
}

// takeLocked moves calls from the queue to a batch, in order, within the bounds. A call that does not fit lets lighter ones
// pass, but none with its own key: the later of two writes must stay the later one.
func (g *Group[K, V, R]) takeLocked() batch[K, V, R] {
	b := batch[K, V, R]{callers: make(map[K][]*call[K, V, R])}
	position := make(map[K]int)
	passed := make(map[K]bool)
	weight := 0
	var left []*call[K, V, R]
	for _, c := range g.waiting {
		at, present := position[c.item.Key]
		switch {
		case present && g.config.Merge != nil:
			b.items[at].Value = g.config.Merge(b.items[at].Value, c.item.Value)
			b.callers[c.item.Key] = append(b.callers[c.item.Key], c)
			continue
		case present, passed[c.item.Key], len(b.items) >= g.config.MaxItems:
			left = append(left, c)
			continue
		}
		w := g.weigh(c.item.Value)
		if len(b.items) > 0 && g.config.MaxWeight > 0 && weight+w > g.config.MaxWeight {
			passed[c.item.Key] = true
			left = append(left, c)
			continue
		}
		weight += w
		position[c.item.Key] = len(b.items)
		b.items = append(b.items, c.item)
		b.callers[c.item.Key] = []*call[K, V, R]{c}
	}
	g.waiting = left
	return b
}

func (g *Group[K, V, R]) weigh(v V) int {
	if g.config.Weigh == nil {
		return 0
	}
	return g.config.Weigh(v)
}

func (g *Group[K, V, R]) run(b batch[K, V, R]) {
	if g.config.OnBatch != nil {
		g.config.OnBatch(len(b.items))
	}
	g.exec(b.items, func(key K, r Result[R]) {
		for _, c := range b.callers[key] {
			c.reply <- r
		}
	})
	g.mu.Lock()
	g.running--
	g.startLocked()
	g.mu.Unlock()
}

// exec carries out items, in halves when that can save some of them, and answers every one.
func (g *Group[K, V, R]) exec(items []Item[K, V], answer func(K, Result[R])) {
	ctx, cancel := context.WithTimeout(context.Background(), g.config.Timeout)
	results, err := g.config.Exec(ctx, items)
	cancel()
	if len(items) > 1 && g.config.Split != nil && g.config.Split(results, err) {
		half := len(items) / 2
		g.exec(items[:half], answer)
		g.exec(items[half:], answer)
		return
	}
	for _, item := range items {
		r, ok := results[item.Key]
		switch {
		case err != nil:
			r = Result[R]{Err: err}
		case !ok:
			r = Result[R]{Err: ErrNoAnswer}
		}
		answer(item.Key, r)
	}
}
