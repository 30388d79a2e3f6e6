package topic

import (
	"fmt"
	"slices"

	"mooring.dev/mooring/api/v1alpha1"
)

// Move is one partition to reassign: all its replicas as they were seen, and all of them as they are to be.
type Move struct {
	Partition int32
	From, To  []int32
}

// Added are the replicas that are to be copied.
func (m Move) Added() []int32 {
	return slices.DeleteFunc(slices.Clone(m.To), func(id int32) bool { return slices.Contains(m.From, id) })
}

// Reassign starts to move replicas (AlterPartitionReassignments, KIP-455). Moves are those to start now, and a later plan
// has the next ones.
type Reassign struct {
	Name  string
	Moves []Move
	// ThrottleBytesPerSecond bounds what each broker copies, in and out (KIP-73).
	ThrottleBytesPerSecond int64
	// AllowReplicationFactorChange is true where the moves mean to change it. Where they do not, the controller guards
	// against a change in a race (KIP-860, AlterPartitionReassignments v1, Kafka 4.1); before that it is not sent.
	AllowReplicationFactorChange bool
	// Replication is what the moves lead to.
	Replication int
	// Pending counts the partitions that are not there yet and not on their way, these moves included; AtOnce is how many
	// may be on their way. They are for people to read.
	Pending, AtOnce int
}

func (Reassign) step() {}

// Lines implements Step.
func (s Reassign) Lines() []string {
	return []string{fmt.Sprintf("move replicas of topic %s: %s to replication factor %d (%d at a time, %s)",
		s.Name, plural(s.Pending, "partition"), s.Replication, s.AtOnce, byteRate(s.ThrottleBytesPerSecond))}
}

// Still leaves out the moves that an observation contradicts: the partition moves by now, or its replicas are others than
// those that the move was planned for. A request to reassign replaces a reassignment in flight without a word, and the
// controller does not compare, so whoever carries out the step looks again right before.
func (s Reassign) Still(o Observed) Reassign {
	s.Moves = slices.DeleteFunc(slices.Clone(s.Moves), func(m Move) bool {
		p, ok := o.partition(m.Partition)
		return !ok || p.Moving() || !slices.Equal(p.Replicas, m.From)
	})
	return s
}

// settled says whether an observation shows that all moves have begun, or are done.
func (s Reassign) settled(o Observed) bool {
	for _, m := range s.Moves {
		p, ok := o.partition(m.Partition)
		if !ok || (!p.Moving() && !slices.Equal(p.Replicas, m.To)) {
			return false
		}
	}
	return true
}

func (o Observed) partition(number int32) (Partition, bool) {
	i := slices.IndexFunc(o.Partitions, func(p Partition) bool { return p.Number == number })
	if i < 0 {
		return Partition{}, false
	}
	return o.Partitions[i], true
}

// Reassignment bounds what moving replicas may cost. Zero and less mean the default.
type Reassignment struct {
	// PartitionsAtOnce is how many partitions of the topic are on the move at a time, whoever moves them.
	PartitionsAtOnce int
	// BytesPerSecond is the replication throttle of each broker that takes part.
	BytesPerSecond int64
}

// The defaults of spec.reassignment.
const (
	defaultPartitionsAtOnce = 10
	defaultBytesPerSecond   = 50 << 20
)

// ReassignmentFromSpec reads spec.reassignment.
func ReassignmentFromSpec(s v1alpha1.ReassignmentSpec) Reassignment {
	var r Reassignment
	if s.PartitionsAtOnce != nil {
		r.PartitionsAtOnce = int(*s.PartitionsAtOnce)
	}
	if s.BytesPerSecond != nil {
		r.BytesPerSecond = s.BytesPerSecond.Value()
	}
	return r
}

func (r Reassignment) orDefault() Reassignment {
	if r.PartitionsAtOnce <= 0 {
		r.PartitionsAtOnce = defaultPartitionsAtOnce
	}
	if r.BytesPerSecond <= 0 {
		r.BytesPerSecond = defaultBytesPerSecond
	}
	return r
}

// byteRate spells a rate in the largest unit that divides it.
func byteRate(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB/s"}, {1 << 20, "MiB/s"}, {1 << 10, "KiB/s"}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d B/s", n)
}
