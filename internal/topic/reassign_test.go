package topic_test

import (
	"reflect"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

func observed(partitions ...topic.Partition) topic.Observed {
	return topic.Observed{ID: ours, Partitions: partitions}
}

// moving is a partition on its way from some replicas to others, as Kafka shows it: new and old together (KIP-455).
func moving(number int32, from, to []int32) topic.Partition {
	p := on(number, from...)
	p.Adding = slices.DeleteFunc(slices.Clone(to), func(id int32) bool { return slices.Contains(from, id) })
	p.Removing = slices.DeleteFunc(slices.Clone(from), func(id int32) bool { return slices.Contains(to, id) })
	p.Replicas = append(slices.Clone(to), p.Removing...)
	return p
}

// many are n partitions of one replica each, round brokers 1 to 3.
func many(n int) []topic.Partition {
	var all []topic.Partition
	for i := range n {
		all = append(all, on(int32(i), int32(i%3+1)))
	}
	return all
}

// inForce is the topic with the broker's min.insync.replicas.
func inForce(o topic.Observed, minISR string) topic.Observed {
	o.Config = map[string]topic.Entry{topic.KeyMinInsyncReplicas: inherited(minISR, topic.TypeInt)}
	return o
}

type moved struct {
	reason       string
	wanted       *int16
	config       map[string]string
	observed     topic.Observed
	brokers      []topic.Broker
	acknowledged []v1alpha1.DangerousChange
	steps        []string
	moves        []topic.Move
	refused      []string
}

func (tt moved) check(t *testing.T) {
	t.Helper()
	p := adopt()
	p.Acknowledged = tt.acknowledged
	if tt.brokers != nil {
		p.Cluster.Brokers = tt.brokers
	}
	plan := topic.MakePlan(topic.Desired{Name: "orders", Replication: tt.wanted, Config: tt.config}, tt.observed, p)
	check(t, tt.reason, plan, tt.steps, nil, tt.refused)
	if moves := movesOf(plan).Moves; !reflect.DeepEqual(moves, tt.moves) {
		t.Errorf("%s: moves %v, want %v", tt.reason, moves, tt.moves)
	}
}

func TestMakePlanMovesReplicas(t *testing.T) {
	one, two, three := new(int16(1)), new(int16(2)), new(int16(3))
	tests := map[string]moved{
		"no factor wanted": {reason: "the cluster decided", observed: observed(on(0, 1), on(1, 1, 2))},
		"grow": {
			reason: "one line for the topic, however many partitions", wanted: two, observed: observed(on(0, 1), on(1, 2)),
			steps: []string{"move replicas of topic orders: 2 partitions to replication factor 2 (10 at a time, 50 MiB/s)"},
			moves: []topic.Move{{Partition: 0, From: []int32{1}, To: []int32{1, 3}}, {Partition: 1, From: []int32{2}, To: []int32{2, 1}}},
		},
		"mixed factors": {
			reason: "the smallest factor is the wanted one, and still one partition has too many", wanted: two, observed: observed(on(0, 1, 2), on(1, 2, 3, 1)),
			steps: []string{"move replicas of topic orders: 1 partition to replication factor 2 (10 at a time, 50 MiB/s)"},
			moves: []topic.Move{{Partition: 1, From: []int32{2, 3, 1}, To: []int32{2, 3}}},
		},
		"more brokers than there are": {
			reason: "said before the broker says it", wanted: new(int16(4)), observed: observed(on(0, 1)), refused: []string{v1alpha1.ReasonReplicationFactorTooLarge},
		},
		"more brokers than take replicas": {
			reason: "one of the three is cordoned", wanted: three, observed: observed(on(0, 1)), brokers: but(racked("", "", ""), 3, cordon),
			refused: []string{v1alpha1.ReasonReplicationFactorTooLarge},
		},
		"brokers not known": {
			reason: "there is nowhere to put them", wanted: two, observed: observed(on(0, 1)), brokers: []topic.Broker{}, refused: []string{v1alpha1.ReasonUnknown},
		},
		"factor one": {
			reason: "the loss of one broker loses records", wanted: one, observed: observed(on(0, 1, 2)), refused: []string{v1alpha1.ReasonAcknowledgeRequired},
		},
		"factor one, acknowledged": {
			reason: "a person means it", wanted: one, observed: observed(on(0, 1, 2)), acknowledged: []v1alpha1.DangerousChange{v1alpha1.ReplicationFactorOne},
			steps: []string{"move replicas of topic orders: 1 partition to replication factor 1 (10 at a time, 50 MiB/s)"},
			moves: []topic.Move{{Partition: 0, From: []int32{1, 2}, To: []int32{1}}},
		},
		"below the min ISR in force": {
			reason: "the broker's default would ask for more copies than there are (trap 21)", wanted: two, observed: inForce(observed(on(0, 1, 2, 3)), "3"),
			refused: []string{v1alpha1.ReasonMinInsyncReplicasTooLarge},
		},
		"below the min ISR in force, which goes down with it": {
			reason: "the manifest lowers both, and the keys are set first", wanted: two, observed: inForce(observed(on(0, 1, 2, 3)), "3"),
			config: map[string]string{topic.KeyMinInsyncReplicas: "2"},
			steps:  []string{"set min.insync.replicas to 2 (is 3)", "move replicas of topic orders: 1 partition to replication factor 2 (10 at a time, 50 MiB/s)"},
			moves:  []topic.Move{{Partition: 0, From: []int32{1, 2, 3}, To: []int32{1, 2}}},
		},
		"growing below the min ISR in force": {
			reason: "it brings the topic nearer", wanted: two, observed: inForce(observed(on(0, 1)), "3"),
			steps: []string{"move replicas of topic orders: 1 partition to replication factor 2 (10 at a time, 50 MiB/s)"},
			moves: []topic.Move{{Partition: 0, From: []int32{1}, To: []int32{1, 2}}},
		},
		"too few in sync": {
			reason: "partition 0 waits, and partition 1 does not wait for it", wanted: two, observed: inForce(observed(led(on(0, 1, 2, 3), 1, 1), on(1, 2, 3, 1)), "2"),
			steps:   []string{"move replicas of topic orders: 1 partition to replication factor 2 (10 at a time, 50 MiB/s)"},
			moves:   []topic.Move{{Partition: 1, From: []int32{2, 3, 1}, To: []int32{2, 3}}},
			refused: []string{v1alpha1.ReasonBlocked},
		},
	}
	for name, tt := range tests {
		t.Run(name, tt.check)
	}
}

func TestMakePlanLeavesMovesInFlightAlone(t *testing.T) {
	two := new(int16(2))
	tests := map[string]moved{
		"on its way there": {
			reason: "one reassignment is enough", wanted: two, observed: observed(moving(0, []int32{1}, []int32{1, 2}), on(1, 2, 3)),
		},
		"on its way elsewhere": {
			reason: "it waits: a second reassignment would replace the first, which may be somebody else's", wanted: two,
			observed: observed(moving(0, []int32{1}, []int32{1, 2, 3}), on(1, 2, 3)),
		},
		"leaving elsewhere": {
			reason: "somebody takes it from two brokers to one; partition 1 is ours to move", wanted: two,
			observed: observed(moving(0, []int32{1, 2}, []int32{3}), on(1, 2)),
			steps:    []string{"move replicas of topic orders: 1 partition to replication factor 2 (10 at a time, 50 MiB/s)"},
			moves:    []topic.Move{{Partition: 1, From: []int32{2}, To: []int32{2, 1}}},
		},
		"the rest while some move": {
			reason: "nine more make ten", wanted: two, observed: observed(append([]topic.Partition{moving(99, []int32{1}, []int32{1, 2})}, many(12)...)...),
			steps: []string{"move replicas of topic orders: 12 partitions to replication factor 2 (10 at a time, 50 MiB/s)"},
			moves: firstMoves(9),
		},
	}
	for name, tt := range tests {
		t.Run(name, tt.check)
	}
}

func firstMoves(n int) []topic.Move {
	var moves []topic.Move
	for _, p := range many(n) {
		moves = append(moves, topic.Move{Partition: p.Number, From: p.Replicas, To: []int32{p.Leader, (p.Leader+1)%3 + 1}})
	}
	return moves
}

func movesOf(p topic.Plan) topic.Reassign {
	for _, s := range p.Steps {
		if r, ok := s.(topic.Reassign); ok {
			return r
		}
	}
	return topic.Reassign{}
}

func TestMakePlanMovesTheHealthyFirst(t *testing.T) {
	partitions := many(12)
	for i := range 3 {
		partitions[i] = led(on(int32(i), 1, 2), 1, 1)
	}
	step := movesOf(topic.MakePlan(topic.Desired{Name: "orders", Replication: new(int16(3))}, observed(partitions...), adopt()))
	var numbers []int32
	for _, m := range step.Moves {
		numbers = append(numbers, m.Partition)
	}
	if want := []int32{0, 3, 4, 5, 6, 7, 8, 9, 10, 11}; !slices.Equal(numbers, want) {
		t.Errorf("moves partitions %v, want %v: those with a replica that is behind may never end, and come last", numbers, want)
	}
	if !step.AllowReplicationFactorChange || step.ThrottleBytesPerSecond != 50<<20 {
		t.Errorf("the step means to change the factor (KIP-860), throttled: %+v", step)
	}
}

func TestMakePlanKeepsToTheLimits(t *testing.T) {
	p := adopt()
	p.Reassignment = topic.Reassignment{PartitionsAtOnce: 2, BytesPerSecond: 8 << 20}
	plan := topic.MakePlan(topic.Desired{Name: "orders", Replication: new(int16(3))}, observed(many(5)...), p)
	check(t, "spec.reassignment says so", plan, []string{"move replicas of topic orders: 5 partitions to replication factor 3 (2 at a time, 8 MiB/s)"}, nil, nil)
	if moves := movesOf(plan).Moves; len(moves) != 2 {
		t.Errorf("%d moves, want 2", len(moves))
	}
}

func TestStillLeavesOutWhatHasChanged(t *testing.T) {
	step := topic.Reassign{Name: "orders", Moves: []topic.Move{
		{Partition: 0, From: []int32{1}, To: []int32{1, 2}},
		{Partition: 1, From: []int32{2}, To: []int32{2, 3}},
		{Partition: 2, From: []int32{3, 1}, To: []int32{3}},
		{Partition: 3, From: []int32{1}, To: []int32{1, 2}},
	}}
	now := observed(on(0, 1), moving(1, []int32{2}, []int32{3}), on(2, 1, 2))
	if got := step.Still(now).Moves; !reflect.DeepEqual(got, step.Moves[:1]) {
		t.Errorf("still %v: partition 1 moves, 2 is elsewhere, 3 is gone", got)
	}
	if len(step.Moves) != 4 {
		t.Error("Still changed the step that it was asked of")
	}
}

func TestReassignmentOf(t *testing.T) {
	two := new(int16(2))
	tests := map[string]struct {
		reason   string
		wanted   *int16
		observed topic.Observed
		want     *topic.Progress
	}{
		"no factor wanted": {"nothing is under way for us", nil, observed(moving(0, []int32{1}, []int32{1, 2})), nil},
		"there":            {"all have two", two, observed(on(0, 1, 2), on(1, 2, 3)), nil},
		"no topic":         {"nothing to move", two, topic.Observed{}, nil},
		"not begun":        {"both wait", two, observed(on(0, 1), on(1, 2)), &topic.Progress{Total: 2}},
		"under way": {"one there, one moving, one waiting", two, observed(on(0, 1, 2), moving(1, []int32{2}, []int32{2, 3}), on(2, 3)),
			&topic.Progress{Total: 3, Done: 1, InFlight: 1}},
		"moving to another count":       {"it is on the move, and will have to move again", two, observed(moving(0, []int32{1}, []int32{1, 2, 3})), &topic.Progress{Total: 1, InFlight: 1}},
		"somebody rebalances":           {"the count stays, so the topic is what the manifest says", two, observed(moving(0, []int32{1, 2}, []int32{3, 4})), nil},
		"somebody rebalances the wrong": {"the count is wrong before and after", two, observed(moving(0, []int32{1}, []int32{2})), &topic.Progress{Total: 1, InFlight: 1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := topic.ReassignmentOf(topic.Desired{Replication: tt.wanted}, tt.observed); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s: %+v, want %+v", tt.reason, got, tt.want)
			}
		})
	}
}

func TestReassignmentFromSpec(t *testing.T) {
	got := topic.ReassignmentFromSpec(v1alpha1.ReassignmentSpec{BytesPerSecond: new(resource.MustParse("8Mi")), PartitionsAtOnce: new(int32(3))})
	if want := (topic.Reassignment{PartitionsAtOnce: 3, BytesPerSecond: 8 << 20}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := topic.ReassignmentFromSpec(v1alpha1.ReassignmentSpec{}); got != (topic.Reassignment{}) {
		t.Errorf("%+v, want the zero value, which means the defaults", got)
	}
}

func TestReassignSaysItsRate(t *testing.T) {
	for rate, want := range map[int64]string{1 << 30: "1 GiB/s", 50 << 20: "50 MiB/s", 1536: "1536 B/s", 3 << 10: "3 KiB/s", 1000000: "1000000 B/s"} {
		line := topic.Reassign{Name: "orders", Pending: 12, Replication: 3, AtOnce: 5, ThrottleBytesPerSecond: rate}.Lines()[0]
		if text := "move replicas of topic orders: 12 partitions to replication factor 3 (5 at a time, " + want + ")"; line != text {
			t.Errorf("%q, want %q", line, text)
		}
	}
}
