package topic

import (
	"cmp"
	"slices"
)

// shrink chooses the replicas that stay. The current leader becomes the preferred one, so that leadership need not move;
// without a leader it is the first in-sync replica. The others keep their order. The controller drops replicas only once
// all that stay are in sync (PartitionReassignmentReplicas.maybeCompleteReassignment), which guards a replica that lags,
// and not one that was chosen wrongly.
func (l *layout) shrink(p Partition, replication, minISR int) ([]int32, hold) {
	present := p.Target()
	inSync := func(id int32) bool { return slices.Contains(p.ISR, id) }
	kept := make([]int32, 0, replication)
	if head, ok := newPreferred(p); ok {
		kept = append(kept, head)
	}
	for len(kept) < replication {
		kept = append(kept, l.best(p, kept))
	}
	switch n := countIf(kept, inSync); {
	case n == 0:
		return present, outOfSync
	case n < leastInSync(replication, minISR):
		return present, tooFewInSync
	}
	for _, id := range present {
		if !slices.Contains(kept, id) {
			l.load[id]--
		}
	}
	slices.SortStableFunc(kept[1:], func(a, b int32) int {
		return cmp.Compare(slices.Index(present, a), slices.Index(present, b))
	})
	return kept, placed
}

// leastInSync is how many of the replicas that stay must be in sync: acks=all promised that many copies.
func leastInSync(replication, minISR int) int { return min(max(minISR, 1), replication) }

// newPreferred is the leader, or without one the first in-sync replica.
func newPreferred(p Partition) (int32, bool) {
	present := p.Target()
	if slices.Contains(present, p.Leader) {
		return p.Leader, true
	}
	i := slices.IndexFunc(p.ISR, func(id int32) bool { return slices.Contains(present, id) })
	if i < 0 {
		return 0, false
	}
	return p.ISR[i], true
}

// best is the replica to keep next: in sync first, then in a rack with few that are kept, then on a broker that nobody is
// emptying, then where the topic has few replicas, then in order.
func (l *layout) best(p Partition, kept []int32) int32 {
	candidates := slices.DeleteFunc(slices.Clone(p.Target()), func(id int32) bool { return slices.Contains(kept, id) })
	return slices.MinFunc(candidates, func(a, b int32) int {
		return cmp.Or(
			cmp.Compare(l.lag(p, a), l.lag(p, b)),
			cmp.Compare(l.inRack(kept, l.rackOf(a)), l.inRack(kept, l.rackOf(b))),
			cmp.Compare(l.cordoned(a), l.cordoned(b)),
			cmp.Compare(l.load[a], l.load[b]),
		)
	})
}

// lag ranks a replica by how much it can be relied on. In sync and fenced happens for a moment, while one of the two is
// older than the other, and for as long as it takes on the last in-sync replica of a partition without a leader.
func (l *layout) lag(p Partition, id int32) int {
	rank := 0
	if l.fenced(id) {
		rank++
	}
	if !slices.Contains(p.ISR, id) {
		rank += 2
	}
	return rank
}

func (l *layout) cordoned(id int32) int {
	if l.brokers[id].Cordoned {
		return 1
	}
	return 0
}

func countIf(ids []int32, is func(int32) bool) int {
	n := 0
	for _, id := range ids {
		if is(id) {
			n++
		}
	}
	return n
}
