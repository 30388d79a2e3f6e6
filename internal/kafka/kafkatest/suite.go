package kafkatest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/topic"
)

// Admin is what the suite tests: what the pool holds for each cluster.
type Admin interface {
	kafka.Admin
	Poll(ctx context.Context) (franz.Changes, error)
	Close()
}

// Subject is one cluster with the Admin under test.
type Subject struct {
	// Admin makes an Admin on a client of its own with these hooks. It is closed with the test.
	Admin func(t testing.TB, hooks ...kgo.Hook) Admin
	// Client makes a plain client: somebody else, who changes the cluster behind the Admin's back.
	Client func(t testing.TB) *kgo.Client
	// Brokers that the cluster has.
	Brokers int
	// Patience is how long brokers may take to show a change. Default 20 s.
	Patience time.Duration

	Capabilities
}

// Capabilities are where clusters differ. Apache Kafka has all of them; kfake has none.
type Capabilities struct {
	// ChecksConfigs: an unknown key or a bad value is refused with INVALID_CONFIG. kfake takes any.
	ChecksConfigs bool
	// ChecksNames: a name that Kafka does not allow is refused with INVALID_TOPIC_EXCEPTION. kfake takes any.
	ChecksNames bool
	// RefusesEqualGrowth: CreatePartitions to the present number is refused with INVALID_PARTITIONS. kfake says yes.
	RefusesEqualGrowth bool
	// ParsesValues: values come back as the broker spells them, "0.50" as "0.5". kfake gives back what it was given.
	ParsesValues bool
}

// RunAdminSuite tests what reconciles rely on. run calls test with a Subject, in a synctest bubble where the cluster is fake.
func RunAdminSuite(t *testing.T, run func(t *testing.T, test func(t *testing.T, s Subject))) {
	tests := map[string]func(*scene){
		"an absent topic is no error":                        absentTopic,
		"a topic is created as it was asked for":             createAsAsked,
		"what is left out is the broker's to decide":         createWithDefaults,
		"a topic that exists is not created again":           createTwice,
		"what the broker refuses is told in its words":       createRefused,
		"partitions grow":                                    grow,
		"configuration is set and reset":                     configure,
		"configuration that the broker refuses":              configureRefused,
		"values come back in the broker's spelling":          spelling,
		"a topic is removed by its ID":                       remove,
		"validate changes nothing":                           validate,
		"validate finds what the broker would refuse":        validateRefused,
		"records are counted":                                records,
		"a cached look costs nothing":                        cachedLook,
		"all keys, or those that are asked for":              keysOfLook,
		"a poll finds what others changed":                   pollFindsChanges,
		"a poll tells of the cluster":                        pollTellsOfTheCluster,
		"a forgotten topic is not looked at":                 forget,
		"many calls at once need few requests":               manyCalls,
		"one topic's error is no other's, in the same batch": mixedBatch,
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, s Subject) { tests[name](newScene(t, s)) })
		})
	}
}

// scene is one test: an Admin, and what it has sent.
type scene struct {
	*testing.T
	Subject
	admin Admin
	sent  *Requests
	// other is somebody else.
	other *kgo.Client
}

func newScene(t *testing.T, s Subject) *scene {
	if s.Patience == 0 {
		s.Patience = 20 * time.Second
	}
	sent := new(Requests)
	return &scene{T: t, Subject: s, admin: s.Admin(t, sent), sent: sent, other: s.Client(t)}
}

// name is a topic name that nobody else uses, on a cluster that others use too. The topic is removed with the test.
func (s *scene) name(hint string) string {
	name := fmt.Sprintf("mooring-suite-%s-%08x", hint, rand.Uint32())
	admin := kadm.NewClient(s.other)
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), s.Patience)
		defer cancel()
		_, _ = admin.DeleteTopics(ctx, name)
	})
	return name
}

func (s *scene) apply(name string, step topic.Step) kafka.Applied {
	s.Helper()
	applied, err := s.admin.Apply(s.Context(), name, step)
	if err != nil {
		s.Fatalf("%s: %v", step.Lines(), err)
	}
	return applied
}

