package topic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

func TestMakePlanFirstContact(t *testing.T) {
	absent := topic.Observed{}
	foreign := seen(3, nil)
	foreign.ID = theirs
	empty := topic.Desired{Name: "orders", Partitions: new(int32(3))}
	differs := topic.Desired{Name: "orders", Partitions: new(int32(6))}
	never := topic.ID{}

	tests := map[string]struct {
		reason   string
		desired  topic.Desired
		observed topic.Observed
		adoption v1alpha1.AdoptionPolicy
		mode     v1alpha1.TopicMode
		missing  v1alpha1.MissingPolicy
		owned    topic.ID
		accepted topic.ID

		steps    []string
		proposed []string
		refused  []string
	}{
		"absent is created": {
			reason: "nothing is in the topic's place, and nothing of ours ever was", desired: empty, observed: absent,
			steps: []string{"create topic orders with 3 partitions, the broker's replication factor"},
		},
		"absent is created whatever adoption says": {
			reason: "adoption is about topics that exist", desired: empty, observed: absent, adoption: v1alpha1.AdoptionRefuse,
			steps: []string{"create topic orders with 3 partitions, the broker's replication factor"},
		},
		"absent in mode Observe is only proposed": {
			reason: "mode Observe never writes", desired: empty, observed: absent, mode: v1alpha1.ModeObserve,
			proposed: []string{"create topic orders with 3 partitions, the broker's replication factor"},
		},
		"foreign that agrees is taken over under Review": {
			reason: "there is nothing to review", desired: empty, observed: foreign, adoption: v1alpha1.AdoptionReview,
		},
		"foreign that differs waits under Review": {
			reason: "first contact writes nothing by surprise (trap 1)", desired: differs, observed: foreign, adoption: v1alpha1.AdoptionReview,
			proposed: []string{"grow topic orders from 3 to 6 partitions"},
			refused:  []string{v1alpha1.ReasonAdoptionReview},
		},
		"foreign that differs is changed under Adopt": {
			reason: "Adopt says so plainly", desired: differs, observed: foreign, adoption: v1alpha1.AdoptionAdopt,
			steps: []string{"grow topic orders from 3 to 6 partitions"},
		},
		"foreign under Adopt in mode Observe is only proposed": {
			reason: "mode Observe never writes", desired: differs, observed: foreign, adoption: v1alpha1.AdoptionAdopt, mode: v1alpha1.ModeObserve,
			proposed: []string{"grow topic orders from 3 to 6 partitions"},
		},
		"foreign is refused under Refuse even if it agrees": {
			reason: "Refuse never takes over a topic", desired: empty, observed: foreign, adoption: v1alpha1.AdoptionRefuse,
			refused: []string{v1alpha1.ReasonAdoptionRefused},
		},
		"owned that agrees needs nothing": {
			reason: "converged", desired: empty, observed: seen(3, nil), owned: ours,
		},
		"owned is corrected whatever adoption says": {
			reason: "adoption is about the first contact only", desired: differs, observed: seen(3, nil), owned: ours, adoption: v1alpha1.AdoptionRefuse,
			steps: []string{"grow topic orders from 3 to 6 partitions"},
		},
		"missing is reported": {
			reason: "an empty topic in the place of a lost one hides the loss (trap 4)", desired: empty, observed: absent, owned: ours,
			refused: []string{v1alpha1.ReasonTopicMissing},
		},
		"missing is recreated when onMissing says so": {
			reason: "onMissing: Recreate asks for it plainly", desired: empty, observed: absent, owned: ours, missing: v1alpha1.MissingRecreate,
			steps: []string{"create topic orders with 3 partitions, the broker's replication factor"},
		},
		"replaced is refused, even by Adopt": {
			reason: "same name and another topic ID is another topic (trap 4)", desired: differs, observed: foreign, owned: ours, adoption: v1alpha1.AdoptionAdopt,
			refused: []string{v1alpha1.ReasonTopicReplaced},
		},
		"replaced is refused, even with onMissing Recreate": {
			reason: "it is not missing", desired: differs, observed: foreign, owned: ours, missing: v1alpha1.MissingRecreate,
			refused: []string{v1alpha1.ReasonTopicReplaced},
		},
		"replaced and accepted is ours": {
			reason: "a person has checked the new topic ID", desired: differs, observed: foreign, owned: ours, accepted: theirs,
			steps: []string{"grow topic orders from 3 to 6 partitions"},
		},
		"replaced by a third topic is refused though a second is accepted": {
			reason: "what was accepted was another one", desired: differs, observed: foreign, owned: ours, accepted: topic.ID{3},
			refused: []string{v1alpha1.ReasonTopicReplaced},
		},
		"accepted alone does not take a topic over": {
			reason: "first contact follows adoption", desired: empty, observed: foreign, accepted: theirs, adoption: v1alpha1.AdoptionRefuse, owned: never,
			refused: []string{v1alpha1.ReasonAdoptionRefused},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := topic.Policy{
				Mode: tt.mode, Adoption: tt.adoption, OnMissing: tt.missing, Owned: tt.owned, Accepted: tt.accepted, Cluster: brokers(3),
			}
			plan := topic.MakePlan(tt.desired, tt.observed, p)
			check(t, tt.reason, plan, tt.steps, tt.proposed, tt.refused)
		})
	}
}

