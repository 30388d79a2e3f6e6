package topic_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

func TestSettled(t *testing.T) {
	leaderless := seen(3, nil)
	leaderless.Partitions[1].Leader = -1
	foreign := seen(3, nil)
	foreign.ID = theirs
	bare := topic.Observed{ID: ours}
	set := topic.Configure{Changes: []topic.Change{{Key: "min.cleanable.dirty.ratio", To: new("0.50")}}}
	reset := topic.Configure{Changes: []topic.Change{{Key: "a"}}}
	moving := seen(1, nil)
	moving.Partitions[0].Removing = []int32{3}
	with := func(key string, e topic.Entry) topic.Observed { return seen(1, map[string]topic.Entry{key: e}) }

	tests := map[string]struct {
		step topic.Step
		o    topic.Observed
		id   topic.ID
		want bool
	}{
		"create, not there yet":                       {topic.Create{}, topic.Observed{}, ours, false},
		"create, there":                               {topic.Create{Partitions: new(int32(3))}, seen(3, nil), ours, true},
		"create, there, and the answer had no ID":     {topic.Create{}, seen(3, nil), topic.ID{}, true},
		"create, another topic is there":              {topic.Create{}, foreign, ours, false},
		"create, a partition has no leader yet":       {topic.Create{}, leaderless, ours, false},
		"create, partitions are on their way":         {topic.Create{Partitions: new(int32(4))}, seen(3, nil), ours, false},
		"create, no partition is known yet":           {topic.Create{}, bare, ours, false},
		"grow, not yet":                               {topic.Grow{From: 3, To: 4}, seen(3, nil), ours, false},
		"grow, there":                                 {topic.Grow{From: 3, To: 4}, seen(4, nil), ours, true},
		"grow, somebody grew it further":              {topic.Grow{From: 3, To: 4}, seen(5, nil), ours, true},
		"grow, there without a leader":                {topic.Grow{From: 2, To: 3}, leaderless, ours, false},
		"set, not yet":                                {set, with("min.cleanable.dirty.ratio", inherited("0.7", topic.TypeDouble)), ours, false},
		"set, there in the broker's spelling":         {set, with("min.cleanable.dirty.ratio", override("0.5", topic.TypeDouble)), ours, true},
		"set, the key was not looked at":              {set, seen(1, nil), ours, false},
		"reset, not yet":                              {reset, with("a", override("x", topic.TypeString)), ours, false},
		"reset, the default is back":                  {reset, with("a", inherited("x", topic.TypeString)), ours, true},
		"reset, the key is gone":                      {reset, seen(1, nil), ours, true},
		"remove, not yet":                             {topic.Remove{ID: ours}, seen(1, nil), ours, false},
		"remove, gone":                                {topic.Remove{ID: ours}, topic.Observed{}, ours, true},
		"remove, gone and another one has its name":   {topic.Remove{ID: ours}, foreign, ours, true},
		"configure of two keys waits for both":        {topic.Configure{Changes: []topic.Change{{Key: "a", To: new("1")}, {Key: "b", To: new("1")}}}, with("a", override("1", topic.TypeString)), ours, false},
		"reassign, begun":                             {topic.Reassign{Moves: []topic.Move{{Partition: 0, To: []int32{1, 2}}}}, moving, ours, true},
		"reassign, done":                              {topic.Reassign{Moves: []topic.Move{{Partition: 0, To: []int32{1, 2, 3}}}}, seen(1, nil), ours, true},
		"reassign, not begun":                         {topic.Reassign{Moves: []topic.Move{{Partition: 0, To: []int32{1, 2}}}}, seen(1, nil), ours, false},
		"reassign of a partition that is not there":   {topic.Reassign{Moves: []topic.Move{{Partition: 5, To: []int32{1, 2, 3}}}}, seen(1, nil), ours, false},
		"unthrottle, not yet":                         {topic.Unthrottle{Changes: []topic.Change{{Key: "a"}}}, with("a", override("x", topic.TypeString)), ours, false},
		"unthrottle, done":                            {topic.Unthrottle{Changes: []topic.Change{{Key: "a"}}}, seen(1, nil), ours, true},
		"elect, which may leave another leader":       {topic.Elect{Partitions: []int32{0}}, leaderless, ours, true},
		"set of a value that the default has, by now": {topic.Configure{Changes: []topic.Change{{Key: "a", To: new("1")}}}, with("a", inherited("1", topic.TypeString)), ours, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := topic.Settled(tt.step, tt.o, tt.id); got != tt.want {
				t.Errorf("Settled = %t", got)
			}
		})
	}
}

