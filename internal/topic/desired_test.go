package topic_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

func object(spec v1alpha1.KafkaTopicSpec, status v1alpha1.KafkaTopicStatus) *v1alpha1.KafkaTopic {
	return &v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Name: "orders-v1", Namespace: "shop"}, Spec: spec, Status: status}
}

func values(pairs ...string) map[string]v1alpha1.ConfigValue {
	m := make(map[string]v1alpha1.ConfigValue)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = v1alpha1.MakeConfigValue(pairs[i+1])
	}
	return m
}

func TestFromSpec(t *testing.T) {
	tests := map[string]struct {
		reason string
		spec   v1alpha1.KafkaTopicSpec
		status v1alpha1.KafkaTopicStatus
		want   topic.Desired
	}{
		"an empty spec leaves all to the cluster": {
			reason: "nil means unset, right up to the wire",
			want:   topic.Desired{Name: "orders-v1", Config: map[string]string{}},
		},
		"everything that is there is taken": {
			reason: "each field has its place",
			spec: v1alpha1.KafkaTopicSpec{
				TopicName: "orders", Partitions: new(int32(6)), ReplicationFactor: new(int32(3)), MinInsyncReplicas: new(int32(2)),
				Config: values("retention.ms", "1000"), ConfigOwnership: v1alpha1.ConfigExact, UnmanagedConfig: []string{"segment.ms"},
			},
			want: topic.Desired{
				Name: "orders", Partitions: new(int32(6)), Replication: new(int16(3)), Exact: true, Unmanaged: []string{"segment.ms"},
				Config: map[string]string{"retention.ms": "1000", "min.insync.replicas": "2"},
			},
		},
		"an unmanaged key is not ours though config names it": {
			reason: "unmanaged keys are never touched",
			spec:   v1alpha1.KafkaTopicSpec{Config: values("a", "1", "b", "2"), UnmanagedConfig: []string{"b"}},
			want:   topic.Desired{Name: "orders-v1", Config: map[string]string{"a": "1"}, Unmanaged: []string{"b"}},
		},
		"what we set earlier and no longer want is retired": {
			reason: "only keys that we once set are reset (trap 10)",
			spec:   v1alpha1.KafkaTopicSpec{Config: values("a", "1"), UnmanagedConfig: []string{"d"}},
			status: v1alpha1.KafkaTopicStatus{ManagedConfig: map[string]string{"z": "1", "a": "0", "c": "1", "d": "1", "min.insync.replicas": "2"}},
			want: topic.Desired{
				Name: "orders-v1", Config: map[string]string{"a": "1"}, Unmanaged: []string{"d"},
				Retired: []string{"c", "min.insync.replicas", "z"},
			},
		},
		"a first-class min ISR is not retired": {
			reason: "it is wanted, if not in config",
			spec:   v1alpha1.KafkaTopicSpec{MinInsyncReplicas: new(int32(1))},
			status: v1alpha1.KafkaTopicStatus{ManagedConfig: map[string]string{"min.insync.replicas": "2"}},
			want:   topic.Desired{Name: "orders-v1", Config: map[string]string{"min.insync.replicas": "1"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, topic.FromSpec(object(tt.spec, tt.status))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	d := topic.Desired{Config: map[string]string{"retention.ms": "1", "cleanup.policy": "compact"}, Retired: []string{"a"}}
	want := []string{"a", "cleanup.policy", "min.insync.replicas", "retention.ms", "unclean.leader.election.enable"}
	if diff := cmp.Diff(want, d.Keys()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d.Reassigning = true // the throttle has to be seen, to be taken off
	if got := d.Keys(); !slices.Contains(got, topic.KeyThrottledLeaderReplicas) || !slices.Contains(got, topic.KeyThrottledFollowerReplicas) {
		t.Errorf("%q", got)
	}
	d.Exact = true
	if got := d.Keys(); got != nil {
		t.Errorf("Exact asks for all keys, which is nil; got %q", got)
	}
	if got := (topic.Desired{}).Keys(); len(got) != 3 {
		t.Errorf("an empty manifest asks for what Durable needs; got %q", got)
	}
	for range 2 { // a shared backing array would let the second call write into the first one's answer
		_ = topic.Desired{Retired: []string{"zz"}}.Keys()
	}
	if diff := cmp.Diff([]string{"cleanup.policy", "min.insync.replicas", "unclean.leader.election.enable"}, (topic.Desired{}).Keys()); diff != "" {
		t.Errorf("one object's keys leaked into another's (-want +got):\n%s", diff)
	}
}

func TestManaged(t *testing.T) {
	d := topic.Desired{Config: map[string]string{"set": "1", "default": "2", "absent": "3", "secret": "4"}, Retired: []string{"old", "oldDefault"}}
	o := seen(1, map[string]topic.Entry{
		"set": override("one", topic.TypeString), "default": inherited("2", topic.TypeString), "old": override("o", topic.TypeString),
		"oldDefault": inherited("o", topic.TypeString), "foreign": override("f", topic.TypeString), "secret": {Source: topic.SourceDynamicTopic},
	})
	if diff := cmp.Diff(map[string]string{"set": "one", "old": "o"}, d.Managed(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := d.Managed(seen(1, nil)); got != nil {
		t.Errorf("nothing is managed, and nil is how status says it; got %v", got)
	}
}

func TestPolicyFromSpec(t *testing.T) {
	spec := v1alpha1.KafkaTopicSpec{
		Mode: v1alpha1.ModeObserve, Adoption: v1alpha1.AdoptionRefuse, OnMissing: v1alpha1.MissingRecreate,
		Acknowledge: []v1alpha1.DangerousChange{v1alpha1.RetentionCut}, AcceptTopicID: theirs.String(),
	}
	status := v1alpha1.KafkaTopicStatus{TopicID: ours.String(), ClusterID: "c1"}
	want := topic.Policy{
		Mode: spec.Mode, Adoption: spec.Adoption, OnMissing: spec.OnMissing, Acknowledged: spec.Acknowledge,
		Owned: ours, Accepted: theirs, Cluster: brokers(3),
	}
	if diff := cmp.Diff(want, topic.PolicyFromSpec(object(spec, status), "c1", brokers(3))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := topic.PolicyFromSpec(object(spec, status), "c2", brokers(3)); got.Owned != (topic.ID{}) {
		t.Error("what was owned on another cluster counts for nothing")
	}
	spec.AcceptTopicID = "nonsense"
	if got := topic.PolicyFromSpec(object(spec, status), "c1", brokers(3)); got.Accepted != (topic.ID{}) {
		t.Error("an ID that does not parse is none")
	}
}
