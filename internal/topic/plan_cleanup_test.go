package topic_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// A throttle that is left behind makes brokers slow to recover for ever after, so a move ends with a plan that takes it off.
func TestMakePlanEndsAMove(t *testing.T) {
	throttled := map[string]topic.Entry{
		topic.KeyThrottledLeaderReplicas:   override("0:1,0:2", topic.TypeList),
		topic.KeyThrottledFollowerReplicas: override("0:3", topic.TypeList),
	}
	away := seen(2, throttled)
	away.Partitions[1].Leader = 2
	outOfSync := seen(2, throttled)
	outOfSync.Partitions[1].Leader, outOfSync.Partitions[1].ISR = 2, []int32{2, 3}
	moving := seen(2, throttled)
	moving.Partitions[0].Adding, moving.Partitions[0].Replicas = []int32{4}, []int32{1, 2, 3, 4}
	foreign := seen(2, map[string]topic.Entry{topic.KeyThrottledLeaderReplicas: override("*", topic.TypeList)})
	fenced := brokers(3)
	fenced.Brokers[1].Fenced = true

	changes := func(of ...string) []topic.Change {
		var all []topic.Change
		for _, key := range of {
			all = append(all, topic.Change{Key: key, From: throttled[key].Value})
		}
		return all
	}
	both := changes(topic.KeyThrottledLeaderReplicas, topic.KeyThrottledFollowerReplicas)
	tests := map[string]struct {
		reason   string
		observed topic.Observed
		change   func(p *topic.Policy)
		want     []topic.Step
	}{
		"we moved nothing": {
			reason: "a throttle of somebody else's is not ours to take off", observed: away, change: func(p *topic.Policy) { p.Reassigning = false },
		},
		"it still moves": {
			reason: "the throttle is needed", observed: moving,
		},
		"all have arrived": {
			reason: "the keys of the topic go, and the rates of the brokers", observed: seen(2, throttled),
			want: []topic.Step{topic.Unthrottle{Name: "orders", Rates: []int64{7}, Brokers: []int32{1, 2, 3}, Changes: both}},
		},
		"another leader than the preferred one": {
			reason: "the leaders go back first", observed: away,
			want: []topic.Step{
				topic.Elect{Name: "orders", Partitions: []int32{1}},
				topic.Unthrottle{Name: "orders", Rates: []int64{7}, Brokers: []int32{1, 2, 3}, Changes: both},
			},
		},
		"the preferred leader is behind": {
			reason: "it cannot lead yet, and the throttle does not wait for it", observed: outOfSync,
			want: []topic.Step{topic.Unthrottle{Name: "orders", Rates: []int64{7}, Brokers: []int32{1, 2, 3}, Changes: both}},
		},
		"a broker is away": {
			reason: "a client that configures a fenced broker waits for it", observed: seen(2, nil), change: func(p *topic.Policy) { p.Cluster = fenced },
			want: []topic.Step{topic.Unthrottle{Name: "orders", Rates: []int64{7}, Brokers: []int32{1, 3}}},
		},
		"others still move": {
			reason: "the rates of the brokers are theirs too", observed: seen(2, throttled), change: func(p *topic.Policy) { p.OthersReassigning = true },
			want: []topic.Step{topic.Unthrottle{Name: "orders", Rates: []int64{7}, Changes: both}},
		},
		"somebody throttles every replica": {
			reason: "that list is not ours", observed: foreign,
			want: []topic.Step{topic.Unthrottle{Name: "orders", Rates: []int64{7}, Brokers: []int32{1, 2, 3}}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := adopt()
			p.Reassigning, p.Rates = true, []int64{7}
			if tt.change != nil {
				tt.change(&p)
			}
			plan := topic.MakePlan(topic.Desired{Name: "orders", Reassigning: true}, tt.observed, p)
			if diff := cmp.Diff(tt.want, plan.Steps); diff != "" || len(plan.Refusals) > 0 {
				t.Errorf("%s (-want +got):\n%s%v", tt.reason, diff, plan.Refusals)
			}
		})
	}
}

// A topic that moves does not grow: a new partition would get the old and the new replicas of the first one.
func TestMakePlanDoesNotGrowAMovingTopic(t *testing.T) {
	o := seen(2, nil)
	o.Partitions[1].Adding = []int32{4}
	plan := topic.MakePlan(topic.Desired{Name: "orders", Partitions: new(int32(3))}, o, adopt())
	check(t, "it grows afterwards", plan, nil, nil, []string{v1alpha1.ReasonReassigning})
	if !plan.Refusals[0].Passes() {
		t.Error("a refusal that passes by itself needs no person")
	}
}

func TestRefusalsThatPass(t *testing.T) {
	for reason, passes := range map[string]bool{
		v1alpha1.ReasonBlocked: true, v1alpha1.ReasonReassigning: true,
		v1alpha1.ReasonPartitionsShrink: false, v1alpha1.ReasonAcknowledgeRequired: false, v1alpha1.ReasonTopicReplaced: false, "": false,
	} {
		if got := (topic.Refusal{Reason: reason}).Passes(); got != passes {
			t.Errorf("%s passes by itself: %t", reason, got)
		}
	}
}

// What is dangerous to records is harmless to a topic without any.
func TestMakePlanOfAnEmptyTopic(t *testing.T) {
	o := seen(1, map[string]topic.Entry{
		topic.KeyCleanupPolicy: override("compact", topic.TypeList), topic.KeyRetentionMs: override("1000", topic.TypeLong),
	})
	d := topic.Desired{Name: "orders", Partitions: new(int32(2)), Config: map[string]string{topic.KeyCleanupPolicy: "delete", topic.KeyRetentionMs: "10"}}
	p := adopt()
	plan := topic.MakePlan(d, o, p)
	if len(plan.Steps) != 0 || len(plan.Refusals) != 3 || !plan.NeedsAcknowledgement() {
		t.Errorf("with records: %+v", plan)
	}
	p.Empty = true
	plan = topic.MakePlan(d, o, p)
	if len(plan.Refusals) != 0 || len(topic.Lines(plan.Steps)) != 3 || plan.NeedsAcknowledgement() {
		t.Errorf("without: %+v", plan)
	}
	p.Empty, p.Owned = false, theirs
	if plan = topic.MakePlan(d, o, p); plan.NeedsAcknowledgement() {
		t.Errorf("a replaced topic waits for something else: %+v", plan)
	}
}