func (s *scene) observe(name string, keys []string, f kafka.Freshness) topic.Observed {
	s.Helper()
	o, err := s.admin.Observe(s.Context(), name, keys, f)
	if err != nil {
		s.Fatalf("observe %s: %v", name, err)
	}
	return o
}

// settled looks until the brokers show it: they learn of a change one by one.
func (s *scene) settled(name string, keys []string, shows func(topic.Observed) bool) topic.Observed {
	s.Helper()
	deadline := time.Now().Add(s.Patience)
	for {
		o := s.observe(name, keys, kafka.After(s.admin.Bump()))
		if shows(o) {
			return o
		}
		if time.Now().After(deadline) {
			s.Fatalf("%s does not show it after %s: %+v", name, s.Patience, o)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// created makes a topic and waits until it shows.
func (s *scene) created(hint string, partitions int32, config map[string]string) (string, topic.Observed) {
	s.Helper()
	name := s.name(hint)
	step := topic.Create{Name: name, Partitions: new(partitions), Replication: new(int16(s.Brokers)), Config: config}
	applied := s.apply(name, step)
	return name, s.settled(name, someKeys, func(o topic.Observed) bool { return topic.Settled(step, o, applied.ID) })
}

// someKeys are keys that every cluster knows.
var someKeys = []string{"cleanup.policy", "min.insync.replicas", "retention.ms"}

func (s *scene) expectClass(err error, want kafka.Class, doing string) {
	s.Helper()
	if err == nil {
		s.Errorf("%s: no error, want class %d", doing, want)
		return
	}
	if got := kafka.ClassOf(err); got != want {
		s.Errorf("%s: class %d, want %d: %v", doing, got, want, err)
	}
}

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

func records(s *scene) {
	name, _ := s.created("records", 3, nil)
	count := func(want int64) {
		s.Helper()
		got, err := s.admin.Records(s.Context(), name)
		if err != nil || got != want {
			s.Errorf("%d records, %v; want %d", got, err, want)
		}
	}
	count(0)
	producer := s.other
	for n := range 10 {
		r := &kgo.Record{Topic: name, Key: fmt.Append(nil, n), Value: []byte("v")}
		if err := producer.ProduceSync(s.Context(), r).FirstErr(); err != nil {
			s.Fatalf("produce: %v", err)
		}
	}
	count(10)
	admin := kadm.NewClient(producer)
	ends, err := admin.ListEndOffsets(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	if _, err := admin.DeleteRecords(s.Context(), ends.Offsets()); err != nil {
		s.Fatalf("delete records: %v", err)
	}
	count(0) // offsets do not begin at 0 any more, and nothing is there
}

func cachedLook(s *scene) {
	name, _ := s.created("cached", 1, nil)
	s.observe(name, someKeys, kafka.Cached())
	s.sent.Take()
	for range 100 {
		if o := s.observe(name, someKeys, kafka.Cached()); !o.Exists() {
			s.Fatalf("%+v", o)
		}
		s.observe(name, someKeys[:1], kafka.Cached()) // fewer keys are answered from the same look
	}
	if sent := s.sent.Take(); Total(sent) != 0 {
		s.Errorf("200 cached looks sent %v", sent)
	}
	s.observe(name, append([]string{"segment.ms"}, someKeys...), kafka.Cached())
	if sent := s.sent.Take(); Total(sent) == 0 {
		s.Error("a key that was never looked at was answered from nothing")
	}
	v := s.admin.Bump()
	if o := s.observe(name, someKeys, kafka.After(v)); o.At < v {
		s.Errorf("seen at version %d, want %d or later", o.At, v)
	}
	if sent := s.sent.Take(); Total(sent) == 0 {
		s.Error("a look that has to be new sent nothing")
	}
	s.observe(name, someKeys, kafka.After(v))
	if sent := s.sent.Take(); Total(sent) != 0 {
		s.Errorf("what was seen at a version was asked for again: %v", sent)
	}
}

func keysOfLook(s *scene) {
	name, few := s.created("keys", 1, nil)
	if got := slices.Sorted(maps.Keys(few.Config)); !slices.Equal(got, someKeys) {
		s.Errorf("asked for %v and got %v", someKeys, got)
	}
	all := s.observe(name, nil, kafka.After(s.admin.Bump()))
	for _, key := range []string{"retention.bytes", "segment.ms", "compression.type", "retention.ms"} {
		if all.Config[key].Value == nil {
			s.Errorf("%s is not among all keys", key)
		}
	}
	if o := s.observe(name, someKeys, kafka.Cached()); len(o.Config) < len(someKeys) {
		s.Errorf("%+v", o.Config)
	}
}

// poll looks at the whole cluster.
func (s *scene) poll() franz.Changes {
	s.Helper()
	changes, err := s.admin.Poll(s.Context())
	if err != nil {
		s.Fatalf("poll: %v", err)
	}
	return changes
}

func pollFindsChanges(s *scene) {
	mine, _ := s.created("poll-mine", 1, nil)
	quiet, _ := s.created("poll-quiet", 1, nil)
	gone, _ := s.created("poll-gone", 1, nil)
	s.poll()
	if changes := s.poll(); len(changes.Topics) > 0 || changes.Brokers {
		s.Errorf("nothing happened, and the poll found %+v", changes)
	}
	other := kadm.NewClient(s.other)
	if _, err := other.AlterTopicConfigs(s.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: new("4242")}}, mine); err != nil {
		s.Fatal(err)
	}
	if _, err := other.DeleteTopics(s.Context(), gone); err != nil {
		s.Fatal(err)
	}
	found := make(map[string]bool)
	deadline := time.Now().Add(s.Patience)
	for len(found) < 2 && time.Now().Before(deadline) {
		for _, name := range s.poll().Topics {
			found[name] = true
		}
		<-time.After(50 * time.Millisecond)
	}
	if diff := cmp.Diff(map[string]bool{mine: true, gone: true}, found); diff != "" {
		s.Errorf("polls found (-want +got):\n%s", diff)
	}
	s.sent.Take()
	if o := s.observe(mine, someKeys, kafka.Cached()); *o.Config["retention.ms"].Value != "4242" {
		s.Errorf("after the poll a cached look shows %+v", o.Config["retention.ms"])
	}
	if s.observe(gone, someKeys, kafka.Cached()).Exists() || !s.observe(quiet, someKeys, kafka.Cached()).Exists() {
		s.Error("after the poll a cached look shows something else")
	}
	if sent := s.sent.Take(); Total(sent) != 0 {
		s.Errorf("cached looks after a poll sent %v", sent)
	}
}

func pollTellsOfTheCluster(s *scene) {
	if info := s.admin.Info(); info.ClusterID != "" || info.Topics != -1 || info.ControllerID != -1 {
		s.Errorf("before the first look: %+v", info)
	}
	if changes := s.poll(); !changes.Info || !changes.Brokers {
		s.Errorf("the first look finds everything new: %+v", changes)
	}
	info := s.admin.Info()
	if info.ClusterID == "" || len(info.Brokers) != s.Brokers || info.ControllerID < 0 || info.Topics < 0 || info.KafkaVersion == "" {
		s.Errorf("%+v", info)
	}
	for _, b := range info.Brokers {
		if b.Host == "" || b.Port == 0 || b.Fenced {
			s.Errorf("broker %+v", b)
		}
	}
	if !slices.IsSortedFunc(info.Brokers, func(a, b kafka.Broker) int { return int(a.ID - b.ID) }) {
		s.Errorf("brokers in disorder: %+v", info.Brokers)
	}
}

func forget(s *scene) {
	name, _ := s.created("forget", 1, nil)
	s.poll()
	s.admin.Forget(name)
	s.sent.Take()
	s.poll()
	if sent := s.sent.Take(); sent["DescribeConfigs"] != 0 {
		s.Errorf("nobody observes a topic, and the poll sent %v", sent)
	}
	s.observe(name, someKeys, kafka.Cached())
	if sent := s.sent.Take(); Total(sent) == 0 {
		s.Error("a forgotten topic was answered from the cache")
	}
	s.poll()
	if sent := s.sent.Take(); sent["DescribeConfigs"] != 1 {
		s.Errorf("observed again, and the poll sent %v", sent)
	}
}

// burst calls do for so many topics at once.
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
