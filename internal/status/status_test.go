package status_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/status"
	"mooring.dev/mooring/internal/topic"
)

var (
	noon  = metav1.NewTime(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))
	later = metav1.NewTime(noon.Add(time.Hour))
)

func object(generation int64, s v1alpha1.KafkaTopicStatus) *v1alpha1.KafkaTopic {
	return &v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Name: "orders", Generation: generation}, Status: s}
}

// healthy is a topic that keeps all its promises.
func healthy(partitions int) topic.Observed {
	o := topic.Observed{ID: topic.ID{1}, Config: map[string]topic.Entry{
		topic.KeyMinInsyncReplicas:     {Value: new("2"), Source: topic.SourceDynamicTopic, Type: topic.TypeInt},
		topic.KeyUncleanLeaderElection: {Value: new("false"), Source: topic.SourceDefault, Type: topic.TypeBoolean},
	}}
	for i := range partitions {
		o.Partitions = append(o.Partitions, topic.Partition{Number: int32(i), Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}})
	}
	return o
}

func seen(o topic.Observed, p topic.Plan) status.TopicFacts {
	return status.TopicFacts{
		Topic: object(3, v1alpha1.KafkaTopicStatus{}), Seen: true, Observed: o, Owned: o.ID, ClusterID: "c1", Plan: p, Now: noon,
		Managed: map[string]string{topic.KeyMinInsyncReplicas: "2"},
	}
}

func verdict(k status.Kind, reason string) *status.Verdict {
	return &status.Verdict{Kind: k, Reason: reason, Message: "because of " + reason}
}

func leaderless() topic.Observed {
	o := healthy(3)
	o.Partitions[2].Leader = -1
	return o
}

var (
	grow     = topic.Grow{Name: "orders", From: 3, To: 6}
	set      = topic.Configure{Name: "orders", Changes: []topic.Change{{Key: "retention.ms", From: new("1"), To: new("2")}, {Key: "segment.ms", From: new("9")}}}
	refusal  = topic.Refusal{Reason: v1alpha1.ReasonPartitionsShrink, Message: "cannot shrink"}
	refusal2 = topic.Refusal{Reason: v1alpha1.ReasonReadOnlyConfig, Message: "cannot set"}
)

// cases are the facts that a reconcile can end with.
func cases() map[string]status.TopicFacts {
	unseen := func(v *status.Verdict) status.TopicFacts {
		return status.TopicFacts{Topic: object(3, v1alpha1.KafkaTopicStatus{}), Verdict: v, Now: noon}
	}
	overridden := seen(healthy(3), topic.Plan{})
	overridden.Verdict = verdict(status.Working, v1alpha1.ReasonThrottled)
	moving := seen(healthy(3), topic.Plan{})
	moving.Reassigning, moving.Progress = true, &topic.Progress{Total: 3, Done: 1}
	observing := seen(healthy(3), topic.Plan{Proposed: []topic.Step{grow}})
	observing.BrokerVerdict = "accepted"
	return map[string]status.TopicFacts{
		"converged":         seen(healthy(3), topic.Plan{}),
		"steps are left":    seen(healthy(3), topic.Plan{Steps: []topic.Step{grow, set}}),
		"proposed":          observing,
		"refused":           seen(healthy(3), topic.Plan{Steps: []topic.Step{set}, Refusals: []topic.Refusal{refusal, refusal2}}),
		"absent":            seen(topic.Observed{}, topic.Plan{Refusals: []topic.Refusal{{Reason: v1alpha1.ReasonTopicMissing, Message: "gone"}}}),
		"absent, to create": seen(topic.Observed{}, topic.Plan{Proposed: []topic.Step{topic.Create{Name: "orders"}}}),
		"no leader":         seen(leaderless(), topic.Plan{}),
		"moving":            moving,
		"about to move":     seen(healthy(3), topic.Plan{Steps: []topic.Step{topic.Reassign{Name: "orders", Replication: 2, Pending: 3, AtOnce: 1, ThrottleBytesPerSecond: 1024}}}),
		"throttled":         overridden,
		"unreachable":       unseen(verdict(status.Working, v1alpha1.ReasonClusterUnreachable)),
		"conflict":          unseen(verdict(status.Stuck, v1alpha1.ReasonConflict)),
		"lost":              unseen(verdict(status.Lost, v1alpha1.ReasonClusterUnreachable)),
	}
}

