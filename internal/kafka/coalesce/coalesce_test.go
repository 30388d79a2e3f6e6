package coalesce_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/internal/kafka/coalesce"
)

// The tests run in synctest bubbles: time is fake, and a goroutine that a group leaves behind fails the test.

const roundTrip = 10 * time.Millisecond

type (
	item   = coalesce.Item[string, int]
	result = coalesce.Result[string]
	config = coalesce.Config[string, int, string]
)

// broker answers each key with "key=value", after a round trip, and keeps what it was sent.
type broker struct {
	mu      sync.Mutex
	batches [][]item
	active  int
	busiest int
}

func (b *broker) exec(ctx context.Context, batch []item) (map[string]result, error) {
	b.begin(batch)
	defer b.end()
	select {
	case <-time.After(roundTrip):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return answers(batch), nil
}

func (b *broker) begin(batch []item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.batches = append(b.batches, slices.Clone(batch))
	b.active++
	b.busiest = max(b.busiest, b.active)
}

func (b *broker) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active--
}

// keys are the keys of each batch so far.
func (b *broker) keys() [][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all [][]string
	for _, batch := range b.batches {
		var keys []string
		for _, i := range batch {
			keys = append(keys, i.Key)
		}
		all = append(all, keys)
	}
	return all
}

func answers(batch []item) map[string]result {
	results := make(map[string]result)
	for _, i := range batch {
		results[i.Key] = result{Value: answer(i.Key, i.Value)}
	}
	return results
}

func answer(key string, value int) string { return fmt.Sprintf("%s=%d", key, value) }

// callers are calls under way, one goroutine each, started one after the other.
type callers struct {
	t     *testing.T
	group *coalesce.Group[string, int, string]
	wait  sync.WaitGroup
	mu    sync.Mutex
	got   map[int]string // by order of the call
	errs  map[int]error
	n     int
}

func newCallers(t *testing.T, c config) *callers {
	return &callers{t: t, group: coalesce.New(c), got: make(map[int]string), errs: make(map[int]error)}
}

// call starts a call and returns once it waits in the group.
func (c *callers) call(ctx context.Context, key string, value int) {
	n := c.n
	c.n++
	c.wait.Go(func() {
		got, err := c.group.Do(ctx, key, value)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got[n], c.errs[n] = got, err
	})
	synctest.Wait()
}

// all waits for every call and expects the answer to each to be its own.
func (c *callers) all(want ...string) {
	c.t.Helper()
	c.wait.Wait()
	for n, w := range want {
		if c.got[n] != w || c.errs[n] != nil {
			c.t.Errorf("call %d got %q, %v; want %q", n, c.got[n], c.errs[n], w)
		}
	}
}

func TestIdleGroupSendsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		g := coalesce.New(config{Exec: b.exec})
		start := time.Now()
		got, err := g.Do(t.Context(), "a", 1)
		if got != "a=1" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		if took := time.Since(start); took != roundTrip {
			t.Errorf("a call on an idle group took %s, and a round trip is %s: nobody waits for others to arrive", took, roundTrip)
		}
	})
}

func TestCallsDuringABatchTravelTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		c := newCallers(t, config{Exec: b.exec})
		start := time.Now()
		for n, key := range []string{"a", "b", "c", "d"} {
			c.call(t.Context(), key, n)
		}
		c.all("a=0", "b=1", "c=2", "d=3")
		if diff := cmp.Diff([][]string{{"a"}, {"b", "c", "d"}}, b.keys()); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		if took := time.Since(start); took != 2*roundTrip {
			t.Errorf("took %s, want two round trips", took)
		}
	})
}

func TestAKeyIsInABatchOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		c := newCallers(t, config{Exec: b.exec})
		c.call(t.Context(), "x", 0)
		c.call(t.Context(), "a", 1)
		c.call(t.Context(), "a", 2)
		c.call(t.Context(), "b", 3)
		c.call(t.Context(), "a", 4)
		c.all("x=0", "a=1", "a=2", "b=3", "a=4")
		want := [][]string{{"x"}, {"a", "b"}, {"a"}, {"a"}}
		if diff := cmp.Diff(want, b.keys()); diff != "" {
			t.Errorf("a duplicate key waits for the next batch, and holds back no other (-want +got):\n%s", diff)
		}
	})
}

func TestAKeyOnTheWayWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		c := newCallers(t, config{Exec: b.exec})
		c.call(t.Context(), "a", 1)
		c.call(t.Context(), "a", 2)
		c.all("a=1", "a=2")
		if b.busiest != 1 {
			t.Errorf("%d batches were under way at once; the second write must not overtake the first", b.busiest)
		}
	})
}

// A call that does not fit must not be overtaken by a later, lighter one with the same key.
func TestCallsOfOneKeyKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		c := newCallers(t, config{Exec: b.exec, MaxWeight: 10, Weigh: func(v int) int { return v }})
		c.call(t.Context(), "x", 1)
		c.call(t.Context(), "a", 8)
		c.call(t.Context(), "k", 5) // does not fit beside a
		c.call(t.Context(), "k", 2) // would
		c.all("x=1", "a=8", "k=5", "k=2")
		if diff := cmp.Diff([][]string{{"x"}, {"a"}, {"k"}, {"k"}}, b.keys()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if b.batches[2][0].Value != 5 {
			t.Errorf("the second call for k went first: %v", b.batches)
		}
	})
}

func TestReadsOfOneKeyMerge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		c := newCallers(t, config{Exec: b.exec, Merge: func(a, b int) int { return a | b }, MaxItems: 2})
		c.call(t.Context(), "x", 0)
		for n := range 3 {
			c.call(t.Context(), "a", 1<<n)
		}
		c.call(t.Context(), "b", 0)
		c.call(t.Context(), "a", 8) // the batch is full, and a has its place in it
		c.all("x=0", "a=15", "a=15", "a=15", "b=0", "a=15")
		if diff := cmp.Diff([][]string{{"x"}, {"a", "b"}}, b.keys()); diff != "" {
			t.Errorf("reads share a place (-want +got):\n%s", diff)
		}
	})
}

func TestEveryKeyGetsAnAnswer(t *testing.T) {
	down := errors.New("down")
	denied := errors.New("denied")
	tests := map[string]struct {
		reason  string
		results map[string]result
		err     error
		want    map[string]error
	}{
		"its own": {
			reason: "one key's error is no other's", results: map[string]result{"a": {Value: "A"}, "b": {Err: denied}},
			want: map[string]error{"a": nil, "b": denied},
		},
		"none for one": {
			reason: "a caller must never hang, nor take silence for success", results: map[string]result{"a": {Value: "A"}},
			want: map[string]error{"a": nil, "b": coalesce.ErrNoAnswer},
		},
		"none for all": {
			reason: "as above", want: map[string]error{"a": coalesce.ErrNoAnswer, "b": coalesce.ErrNoAnswer},
		},
		"the batch failed": {
			reason: "an error of the batch is everybody's, whatever came beside it", results: map[string]result{"a": {Value: "A"}}, err: down,
			want: map[string]error{"a": down, "b": down},
		},
		"an answer to a question that nobody asked": {
			reason: "it is dropped", results: map[string]result{"a": {}, "b": {}, "c": {}}, want: map[string]error{"a": nil, "b": nil},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var first atomic.Bool
				c := newCallers(t, config{Exec: func(ctx context.Context, batch []item) (map[string]result, error) {
					if first.CompareAndSwap(false, true) {
						<-time.After(roundTrip) // fake time: the others gather meanwhile
						return answers(batch), nil
					}
					return tt.results, tt.err
				}})
				c.call(t.Context(), "first", 0)
				c.call(t.Context(), "a", 0)
				c.call(t.Context(), "b", 0)
				c.wait.Wait()
				for n, key := range []string{"a", "b"} {
					if got := c.errs[n+1]; !errors.Is(got, tt.want[key]) {
						t.Errorf("%s: %s got %v, want %v", tt.reason, key, got, tt.want[key])
					}
				}
			})
		})
	}
}

func TestACallerThatGivesUpLeavesAndTheBatchGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		c := newCallers(t, config{Exec: b.exec})
		impatient, cancel := context.WithTimeout(t.Context(), roundTrip/2)
		defer cancel()
		c.call(impatient, "a", 1)   // alone in the first batch
		c.call(t.Context(), "b", 2) // waits for the second
		start := time.Now()
		c.all()
		if !errors.Is(c.errs[0], context.DeadlineExceeded) {
			t.Errorf("the impatient caller got %v", c.errs[0])
		}
		if c.got[1] != "b=2" || c.errs[1] != nil {
			t.Errorf("the other one got %q, %v", c.got[1], c.errs[1])
		}
		if took := time.Since(start); took != 2*roundTrip {
			t.Errorf("took %s, want two round trips: the first batch was not cut short", took)
		}
	})
}