func check(t *testing.T, reason string, plan topic.Plan, steps, proposed, refused []string) {
	t.Helper()
	if diff := cmp.Diff(steps, topic.Lines(plan.Steps)); diff != "" {
		t.Errorf("%s\nsteps (-want +got):\n%s", reason, diff)
	}
	if diff := cmp.Diff(proposed, topic.Lines(plan.Proposed)); diff != "" {
		t.Errorf("%s\nproposed (-want +got):\n%s", reason, diff)
	}
	if diff := cmp.Diff(refused, reasons(plan)); diff != "" {
		t.Errorf("%s\nrefusals (-want +got):\n%s%+v", reason, diff, plan.Refusals)
	}
	if got, want := plan.Converged(), len(steps)+len(proposed)+len(refused) == 0; got != want {
		t.Errorf("%s\nConverged() = %t, want %t", reason, got, want)
	}
}

func TestMakePlanRefusesInternalTopics(t *testing.T) {
	o := seen(50, nil)
	o.Internal = true
	p := adopt()
	p.Owned = topic.ID{}
	plan := topic.MakePlan(topic.Desired{Name: "__consumer_offsets", Partitions: new(int32(60))}, o, p)
	check(t, "Kafka's own topics are never touched", plan, nil, nil, []string{v1alpha1.ReasonInvalidSpec})
}

func TestMakePlanPartitions(t *testing.T) {
	compacted := map[string]topic.Entry{topic.KeyCleanupPolicy: override("delete, compact", topic.TypeList)}
	deleted := map[string]topic.Entry{topic.KeyCleanupPolicy: inherited("delete", topic.TypeList)}
	tests := map[string]struct {
		reason      string
		want        *int32
		observed    topic.Observed
		acknowledge []v1alpha1.DangerousChange
		steps       []string
		refused     []string
	}{
		"absent leaves the number to the cluster": {
			reason: "nil means unset", observed: seen(5, nil),
		},
		"equal needs nothing": {
			reason: "converged", want: new(int32(5)), observed: seen(5, nil),
		},
		"more grows": {
			reason: "Kafka adds partitions at once", want: new(int32(6)), observed: seen(5, deleted),
			steps: []string{"grow topic orders from 5 to 6 partitions"},
		},
		"fewer is refused": {
			reason: "Kafka cannot remove partitions", want: new(int32(4)), observed: seen(5, nil),
			refused: []string{v1alpha1.ReasonPartitionsShrink},
		},
		"growing a compacted topic needs a word": {
			reason: "keys move to other partitions (trap 18)", want: new(int32(6)), observed: seen(5, compacted),
			refused: []string{v1alpha1.ReasonAcknowledgeRequired},
		},
		"growing a compacted topic with another word is still refused": {
			reason: "each danger has its own name", want: new(int32(6)), observed: seen(5, compacted),
			acknowledge: []v1alpha1.DangerousChange{v1alpha1.RetentionCut},
			refused:     []string{v1alpha1.ReasonAcknowledgeRequired},
		},
		"growing a compacted topic with the word grows": {
			reason: "the manifest names the danger", want: new(int32(6)), observed: seen(5, compacted),
			acknowledge: []v1alpha1.DangerousChange{v1alpha1.PartitionGrowthOnCompactedTopic},
			steps:       []string{"grow topic orders from 5 to 6 partitions"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := adopt()
			p.Acknowledged = tt.acknowledge
			plan := topic.MakePlan(topic.Desired{Name: "orders", Partitions: tt.want}, tt.observed, p)
			check(t, tt.reason, plan, tt.steps, nil, tt.refused)
		})
	}
}

