package topic

import "slices"

// planCleanup ends a reassignment of ours: once nothing moves and nothing starts to, the preferred replicas lead again, and
// the throttle comes off. That it was ours is in status and not in memory, so it happens after a restart too; it is the
// last step, and harmless to do twice.
func planCleanup(d Desired, o Observed, p Policy) Plan {
	if !p.Reassigning || slices.ContainsFunc(o.Partitions, Partition.Moving) {
		return Plan{}
	}
	var plan Plan
	if elect := unpreferred(o); len(elect) > 0 {
		plan.Steps = append(plan.Steps, Elect{Name: d.Name, Partitions: elect})
	}
	unthrottle := Unthrottle{Name: d.Name, Rates: p.Rates}
	for _, key := range []string{KeyThrottledLeaderReplicas, KeyThrottledFollowerReplicas} {
		value, _ := o.Value(key)
		if rest := RemoveThrottle(value, LeftoverThrottle(value, o)); rest != value {
			change := Change{Key: key, From: &value, To: &rest}
			if rest == "" {
				change.To = nil
			}
			unthrottle.Changes = append(unthrottle.Changes, change)
		}
	}
	for _, b := range p.Cluster.Brokers {
		if !b.Fenced && !p.OthersReassigning {
			unthrottle.Brokers = append(unthrottle.Brokers, b.ID)
		}
	}
	plan.Steps = append(plan.Steps, unthrottle)
	return plan
}

// unpreferred are the partitions whose first replica could lead and does not.
func unpreferred(o Observed) []int32 {
	var numbers []int32
	for _, p := range o.Partitions {
		if len(p.Replicas) > 0 && p.Leader >= 0 && p.Leader != p.Replicas[0] && slices.Contains(p.ISR, p.Replicas[0]) {
			numbers = append(numbers, p.Number)
		}
	}
	return numbers
}
