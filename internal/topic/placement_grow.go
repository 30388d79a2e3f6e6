package topic

import (
	"cmp"
	"slices"
	"sort"
)

// grow adds replicas behind those that there are. A replica on a broker that is fenced or cordoned stays: it may be back
// in a minute, and whoever cordons a broker empties it by other means.
func (l *layout) grow(s *slot, p Partition, replication int) {
	switch {
	case p.Leader < 0 || len(s.replicas) == 0:
		s.held = leaderless
		return
	case l.room(s.replicas) < replication-len(s.replicas):
		s.held = tooFewBrokers
		return
	}
	for len(s.replicas) < replication {
		id := l.next(p.Number, s.replicas)
		s.replicas = append(s.replicas, id)
		l.load[id]++
	}
}

// room counts the brokers that could take a replica of a partition that has these.
func (l *layout) room(replicas []int32) int {
	n := 0
	for _, b := range l.eligible {
		if !slices.Contains(replicas, b.ID) {
			n++
		}
	}
	return n
}

// next is the broker for one more replica: in the rack that has the fewest of the partition's replicas, and of those the
// one with the fewest of the topic's. A tie goes to the first behind the preferred leader, and further on for each
// partition number: going by the id alone would put the copies of every small topic on the same few brokers.
func (l *layout) next(partition int32, replicas []int32) int32 {
	n := len(l.eligible)
	start := sort.Search(n, func(i int) bool { return l.eligible[i].ID > replicas[0] }) + int(partition)
	best, bestRack := int32(-1), 0
	for i := range n {
		b := l.eligible[(start+i)%n]
		if slices.Contains(replicas, b.ID) {
			continue
		}
		inRack := l.inRack(replicas, b.rack())
		if best < 0 || cmp.Or(cmp.Compare(inRack, bestRack), cmp.Compare(l.load[b.ID], l.load[best])) < 0 {
			best, bestRack = b.ID, inRack
		}
	}
	return best
}