func TestMakePlanReplicasAndMinISR(t *testing.T) {
	minISR := func(n string) map[string]string { return map[string]string{topic.KeyMinInsyncReplicas: n} }
	fenced := brokers(3)
	fenced.Brokers[2].Fenced = true
	tests := map[string]struct {
		reason   string
		desired  topic.Desired
		observed topic.Observed
		cluster  topic.Cluster
		steps    []string
		refused  []string
	}{
		"create with more replicas than brokers": {
			reason: "said with the count, before the broker says it (trap 13)", desired: topic.Desired{Replication: new(int16(4))}, cluster: brokers(3),
			refused: []string{v1alpha1.ReasonReplicationFactorTooLarge},
		},
		"create with as many replicas as brokers, one of them fenced": {
			reason: "KRaft places replicas on fenced brokers when it must", desired: topic.Desired{Replication: new(int16(3))}, cluster: fenced,
			steps: []string{"create topic orders with the broker's number of partitions, replication factor 3"},
		},
		"create on a cluster that has not told of its brokers": {
			reason: "nothing is known, so the broker judges", desired: topic.Desired{Replication: new(int16(4))},
			steps: []string{"create topic orders with the broker's number of partitions, replication factor 4"},
		},
		"create with min ISR above the replication factor": {
			reason: "no producer with acks=all could write", desired: topic.Desired{Replication: new(int16(2)), Config: minISR("3")}, cluster: brokers(3),
			refused: []string{v1alpha1.ReasonMinInsyncReplicasTooLarge},
		},
		"create with min ISR above the live brokers": {
			reason: "no producer with acks=all could write until a broker is back", desired: topic.Desired{Replication: new(int16(3)), Config: minISR("3")}, cluster: fenced,
			refused: []string{v1alpha1.ReasonMinInsyncReplicasTooLarge},
		},
		"create with min ISR and the broker's replication factor": {
			reason: "the replication factor is not known before", desired: topic.Desired{Config: minISR("2")}, cluster: brokers(3),
			steps: []string{"create topic orders with the broker's number of partitions, the broker's replication factor, min.insync.replicas=2"},
		},
		"create with min ISR on a cluster that has not told of its brokers": {
			reason: "nothing is known, so the broker judges", desired: topic.Desired{Config: minISR("2")},
			steps: []string{"create topic orders with the broker's number of partitions, the broker's replication factor, min.insync.replicas=2"},
		},
		"raise min ISR above the replicas that there are": {
			reason: "the topic has three replicas", desired: topic.Desired{Config: minISR("4")}, observed: seen(1, nil), cluster: brokers(5),
			refused: []string{v1alpha1.ReasonMinInsyncReplicasTooLarge},
		},
		"raise min ISR to the replicas that there are": {
			reason: "allowed, if unwise; Durable says so", desired: topic.Desired{Config: minISR("3")}, observed: seen(1, nil), cluster: brokers(3),
			steps: []string{"set min.insync.replicas to 3"},
		},
		"min ISR that is in force already is not judged": {
			reason: "a broker that is down for a moment must not make a converged topic refuse", desired: topic.Desired{Config: minISR("3")},
			observed: seen(1, map[string]topic.Entry{topic.KeyMinInsyncReplicas: override("3", topic.TypeInt)}), cluster: fenced,
		},
		"a refused min ISR does not hold back another key": {
			reason:  "a key that is refused holds back no other (trap 11)",
			desired: topic.Desired{Config: map[string]string{topic.KeyMinInsyncReplicas: "9", "retention.ms": "1000"}}, observed: seen(1, nil), cluster: brokers(3),
			steps:   []string{"set retention.ms to 1000"},
			refused: []string{v1alpha1.ReasonMinInsyncReplicasTooLarge},
		},
		"more replicas than brokers on a topic that exists": {
			reason: "no reassignment could reach it", desired: topic.Desired{Replication: new(int16(4))}, observed: seen(1, nil), cluster: brokers(3),
			refused: []string{v1alpha1.ReasonReplicationFactorTooLarge},
		},
		"the replicas that there are": {
			reason: "converged", desired: topic.Desired{Replication: new(int16(3))}, observed: seen(1, nil), cluster: brokers(3),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := adopt()
			p.Cluster = tt.cluster
			if !tt.observed.Exists() {
				p.Owned = topic.ID{}
			}
			tt.desired.Name = "orders"
			check(t, tt.reason, topic.MakePlan(tt.desired, tt.observed, p), tt.steps, nil, tt.refused)
		})
	}
}

