package topic

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// Assignment is where the replicas of one partition are to be, the preferred leader first.
type Assignment struct {
	Partition int32
	Replicas  []int32
}

// Place decides where the replicas of each partition are to be, so that every partition has as many as replication says.
// It moves nothing without need: a partition that has that many stays as it is, wherever they are, and so does one that a
// reassignment is moving (KIP-455), which counts as if it had arrived.
//
// Growing keeps every replica in its order, so that the preferred leader stays, and adds brokers that live, are not
// cordoned (KIP-1066), bring in another rack if there is one, and hold few replicas of the topic.
//
// Shrinking keeps the leader and the in-sync replicas first. minISR is min.insync.replicas: it does not cut a partition
// that has fewer than min(minISR, replication) of them in sync, because those few may be all that acknowledged records have.
//
// Partitions that cannot be placed have no assignment; the refusals name them, one refusal for each cause. They hold
// back no others. The same partitions and brokers give the same answer, in whatever order the brokers come.
func Place(partitions []Partition, replication, minISR int, brokers []Broker) ([]Assignment, []Refusal) {
	if replication < 1 {
		return nil, []Refusal{{Reason: v1alpha1.ReasonInvalidSpec, Message: fmt.Sprintf("replication factor %d: it must be 1 or more", replication)}}
	}
	l := newLayout(partitions, brokers)
	slots := make([]slot, len(partitions))
	held := make(map[hold][]int32)
	for i, p := range partitions {
		slots[i] = l.settle(p, replication, minISR)
	}
	for i, p := range partitions {
		if slots[i].grows() {
			l.grow(&slots[i], p, replication)
		}
	}
	l.balance(slots)
	var assignments []Assignment
	for i, p := range partitions {
		if why := slots[i].held; why != placed {
			held[why] = append(held[why], p.Number)
			continue
		}
		assignments = append(assignments, Assignment{Partition: p.Number, Replicas: slots[i].replicas})
	}
	return assignments, l.refusals(held, replication, minISR)
}

// slot is one partition while it is being placed.
type slot struct {
	replicas []int32
	// kept counts the replicas in front that were there before; those behind it are new.
	kept int
	held hold
	want int
}

func (s slot) grows() bool { return s.held == placed && len(s.replicas) < s.want }

// settle places a partition that does not grow. Those come first, because what they give up is room for those that do.
func (l *layout) settle(p Partition, replication, minISR int) slot {
	present := slices.Clone(p.Target())
	s := slot{replicas: present, kept: len(present), want: replication}
	switch {
	case p.Moving():
		s.want = len(present)
	case len(present) > replication:
		s.replicas, s.held = l.shrink(p, replication, minISR)
		s.kept = len(s.replicas)
	}
	return s
}

// hold is why a partition cannot be placed.
type hold int

const (
	placed hold = iota
	// leaderless: there is nothing to copy from. A reassignment would wait for a leader, and take up one of the places
	// in which others could move.
	leaderless
	// outOfSync: no replica is known to have every acknowledged record.
	outOfSync
	// tooFewInSync: in-sync replicas fewer than min.insync.replicas.
	tooFewInSync
	// tooFewBrokers: not enough brokers take new replicas.
	tooFewBrokers
	holds
)

// refusals says why partitions were held, in a fixed order.
func (l *layout) refusals(held map[hold][]int32, replication, minISR int) []Refusal {
	var refusals []Refusal
	for why := placed + 1; why < holds; why++ {
		if len(held[why]) > 0 {
			reason, text := l.refusal(why, replication, minISR)
			refusals = append(refusals, Refusal{Reason: reason, Message: named(held[why]) + ": " + text})
		}
	}
	return refusals
}

func (l *layout) refusal(why hold, replication, minISR int) (reason, text string) {
	switch why {
	case leaderless:
		return v1alpha1.ReasonBlocked, "no leader to copy new replicas from; bring back a broker that holds the partition"
	case outOfSync:
		return v1alpha1.ReasonBlocked, fmt.Sprintf(
			"no in-sync replica that a cut to replication factor %d could keep, so it could drop the only complete copy; bring back a broker that holds the partition", replication)
	case tooFewInSync:
		return v1alpha1.ReasonBlocked, fmt.Sprintf(
			"fewer than %s in sync, as min.insync.replicas asks, so a cut to replication factor %d waits until more are; bring back the brokers that are behind",
			plural(leastInSync(replication, minISR), "replica"), replication)
	default:
		return v1alpha1.ReasonReplicationFactorTooLarge, fmt.Sprintf(
			"replication factor %d needs more brokers that take new replicas, and %d of %s do%s; bring brokers back, or lower spec.replicationFactor",
			replication, len(l.eligible), plural(len(l.brokers), "broker"), l.ineligible())
	}
}

// ineligible says which brokers take no new replicas and why; empty when all do.
func (l *layout) ineligible() string {
	var fenced, cordoned []int32
	for id, b := range l.brokers {
		switch {
		case b.Fenced:
			fenced = append(fenced, id)
		case b.Cordoned:
			cordoned = append(cordoned, id)
		}
	}
	var parts []string
	for _, group := range []struct {
		ids  []int32
		what string
	}{{fenced, "fenced"}, {cordoned, "cordoned"}} {
		if len(group.ids) > 0 {
			slices.Sort(group.ids)
			parts = append(parts, group.what+": "+numbers(group.ids))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// named names partitions in a message.
func named(partitions []int32) string {
	if len(partitions) == 1 {
		return "partition " + numbers(partitions)
	}
	return "partitions " + numbers(partitions)
}

// maxNumbers bounds a list in a message: a topic may have thousands of partitions, a condition only so many bytes.
const maxNumbers = 10

func numbers(ids []int32) string {
	var parts []string
	for _, id := range ids[:min(len(ids), maxNumbers)] {
		parts = append(parts, strconv.Itoa(int(id)))
	}
	text := strings.Join(parts, ", ")
	if more := len(ids) - maxNumbers; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
