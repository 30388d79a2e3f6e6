package wirereq_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

// sameWire compares what goes over the wire.
var sameWire = cmpopts.IgnoreUnexported(kmsg.Tags{})

// encodes checks that a request survives its own encoding at the newest version: what the broker reads is what was meant.
func encodes(t *testing.T, req, empty kmsg.Request) {
	t.Helper()
	req.SetVersion(req.MaxVersion())
	empty.SetVersion(req.MaxVersion())
	if err := empty.ReadFrom(req.AppendTo(nil)); err != nil {
		t.Fatalf("the request does not decode: %v", err)
	}
	if diff := cmp.Diff(req, empty, sameWire, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the request changes on the wire (-sent +read):\n%s", diff)
	}
}

func TestCreate(t *testing.T) {
	steps := []topic.Create{
		{Name: "a", Partitions: new(int32(3)), Replication: new(int16(2)), Config: map[string]string{"z": "1", "cleanup.policy": ""}},
		{Name: "b"},
	}
	got := wirereq.Create(steps, 1500*time.Millisecond, true)
	want := &kmsg.CreateTopicsRequest{
		Version: got.Version, TimeoutMillis: 1500, ValidateOnly: true,
		Topics: []kmsg.CreateTopicsRequestTopic{
			{Topic: "a", NumPartitions: 3, ReplicationFactor: 2, Configs: []kmsg.CreateTopicsRequestTopicConfig{
				{Name: "cleanup.policy", Value: new("")}, {Name: "z", Value: new("1")}, // sorted; the empty string is a value
			}},
			{Topic: "b", NumPartitions: -1, ReplicationFactor: -1}, // the broker decides
		},
	}
	if diff := cmp.Diff(want, got, sameWire); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if wirereq.Create(steps, time.Second, false).ValidateOnly {
		t.Error("ValidateOnly though it was not asked for")
	}
	encodes(t, got, kmsg.NewPtrCreateTopicsRequest())
}

func TestCreateAnswers(t *testing.T) {
	id := [16]byte{1, 2, 3}
	got := wirereq.CreateAnswers(&kmsg.CreateTopicsResponse{ThrottleMillis: 700, Topics: []kmsg.CreateTopicsResponseTopic{
		{Topic: "ok", TopicID: id},
		{Topic: "exists", ErrorCode: kerr.TopicAlreadyExists.Code},
		{Topic: "words", ErrorCode: kerr.PolicyViolation.Code, ErrorMessage: new("too wide")},
		{Topic: "throttled", ErrorCode: kerr.ThrottlingQuotaExceeded.Code},
	}})
	if a := got["ok"]; a.Err != nil || a.Value.ID != topic.ID(id) {
		t.Errorf("ok: %+v", a)
	}
	if a := got["exists"]; kafka.ClassOf(a.Err) != kafka.ClassExists {
		t.Errorf("exists: %+v", a)
	}
	if a := got["words"]; a.Err == nil || a.Err.Error() != "POLICY_VIOLATION: too wide" {
		t.Errorf("the broker's words are lost: %+v", a)
	}
	expectThrottled(t, got["throttled"].Err)
	if len(got) != 4 {
		t.Errorf("%d answers to 4", len(got))
	}
}

// expectThrottled wants the wait that the broker asked for (trap 14).
func expectThrottled(t *testing.T, err error) {
	t.Helper()
	var e *kafka.Error
	if !errors.As(err, &e) || e.Class != kafka.ClassThrottled || e.RetryAfter != 700*time.Millisecond {
		t.Errorf("%#v, want a throttling of 700ms", err)
	}
}

