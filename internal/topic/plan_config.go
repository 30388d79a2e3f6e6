package topic

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"mooring.dev/mooring/api/v1alpha1"
)

func planConfig(d Desired, o Observed, p Policy) Plan {
	var plan Plan
	var changes []Change
	for _, key := range slices.Sorted(maps.Keys(d.Config)) {
		change, needed := setting(d, o, key)
		if !needed {
			continue
		}
		if r, refused := refuseChange(d, o, p, change); refused {
			plan.Refusals = append(plan.Refusals, r)
			continue
		}
		changes = append(changes, change)
	}
	for _, key := range d.resets(o) {
		change := Change{Key: key, From: o.Config[key].Value}
		if r, refused := refuseChange(d, o, p, change); refused {
			plan.Refusals = append(plan.Refusals, r)
			continue
		}
		changes = append(changes, change)
	}
	if len(changes) > 0 {
		plan.Steps = []Step{Configure{Name: d.Name, Changes: changes}}
	}
	return plan
}

// setting is the change that a wanted key needs. The value in force counts, wherever it comes from: a default that
// says what the manifest says needs no override, and becomes one by drift correction should the default ever change.
func setting(d Desired, o Observed, key string) (Change, bool) {
	wanted := d.Config[key]
	entry, known := o.Config[key]
	if known && entry.Value == nil && entry.Source == SourceDynamicTopic {
		return Change{}, false // sensitive: the broker never tells, so there is nothing to compare
	}
	if known && entry.Value != nil && entry.typeOf(key).Equal(*entry.Value, wanted) {
		return Change{}, false
	}
	return Change{Key: key, From: entry.Value, To: &wanted}, true
}

func (e Entry) typeOf(key string) Type {
	if e.Type == TypeUnknown {
		return KnownValueType(key)
	}
	return e.Type
}

// resets are the keys to reset: those set by us and no longer wanted, and with Exact every other override. Never a
// throttle key, which a reassignment sets while it runs, and never a key that is only a default: managed services refuse it.
func (d Desired) resets(o Observed) []string {
	candidates := d.Retired
	if d.Exact {
		candidates = slices.Sorted(maps.Keys(o.Config))
	}
	var keys []string
	for _, key := range candidates {
		_, wanted := d.Config[key]
		entry := o.Config[key]
		if wanted || entry.Source != SourceDynamicTopic || entry.ReadOnly || slices.Contains(d.Unmanaged, key) || isThrottleKey(key) {
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

func refuseChange(d Desired, o Observed, p Policy, c Change) (Refusal, bool) {
	if o.Config[c.Key].ReadOnly {
		return Refusal{
			Reason:  v1alpha1.ReasonReadOnlyConfig,
			Message: fmt.Sprintf("spec.config: %s cannot be set on a topic of this cluster; remove it", c.Key),
		}, true
	}
	if slices.ContainsFunc(p.Untaken, c.same) {
		return Refusal{
			Reason: v1alpha1.ReasonValueNotTaken,
			Message: fmt.Sprintf("the broker acknowledged %s=%s and still shows %s; it is not sent again until the manifest changes; write the value as the broker shows it, or remove the key",
				c.Key, shown(c.To), shown(c.From)),
		}, true
	}
	switch c.Key {
	case KeyMinInsyncReplicas:
		return refuseMinISR(d, o.Replication(), p.Cluster)
	case KeyCleanupPolicy:
		return refuseCompactionRemoved(o, p, c)
	case KeyRetentionMs, KeyRetentionBytes:
		return refuseRetentionCut(o, p, c)
	}
	return Refusal{}, false
}

func (c Change) same(other Change) bool {
	if c.Key != other.Key || (c.To == nil) != (other.To == nil) {
		return false
	}
	return c.To == nil || *c.To == *other.To
}

// refuseMinISR judges the wanted min.insync.replicas against the replicas that there will be and the brokers that live.
func refuseMinISR(d Desired, replicas int, c Cluster) (Refusal, bool) {
	wanted, err := strconv.Atoi(d.Config[KeyMinInsyncReplicas])
	if err != nil {
		return Refusal{}, false
	}
	if d.Replication != nil {
		replicas = int(*d.Replication)
	}
	if replicas > 0 && wanted > replicas {
		return Refusal{
			Reason: v1alpha1.ReasonMinInsyncReplicasTooLarge,
			Message: fmt.Sprintf("spec.minInsyncReplicas is %d and topic %s has replication factor %d: that many replicas can never be in sync; lower it, or raise spec.replicationFactor",
				wanted, d.Name, replicas),
		}, true
	}
	if live := c.Live(); live > 0 && wanted > live {
		return Refusal{
			Reason: v1alpha1.ReasonMinInsyncReplicasTooLarge,
			Message: fmt.Sprintf("spec.minInsyncReplicas is %d and %s of the cluster live: no producer with acks=all could write; lower it, or bring brokers back",
				wanted, plural(live, "broker")),
		}, true
	}
	return Refusal{}, false
}

func refuseCompactionRemoved(o Observed, p Policy, c Change) (Refusal, bool) {
	before, _ := o.Value(KeyCleanupPolicy)
	to := o.outcome(c)
	wasCompacted := slices.Contains(listItems(before), "compact")
	if !wasCompacted || (to != nil && slices.Contains(listItems(*to), "compact")) {
		return Refusal{}, false
	}
	return p.unacknowledged(v1alpha1.CompactionRemoved,
		"cleanup.policy from %s to %s deletes the last value of every key once it is older than retention.ms", before, described(c, to))
}

// refuseRetentionCut asks for an acknowledgement of every cut of a topic with records. How old the records are is not looked
// at: whether those that are there now would go is a matter of minutes, and an answer that changes by itself is no answer.
// A reset cuts too, where the broker's own value is the smaller one, or is not known.
func refuseRetentionCut(o Observed, p Policy, c Change) (Refusal, bool) {
	to := o.outcome(c)
	if c.From == nil || !cuts(*c.From, to) {
		return Refusal{}, false
	}
	return p.unacknowledged(v1alpha1.RetentionCut,
		"%s from %s to %s deletes the records beyond it that are stored now", c.Key, *c.From, described(c, to))
}

// cuts says whether a retention becomes smaller; below 0 there is none. What is not a number does not: the broker refuses
// it.
func cuts(before string, after *string) bool {
	from, err := strconv.ParseInt(before, 10, 64)
	if err != nil {
		return false
	}
	if after == nil {
		return true
	}
	to, err := strconv.ParseInt(*after, 10, 64)
	return err == nil && to >= 0 && (from < 0 || to < from)
}

// outcome is the value in force after a change; nil when a reset leads to one that the broker did not tell.
func (o Observed) outcome(c Change) *string {
	if c.To != nil {
		return c.To
	}
	return o.Config[c.Key].Fallback
}

func described(c Change, to *string) string {
	switch {
	case to == nil:
		return "the broker's default"
	case c.To == nil:
		return *to + ", the broker's default,"
	}
	return *to
}