func TestUnsettled(t *testing.T) {
	steps := []topic.Step{
		topic.Grow{From: 1, To: 9},
		topic.Configure{Changes: []topic.Change{{Key: "taken", To: new("1")}, {Key: "untaken", To: new("1")}, {Key: "reset"}}},
	}
	o := seen(1, map[string]topic.Entry{"taken": override("1", topic.TypeString), "untaken": override("2", topic.TypeString), "reset": override("r", topic.TypeString)})
	want := []topic.Change{{Key: "untaken", To: new("1")}, {Key: "reset"}}
	if diff := cmp.Diff(want, topic.Unsettled(steps, o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWithout(t *testing.T) {
	refusal := func(key string) topic.Refusal {
		return topic.Refusal{Reason: v1alpha1.ReasonInvalidConfig, Message: key}
	}
	plan := topic.Plan{
		Steps: []topic.Step{
			topic.Grow{Name: "t", From: 1, To: 2},
			topic.Configure{Name: "t", Changes: []topic.Change{{Key: "a", To: new("1")}, {Key: "b", To: new("1")}}},
		},
		Refusals: []topic.Refusal{refusal("first")},
	}
	before := topic.Lines(plan.Steps)

	one := plan.Without(map[string]topic.Refusal{"b": refusal("b")})
	check(t, "the other key and the other step stay", one,
		[]string{"grow topic t from 1 to 2 partitions", "set a to 1"}, nil, []string{v1alpha1.ReasonInvalidConfig, v1alpha1.ReasonInvalidConfig})

	both := plan.Without(map[string]topic.Refusal{"b": refusal("b"), "a": refusal("a")})
	check(t, "a step without changes goes", both,
		[]string{"grow topic t from 1 to 2 partitions"}, nil, []string{v1alpha1.ReasonInvalidConfig, v1alpha1.ReasonInvalidConfig, v1alpha1.ReasonInvalidConfig})
	if both.Refusals[1].Message != "a" || both.Refusals[2].Message != "b" {
		t.Errorf("refusals are in order of the keys: %+v", both.Refusals)
	}
	if diff := cmp.Diff(before, topic.Lines(plan.Steps)); diff != "" {
		t.Errorf("Without changed the plan that it was called on (-before +after):\n%s", diff)
	}
	if len(plan.Refusals) != 1 {
		t.Errorf("Without changed the refusals of the plan that it was called on: %+v", plan.Refusals)
	}
	if diff := cmp.Diff(plan, plan.Without(nil)); diff != "" {
		t.Errorf("nothing refused changes nothing (-want +got):\n%s", diff)
	}
}

// TestObserveTakesTheThrottleOff: a switch to mode Observe in the middle of a move must not leave brokers slow for ever.
func TestObserveTakesTheThrottleOff(t *testing.T) {
	o := topic.Observed{ID: topic.ID{1}, Partitions: []topic.Partition{{Number: 0, Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}}}}
	policy := topic.Policy{Mode: v1alpha1.ModeObserve, Owned: topic.ID{1}, Reassigning: true, Cluster: topic.Cluster{Brokers: []topic.Broker{{ID: 1}, {ID: 2}, {ID: 3}}}}
	plan := topic.MakePlan(topic.Desired{Name: "orders", Partitions: new(int32(2))}, o, policy)
	if len(plan.Steps) != 1 || len(plan.Proposed) != 1 {
		t.Fatalf("steps %v, proposed %v; want the throttle taken off, and the growth proposed", plan.Steps, plan.Proposed)
	}
	if _, is := plan.Steps[0].(topic.Unthrottle); !is {
		t.Errorf("the step is %T, want Unthrottle", plan.Steps[0])
	}
}