// A caller's context must not reach the batch: neither its end nor its values belong to the others.
func TestABatchHasItsOwnContext(t *testing.T) {
	type key struct{}
	for name, timeout := range map[string]time.Duration{"default": 0, "given": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := timeout
				if want == 0 {
					want = 30 * time.Second
				}
				var seen context.Context
				g := coalesce.New(config{Timeout: timeout, Exec: func(ctx context.Context, batch []item) (map[string]result, error) {
					seen = ctx
					<-ctx.Done()
					return nil, ctx.Err()
				}})
				ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "mine"), time.Hour)
				defer cancel()
				start := time.Now()
				_, err := g.Do(ctx, "a", 1)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want the batch's own deadline", err)
				}
				if took := time.Since(start); took != want {
					t.Errorf("the batch ended after %s, want %s", took, want)
				}
				if seen.Value(key{}) != nil {
					t.Error("a caller's values reached the batch")
				}
			})
		})
	}
}

func TestBatchesAreBounded(t *testing.T) {
	weigh := func(v int) int { return v }
	tests := map[string]struct {
		reason string
		config config
		values []int
		want   [][]string
	}{
		"by items": {
			reason: "the rest waits, in order", config: config{MaxItems: 2}, values: []int{1, 1, 1, 1, 1},
			want: [][]string{{"k0", "k1"}, {"k2", "k3"}, {"k4"}},
		},
		"by weight": {
			reason: "KRaft refuses a CreateTopics of more than 10,000 partitions as a whole", config: config{MaxWeight: 10, Weigh: weigh}, values: []int{6, 4, 1, 9},
			want: [][]string{{"k0", "k1"}, {"k2", "k3"}},
		},
		"by weight, to the last unit": {
			reason: "10 is allowed and 11 is not", config: config{MaxWeight: 10, Weigh: weigh}, values: []int{10, 1},
			want: [][]string{{"k0"}, {"k1"}},
		},
		"a call that does not fit lets lighter ones pass": {
			reason: "it goes first in the next batch", config: config{MaxWeight: 10, Weigh: weigh}, values: []int{6, 9, 4, 1},
			want: [][]string{{"k0", "k2"}, {"k1", "k3"}},
		},
		"a call heavier than the bound travels alone": {
			reason: "the broker says what is wrong with it; nobody else suffers", config: config{MaxWeight: 10, Weigh: weigh}, values: []int{50, 1, 1},
			want: [][]string{{"k0"}, {"k1", "k2"}},
		},
		"weight without a bound does not count": {
			reason: "0 means no bound", config: config{Weigh: weigh}, values: []int{1 << 40, 1 << 40},
			want: [][]string{{"k0", "k1"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b broker
				tt.config.Exec = b.exec
				c := newCallers(t, tt.config)
				want := []string{"first=0"}
				c.call(t.Context(), "first", 0)
				for n, v := range tt.values {
					key := fmt.Sprint("k", n)
					c.call(t.Context(), key, v)
					want = append(want, answer(key, v))
				}
				c.all(want...)
				if diff := cmp.Diff(tt.want, b.keys()[1:]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
				}
			})
		})
	}
}

func TestAThousandItemsIsTheDefaultBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		g := coalesce.New(config{Exec: b.exec})
		var wait sync.WaitGroup
		for n := range 2002 {
			wait.Go(func() { _, _ = g.Do(t.Context(), fmt.Sprint(n), n) })
		}
		wait.Wait()
		var sizes []int
		for _, keys := range b.keys() {
			sizes = append(sizes, len(keys))
		}
		if slices.Max(sizes) != 1000 {
			t.Errorf("batches of %v", sizes)
		}
	})
}

