package topic_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// on is a healthy partition: the first replica leads and all are in sync.
func on(number int32, replicas ...int32) topic.Partition {
	return topic.Partition{Number: number, Leader: replicas[0], Replicas: replicas, ISR: slices.Clone(replicas)}
}

// led is the partition with another leader, who is first among the in-sync replicas.
func led(p topic.Partition, leader int32, isr ...int32) topic.Partition {
	p.Leader, p.ISR = leader, isr
	return p
}

// racked are brokers 1 and up, one for each rack named.
func racked(racks ...string) []topic.Broker {
	var all []topic.Broker
	for i, rack := range racks {
		all = append(all, topic.Broker{ID: int32(i + 1), Rack: rack})
	}
	return all
}

// but changes one broker.
func but(all []topic.Broker, id int32, change func(*topic.Broker)) []topic.Broker {
	all = slices.Clone(all)
	for i := range all {
		if all[i].ID == id {
			change(&all[i])
		}
	}
	return all
}

func fence(b *topic.Broker)  { b.Fenced = true }
func cordon(b *topic.Broker) { b.Cordoned = true }

type placing struct {
	reason      string
	partitions  []topic.Partition
	replication int
	minISR      int
	brokers     []topic.Broker
	want        [][]int32
	refused     []string
	says        []string
}

func (tt placing) check(t *testing.T) {
	t.Helper()
	got, refusals := topic.Place(tt.partitions, tt.replication, tt.minISR, tt.brokers)
	var replicas [][]int32
	for _, a := range got {
		replicas = append(replicas, a.Replicas)
	}
	if !reflect.DeepEqual(replicas, tt.want) {
		t.Errorf("%s: placed on %v, want %v", tt.reason, replicas, tt.want)
	}
	var reasons, messages []string
	for _, r := range refusals {
		reasons, messages = append(reasons, r.Reason), append(messages, r.Message)
	}
	if !slices.Equal(reasons, tt.refused) {
		t.Errorf("%s: refused %q, want %q", tt.reason, reasons, tt.refused)
	}
	for _, text := range tt.says {
		if !strings.Contains(strings.Join(messages, "\n"), text) {
			t.Errorf("%s: refusals say %q, want %q in them", tt.reason, messages, text)
		}
	}
}