func expectKstatus(t *testing.T, s v1alpha1.KafkaTopicStatus) {
	t.Helper()
	for _, fault := range status.CheckKstatus(3, s.ObservedGeneration, s.Conditions) {
		t.Error(fault)
	}
}

// From any status to any other, a tool that reads kstatus is never misled, the same facts say the same again whenever they
// are said, and a time moves only with its status.
func TestEveryStatusAfterEveryOther(t *testing.T) {
	for from, before := range cases() {
		first := status.SummarizeTopic(before)
		t.Run(from, func(t *testing.T) {
			expectKstatus(t, first)
			for to, after := range cases() {
				t.Run("then "+to, func(t *testing.T) {
					after.Topic, after.Now = object(3, first), later
					next := status.SummarizeTopic(after)
					expectKstatus(t, next)
					for _, c := range next.Conditions {
						was := meta.FindStatusCondition(first.Conditions, c.Type)
						moved := c.LastTransitionTime.Equal(&later)
						if changed := was == nil || was.Status != c.Status; changed != moved {
							t.Errorf("%s: changed %t, and its time moved %t", c.Type, changed, moved)
						}
					}
					after.Topic, after.Now = object(3, next), metav1.NewTime(later.Add(time.Hour))
					if diff := cmp.Diff(next, status.SummarizeTopic(after)); diff != "" {
						t.Errorf("the same facts say something else an hour later (-before +after):\n%s", diff)
					}
					if from == to && !cmp.Equal(first, next) {
						t.Errorf("the same facts changed the status:\n%s", cmp.Diff(first, next))
					}
				})
			}
		})
	}
}

func TestSummarizeTopicDoesNotTouchTheObject(t *testing.T) {
	f := cases()["converged"]
	f.Topic = object(3, status.SummarizeTopic(cases()["refused"]))
	before := f.Topic.DeepCopy()
	status.SummarizeTopic(f)
	if diff := cmp.Diff(before, f.Topic); diff != "" {
		t.Errorf("the object comes from a shared cache (-before +after):\n%s", diff)
	}
}

func TestConditionsOfATopic(t *testing.T) {
	type want struct {
		ready, inSync, durable metav1.ConditionStatus
		reconciling, stalled   bool
		reason, message, drift string
	}
	const yes, no, unknown = metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown
	tests := map[string]want{
		"converged":         {ready: yes, inSync: yes, durable: yes, reason: v1alpha1.ReasonReady, message: "the topic is what this manifest says"},
		"steps are left":    {ready: no, inSync: no, durable: yes, reconciling: true, reason: v1alpha1.ReasonProgressing, message: "grow topic orders from 3 to 6 partitions; set retention.ms to 2 (is 1)", drift: "partitions=3/6 retention.ms=1/2 segment.ms=9/(unset)"},
		"proposed":          {ready: no, inSync: no, durable: yes, stalled: true, reason: v1alpha1.ReasonPlanPending, message: "would: grow topic", drift: "partitions=3/6"},
		"refused":           {ready: no, inSync: no, durable: yes, stalled: true, reason: v1alpha1.ReasonPartitionsShrink, message: "cannot shrink; cannot set", drift: "retention.ms=1/2 segment.ms=9/(unset)"},
		"absent":            {ready: no, inSync: no, durable: unknown, stalled: true, reason: v1alpha1.ReasonTopicMissing, message: "gone"},
		"absent, to create": {ready: no, inSync: no, durable: unknown, stalled: true, reason: v1alpha1.ReasonPlanPending, message: "create topic orders"},
		"no leader":         {ready: no, inSync: yes, durable: yes, reconciling: true, reason: v1alpha1.ReasonProgressing, message: "1 of 3 partitions have no leader"},
		"moving":            {ready: no, inSync: no, durable: yes, reconciling: true, reason: v1alpha1.ReasonReassigning, message: "1 of 3 partitions"},
		"about to move":     {ready: no, inSync: no, durable: yes, reconciling: true, reason: v1alpha1.ReasonProgressing, message: "move replicas of topic orders", drift: "replicationFactor=3/2"},
		"throttled":         {ready: no, inSync: yes, durable: yes, reconciling: true, reason: v1alpha1.ReasonThrottled, message: "because of Throttled"},
		"unreachable":       {ready: no, reconciling: true, reason: v1alpha1.ReasonClusterUnreachable, message: "because of ClusterUnreachable"},
		"conflict":          {ready: no, stalled: true, reason: v1alpha1.ReasonConflict, message: "because of Conflict"},
		"lost":              {ready: unknown, durable: unknown, reconciling: true, reason: v1alpha1.ReasonClusterUnreachable, message: "because of ClusterUnreachable"},
	}
	for name, facts := range cases() {
		t.Run(name, func(t *testing.T) {
			tt, ok := tests[name]
			if !ok {
				t.Fatal("this case has no row")
			}
			s := status.SummarizeTopic(facts)
			of := func(kind string) metav1.ConditionStatus {
				if c := meta.FindStatusCondition(s.Conditions, kind); c != nil {
					return c.Status
				}
				return ""
			}
			ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
			p := facts.Plan
			if planned := len(p.Steps)+len(p.Proposed)+len(p.Refusals) > 0; planned != (s.Plan != nil) {
				t.Errorf("there is a plan: %t; and status.plan is %+v", planned, s.Plan)
			}
			var drift []string
			for _, d := range s.Drift {
				drift = append(drift, fmt.Sprintf("%s=%s/%s", d.Key, d.Found, d.Wanted))
			}
			got := want{
				ready: of(v1alpha1.ConditionReady), inSync: of(v1alpha1.ConditionInSync), durable: of(v1alpha1.ConditionDurable),
				reconciling: of(v1alpha1.ConditionReconciling) == yes, stalled: of(v1alpha1.ConditionStalled) == yes,
				reason: ready.Reason, message: tt.message, drift: strings.Join(drift, " "),
			}
			if diff := cmp.Diff(tt, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(ready.Message, tt.message) {
				t.Errorf("Ready says %q, want %q", ready.Message, tt.message)
			}
			for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
				if c := meta.FindStatusCondition(s.Conditions, kind); c != nil && (c.Reason != ready.Reason || c.Message != ready.Message) {
					t.Errorf("%s says %s: %s, and Ready %s: %s", kind, c.Reason, c.Message, ready.Reason, ready.Message)
				}
			}
		})
	}
}

