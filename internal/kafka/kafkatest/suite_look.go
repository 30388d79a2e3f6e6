package kafkatest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
)

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

func sizes(s *scene) {
	name, _ := s.created("sizes", 1, nil)
	before, err := s.admin.Sizes(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	r := &kgo.Record{Topic: name, Value: make([]byte, 4096)}
	if err := s.other.ProduceSync(s.Context(), r).FirstErr(); err != nil {
		s.Fatalf("produce: %v", err)
	}
	after, err := s.admin.Sizes(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	for broker, size := range after[0] {
		if size > before[0][broker] {
			return
		}
	}
	s.Errorf("4 KiB were written, and the sizes went from %v to %v", before, after)
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