// A request that is refused as a whole is halved until the bad item is alone: one bad topic never holds 999 hostage.
func TestSplitIsolatesTheBadItem(t *testing.T) {
	whole := errors.New("whole request refused")
	tests := map[string]struct {
		bad      []string
		asError  bool // refused with an error, or with the same answer for every key
		requests int
	}{
		"nobody is bad":              {requests: 1},
		"the first of eight":         {bad: []string{"k0"}, requests: 1 + 2 + 2 + 2},
		"the last of eight":          {bad: []string{"k7"}, asError: true, requests: 1 + 2 + 2 + 2},
		"two that are far apart":     {bad: []string{"k0", "k7"}, requests: 1 + 2 + 4 + 4},
		"all of them":                {bad: []string{"k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"}, asError: true, requests: 15},
		"one in the middle of eight": {bad: []string{"k3"}, requests: 1 + 2 + 2 + 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b broker
				exec := func(ctx context.Context, batch []item) (map[string]result, error) {
					results, err := b.exec(ctx, batch)
					if !slices.ContainsFunc(batch, func(i item) bool { return slices.Contains(tt.bad, i.Key) }) {
						return results, err
					}
					if tt.asError {
						return nil, whole
					}
					for key := range results {
						results[key] = result{Err: whole}
					}
					return results, nil
				}
				split := func(results map[string]result, err error) bool {
					if err != nil {
						return errors.Is(err, whole)
					}
					for _, r := range results {
						if r.Err == nil {
							return false
						}
					}
					return true
				}
				c := newCallers(t, config{Exec: exec, Split: split})
				c.call(t.Context(), "first", 0)
				for n := range 8 {
					c.call(t.Context(), fmt.Sprint("k", n), n)
				}
				c.wait.Wait()
				for n := range 8 {
					key := fmt.Sprint("k", n)
					got, err := c.got[n+1], c.errs[n+1]
					if slices.Contains(tt.bad, key) {
						if !errors.Is(err, whole) {
							t.Errorf("%s got %q, %v; want the refusal", key, got, err)
						}
					} else if got != answer(key, n) || err != nil {
						t.Errorf("%s got %q, %v", key, got, err)
					}
				}
				if got := len(b.keys()) - 1; got != tt.requests {
					t.Errorf("%d requests, want %d: %v", got, tt.requests, b.keys()[1:])
				}
			})
		})
	}
}

func TestWithoutSplitABatchIsTriedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int32
		down := errors.New("down")
		c := newCallers(t, config{Exec: func(ctx context.Context, batch []item) (map[string]result, error) {
			requests.Add(1)
			<-time.After(roundTrip)
			return nil, down
		}})
		for n := range 5 {
			c.call(t.Context(), fmt.Sprint(n), n)
		}
		c.wait.Wait()
		if got := requests.Load(); got != 2 {
			t.Errorf("%d requests, want 2", got)
		}
		for n := range 5 {
			if !errors.Is(c.errs[n], down) {
				t.Errorf("call %d got %v", n, c.errs[n])
			}
		}
	})
}

// Each half has the whole time: the first half must not leave the second without.
func TestHalvesHaveTheirOwnTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCallers(t, config{
			Timeout: time.Second,
			Split:   func(map[string]result, error) bool { return true },
			Exec: func(ctx context.Context, batch []item) (map[string]result, error) {
				select {
				case <-time.After(900 * time.Millisecond):
					return answers(batch), nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			},
		})
		c.call(t.Context(), "first", 0)
		c.call(t.Context(), "a", 1)
		c.call(t.Context(), "b", 2)
		c.all("first=0", "a=1", "b=2")
	})
}

func TestParallelBatches(t *testing.T) {
	for parallel, want := range map[int]int{0: 1, 1: 1, 3: 3} {
		t.Run(fmt.Sprint(parallel), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b broker
				c := newCallers(t, config{Exec: b.exec, Parallel: parallel})
				for n := range 10 {
					c.call(t.Context(), fmt.Sprint(n), n)
				}
				c.wait.Wait()
				if b.busiest != want {
					t.Errorf("%d batches at once, want %d", b.busiest, want)
				}
			})
		})
	}
}