// A manifest that nobody compared with the topic yet is not in sync because the one before was.
func TestInSyncIsOfThisManifest(t *testing.T) {
	before := status.SummarizeTopic(cases()["converged"])
	away := verdict(status.Working, v1alpha1.ReasonClusterUnreachable)
	same := status.SummarizeTopic(status.TopicFacts{Topic: object(3, before), Verdict: away, Now: later})
	if c := meta.FindStatusCondition(same.Conditions, v1alpha1.ConditionInSync); c.Status != metav1.ConditionTrue {
		t.Errorf("the same manifest was compared, and InSync is %s: %s", c.Status, c.Message)
	}
	next := status.SummarizeTopic(status.TopicFacts{Topic: object(4, before), Verdict: away, Now: later})
	c := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionInSync)
	if c.Status != metav1.ConditionUnknown || !strings.Contains(c.Message, "not compared with this manifest yet: because of ClusterUnreachable") {
		t.Errorf("a new manifest was not compared, and InSync is %s: %s", c.Status, c.Message)
	}
}

func TestFieldsOfATopic(t *testing.T) {
	o := leaderless()
	o.Partitions[1].ISR = []int32{1}
	f := seen(o, topic.Plan{Proposed: []topic.Step{grow}, Steps: []topic.Step{set}, Refusals: []topic.Refusal{refusal}})
	f.BrokerVerdict = "accepted"
	got := status.SummarizeTopic(f)
	got.Conditions, got.Drift = nil, nil
	want := v1alpha1.KafkaTopicStatus{
		ObservedGeneration: 3, TopicName: "orders", TopicID: topic.ID{1}.String(), ClusterID: "c1",
		Partitions: new(int32(3)), ReplicationFactor: new(int32(3)), MinInsyncReplicas: new(int32(2)),
		UnderReplicatedPartitions: new(int32(1)), OfflinePartitions: new(int32(1)),
		ManagedConfig: map[string]string{topic.KeyMinInsyncReplicas: "2"},
		Plan: &v1alpha1.PlanStatus{
			Steps:    []string{"grow topic orders from 3 to 6 partitions", "set retention.ms to 2 (is 1)", "reset segment.ms (is 9)"},
			Refusals: []v1alpha1.RefusalStatus{{Reason: refusal.Reason, Message: refusal.Message}},
			Verdict:  "accepted",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// What was not seen stays as it was; what was seen and is not there goes.
	kept := status.SummarizeTopic(status.TopicFacts{Topic: object(4, want), Verdict: verdict(status.Lost, "ClusterUnreachable"), Now: later})
	if kept.TopicID != want.TopicID || kept.Plan == nil || *kept.Partitions != 3 || kept.ManagedConfig == nil || kept.ObservedGeneration != 4 {
		t.Errorf("%+v", kept)
	}
	gone := seen(topic.Observed{}, topic.Plan{})
	gone.Topic, gone.Owned, gone.Managed = object(4, want), topic.ID{}, nil
	left := status.SummarizeTopic(gone)
	left.Conditions = nil
	if diff := cmp.Diff(v1alpha1.KafkaTopicStatus{ObservedGeneration: 4, TopicName: "orders", ClusterID: "c1"}, left); diff != "" {
		t.Errorf("an absent topic (-want +got):\n%s", diff)
	}
}

func TestAReassignmentInStatus(t *testing.T) {
	f := cases()["moving"]
	if got := status.SummarizeTopic(f).Reassignment; got == nil || got.Total != 3 || got.Done != 1 {
		t.Errorf("%+v", got)
	}
	f.Progress = nil // all have arrived, and what is left is to clean up
	if got := status.SummarizeTopic(f).Reassignment; got == nil || got.Total != 3 || got.Done != 3 {
		t.Errorf("%+v", got)
	}
	f.Topic = object(3, status.SummarizeTopic(f))
	f.Reassigning = false
	if got := status.SummarizeTopic(f).Reassignment; got != nil {
		t.Errorf("it is over: %+v", got)
	}
}

// The API server refuses lists and messages beyond the schema's bounds, and then there would be no status at all.
func TestStatusIsBounded(t *testing.T) {
	var p topic.Plan
	var changes []topic.Change
	for n := range 200 {
		changes = append(changes, topic.Change{Key: fmt.Sprintf("key.%d", n), From: new("ä"), To: new(strings.Repeat("ö", 50))})
		p.Refusals = append(p.Refusals, topic.Refusal{Reason: "R", Message: fmt.Sprintf("%d %s", n, strings.Repeat("ü", 40))})
	}
	p.Steps = []topic.Step{topic.Configure{Name: "orders", Changes: changes}}
	s := status.SummarizeTopic(seen(healthy(1), p))
	if len(s.Plan.Steps) != 64 || len(s.Plan.Refusals) != 64 || len(s.Drift) != 64 {
		t.Errorf("%d steps, %d refusals, %d drifts", len(s.Plan.Steps), len(s.Plan.Refusals), len(s.Drift))
	}
	for _, c := range s.Conditions {
		if len(c.Message) > 2100 {
			t.Errorf("%s has a message of %d bytes", c.Type, len(c.Message))
		}
	}
	expectKstatus(t, s)
}

// A message is cut between two characters, and survives the way to the API server and back: else it would be written again
// and again.
func TestMessagesAreText(t *testing.T) {
	for name, message := range map[string]string{
		"cut at every place":  strings.Repeat("a", 1998) + strings.Repeat("ä", 500),
		"cut at the other":    strings.Repeat("a", 1997) + strings.Repeat("ä", 500),
		"bytes that are none": "broker says \xff\xfe",
	} {
		t.Run(name, func(t *testing.T) {
			f := status.TopicFacts{Topic: object(3, v1alpha1.KafkaTopicStatus{}), Now: noon, Verdict: &status.Verdict{Kind: status.Stuck, Reason: "R", Message: message}}
			for _, c := range status.SummarizeTopic(f).Conditions {
				text, err := json.Marshal(c.Message)
				if err != nil {
					t.Fatal(err)
				}
				var back string
				if err := json.Unmarshal(text, &back); err != nil || back != c.Message || !utf8.ValidString(c.Message) {
					t.Errorf("%q comes back as %q", c.Message[len(c.Message)-20:], back[len(back)-20:])
				}
				if len(message) > 2000 && !strings.HasSuffix(c.Message, "…") {
					t.Errorf("a cut message does not show that it is cut: %q", c.Message[len(c.Message)-20:])
				}
			}
		})
	}
}

func TestSummarizeCluster(t *testing.T) {
	cluster := func(s v1alpha1.KafkaClusterStatus) *v1alpha1.KafkaCluster {
		return &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "prod", Generation: 3}, Status: s}
	}
	facts := status.ClusterFacts{
		Cluster: cluster(v1alpha1.KafkaClusterStatus{}), Seen: true, ClusterID: "c1", KafkaVersion: "v4.3", ControllerID: 2, Now: noon,
		Brokers: []v1alpha1.BrokerStatus{{ID: 1}, {ID: 2, Fenced: true}, {ID: 3}}, Topics: v1alpha1.TopicCounts{Total: 9, Managed: 4, Drifted: 1},
		Verdict: status.Verdict{Kind: status.Ready, Reason: v1alpha1.ReasonReady, Message: "connected"},
	}
	first := status.SummarizeCluster(facts)
	want := v1alpha1.KafkaClusterStatus{
		ObservedGeneration: 3, ClusterID: "c1", KafkaVersion: "v4.3", ControllerID: new(int32(2)), Brokers: facts.Brokers,
		LiveBrokers: new(int32(2)), Topics: &facts.Topics, Conditions: first.Conditions,
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	for _, kind := range []status.Kind{status.Ready, status.Working, status.Stuck, status.Lost, status.Ready} {
		facts.Cluster, facts.Now, facts.Seen = cluster(first), later, false
		facts.ClusterID, facts.Brokers = "unseen", nil
		facts.Verdict.Kind = kind
		next := status.SummarizeCluster(facts)
		for _, fault := range status.CheckKstatus(3, next.ObservedGeneration, next.Conditions) {
			t.Errorf("kind %d: %s", kind, fault)
		}
		if next.ClusterID != "c1" || len(next.Brokers) != 3 || *next.LiveBrokers != 2 {
			t.Errorf("kind %d: what was not seen stays as it was: %+v", kind, next)
		}
		facts.Cluster, facts.Now = cluster(next), metav1.NewTime(later.Add(time.Hour))
		if diff := cmp.Diff(next, status.SummarizeCluster(facts)); diff != "" {
			t.Errorf("kind %d: the same facts say something else (-before +after):\n%s", kind, diff)
		}
		first = next
	}
}

// The checker that tests of controllers end with finds each of the faults that it is there for.
func TestCheckKstatus(t *testing.T) {
	condition := func(kind string, s metav1.ConditionStatus) metav1.Condition {
		return metav1.Condition{Type: kind, Status: s, Reason: "R", Message: "m", ObservedGeneration: 3, LastTransitionTime: noon}
	}
	const yes, no, unknown = metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown
	ready := func(s metav1.ConditionStatus) metav1.Condition { return condition(v1alpha1.ConditionReady, s) }
	reconciling, stalled := condition(v1alpha1.ConditionReconciling, yes), condition(v1alpha1.ConditionStalled, yes)
	without := func(change func(c *metav1.Condition)) metav1.Condition {
		c := condition(v1alpha1.ConditionDurable, yes)
		change(&c)
		return c
	}
	tests := map[string]struct {
		observed int64
		set      []metav1.Condition
		fault    string
	}{
		"ready":                      {3, []metav1.Condition{ready(yes)}, ""},
		"reconciling":                {3, []metav1.Condition{ready(no), reconciling}, ""},
		"stalled":                    {3, []metav1.Condition{ready(no), stalled}, ""},
		"lost":                       {3, []metav1.Condition{ready(unknown), reconciling}, ""},
		"ready, not reconciling":     {3, []metav1.Condition{ready(yes), condition(v1alpha1.ConditionReconciling, no)}, ""},
		"an older generation":        {2, []metav1.Condition{ready(yes)}, "observedGeneration is 2"},
		"no Ready":                   {3, nil, "there is no condition Ready"},
		"both":                       {3, []metav1.Condition{ready(no), reconciling, stalled}, "both true"},
		"ready and reconciling":      {3, []metav1.Condition{ready(yes), reconciling}, "Ready is true and so is"},
		"ready and stalled":          {3, []metav1.Condition{ready(yes), stalled}, "Ready is true and so is"},
		"not ready, and no why":      {3, []metav1.Condition{ready(no)}, "neither Reconciling nor Stalled"},
		"unknown, and no why":        {3, []metav1.Condition{ready(unknown)}, "neither Reconciling nor Stalled"},
		"a condition of before":      {3, []metav1.Condition{ready(yes), without(func(c *metav1.Condition) { c.ObservedGeneration = 2 })}, "judged at generation 2"},
		"a condition with no reason": {3, []metav1.Condition{ready(yes), without(func(c *metav1.Condition) { c.Reason = "" })}, "lacks a reason"},
		"a condition with no words":  {3, []metav1.Condition{ready(yes), without(func(c *metav1.Condition) { c.Message = "" })}, "lacks a reason or a message"},
		"a condition with no time":   {3, []metav1.Condition{ready(yes), without(func(c *metav1.Condition) { c.LastTransitionTime = metav1.Time{} })}, "no transition time"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			faults := status.CheckKstatus(3, tt.observed, tt.set)
			if tt.fault == "" && len(faults) > 0 {
				t.Errorf("it is sound, and the checker says %q", faults)
			}
			if tt.fault != "" && !strings.Contains(strings.Join(faults, "\n"), tt.fault) {
				t.Errorf("the checker says %q, want %q", faults, tt.fault)
			}
		})
	}
}

