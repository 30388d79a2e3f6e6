package status_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
	"mooring.dev/mooring/internal/status"
	"mooring.dev/mooring/internal/topic"
)

func profileOf(g v1alpha1.Guarantee, s v1alpha1.ProducerProfileStatus) *v1alpha1.ProducerProfile {
	return &v1alpha1.ProducerProfile{
		ObjectMeta: metav1.ObjectMeta{Name: "reliable", Generation: 4}, Status: s,
		Spec: v1alpha1.ProducerProfileSpec{Guarantee: g, Topics: &v1alpha1.ProducerTopics{Names: []string{"orders"}}},
	}
}

func surveyed(g v1alpha1.Guarantee, topics ...status.ProfileTopic) status.ProfileFacts {
	return status.ProfileFacts{Profile: profileOf(g, v1alpha1.ProducerProfileStatus{}), Judged: true, Surveyed: true, Topics: topics, Now: noon}
}

func named(name string, change ...func(*topic.Observed)) status.ProfileTopic {
	o := healthy(2)
	for _, c := range change {
		c(&o)
	}
	return status.ProfileTopic{Name: name, Observed: o}
}

func minISROf(n string) func(*topic.Observed) {
	return func(o *topic.Observed) {
		o.Config[topic.KeyMinInsyncReplicas] = topic.Entry{Value: &n, Source: topic.SourceDynamicTopic, Type: topic.TypeInt}
	}
}

func outOfSync(o *topic.Observed) { o.Partitions[0].ISR = []int32{1} }

func finding(rule string, s producer.Severity) producer.Finding {
	return producer.Finding{Rule: rule, Severity: s, Field: "spec.x", Message: "sentence of " + rule}
}

func TestDurableOfAProfile(t *testing.T) {
	absent := status.ProfileTopic{Name: "absent"}
	tests := map[string]struct {
		reason  string
		facts   status.ProfileFacts
		status  metav1.ConditionStatus
		because string
		words   []string
		each    []string // durability of each topic, by name
	}{
		"every topic keeps it": {"the promise holds", surveyed(v1alpha1.Idempotent, named("a"), named("b")),
			metav1.ConditionTrue, v1alpha1.ReasonDurable, []string{"on 2 topics"}, []string{"Durable", "Durable"}},
		"min.insync.replicas 1": {"the leader alone acknowledges", surveyed(v1alpha1.Idempotent, named("a", minISROf("1")), named("b")),
			metav1.ConditionFalse, v1alpha1.ReasonAtRisk, []string{"of 2 topics: 1 AtRisk, 1 Durable", "a: min.insync.replicas is 1: acks=all is acks=1 by another name"}, []string{"AtRisk", "Durable"}},
		"too few in sync": {"producers fail now, which is graver than a risk", surveyed(v1alpha1.Transactional, named("a", minISROf("1")), named("b", outOfSync)),
			metav1.ConditionFalse, v1alpha1.ReasonBlocked, []string{"1 Blocked, 1 AtRisk; b: "}, []string{"AtRisk", "Blocked"}},
		"a topic that is not there": {"nobody knows what it will be", surveyed(v1alpha1.Idempotent, absent, named("b")),
			metav1.ConditionUnknown, v1alpha1.ReasonUnknown, []string{"absent: the topic does not exist, and no KafkaTopic"}, []string{"Unknown", "Durable"}},
		"a topic that a KafkaTopic is to make": {"it is on its way", surveyed(v1alpha1.Idempotent, status.ProfileTopic{Name: "a", Manifest: "shop/a"}),
			metav1.ConditionUnknown, v1alpha1.ReasonUnknown, []string{"KafkaTopic shop/a is to make it"}, []string{"Unknown"}},
		"a topic that may not be seen": {"no ACL", surveyed(v1alpha1.Idempotent, status.ProfileTopic{Name: "a", Problem: "TOPIC_AUTHORIZATION_FAILED"}),
			metav1.ConditionUnknown, v1alpha1.ReasonUnknown, []string{"it cannot be looked at: TOPIC_AUTHORIZATION_FAILED"}, []string{"Unknown"}},
		"AtMostOnce on the best of topics": {"it does not wait for what they keep", surveyed(v1alpha1.AtMostOnce, named("a")),
			metav1.ConditionFalse, v1alpha1.ReasonGuaranteeWeaker, []string{"promises no durability"}, []string{"AtRisk"}},
		"AtMostOnce where too few are in sync": {"it is not blocked by that either", surveyed(v1alpha1.AtMostOnce, named("a", outOfSync)),
			metav1.ConditionFalse, v1alpha1.ReasonGuaranteeWeaker, nil, []string{"AtRisk"}},
		"no topic": {"there is nothing to judge", surveyed(v1alpha1.Idempotent),
			metav1.ConditionUnknown, v1alpha1.ReasonNoTopics, []string{"selects no topic now"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := status.SummarizeProfile(tt.facts)
			c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionDurable)
			if c == nil || c.Status != tt.status || c.Reason != tt.because {
				t.Fatalf("%s: %+v", tt.reason, c)
			}
			for _, word := range tt.words {
				if !strings.Contains(c.Message, word) {
					t.Errorf("%s: %q lacks %q", tt.reason, c.Message, word)
				}
			}
			var each []string
			for _, d := range s.Topics {
				each = append(each, d.Durability)
			}
			if diff := cmp.Diff(tt.each, each); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if faults := status.CheckKstatus(4, s.ObservedGeneration, s.Conditions); len(faults) > 0 {
				t.Errorf("%s: %v", tt.reason, faults)
			}
		})
	}
}