func TestConfigure(t *testing.T) {
	got := wirereq.Configure([]topic.Configure{
		{Name: "a", Changes: []topic.Change{{Key: "k", From: new("0"), To: new("1")}, {Key: "gone", From: new("0")}, {Key: "empty", To: new("")}}},
		{Name: "b", Changes: []topic.Change{{Key: "k", To: new("2")}}},
	}, true)
	want := &kmsg.IncrementalAlterConfigsRequest{
		Version: got.Version, ValidateOnly: true,
		Resources: []kmsg.IncrementalAlterConfigsRequestResource{
			{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "a", Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{
				{Name: "k", Op: kmsg.IncrementalAlterConfigOpSet, Value: new("1")},
				{Name: "gone", Op: kmsg.IncrementalAlterConfigOpDelete},
				{Name: "empty", Op: kmsg.IncrementalAlterConfigOpSet, Value: new("")},
			}},
			{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "b", Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{
				{Name: "k", Op: kmsg.IncrementalAlterConfigOpSet, Value: new("2")},
			}},
		},
	}
	if diff := cmp.Diff(want, got, sameWire); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	encodes(t, got, kmsg.NewPtrIncrementalAlterConfigsRequest())
	if wirereq.Configure(nil, false).ValidateOnly {
		t.Error("ValidateOnly though it was not asked for")
	}

	answers := wirereq.ConfigureAnswers(&kmsg.IncrementalAlterConfigsResponse{ThrottleMillis: 700, Resources: []kmsg.IncrementalAlterConfigsResponseResource{
		{ResourceName: "a"},
		{ResourceName: "b", ErrorCode: kerr.InvalidConfig.Code, ErrorMessage: new("Unknown topic config name: k")},
		{ResourceName: "c", ErrorCode: kerr.ThrottlingQuotaExceeded.Code},
	}})
	if answers["a"].Err != nil || kafka.ClassOf(answers["b"].Err) != kafka.ClassInvalidConfig || answers["b"].Err.Error() != "INVALID_CONFIG: Unknown topic config name: k" {
		t.Errorf("%+v", answers)
	}
	expectThrottled(t, answers["c"].Err)
}

func TestGrow(t *testing.T) {
	got := wirereq.Grow([]topic.Grow{{Name: "a", From: 3, To: 7}, {Name: "b", From: 1, To: 2}}, 2*time.Second, true)
	want := &kmsg.CreatePartitionsRequest{
		Version: got.Version, TimeoutMillis: 2000, ValidateOnly: true,
		Topics: []kmsg.CreatePartitionsRequestTopic{{Topic: "a", Count: 7}, {Topic: "b", Count: 2}}, // the count is the total
	}
	if diff := cmp.Diff(want, got, sameWire); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	encodes(t, got, kmsg.NewPtrCreatePartitionsRequest())
	if wirereq.Grow(nil, 0, false).ValidateOnly {
		t.Error("ValidateOnly though it was not asked for")
	}

	answers := wirereq.GrowAnswers(&kmsg.CreatePartitionsResponse{ThrottleMillis: 700, Topics: []kmsg.CreatePartitionsResponseTopic{
		{Topic: "a"}, {Topic: "b", ErrorCode: kerr.InvalidPartitions.Code, ErrorMessage: new("already has 2")}, {Topic: "c", ErrorCode: kerr.ThrottlingQuotaExceeded.Code},
	}})
	if answers["a"].Err != nil || kafka.ClassOf(answers["b"].Err) != kafka.ClassInvalid || answers["b"].Err.Error() != "INVALID_PARTITIONS: already has 2" {
		t.Errorf("%+v", answers)
	}
	expectThrottled(t, answers["c"].Err)
}

// Deletion is by topic ID: a name may be another topic's by now.
func TestRemove(t *testing.T) {
	got := wirereq.Remove([]topic.Remove{{Name: "a", ID: topic.ID{1}}, {Name: "b", ID: topic.ID{2}}}, 3*time.Second)
	want := &kmsg.DeleteTopicsRequest{
		Version: got.Version, TimeoutMillis: 3000,
		Topics: []kmsg.DeleteTopicsRequestTopic{{TopicID: [16]byte{1}}, {TopicID: [16]byte{2}}},
	}
	if diff := cmp.Diff(want, got, sameWire); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range got.Topics {
		if r.Topic != nil {
			t.Errorf("the request names %s", *r.Topic)
		}
	}
	encodes(t, got, kmsg.NewPtrDeleteTopicsRequest())

	answers := wirereq.RemoveAnswers(&kmsg.DeleteTopicsResponse{ThrottleMillis: 700, Topics: []kmsg.DeleteTopicsResponseTopic{
		{TopicID: [16]byte{1}},
		{TopicID: [16]byte{2}, Topic: new("b"), ErrorCode: kerr.TopicDeletionDisabled.Code},
		{TopicID: [16]byte{3}, ErrorCode: kerr.ThrottlingQuotaExceeded.Code},
	}})
	if answers[topic.ID{1}].Err != nil || kafka.ClassOf(answers[topic.ID{2}].Err) != kafka.ClassDeletionDisabled {
		t.Errorf("%+v", answers)
	}
	expectThrottled(t, answers[topic.ID{3}].Err)
}