// A group that lingers: nobody waits on an idle one, a trickle travels in company, and a full batch is not held back.
func TestLinger(t *testing.T) {
	const linger = 10 * time.Millisecond
	quick := func(b *broker) func(context.Context, []item) (map[string]result, error) {
		return func(_ context.Context, batch []item) (map[string]result, error) {
			b.begin(batch)
			defer b.end()
			return answers(batch), nil
		}
	}
	t.Run("an idle group sends at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var b broker
			c := newCallers(t, config{Exec: quick(&b), Linger: linger})
			start := time.Now()
			c.call(t.Context(), "a", 1)
			c.all("a=1")
			<-time.After(11 * linger)
			c.call(t.Context(), "b", 2)
			c.all("a=1", "b=2")
			if took := time.Since(start); took != 11*linger {
				t.Errorf("it took %s, want no waiting but our own", took)
			}
		})
	})
	t.Run("a busy group waits, once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var b broker
			c := newCallers(t, config{Exec: quick(&b), Linger: linger})
			c.call(t.Context(), "a", 1)
			start := time.Now()
			for n, key := range []string{"b", "c", "d"} {
				c.call(t.Context(), key, n)
				<-time.After(linger / 4)
			}
			c.all("a=1", "b=0", "c=1", "d=2")
			if took := time.Since(start); took != linger {
				t.Errorf("it took %s, want one linger from the first call on", took)
			}
			if diff := cmp.Diff([][]string{{"a"}, {"b", "c", "d"}}, b.keys()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
	t.Run("a trickle travels in company", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var b broker
			c := newCallers(t, config{Exec: quick(&b), Linger: linger})
			for n := range 100 {
				c.call(t.Context(), fmt.Sprint(n), n)
				<-time.After(time.Millisecond)
			}
			c.wait.Wait()
			if got := len(b.keys()); got < 8 || got > 12 {
				t.Errorf("100 calls, one a millisecond, made %d batches", got)
			}
			for n := range 100 {
				if c.errs[n] != nil || c.got[n] != answer(fmt.Sprint(n), n) {
					t.Fatalf("call %d got %q, %v", n, c.got[n], c.errs[n])
				}
			}
		})
	})
	t.Run("a full batch does not wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var b broker
			c := newCallers(t, config{Exec: quick(&b), Linger: linger, MaxItems: 3})
			c.call(t.Context(), "a", 0)
			start := time.Now()
			for n := range 3 {
				c.call(t.Context(), fmt.Sprint(n), n)
			}
			c.all("a=0", "0=0", "1=1", "2=2")
			if took := time.Since(start); took != 0 {
				t.Errorf("it took %s", took)
			}
			c.call(t.Context(), "late", 4) // the timer of the batch that did not wait is still under way
			c.all("a=0", "0=0", "1=1", "2=2", "late=4")
			if took := time.Since(start); took > linger {
				t.Errorf("it took %s", took)
			}
		})
	})
	t.Run("a batch that filled up meanwhile does not wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var b broker
			c := newCallers(t, config{Exec: b.exec, Linger: linger, MaxItems: 3})
			start := time.Now()
			for n := range 4 {
				c.call(t.Context(), fmt.Sprint(n), n)
			}
			c.all("0=0", "1=1", "2=2", "3=3")
			if took := time.Since(start); took != 2*roundTrip {
				t.Errorf("it took %s, want two round trips", took)
			}
		})
	})
	t.Run("a batch under way is company enough", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var b broker
			slow := func(_ context.Context, batch []item) (map[string]result, error) {
				b.begin(batch)
				defer b.end()
				<-time.After(20 * linger)
				return answers(batch), nil
			}
			c := newCallers(t, config{Exec: slow, Linger: linger})
			start := time.Now()
			c.call(t.Context(), "a", 1)
			c.call(t.Context(), "b", 2)
			c.all("a=1", "b=2")
			if took := time.Since(start); took != 40*linger {
				t.Errorf("it took %s, want two round trips: those who waited through one have lingered", took)
			}
		})
	})
}

func TestOnBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		var mu sync.Mutex
		var sizes []int
		c := newCallers(t, config{Exec: b.exec, OnBatch: func(items int) {
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, items)
		}})
		for n := range 4 {
			c.call(t.Context(), fmt.Sprint(n), n)
		}
		c.wait.Wait()
		if !slices.Equal(sizes, []int{1, 3}) {
			t.Errorf("%v", sizes)
		}
	})
}