func TestMoreTopicsThanAStatusHolds(t *testing.T) {
	var topics []status.ProfileTopic
	for i := range 300 {
		topics = append(topics, named(fmt.Sprintf("t%03d", i)))
	}
	topics[299] = named("t299", minISROf("1"))
	s := status.SummarizeProfile(surveyed(v1alpha1.Idempotent, topics...))
	if len(s.Topics) != status.MaxProfileTopics || s.Topics[255].Name != "t299" {
		t.Errorf("%d topics, the last one %v", len(s.Topics), s.Topics[len(s.Topics)-1])
	}
	c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionDurable)
	if !strings.Contains(c.Message, "of 300 topics: 1 AtRisk, 299 Durable") || !strings.Contains(c.Message, "lists the gravest 256") {
		t.Error(c.Message)
	}
}

func TestValidOfAProfile(t *testing.T) {
	tests := map[string]struct {
		reason   string
		findings []producer.Finding
		verdict  *status.Verdict
		valid    metav1.ConditionStatus
		message  string
		ready    string
	}{
		"nothing found": {"it is as it should be", nil, nil, metav1.ConditionTrue, "the profile breaks no rule", v1alpha1.ReasonReady},
		"a warning": {"it works, and is said", []producer.Finding{finding("w", producer.Warning)}, nil,
			metav1.ConditionTrue, "the profile breaks no rule; warning: spec.x: sentence of w (w)", v1alpha1.ReasonReady},
		"an error and a warning": {"both are said", []producer.Finding{finding("e", producer.Error), finding("w", producer.Warning)}, nil,
			metav1.ConditionFalse, "error: spec.x: sentence of e (e); warning: spec.x: sentence of w (w)", v1alpha1.ReasonInvalidSpec},
		"below the minimum": {"it is the cluster that forbids it", []producer.Finding{finding("guarantee-below-minimum", producer.Error)}, nil,
			metav1.ConditionFalse, "error: spec.x: sentence of guarantee-below-minimum (guarantee-below-minimum)", v1alpha1.ReasonPolicyViolation},
		"an error, and no cluster yet": {"only a person can mend it", []producer.Finding{finding("e", producer.Error)}, verdict(status.Working, v1alpha1.ReasonClusterNotReady),
			metav1.ConditionFalse, "error: spec.x: sentence of e (e)", v1alpha1.ReasonInvalidSpec},
		"an error, and a refusal": {"the refusal came first", []producer.Finding{finding("e", producer.Error)}, verdict(status.Stuck, v1alpha1.ReasonNamespaceNotAllowed),
			metav1.ConditionFalse, "error: spec.x: sentence of e (e)", v1alpha1.ReasonNamespaceNotAllowed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := status.SummarizeProfile(status.ProfileFacts{
				Profile: profileOf(v1alpha1.Idempotent, v1alpha1.ProducerProfileStatus{}), Judged: true, Findings: tt.findings, Verdict: tt.verdict, Now: noon,
			})
			valid, ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionValid), meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
			if valid.Status != tt.valid || valid.Message != tt.message || ready.Reason != tt.ready {
				t.Errorf("%s: %+v, %+v", tt.reason, valid, ready)
			}
			if faults := status.CheckKstatus(4, s.ObservedGeneration, s.Conditions); len(faults) > 0 {
				t.Errorf("%s: %v", tt.reason, faults)
			}
		})
	}
}

func TestWhatAProfileWasIsKeptWhileNothingIsSeen(t *testing.T) {
	first := status.SummarizeProfile(surveyed(v1alpha1.Idempotent, named("a")))
	first.Pods = &v1alpha1.PodCounts{Bound: 3}
	away := status.ProfileFacts{Profile: profileOf(v1alpha1.Idempotent, first), Verdict: verdict(status.Working, v1alpha1.ReasonClusterUnreachable), Now: later}
	s := status.SummarizeProfile(away)
	if len(s.Topics) != 1 || !meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionDurable) || s.Pods.Bound != 3 {
		t.Errorf("what was known is gone: %+v", s)
	}
	away.Verdict.Kind = status.Lost
	if s := status.SummarizeProfile(away); !meta.IsStatusConditionPresentAndEqual(s.Conditions, v1alpha1.ConditionDurable, metav1.ConditionUnknown) {
		t.Errorf("a cluster that is away for long, and Durable stands: %+v", s.Conditions)
	}
	again := surveyed(v1alpha1.Idempotent, named("a"))
	again.Profile, again.Now = profileOf(v1alpha1.Idempotent, first), later
	if diff := cmp.Diff(first, status.SummarizeProfile(again)); diff != "" {
		t.Errorf("the same facts an hour later are another status (-want +got):\n%s", diff)
	}
}
