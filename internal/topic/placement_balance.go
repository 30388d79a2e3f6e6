package topic

import (
	"cmp"
	"slices"
)

// balance evens out what grow added. Taking the least loaded broker for one partition after the other can paint the last
// ones into a corner: their least loaded brokers may be those that they are on already. As long as some broker has two
// replicas more than another, and new replicas can be handed on from the one to the other, perhaps over brokers in
// between, one replica goes that way. Each round brings the loads closer together, so it ends; when it ends no exchange
// of new replicas makes the loads more even. Nothing that was there before is touched, and no partition gets more
// replicas into one rack than it had.
func (l *layout) balance(slots []slot) {
	if !slices.ContainsFunc(slots, func(s slot) bool { return len(s.replicas) > s.kept }) {
		return
	}
	for l.uneven() && l.handOn(slots) {
	}
}

func (l *layout) uneven() bool {
	least, most := 0, 0
	for i, b := range l.eligible {
		n := l.load[b.ID]
		if i == 0 {
			least, most = n, n
		}
		least, most = min(least, n), max(most, n)
	}
	return most >= least+2
}

// handover is a new replica that can go from one broker to another: the at-th of a slot. from is the broker that it is on.
type handover struct {
	slot, at int
	from     int32
}

// handOn finds the way from a loaded broker to one with at least two replicas less, and takes it. It starts with the
// most loaded broker.
func (l *layout) handOn(slots []slot) bool {
	ways := l.handovers(slots)
	sources := slices.Clone(l.eligible)
	slices.SortStableFunc(sources, func(a, b Broker) int { return cmp.Compare(l.load[b.ID], l.load[a.ID]) })
	for _, source := range sources {
		if to, reached, ok := l.search(source.ID, ways); ok {
			l.take(slots, source.ID, to, reached)
			return true
		}
	}
	return false
}

// handovers lists for each broker which of its new replicas each other broker could have. The first one found is enough.
func (l *layout) handovers(slots []slot) map[int32]map[int32]handover {
	ways := make(map[int32]map[int32]handover, len(l.eligible))
	for i, s := range slots {
		for at := s.kept; at < len(s.replicas); at++ {
			from := s.replicas[at]
			if ways[from] == nil {
				ways[from] = make(map[int32]handover, len(l.eligible))
			}
			for _, to := range l.eligible {
				if _, known := ways[from][to.ID]; !known && l.mayTake(s, at, to) {
					ways[from][to.ID] = handover{slot: i, at: at, from: from}
				}
			}
		}
	}
	return ways
}

// mayTake says whether a broker may have a new replica in another's place: the partition's racks stay as even.
func (l *layout) mayTake(s slot, at int, to Broker) bool {
	if slices.Contains(s.replicas, to.ID) {
		return false
	}
	before, after := l.rackOf(s.replicas[at]), to.rack()
	return before == after || l.inRack(s.replicas, after) < l.inRack(s.replicas, before)
}

// search goes breadth first, so the way that it finds is the shortest. It has to be: two handovers in one partition may
// each be allowed and together crowd a rack, but then the first could have gone where the second goes, which is shorter.
// reached holds for each broker how a replica gets there.
func (l *layout) search(source int32, ways map[int32]map[int32]handover) (int32, map[int32]handover, bool) {
	reached := map[int32]handover{source: {}}
	for queue := []int32{source}; len(queue) > 0; queue = queue[1:] {
		for _, b := range l.eligible {
			way, ok := ways[queue[0]][b.ID]
			if _, known := reached[b.ID]; !ok || known {
				continue
			}
			reached[b.ID] = way
			if l.load[b.ID]+2 <= l.load[source] {
				return b.ID, reached, true
			}
			queue = append(queue, b.ID)
		}
	}
	return 0, nil, false
}

// take hands the replicas on, from the end of the way back to its source.
func (l *layout) take(slots []slot, source, to int32, reached map[int32]handover) {
	l.load[to]++
	l.load[source]--
	for to != source {
		way := reached[to]
		slots[way.slot].replicas[way.at] = to
		to = way.from
	}
}
