package topic_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// made is a KafkaTopic of namespace shop that was created at a second.
func made(name string, second int, spec v1alpha1.KafkaTopicSpec) v1alpha1.KafkaTopic {
	return v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "shop", UID: types.UID(name), CreationTimestamp: metav1.NewTime(time.Unix(int64(second), 0)),
	}, Spec: spec}
}

func TestQuota(t *testing.T) {
	quota := func(topics, partitions int32) v1alpha1.TopicPolicy {
		return v1alpha1.TopicPolicy{Quota: &v1alpha1.TopicQuota{Topics: &topics, Partitions: &partitions}}
	}
	tests := map[string]struct {
		reason string
		policy v1alpha1.TopicPolicy
		spec   v1alpha1.KafkaTopicSpec
		before topic.Usage
		want   []string
	}{
		"an empty quota": {"what is absent is not bounded", v1alpha1.TopicPolicy{Quota: &v1alpha1.TopicQuota{}}, v1alpha1.KafkaTopicSpec{}, topic.Usage{Topics: 1 << 40, Partitions: 1 << 40}, nil},
		"the last one":   {"the quota is what there may be", quota(3, 12), v1alpha1.KafkaTopicSpec{Partitions: new(int32(6))}, topic.Usage{Topics: 2, Partitions: 6}, nil},
		"one topic too many": {"older ones have the quota", quota(3, 12), v1alpha1.KafkaTopicSpec{}, topic.Usage{Topics: 3, Partitions: 6}, []string{
			`metadata.namespace is "shop": it has 3 KafkaTopics on KafkaCluster default before this one, and may have 3 (spec.topicPolicies[0].quota.topics); delete one that nobody needs, or ask for more`,
		}},
		"some partitions too many": {"what is left is said", quota(3, 12), v1alpha1.KafkaTopicSpec{Partitions: new(int32(7))}, topic.Usage{Topics: 1, Partitions: 10}, []string{
			"spec.partitions is 7: namespace shop has 10 partitions on KafkaCluster default before this topic, and may have 12 (spec.topicPolicies[0].quota.partitions); set spec.partitions to at most 2, or ask for more",
		}},
		"no partition left": {"zero partitions cannot be asked for", quota(3, 12), v1alpha1.KafkaTopicSpec{}, topic.Usage{Topics: 1, Partitions: 12}, []string{
			"spec.partitions is 1: namespace shop has 12 partitions on KafkaCluster default before this topic, and may have 12 (spec.topicPolicies[0].quota.partitions); delete a topic that nobody needs, or ask for more",
		}},
		"a quota of nothing": {"zero is a quota", quota(0, 100), v1alpha1.KafkaTopicSpec{}, topic.Usage{}, []string{
			`metadata.namespace is "shop": it has 0 KafkaTopics on KafkaCluster default before this one, and may have 0 (spec.topicPolicies[0].quota.topics); delete one that nobody needs, or ask for more`,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, judge(t, tt.policy, tt.spec, tt.before)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestPartitionsOf(t *testing.T) {
	asks := made("a", 1, v1alpha1.KafkaTopicSpec{Partitions: new(int32(6))})
	asks.Status.Partitions = new(int32(3))
	has := made("b", 1, v1alpha1.KafkaTopicSpec{})
	has.Status.Partitions = new(int32(3))
	neither := made("c", 1, v1alpha1.KafkaTopicSpec{})
	for _, tt := range []struct {
		reason string
		topic  v1alpha1.KafkaTopic
		want   int32
	}{
		{"what is asked for counts, also before it is there", asks, 6},
		{"the brokers chose", has, 3},
		{"no topic has less than one", neither, 1},
	} {
		if got := topic.PartitionsOf(&tt.topic); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.reason, got, tt.want)
		}
	}
}

func TestUsageIsTheSameInWhateverOrder(t *testing.T) {
	all := []v1alpha1.KafkaTopic{
		made("oldest", 1, v1alpha1.KafkaTopicSpec{Partitions: new(int32(4))}),
		made("a", 2, v1alpha1.KafkaTopicSpec{}), // of the same second as b: the UID decides
		made("b", 2, v1alpha1.KafkaTopicSpec{Partitions: new(int32(2))}),
		made("youngest", 3, v1alpha1.KafkaTopicSpec{}),
	}
	want := map[string]topic.Usage{"oldest": {}, "a": {Topics: 1, Partitions: 4}, "b": {Topics: 2, Partitions: 5}, "youngest": {Topics: 3, Partitions: 7}}
	for range 20 {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		got := make(map[string]topic.Usage)
		for i := range all {
			got[all[i].Name] = topic.UsageBefore(&all[i], all)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("the oldest have the quota, however they are listed (-want +got):\n%s", diff)
		}
	}
	oldest := made("oldest", 1, v1alpha1.KafkaTopicSpec{})
	if got, want := topic.UsageOfOthers(&oldest, all), (topic.Usage{Topics: 3, Partitions: 4}); got != want {
		t.Errorf("the others are all but itself: %+v, want %+v", got, want)
	}
}
