package kafkatest

import (
	"fmt"
	"sync"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

func (s *scene) burst(names []string, do func(name string) error) map[string]error {
	var mu sync.Mutex
	var wait sync.WaitGroup
	failed := make(map[string]error)
	for _, name := range names {
		wait.Go(func() {
			if err := do(name); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[name] = err
			}
		})
	}
	wait.Wait()
	return failed
}

func manyCalls(s *scene) {
	const topics = 60
	var names []string
	for range topics {
		names = append(names, s.name("many"))
	}
	s.sent.Take()
	failed := s.burst(names, func(name string) error {
		_, err := s.admin.Apply(s.Context(), name, topic.Create{Name: name, Partitions: new(int32(1)), Replication: new(int16(1))})
		return err
	})
	if len(failed) > 0 {
		s.Fatalf("creates failed: %v", failed)
	}
	if sent := s.sent.Take(); sent["CreateTopics"] == 0 || sent["CreateTopics"] > topics/4 {
		s.Errorf("%d creates at once sent %v", topics, sent)
	}
	for _, name := range names {
		s.settled(name, someKeys, func(o topic.Observed) bool { return topic.Settled(topic.Create{}, o, topic.ID{}) })
	}
	s.sent.Take()
	v := s.admin.Bump()
	failed = s.burst(names, func(name string) error {
		o, err := s.admin.Observe(s.Context(), name, someKeys, kafka.After(v))
		if err == nil && (len(o.Partitions) != 1 || len(o.Config) != len(someKeys)) {
			err = fmt.Errorf("%+v", o)
		}
		return err
	})
	if len(failed) > 0 {
		s.Errorf("looks failed: %v", failed)
	}
	if sent := s.sent.Take(); Total(sent) > topics/2 {
		s.Errorf("%d looks at once sent %v", topics, sent)
	}
}

func mixedBatch(s *scene) {
	exists, _ := s.created("mixed-exists", 1, nil)
	names := []string{exists}
	for range 20 {
		names = append(names, s.name("mixed"))
	}
	failed := s.burst(names, func(name string) error {
		_, err := s.admin.Apply(s.Context(), name, topic.Create{Name: name, Partitions: new(int32(1)), Replication: new(int16(1))})
		return err
	})
	s.expectClass(failed[exists], kafka.ClassExists, "create what exists")
	if len(failed) != 1 {
		s.Errorf("%d of %d failed: %v", len(failed), len(names), failed)
	}
}