func TestDurabilityOf(t *testing.T) {
	topicOf := func(replicas, inSync int, minISR, unclean string) topic.Observed {
		o := topic.Observed{ID: topic.ID{1}, Config: map[string]topic.Entry{}}
		for range 2 {
			p := topic.Partition{Leader: 0}
			for b := range replicas {
				p.Replicas = append(p.Replicas, int32(b))
			}
			p.ISR = append(p.ISR, p.Replicas...)
			o.Partitions = append(o.Partitions, p)
		}
		o.Partitions[1].ISR = o.Partitions[1].ISR[:inSync] // the weakest partition counts
		if minISR != "" {
			o.Config[topic.KeyMinInsyncReplicas] = topic.Entry{Value: &minISR}
		}
		if unclean != "" {
			o.Config[topic.KeyUncleanLeaderElection] = topic.Entry{Value: &unclean}
		}
		return o
	}
	tests := map[string]struct {
		o      topic.Observed
		reason string
		says   string
	}{
		"3 replicas, 2 needed":             {topicOf(3, 3, "2", "false"), v1alpha1.ReasonDurable, "survive"},
		"3 replicas, 2 needed, one away":   {topicOf(3, 2, "2", "false"), v1alpha1.ReasonDurable, "survive"},
		"5 replicas, 3 needed":             {topicOf(5, 5, "3", "false"), v1alpha1.ReasonDurable, "survive"},
		"unclean elections not told of":    {topicOf(3, 3, "2", ""), v1alpha1.ReasonDurable, "survive"},
		"3 replicas, 2 needed, two away":   {topicOf(3, 1, "2", "false"), v1alpha1.ReasonBlocked, "has 1 in-sync replicas and min.insync.replicas is 2"},
		"1 replica, 2 needed":              {topicOf(1, 1, "2", "false"), v1alpha1.ReasonBlocked, "producers with acks=all fail now"},
		"none in sync":                     {topicOf(3, 0, "1", "false"), v1alpha1.ReasonBlocked, "0 in-sync replicas"},
		"1 replica":                        {topicOf(1, 1, "1", "false"), v1alpha1.ReasonAtRisk, "replication factor is 1"},
		"3 replicas, 1 needed":             {topicOf(3, 3, "1", "false"), v1alpha1.ReasonAtRisk, "min.insync.replicas is 1"},
		"3 replicas, 3 needed":             {topicOf(3, 3, "3", "false"), v1alpha1.ReasonAtRisk, "stops producers"},
		"2 replicas, 2 needed":             {topicOf(2, 2, "2", "false"), v1alpha1.ReasonAtRisk, "stops producers"},
		"2 replicas, 1 needed":             {topicOf(2, 2, "1", "false"), v1alpha1.ReasonAtRisk, "min.insync.replicas is 1"},
		"3 replicas, 2 needed, unclean":    {topicOf(3, 3, "2", "true"), v1alpha1.ReasonAtRisk, "unclean.leader.election.enable is true"},
		"blocked counts before at risk":    {topicOf(3, 2, "3", "true"), v1alpha1.ReasonBlocked, "fail now"},
		"min.insync.replicas not told of":  {topicOf(3, 3, "", "false"), v1alpha1.ReasonUnknown, "has not been seen"},
		"min.insync.replicas is no number": {topicOf(3, 3, "two", "false"), v1alpha1.ReasonUnknown, "has not been seen"},
		"absent":                           {topic.Observed{}, v1alpha1.ReasonUnknown, "has not been seen"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := status.DurabilityOf(tt.o)
			if got.Reason != tt.reason || !strings.Contains(got.Message, tt.says) {
				t.Errorf("%+v, want %s: %s", got, tt.reason, tt.says)
			}
		})
	}
	moving := topicOf(3, 3, "2", "false")
	moving.Partitions[0].Replicas, moving.Partitions[0].Removing = []int32{0, 1, 2}, []int32{1, 2}
	if got := status.DurabilityOf(moving); got.Reason != v1alpha1.ReasonAtRisk {
		t.Errorf("two of three replicas are on their way out: %+v", got)
	}
}