func TestMetadata(t *testing.T) {
	all := wirereq.Metadata(nil)
	if all.Topics != nil || all.AllowAutoTopicCreation {
		t.Errorf("all topics is a nil list, and nothing is created: %+v", all)
	}
	encodes(t, all, kmsg.NewPtrMetadataRequest())

	none := wirereq.Metadata([]string{})
	if none.Topics == nil {
		t.Error("an empty list asks for no topic, and must not turn into all of them")
	}
	some := wirereq.Metadata([]string{"a", "b"})
	if len(some.Topics) != 2 || *some.Topics[0].Topic != "a" || *some.Topics[1].Topic != "b" || some.AllowAutoTopicCreation {
		t.Errorf("%+v", some)
	}
	encodes(t, some, kmsg.NewPtrMetadataRequest())
}

func TestMetadataAnswers(t *testing.T) {
	id := [16]byte{9}
	got := wirereq.MetadataAnswers(&kmsg.MetadataResponse{Topics: []kmsg.MetadataResponseTopic{
		{Topic: new("ok"), TopicID: id, Partitions: []kmsg.MetadataResponseTopicPartition{
			{Partition: 1, Leader: 2, Replicas: []int32{2, 3}, ISR: []int32{2}},
			{Partition: 0, Leader: -1, ErrorCode: kerr.LeaderNotAvailable.Code, Replicas: []int32{1, 2}, ISR: []int32{}},
		}},
		{Topic: new("internal"), TopicID: id, IsInternal: true},
		{Topic: new("absent"), ErrorCode: kerr.UnknownTopicOrPartition.Code},
		{Topic: new("denied"), ErrorCode: kerr.TopicAuthorizationFailed.Code},
		{Topic: new("young"), TopicID: id, ErrorCode: kerr.LeaderNotAvailable.Code},
		{TopicID: id, ErrorCode: kerr.UnknownTopicID.Code},
	}})
	want := topic.Observed{ID: topic.ID(id), Partitions: []topic.Partition{
		{Number: 0, Leader: -1, Replicas: []int32{1, 2}, ISR: []int32{}},
		{Number: 1, Leader: 2, Replicas: []int32{2, 3}, ISR: []int32{2}},
	}}
	if diff := cmp.Diff(want, got["ok"].Value); diff != "" || got["ok"].Err != nil {
		t.Errorf("partitions come in order of their numbers: %v (-want +got):\n%s", got["ok"].Err, diff)
	}
	if !got["internal"].Value.Internal {
		t.Error("internal is lost")
	}
	if a, ok := got["absent"]; !ok || a.Err != nil || a.Value.Exists() {
		t.Errorf("a topic that does not exist is a zero Observed: %+v", a)
	}
	if a := got["denied"]; kafka.ClassOf(a.Err) != kafka.ClassUnauthorized {
		t.Errorf("denied is an error, and not 'absent' (trap 14): %+v", a)
	}
	if a := got["young"]; a.Err != nil || !a.Value.Exists() {
		t.Errorf("a topic whose leaders are not elected yet exists: %+v", a)
	}
	if len(got) != 5 {
		t.Errorf("%d answers, want 5: a topic without a name is nobody's", len(got))
	}
}

func TestDescribeConfigs(t *testing.T) {
	got := wirereq.DescribeConfigs(map[string][]string{"a": {"k1", "k2"}, "b": nil, "unasked": {"x"}}, []string{"b", "a"})
	want := &kmsg.DescribeConfigsRequest{Version: got.Version, IncludeSynonyms: true, Resources: []kmsg.DescribeConfigsRequestResource{
		{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "b"}, // nil: all keys
		{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "a", ConfigNames: []string{"k1", "k2"}},
	}}
	if diff := cmp.Diff(want, got, sameWire); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	encodes(t, got, kmsg.NewPtrDescribeConfigsRequest())
}