func TestPlaceGrowing(t *testing.T) {
	plain := racked("", "", "", "")
	tests := map[string]placing{
		"already there": {
			reason: "a partition with the wanted count is left alone, even where it stands badly", replication: 2,
			partitions: []topic.Partition{on(0, 1, 2)}, brokers: racked("a", "a", "b"), want: [][]int32{{1, 2}},
		},
		"the preferred leader stays first": {
			reason: "what is there keeps its order, so leadership does not move", replication: 3,
			partitions: []topic.Partition{led(on(0, 3, 1), 1, 1, 3)}, brokers: racked("", "", ""), want: [][]int32{{3, 1, 2}},
		},
		"an unused rack comes first": {
			reason: "two copies in a rack die together, so rack b wins over the idle broker 2", replication: 2,
			partitions: []topic.Partition{on(0, 1), on(1, 3, 4)}, brokers: racked("a", "a", "b", "b"), want: [][]int32{{1, 3}, {3, 4}},
		},
		"more replicas than racks": {
			reason: "the fifth replica goes to the rack with the fewest of them", replication: 5,
			partitions: []topic.Partition{on(0, 1, 2, 3)}, brokers: racked("a", "a", "b", "b", "c"), want: [][]int32{{1, 2, 3, 5, 4}},
		},
		"brokers without a rack": {
			reason: "each of them fails alone, so it is as good as a rack", replication: 3,
			partitions: []topic.Partition{on(0, 1)}, brokers: racked("a", "a", "", ""), want: [][]int32{{1, 3, 4}},
		},
		"the least loaded broker": {
			reason: "broker 4 has nothing of the topic", replication: 3,
			partitions: []topic.Partition{on(0, 1, 2), on(1, 2, 3, 1), on(2, 3, 1, 2)}, brokers: plain, want: [][]int32{{1, 2, 4}, {2, 3, 1}, {3, 1, 2}},
		},
		"ties go round": {
			reason: "equal brokers take turns from behind the preferred leader, instead of the lowest ids taking all", replication: 2,
			partitions: []topic.Partition{on(0, 2)}, brokers: plain, want: [][]int32{{2, 3}},
		},
		"no broker above another": {
			reason: "the last partition has only loaded brokers left, so an earlier one hands on", replication: 2,
			partitions: []topic.Partition{on(0, 1), on(1, 2), on(2, 3)}, brokers: racked("", "", ""), want: [][]int32{{1, 2}, {2, 3}, {3, 1}},
		},
		"a fenced broker takes none": {
			reason: "it would catch up with nothing (trap 22)", replication: 2,
			partitions: []topic.Partition{on(0, 1)}, brokers: but(plain, 2, fence), want: [][]int32{{1, 3}},
		},
		"a cordoned broker takes none": {
			reason: "somebody is emptying it (KIP-1066)", replication: 2,
			partitions: []topic.Partition{on(0, 1)}, brokers: but(plain, 2, cordon), want: [][]int32{{1, 3}},
		},
		"replicas on a fenced and a cordoned broker stay": {
			reason: "growing moves nothing away", replication: 3,
			partitions: []topic.Partition{led(on(0, 1, 2), 2, 2)}, brokers: but(but(plain, 1, fence), 2, cordon), want: [][]int32{{1, 2, 3}},
		},
		"a replica on a broker that is not listed stays": {
			reason: "old clusters do not list a broker that is down; dropping its replica for that would lose a copy", replication: 2,
			partitions: []topic.Partition{led(on(0, 9, 1), 1, 1), on(1, 1)}, brokers: racked("", ""), want: [][]int32{{9, 1}, {1, 2}},
		},
		"too few brokers": {
			reason: "the partition that broker 3 holds already can have it", replication: 3,
			partitions: []topic.Partition{on(0, 1, 2), on(1, 1, 3)}, brokers: but(racked("", "", ""), 3, fence),
			want: [][]int32{{1, 3, 2}}, refused: []string{v1alpha1.ReasonReplicationFactorTooLarge}, says: []string{"partition 0:", "2 of 3 brokers do (fenced: 3)"},
		},
		"no leader": {
			reason: "there is nothing to copy from, and a move would wait in the place of another", replication: 2,
			partitions: []topic.Partition{led(on(0, 1), -1), on(1, 2)}, brokers: plain,
			want: [][]int32{{2, 4}}, refused: []string{v1alpha1.ReasonBlocked}, says: []string{"partition 0: no leader"},
		},
		"on the move": {
			reason: "it has a mover; it counts as being where it goes, so broker 4 is not the idle one", replication: 2,
			partitions: []topic.Partition{{Number: 0, Leader: 1, Replicas: []int32{4, 1}, ISR: []int32{1}, Adding: []int32{4}, Removing: []int32{1}}, on(1, 3)},
			brokers:    plain, want: [][]int32{{4}, {3, 1}},
		},
		"not a factor": {
			reason: "no partition can have none", partitions: []topic.Partition{on(0, 1)}, brokers: plain, refused: []string{v1alpha1.ReasonInvalidSpec},
		},
	}
	for name, tt := range tests {
		t.Run(name, tt.check)
	}
}

