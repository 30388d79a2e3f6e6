package franz_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/kafkatest"
	"mooring.dev/mooring/internal/topic"
)

// tally is a meter that keeps sums.
type tally struct {
	mu       sync.Mutex
	requests map[string]int
	failed   map[string]int
	items    map[string]int
	batches  map[string]int
}

func newTally() *tally {
	return &tally{requests: make(map[string]int), failed: make(map[string]int), items: make(map[string]int), batches: make(map[string]int)}
}

func (m *tally) Request(api string, took time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[api]++
	if err != nil {
		m.failed[api]++
	}
	if took < 0 || took > time.Minute {
		m.failed[api+" in "+took.String()]++
	}
}

func (m *tally) Batch(kind string, items int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches[kind]++
	m.items[kind] += items
}

func TestMeter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, m := kafkatest.Start(t), newTally()
		client, err := franz.NewClient(c.Settings(), append(c.Options(), franz.WithMeter(m))...)
		if err != nil {
			t.Fatal(err)
		}
		a := franz.New(client, m)
		defer a.Close()
		all := names("t", 30)
		errs := together(all, func(name string) error {
			if _, err := a.Apply(t.Context(), name, create(name, 1)); err != nil {
				return err
			}
			if _, err := a.Apply(t.Context(), name, topic.Grow{Name: name, From: 1, To: 2}); err != nil {
				return err
			}
			if _, err := a.Apply(t.Context(), name, topic.Configure{Name: name, Changes: []topic.Change{{Key: "retention.ms", To: new("1")}}}); err != nil {
				return err
			}
			o, err := a.Observe(t.Context(), name, keys, kafka.After(a.Bump()))
			if err != nil {
				return err
			}
			_, err = a.Apply(t.Context(), name, topic.Remove{Name: name, ID: o.ID})
			return err
		})
		expectOnly(t, errs, "", 0)
		m.mu.Lock()
		defer m.mu.Unlock()
		want := map[string]int{"Create": 30, "Grow": 30, "Configure": 30, "Describe": 30, "Remove": 30}
		if diff := cmp.Diff(want, m.items); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		for kind, api := range map[string]string{"Create": "CreateTopics", "Grow": "CreatePartitions", "Configure": "IncrementalAlterConfigs", "Remove": "DeleteTopics"} {
			if m.batches[kind] != m.requests[api] {
				t.Errorf("%d batches of %s, and %d requests of %s", m.batches[kind], kind, m.requests[api], api)
			}
		}
		if len(m.failed) > 0 {
			t.Errorf("failed: %v", m.failed)
		}
	})
}