// Many callers with few keys, batches that split, callers that leave: nobody gets another's answer, no batch has a key
// twice, and nothing is lost. Run it with -race.
func TestManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b broker
		var landed sync.Map
		var total atomic.Int32
		g := coalesce.New(config{
			MaxItems: 16, MaxWeight: 100, Weigh: func(v int) int { return v % 40 },
			Split: func(_ map[string]result, err error) bool { return err != nil },
			Exec: func(ctx context.Context, batch []item) (map[string]result, error) {
				if len(batch) > 3 && batch[0].Value%5 == 0 {
					return nil, errors.New("too much at once")
				}
				for _, i := range batch {
					landed.Store(i.Value, true)
				}
				return b.exec(ctx, batch)
			},
		})
		var wait sync.WaitGroup
		for n := range 2000 {
			wait.Go(func() {
				ctx := t.Context()
				<-time.After(rand.N(50 * roundTrip)) // fake time
				if n%10 == 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, rand.N(roundTrip))
					defer cancel()
				}
				key := fmt.Sprint("k", n%37)
				got, err := g.Do(ctx, key, n)
				switch {
				case err == nil && got != answer(key, n):
					t.Errorf("call %d for %s got %q", n, key, got)
				case err != nil && n%10 != 0:
					t.Errorf("call %d got %v", n, err)
				case err == nil:
					total.Add(1)
				}
			})
		}
		wait.Wait()
		synctest.Wait()
		<-time.After(time.Minute) // fake time: let the batches of callers that left end
		for n := range 2000 {
			if _, ok := landed.Load(n); !ok {
				t.Errorf("call %d was never sent", n)
			}
		}
		for _, keys := range b.keys() {
			unique := maps.Collect(func(yield func(string, bool) bool) {
				for _, key := range keys {
					if !yield(key, true) {
						return
					}
				}
			})
			if len(unique) != len(keys) {
				t.Fatalf("a batch with a key twice: %v", keys)
			}
		}
		if total.Load() < 1800 {
			t.Errorf("%d calls were answered", total.Load())
		}
	})
}

// The reason for many cheap workers: 5,000 calls at 10 ms a round trip, in fake time.
func TestFiguresOfCoalescing(t *testing.T) {
	for _, tt := range []struct {
		workers  int
		linger   time.Duration
		requests int // at most
		took     time.Duration
	}{
		// At the worst, the answered half of the workers comes back just after the other half has left.
		{workers: 16, requests: 2*5000/16 + 1, took: 6300 * time.Millisecond},
		{workers: 512, requests: 2*5000/512 + 2, took: 220 * time.Millisecond},
		{workers: 16, linger: 10 * time.Millisecond, requests: 5000/16 + 3, took: 6300 * time.Millisecond},
		{workers: 512, linger: 10 * time.Millisecond, requests: 5000/512 + 3, took: 220 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d workers, linger %s", tt.workers, tt.linger), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b broker
				g := coalesce.New(config{Exec: b.exec, Linger: tt.linger})
				start := time.Now()
				run(tt.workers, 5000, func(n int) {
					if got, err := g.Do(t.Context(), fmt.Sprint(n), n); err != nil || got != answer(fmt.Sprint(n), n) {
						t.Errorf("call %d got %q, %v", n, got, err)
					}
				})
				took, requests := time.Since(start), len(b.keys())
				t.Logf("5,000 calls, %d workers: %d requests, %s", tt.workers, requests, took)
				if requests > tt.requests || took > tt.took {
					t.Errorf("%d requests in %s, want at most %d in %s", requests, took, tt.requests, tt.took)
				}
			})
		})
	}
}

// run calls do for 0 to n-1 from so many goroutines.
func run(workers, n int, do func(int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wait.Wait()
}

// What a call costs here, when the broker costs nothing; and how many requests it takes.
func BenchmarkDo(b *testing.B) {
	for _, workers := range []int{16, 512} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			var requests atomic.Int64
			g := coalesce.New(config{Exec: func(ctx context.Context, batch []item) (map[string]result, error) {
				requests.Add(1)
				return answers(batch), nil
			}})
			ctx := b.Context()
			keys := make([]string, 5000)
			for n := range keys {
				keys[n] = fmt.Sprint("topic-", n)
			}
			b.ReportAllocs()
			b.ResetTimer()
			run(workers, b.N, func(n int) { _, _ = g.Do(ctx, keys[n%len(keys)], n) })
			b.ReportMetric(float64(requests.Load())/float64(b.N), "requests/op")
		})
	}
}
