package topic

import (
	"cmp"
	"slices"
)

// layout is the brokers, and how many replicas of the topic each of them has as placing goes on. Replicas of other topics
// do not count: one topic is all that a plan sees.
type layout struct {
	brokers map[int32]Broker
	// eligible are the brokers that take new replicas, in order of their id.
	eligible []Broker
	load     map[int32]int
}

func newLayout(partitions []Partition, brokers []Broker) *layout {
	l := &layout{brokers: make(map[int32]Broker, len(brokers)), load: make(map[int32]int, len(brokers))}
	for _, b := range brokers {
		l.brokers[b.ID] = b
	}
	for _, b := range l.brokers {
		if b.takesNew() {
			l.eligible = append(l.eligible, b)
		}
	}
	slices.SortFunc(l.eligible, func(a, b Broker) int { return cmp.Compare(a.ID, b.ID) })
	for _, p := range partitions {
		for _, id := range p.Target() {
			l.load[id]++
		}
	}
	return l
}

// takesNew says whether new replicas may be put on the broker. The controller itself would take them: a manual assignment
// may name any registered broker (ReplicationControlManager.validateManualPartitionAssignment, Kafka 4.3), but a replica
// on a fenced broker catches up with nothing, and a cordoned broker is one that somebody is emptying (KIP-1066).
func (b Broker) takesNew() bool { return !b.Fenced && !b.Cordoned }

// rack is where brokers fail together. A broker without a rack fails alone.
type rack struct {
	name   string
	broker int32
}

func (b Broker) rack() rack {
	if b.Rack == "" {
		return rack{broker: b.ID}
	}
	return rack{name: b.Rack, broker: -1}
}

// rackOf is the rack of a broker. One that is not listed has none that we know of.
func (l *layout) rackOf(id int32) rack {
	if b, ok := l.brokers[id]; ok {
		return b.rack()
	}
	return Broker{ID: id}.rack()
}

// inRack counts the replicas in a rack.
func (l *layout) inRack(replicas []int32, r rack) int {
	n := 0
	for _, id := range replicas {
		if l.rackOf(id) == r {
			n++
		}
	}
	return n
}

// fenced says whether a broker does not serve. One that is not listed does not: before DescribeCluster v2 a cluster lists
// only the brokers that do.
func (l *layout) fenced(id int32) bool {
	b, ok := l.brokers[id]
	return !ok || b.Fenced
}
