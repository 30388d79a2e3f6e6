package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// Durability is whether a record that acks=all acknowledged survives the loss of any one broker, and whether producers
// can go on after it.
type Durability struct {
	// Reason is ReasonDurable, ReasonAtRisk, ReasonBlocked or ReasonUnknown.
	Reason, Message string
}

// DurabilityOf judges a topic. It needs at least three replicas, of which at least two must have a record before it is
// acknowledged and one may be away; a leader that is always one of those (no unclean election); and enough replicas in
// sync at this moment. Two needed and one that may be away make three.
func DurabilityOf(o topic.Observed) Durability {
	required, known := minISR(o)
	if !o.Exists() || !known {
		return Durability{v1alpha1.ReasonUnknown, "the topic has not been seen"}
	}
	replicas, inSync := o.Replication(), o.LeastISR()
	unclean, _ := o.Value(topic.KeyUncleanLeaderElection)
	switch {
	case inSync < required:
		return Durability{v1alpha1.ReasonBlocked, fmt.Sprintf(
			"a partition has %d in-sync replicas and min.insync.replicas is %d: producers with acks=all fail now", inSync, required)}
	case replicas < 2:
		return Durability{v1alpha1.ReasonAtRisk, "replication factor is 1: the loss of one broker loses records"}
	case required < 2:
		return Durability{v1alpha1.ReasonAtRisk, "min.insync.replicas is 1: acks=all is acks=1 by another name while the other replicas are behind"}
	case replicas <= required:
		return Durability{v1alpha1.ReasonAtRisk, fmt.Sprintf(
			"min.insync.replicas is %d and so is the replication factor: the loss of one broker stops producers with acks=all", required)}
	case unclean == "true":
		return Durability{v1alpha1.ReasonAtRisk, "unclean.leader.election.enable is true: a replica without the latest records may become leader"}
	}
	return Durability{v1alpha1.ReasonDurable, "acknowledged records survive the loss of any one broker"}
}

func (c *conditions) durable(o topic.Observed) {
	d := DurabilityOf(o)
	status := metav1.ConditionFalse
	switch d.Reason {
	case v1alpha1.ReasonDurable:
		status = metav1.ConditionTrue
	case v1alpha1.ReasonUnknown:
		status = metav1.ConditionUnknown
	}
	c.add(v1alpha1.ConditionDurable, status, d.Reason, d.Message)
}
