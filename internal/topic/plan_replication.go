package topic

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"mooring.dev/mooring/api/v1alpha1"
)

// planReplication plans the next moves towards the wanted replication factor. A partition on the move is left to its
// mover, ours or not: it arrives, and a later plan looks at it again. ReassignmentOf says how far it all is.
func planReplication(d Desired, o Observed, p Policy) Plan {
	if d.Replication == nil {
		return Plan{}
	}
	wanted := int(*d.Replication)
	wrong := func(q Partition) bool { return len(q.Target()) != wanted }
	if !slices.ContainsFunc(o.Partitions, wrong) {
		return Plan{}
	}
	if r, refused := refuseReassignment(d, o, p); refused {
		return Plan{Refusals: []Refusal{r}}
	}
	assignments, refusals := Place(o.Partitions, wanted, wantedMinISR(d, o), p.Cluster.Brokers)
	plan := Plan{Refusals: refusals}
	for i, r := range refusals {
		refusals[i].Message = fmt.Sprintf("topic %s keeps its replicas as they are on %s", d.Name, r.Message)
	}
	if step := nextMoves(o, assignments, p.Reassignment.orDefault()); len(step.Moves) > 0 {
		step.Name, step.Replication = d.Name, wanted
		plan.Steps = []Step{step}
	}
	return plan
}

// nextMoves are as many of the moves as may begin now. Partitions with a replica that is behind come last: their moves end
// when all replicas are in sync, which may be never, and until then take up the place of another.
func nextMoves(o Observed, assignments []Assignment, limits Reassignment) Reassign {
	var healthy, behind []Move
	for _, a := range assignments {
		p, _ := o.partition(a.Partition)
		switch move := (Move{Partition: a.Partition, From: p.Replicas, To: a.Replicas}); {
		case p.Moving() || len(move.From) == len(move.To):
		case len(p.ISR) < len(p.Replicas):
			behind = append(behind, move)
		default:
			healthy = append(healthy, move)
		}
	}
	moves := append(healthy, behind...)
	free := max(limits.PartitionsAtOnce-o.count(Partition.Moving), 0)
	step := Reassign{
		Moves:                        moves[:min(free, len(moves))],
		ThrottleBytesPerSecond:       limits.BytesPerSecond,
		AllowReplicationFactorChange: true,
		Pending:                      len(moves),
		AtOnce:                       limits.PartitionsAtOnce,
	}
	slices.SortFunc(step.Moves, func(a, b Move) int { return cmp.Compare(a.Partition, b.Partition) })
	return step
}

// refuseReassignment judges the wanted replication factor for the topic as a whole.
func refuseReassignment(d Desired, o Observed, p Policy) (Refusal, bool) {
	wanted := int(*d.Replication)
	if len(p.Cluster.Brokers) == 0 {
		return Refusal{
			Reason:  v1alpha1.ReasonUnknown,
			Message: fmt.Sprintf("the brokers are not known yet, so the replicas of topic %s cannot be placed", d.Name),
		}, true
	}
	if r, refused := refuseReplication(wanted, p.Cluster); refused {
		return r, true
	}
	if !slices.ContainsFunc(o.Partitions, func(q Partition) bool { return len(q.Target()) > wanted }) {
		return Refusal{}, false
	}
	if least := wantedMinISR(d, o); least > wanted {
		return Refusal{
			Reason: v1alpha1.ReasonMinInsyncReplicasTooLarge,
			Message: fmt.Sprintf("spec.replicationFactor is %d and topic %s has min.insync.replicas %d, which that many replicas cannot meet; set spec.minInsyncReplicas to %d or less, or raise spec.replicationFactor",
				wanted, d.Name, least, wanted),
		}, true
	}
	if wanted > 1 {
		return Refusal{}, false
	}
	return p.unacknowledged(v1alpha1.ReplicationFactorOne,
		"cutting topic %s to replication factor 1 leaves one copy of its records, and the loss of its broker loses them", d.Name)
}

// wantedMinISR is min.insync.replicas as the manifest wants it, or as it is in force; 1 when neither says.
func wantedMinISR(d Desired, o Observed) int {
	value, ok := d.Config[KeyMinInsyncReplicas]
	if !ok {
		value, _ = o.Value(KeyMinInsyncReplicas)
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 1
	}
	return n
}