func TestDescribeConfigsAnswers(t *testing.T) {
	got := wirereq.DescribeConfigsAnswers(&kmsg.DescribeConfigsResponse{Resources: []kmsg.DescribeConfigsResponseResource{
		{ResourceName: "a", Configs: []kmsg.DescribeConfigsResponseResourceConfig{
			{Name: "k", Value: new("v"), Source: kmsg.ConfigSourceDynamicTopicConfig, ConfigType: kmsg.ConfigTypeDouble},
			{Name: "secret", Source: kmsg.ConfigSourceDynamicTopicConfig, IsSensitive: true, ConfigType: kmsg.ConfigTypePassword},
			{Name: "fixed", Value: new("v"), Source: kmsg.ConfigSourceStaticBrokerConfig, ReadOnly: true},
		}},
		{ResourceName: "denied", ErrorCode: kerr.TopicAuthorizationFailed.Code},
	}})
	want := map[string]topic.Entry{
		"k":      {Value: new("v"), Source: topic.SourceDynamicTopic, Type: topic.TypeDouble},
		"secret": {Source: topic.SourceDynamicTopic, Type: topic.TypePassword},
		"fixed":  {Value: new("v"), Source: topic.SourceStaticBroker, ReadOnly: true},
	}
	if diff := cmp.Diff(want, got["a"].Value); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if kafka.ClassOf(got["denied"].Err) != kafka.ClassUnauthorized {
		t.Errorf("%+v", got["denied"])
	}
}

// The numbers of package topic are those of the protocol; a cast that is off by one would compare doubles as classes.
func TestNumbersOfTheProtocol(t *testing.T) {
	sources := map[kmsg.ConfigSource]topic.Source{
		kmsg.ConfigSourceDynamicTopicConfig:         topic.SourceDynamicTopic,
		kmsg.ConfigSourceDynamicBrokerConfig:        topic.SourceDynamicBroker,
		kmsg.ConfigSourceDynamicDefaultBrokerConfig: topic.SourceDynamicDefaultBroker,
		kmsg.ConfigSourceStaticBrokerConfig:         topic.SourceStaticBroker,
		kmsg.ConfigSourceDefaultConfig:              topic.SourceDefault,
	}
	for wire, want := range sources {
		if topic.Source(wire) != want {
			t.Errorf("%s is %d, want %d", wire, wire, want)
		}
	}
	types := map[kmsg.ConfigType]topic.Type{
		kmsg.ConfigTypeBoolean: topic.TypeBoolean, kmsg.ConfigTypeString: topic.TypeString, kmsg.ConfigTypeInt: topic.TypeInt,
		kmsg.ConfigTypeShort: topic.TypeShort, kmsg.ConfigTypeLong: topic.TypeLong, kmsg.ConfigTypeDouble: topic.TypeDouble,
		kmsg.ConfigTypeList: topic.TypeList, kmsg.ConfigTypeClass: topic.TypeClass, kmsg.ConfigTypePassword: topic.TypePassword,
	}
	for wire, want := range types {
		if topic.Type(wire) != want {
			t.Errorf("%s is %d, want %d", wire, wire, want)
		}
	}
}

func TestReassignments(t *testing.T) {
	observed := map[string]wirereq.Answer[topic.Observed]{
		"a": {Value: topic.Observed{Partitions: []topic.Partition{{Number: 0, Replicas: []int32{1, 2}}, {Number: 1, Replicas: []int32{1, 2, 3}}}}},
		"b": {Value: topic.Observed{Partitions: []topic.Partition{{Number: 0}}}},
	}
	wirereq.Reassignments(&kmsg.ListPartitionReassignmentsResponse{Topics: []kmsg.ListPartitionReassignmentsResponseTopic{
		{Topic: "a", Partitions: []kmsg.ListPartitionReassignmentsResponseTopicPartition{
			{Partition: 1, Replicas: []int32{3, 1, 2}, AddingReplicas: []int32{3}, RemovingReplicas: []int32{2}},
			{Partition: 9, AddingReplicas: []int32{3}}, // created between the two requests
		}},
		{Topic: "stranger", Partitions: []kmsg.ListPartitionReassignmentsResponseTopicPartition{{Partition: 0, AddingReplicas: []int32{3}}}},
	}}, observed)
	p := observed["a"].Value.Partitions
	if p[0].Moving() || !p[1].Moving() {
		t.Errorf("partition 1 moves, and 0 does not: %+v", p)
	}
	if diff := cmp.Diff([]int32{1, 3}, p[1].Target()); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	if len(observed) != 2 || observed["b"].Value.Partitions[0].Moving() {
		t.Errorf("a move of another topic's shows: %+v", observed)
	}
}
