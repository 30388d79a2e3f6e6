package topic

import "mooring.dev/mooring/api/v1alpha1"

func planReplication(d Desired, o Observed, p Policy) Plan {
	if d.Replication == nil || int(*d.Replication) == o.Replication() {
		return Plan{}
	}
	if r, ok := refuseReplication(int(*d.Replication), p.Cluster); ok {
		return Plan{Refusals: []Refusal{r}}
	}
	return refuse(v1alpha1.ReasonUnsupported,
		"topic %s has replication factor %d and spec.replicationFactor is %d: this version cannot move replicas; set spec.replicationFactor to %d, or move them with kafka-reassign-partitions",
		d.Name, o.Replication(), *d.Replication, o.Replication())
}