func TestPlaceShrinking(t *testing.T) {
	plain := racked("", "", "", "")
	tests := map[string]placing{
		"the leader stays and becomes preferred": {
			reason: "cutting the list would drop it (trap 19)", replication: 2, minISR: 1,
			partitions: []topic.Partition{led(on(0, 1, 2, 3), 3, 1, 2, 3)}, brokers: plain, want: [][]int32{{3, 1}},
		},
		"in-sync replicas stay": {
			reason: "broker 2 is behind, so it goes, although it is second (trap 19)", replication: 2, minISR: 2,
			partitions: []topic.Partition{led(on(0, 1, 2, 3), 1, 1, 3)}, brokers: plain, want: [][]int32{{1, 3}},
		},
		"racks stay apart": {
			reason: "brokers 1 and 2 share a rack", replication: 2,
			partitions: []topic.Partition{on(0, 1, 2, 3)}, brokers: racked("a", "a", "b"), want: [][]int32{{1, 3}},
		},
		"in sync before racks": {
			reason: "a copy that is behind in another rack is no copy", replication: 2,
			partitions: []topic.Partition{led(on(0, 1, 2, 3), 1, 1, 2)}, brokers: racked("a", "a", "b"), want: [][]int32{{1, 2}},
		},
		"a cordoned broker goes first": {
			reason: "somebody is emptying it", replication: 2,
			partitions: []topic.Partition{on(0, 1, 2, 3)}, brokers: but(plain, 2, cordon), want: [][]int32{{1, 3}},
		},
		"a fenced broker goes first": {
			reason: "of two that are behind, the one that serves will catch up", replication: 2, minISR: 1,
			partitions: []topic.Partition{led(on(0, 1, 2, 3), 1, 1)}, brokers: but(plain, 2, fence), want: [][]int32{{1, 3}},
		},
		"the loaded broker goes first": {
			reason: "broker 2 has a replica more than broker 3", replication: 2,
			partitions: []topic.Partition{on(0, 1, 2, 3), on(1, 4, 2)}, brokers: plain, want: [][]int32{{1, 3}, {4, 2}},
		},
		"without a leader": {
			reason: "the last in-sync replica is the one with the records", replication: 1, minISR: 1,
			partitions: []topic.Partition{led(on(0, 1, 2), -1, 2)}, brokers: but(plain, 2, fence), want: [][]int32{{2}},
		},
		"no in-sync replica": {
			reason: "nobody knows which copy is complete", replication: 1, minISR: 1,
			partitions: []topic.Partition{led(on(0, 1, 2), -1), on(1, 2, 1)}, brokers: plain,
			want: [][]int32{{2}}, refused: []string{v1alpha1.ReasonBlocked}, says: []string{"partition 0:", "only complete copy"},
		},
		"fewer in sync than min ISR": {
			reason: "acks=all promised two copies", replication: 2, minISR: 2,
			partitions: []topic.Partition{led(on(0, 1, 2, 3), 1, 1), led(on(1, 1, 2, 3), 1, 1), on(2, 2, 3, 1)}, brokers: plain,
			want: [][]int32{{2, 3}}, refused: []string{v1alpha1.ReasonBlocked}, says: []string{"partitions 0, 1: fewer than 2 replicas"},
		},
		"min ISR above the factor": {
			reason: "all that stay must be in sync; more cannot be", replication: 2, minISR: 3,
			partitions: []topic.Partition{led(on(0, 1, 2, 3), 1, 1, 2)}, brokers: plain, want: [][]int32{{1, 2}},
		},
		"a broker that is not listed": {
			reason: "it does not serve, so its replica goes", replication: 1, minISR: 1,
			partitions: []topic.Partition{led(on(0, 9, 1), 1, 1)}, brokers: plain, want: [][]int32{{1}},
		},
		"mixed factors": {
			reason: "one gives up a replica on the loaded broker 1 before the other looks for room", replication: 2,
			partitions: []topic.Partition{on(0, 1), on(1, 2, 1, 3)}, brokers: racked("", "", ""), want: [][]int32{{1, 2}, {2, 3}},
		},
	}
	for name, tt := range tests {
		t.Run(name, tt.check)
	}
}

func TestPlaceBoundsItsMessages(t *testing.T) {
	var partitions []topic.Partition
	for i := range 500 {
		partitions = append(partitions, on(int32(i), 1))
	}
	_, refusals := topic.Place(partitions, 2, 1, but(racked("", ""), 2, cordon))
	if len(refusals) != 1 || len(refusals[0].Message) > 400 || !strings.Contains(refusals[0].Message, "8, 9 and 490 more") {
		t.Errorf("one refusal of bounded length names the first partitions: %+v", refusals)
	}
}

func TestRackSpread(t *testing.T) {
	tests := map[string]struct {
		reason     string
		partitions []topic.Partition
		brokers    []topic.Broker
		want       int
	}{
		"spread":          {"one rack for each replica", []topic.Partition{on(0, 1, 3), on(1, 4, 2)}, racked("a", "a", "b", "b"), 0},
		"together":        {"both in rack a while b is there", []topic.Partition{on(0, 1, 2), on(1, 1, 3)}, racked("a", "a", "b", "b"), 1},
		"too few racks":   {"three replicas in two racks is the best there is", []topic.Partition{on(0, 1, 2, 3)}, racked("a", "a", "b", "b"), 0},
		"no racks":        {"every broker is a rack of its own", []topic.Partition{on(0, 1, 2)}, racked("", ""), 0},
		"a cordoned rack": {"rack b takes no new replicas", []topic.Partition{on(0, 1, 2)}, but(racked("a", "a", "b"), 3, cordon), 0},
		"a fenced rack":   {"it is a place to be, once it is back", []topic.Partition{on(0, 1, 2)}, but(racked("a", "a", "b"), 3, fence), 1},
		"on the move": {"it goes to another rack", []topic.Partition{{Replicas: []int32{1, 3, 2}, Adding: []int32{3}, Removing: []int32{2}}},
			racked("a", "a", "b"), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := topic.RackSpread(topic.Observed{Partitions: tt.partitions}, tt.brokers); got != tt.want {
				t.Errorf("%s: RackSpread = %d, want %d", tt.reason, got, tt.want)
			}
		})
	}
}