// A reassignment in flight lists old and new replicas together; the target is what counts (trap 12).
func TestMakePlanTakesAMoveInFlightForDone(t *testing.T) {
	o := seen(1, nil)
	o.Partitions[0] = topic.Partition{Leader: 1, Replicas: []int32{4, 5, 1, 2, 3}, ISR: []int32{1, 2, 3}, Adding: []int32{4, 5}, Removing: []int32{2, 3}}
	plan := topic.MakePlan(topic.Desired{Name: "orders", Replication: new(int16(3))}, o, adopt())
	check(t, "the target is 4, 5, 1", plan, nil, nil, nil)
}

func TestRefusalsSayHowToMend(t *testing.T) {
	foreign := seen(3, nil)
	foreign.ID = theirs
	tests := map[string]struct {
		plan topic.Plan
		says []string
	}{
		"shrink": {
			topic.MakePlan(topic.Desired{Name: "orders", Partitions: new(int32(1))}, seen(3, nil), adopt()),
			[]string{"orders", "has 3 partitions", "set spec.partitions to 3"},
		},
		"replaced": {
			topic.MakePlan(topic.Desired{Name: "orders"}, foreign, adopt()),
			[]string{ours.String(), "set spec.acceptTopicID to " + theirs.String()},
		},
		"missing": {
			topic.MakePlan(topic.Desired{Name: "orders"}, topic.Observed{}, adopt()),
			[]string{ours.String(), "set spec.onMissing to Recreate"},
		},
		"review": {
			topic.MakePlan(topic.Desired{Name: "orders", Partitions: new(int32(4)), Config: map[string]string{"a": "1", "b": "2"}}, foreign,
				topic.Policy{Adoption: v1alpha1.AdoptionReview}),
			[]string{"which would grow topic orders from 3 to 4 partitions; set a to 1; set b to 2; change the manifest", "set spec.adoption to Adopt"},
		},
		"too many replicas": {
			topic.MakePlan(topic.Desired{Name: "orders", Replication: new(int16(5))}, topic.Observed{}, topic.Policy{Cluster: brokers(1)}),
			[]string{"replicationFactor is 5", "has 1 broker;", "add brokers"},
		},
		"acknowledge": {
			topic.MakePlan(topic.Desired{Name: "orders", Config: map[string]string{"cleanup.policy": "delete"}},
				seen(1, map[string]topic.Entry{"cleanup.policy": override("compact", topic.TypeList)}), adopt()),
			[]string{"cleanup.policy from compact to delete", "add CompactionRemoved to spec.acknowledge"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if len(tt.plan.Refusals) == 0 {
				t.Fatalf("want a refusal, got %+v", tt.plan)
			}
			for _, words := range tt.says {
				if !strings.Contains(tt.plan.Refusals[0].Message, words) {
					t.Errorf("%q does not say %q", tt.plan.Refusals[0].Message, words)
				}
			}
		})
	}
}

func TestStateOf(t *testing.T) {
	foreign := seen(1, nil)
	foreign.ID = theirs
	old := seen(1, nil)
	old.ID = topic.ID{}
	tests := map[string]struct {
		o    topic.Observed
		p    topic.Policy
		want topic.State
	}{
		"nothing there, nothing ours":           {topic.Observed{}, topic.Policy{}, topic.Absent},
		"nothing there, one was ours":           {topic.Observed{}, topic.Policy{Owned: ours}, topic.Missing},
		"one there, nothing ours":               {foreign, topic.Policy{}, topic.Foreign},
		"one there, nothing ours, but accepted": {foreign, topic.Policy{Accepted: theirs}, topic.Foreign},
		"ours":                                  {seen(1, nil), topic.Policy{Owned: ours}, topic.Owned},
		"another":                               {foreign, topic.Policy{Owned: ours}, topic.Replaced},
		"another that is accepted":              {foreign, topic.Policy{Owned: ours, Accepted: theirs}, topic.Owned},
		"without a topic ID, nothing ours":      {old, topic.Policy{}, topic.Foreign},
		"without a topic ID, one was ours":      {old, topic.Policy{Owned: ours}, topic.Replaced},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := topic.StateOf(tt.o, tt.p); got != tt.want {
				t.Errorf("StateOf = %d, want %d", got, tt.want)
			}
		})
	}
}
