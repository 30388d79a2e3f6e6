package kafkatest

import (
	"strings"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

func absentTopic(s *scene) {
	name := s.name("absent")
	for range 2 {
		if o := s.observe(name, someKeys, kafka.After(s.admin.Bump())); o.Exists() {
			s.Errorf("%+v", o)
		}
	}
	_, err := s.admin.Apply(s.Context(), name, topic.Grow{Name: name, From: 1, To: 2})
	s.expectClass(err, kafka.ClassAbsent, "grow a topic that does not exist")
	_, err = s.admin.Apply(s.Context(), name, topic.Configure{Name: name, Changes: []topic.Change{{Key: "retention.ms", To: new("1000")}}})
	s.expectClass(err, kafka.ClassAbsent, "configure a topic that does not exist")
	_, err = s.admin.Apply(s.Context(), name, topic.Remove{Name: name, ID: topic.ID{1: 7, 9: 9}})
	s.expectClass(err, kafka.ClassAbsent, "remove a topic that does not exist")
	_, err = s.admin.Records(s.Context(), name)
	s.expectClass(err, kafka.ClassAbsent, "count the records of a topic that does not exist")
}

func createAsAsked(s *scene) {
	name := s.name("create")
	step := topic.Create{Name: name, Partitions: new(int32(5)), Replication: new(int16(s.Brokers)), Config: map[string]string{"retention.ms": "86400000", "cleanup.policy": "compact"}}
	applied := s.apply(name, step)
	if applied.ID == (topic.ID{}) {
		s.Error("the answer to a create has no topic ID (trap 2)")
	}
	o := s.settled(name, someKeys, func(o topic.Observed) bool { return topic.Settled(step, o, applied.ID) })
	if o.ID != applied.ID {
		s.Errorf("topic ID %s, and the create was answered %s", o.ID, applied.ID)
	}
	if o.At < applied.Version {
		s.Errorf("seen at version %d, before the create at %d", o.At, applied.Version)
	}
	if len(o.Partitions) != 5 || o.Replication() != s.Brokers || o.Internal {
		s.Errorf("%+v", o)
	}
	for i, p := range o.Partitions {
		if p.Number != int32(i) || p.Leader < 0 || len(p.ISR) == 0 || p.Moving() {
			s.Errorf("partition %d: %+v", i, p)
		}
	}
	for key, want := range step.Config {
		if e := o.Config[key]; e.Value == nil || *e.Value != want || e.Source != topic.SourceDynamicTopic {
			s.Errorf("%s: %+v, want %s set on the topic", key, e, want)
		}
	}
	if e := o.Config["min.insync.replicas"]; e.Value == nil || e.Source == topic.SourceDynamicTopic || e.Type != topic.TypeInt {
		s.Errorf("min.insync.replicas: %+v, want an int that is not set on the topic", e)
	}
}

func createWithDefaults(s *scene) {
	name := s.name("defaults")
	step := topic.Create{Name: name}
	applied := s.apply(name, step)
	o := s.settled(name, someKeys, func(o topic.Observed) bool { return topic.Settled(step, o, applied.ID) })
	if len(o.Partitions) == 0 || o.Replication() == 0 {
		s.Errorf("%+v", o)
	}
}

func createTwice(s *scene) {
	name, before := s.created("twice", 2, nil)
	_, err := s.admin.Apply(s.Context(), name, topic.Create{Name: name, Partitions: new(int32(9))})
	s.expectClass(err, kafka.ClassExists, "create a topic that exists")
	if o := s.observe(name, someKeys, kafka.After(s.admin.Bump())); o.ID != before.ID || len(o.Partitions) != 2 {
		s.Errorf("the topic changed: %+v", o)
	}
}

func createRefused(s *scene) {
	name := s.name("refused")
	_, err := s.admin.Apply(s.Context(), name, topic.Create{Name: name, Replication: new(int16(s.Brokers + 1))})
	s.expectClass(err, kafka.ClassInvalid, "create with more replicas than brokers")
	if err != nil && !strings.Contains(err.Error(), "INVALID_REPLICATION_FACTOR") {
		s.Errorf("%v does not say which error it is", err)
	}
	if s.ChecksNames {
		_, err = s.admin.Apply(s.Context(), "a b", topic.Create{Name: "a b"})
		s.expectClass(err, kafka.ClassInvalid, "create with a bad name")
	}
	if s.ChecksConfigs {
		_, err = s.admin.Apply(s.Context(), name, topic.Create{Name: name, Config: map[string]string{"no.such.key": "1"}})
		s.expectClass(err, kafka.ClassInvalidConfig, "create with an unknown key")
	}
	if o := s.observe(name, nil, kafka.After(s.admin.Bump())); o.Exists() {
		s.Error("a refused topic is there")
	}
}

func grow(s *scene) {
	name, before := s.created("grow", 2, nil)
	step := topic.Grow{Name: name, From: 2, To: 5}
	s.apply(name, step)
	o := s.settled(name, someKeys, func(o topic.Observed) bool { return topic.Settled(step, o, before.ID) })
	if o.ID != before.ID || len(o.Partitions) != 5 {
		s.Errorf("%+v", o)
	}
	_, err := s.admin.Apply(s.Context(), name, topic.Grow{Name: name, From: 5, To: 3})
	s.expectClass(err, kafka.ClassInvalid, "shrink")
	if s.RefusesEqualGrowth {
		_, err = s.admin.Apply(s.Context(), name, topic.Grow{Name: name, From: 2, To: 5})
		s.expectClass(err, kafka.ClassInvalid, "grow to the present number (trap 5)")
	}
}

func configure(s *scene) {
	name, before := s.created("configure", 1, map[string]string{"retention.ms": "1000000"})
	step := topic.Configure{Name: name, Changes: []topic.Change{
		{Key: "cleanup.policy", To: new("compact")}, {Key: "min.insync.replicas", To: new("1")}, {Key: "retention.ms", From: new("1000000")},
	}}
	s.apply(name, step)
	o := s.settled(name, someKeys, func(o topic.Observed) bool { return topic.Settled(step, o, before.ID) })
	if e := o.Config["cleanup.policy"]; e.Value == nil || *e.Value != "compact" || e.Source != topic.SourceDynamicTopic || e.Type != topic.TypeList {
		s.Errorf("cleanup.policy: %+v", e)
	}
	if e := o.Config["retention.ms"]; e.Value == nil || *e.Value == "1000000" || e.Source == topic.SourceDynamicTopic {
		s.Errorf("retention.ms was reset, and is %+v", e)
	}
	// A reset of what is not set is done already.
	s.apply(name, topic.Configure{Name: name, Changes: []topic.Change{{Key: "retention.ms"}}})
}

func configureRefused(s *scene) {
	if !s.ChecksConfigs {
		s.Log("this cluster takes any configuration; Apache Kafka is asked in tier 3")
		return
	}
	name, _ := s.created("badconfig", 1, nil)
	for _, change := range []topic.Change{{Key: "no.such.key", To: new("1")}, {Key: "retention.ms", To: new("soon")}} {
		_, err := s.admin.Apply(s.Context(), name, topic.Configure{Name: name, Changes: []topic.Change{change, {Key: "segment.ms", To: new("70000")}}})
		s.expectClass(err, kafka.ClassInvalidConfig, change.String())
		if err != nil && !strings.Contains(err.Error(), change.Key) {
			s.Errorf("%v does not name the key", err)
		}
	}
	// The keys of a topic are taken all together or not at all.
	if o := s.observe(name, nil, kafka.After(s.admin.Bump())); o.Config["segment.ms"].Source == topic.SourceDynamicTopic {
		s.Error("segment.ms was taken beside a key that was refused")
	}
}

func spelling(s *scene) {
	name := s.name("spelling")
	config := map[string]string{"min.cleanable.dirty.ratio": "0.50", "cleanup.policy": "compact, delete", "retention.ms": "+86400000", "preallocate": "TRUE"}
	step := topic.Create{Name: name, Partitions: new(int32(1)), Config: config}
	applied := s.apply(name, step)
	o := s.settled(name, nil, func(o topic.Observed) bool {
		return topic.Settled(step, o, applied.ID) && o.Config["retention.ms"].Value != nil
	})
	d := topic.Desired{Name: name, Config: config}
	plan := topic.MakePlan(d, o, topic.Policy{Owned: applied.ID, Cluster: s.admin.Info().Cluster()})
	if len(plan.Steps) > 0 {
		s.Errorf("just created, and there is still to do: %q", topic.Lines(plan.Steps))
	}
	if !s.ParsesValues {
		return
	}
	want := map[string]string{"min.cleanable.dirty.ratio": "0.5", "cleanup.policy": "compact,delete", "retention.ms": "86400000", "preallocate": "true"}
	for key, value := range want {
		if got, _ := o.Value(key); got != value {
			s.Errorf("%s: the broker spells %q as %q, and this suite expected %q", key, config[key], got, value)
		}
	}
}

func remove(s *scene) {
	name, first := s.created("remove", 1, nil)
	s.apply(name, topic.Remove{Name: name, ID: first.ID})
	s.settled(name, someKeys, func(o topic.Observed) bool { return !o.Exists() })
	_, err := s.admin.Apply(s.Context(), name, topic.Remove{Name: name, ID: first.ID})
	s.expectClass(err, kafka.ClassAbsent, "remove again")

	step := topic.Create{Name: name, Partitions: new(int32(1))}
	second := s.apply(name, step)
	s.settled(name, someKeys, func(o topic.Observed) bool { return topic.Settled(step, o, second.ID) })
	if second.ID == first.ID {
		s.Fatal("two topics with one ID")
	}
	_, err = s.admin.Apply(s.Context(), name, topic.Remove{Name: name, ID: first.ID})
	s.expectClass(err, kafka.ClassAbsent, "remove the first topic, while another has its name")
	if o := s.observe(name, someKeys, kafka.After(s.admin.Bump())); o.ID != second.ID {
		s.Errorf("the second topic went with the first: %+v", o)
	}
}

func validate(s *scene) {
	name, before := s.created("validate", 2, nil)
	absent := s.name("validate-absent")
	for _, step := range []topic.Step{
		topic.Grow{Name: name, From: 2, To: 4},
		topic.Configure{Name: name, Changes: []topic.Change{{Key: "retention.ms", To: new("1000000")}}},
		topic.Remove{Name: name, ID: before.ID},
	} {
		if err := s.admin.Validate(s.Context(), name, step); err != nil {
			s.Errorf("%s: %v", step.Lines(), err)
		}
	}
	if err := s.admin.Validate(s.Context(), absent, topic.Create{Name: absent, Partitions: new(int32(1))}); err != nil {
		s.Errorf("create: %v", err)
	}
	after := s.observe(name, someKeys, kafka.After(s.admin.Bump()))
	if len(after.Partitions) != 2 || after.ID != before.ID || after.Config["retention.ms"].Source == topic.SourceDynamicTopic {
		s.Errorf("validating changed the topic: %+v", after)
	}
	if o := s.observe(absent, someKeys, kafka.After(s.admin.Bump())); o.Exists() {
		s.Error("validating created a topic")
	}
}

func validateRefused(s *scene) {
	name, _ := s.created("validate-refused", 2, nil)
	err := s.admin.Validate(s.Context(), name, topic.Create{Name: name})
	s.expectClass(err, kafka.ClassExists, "create what exists")
	err = s.admin.Validate(s.Context(), name, topic.Grow{Name: name, From: 2, To: 1})
	s.expectClass(err, kafka.ClassInvalid, "shrink")
	absent := s.name("validate-refused-absent")
	err = s.admin.Validate(s.Context(), absent, topic.Configure{Name: absent, Changes: []topic.Change{{Key: "retention.ms", To: new("1000000")}}})
	s.expectClass(err, kafka.ClassAbsent, "configure what does not exist")
	if s.ChecksConfigs {
		err = s.admin.Validate(s.Context(), name, topic.Configure{Name: name, Changes: []topic.Change{{Key: "no.such.key", To: new("1")}}})
		s.expectClass(err, kafka.ClassInvalidConfig, "an unknown key")
	}
}
