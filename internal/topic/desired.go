package topic

import (
	"maps"
	"slices"
	"strconv"

	"mooring.dev/mooring/api/v1alpha1"
)

// Desired is what a manifest asks of a topic, after defaulting. Nil means that the cluster decides.
type Desired struct {
	Name        string
	Partitions  *int32
	Replication *int16
	// Config holds the keys that are ours, min.insync.replicas among them.
	Config map[string]string
	// Retired are keys that this object set earlier and no longer wants. Only these may be reset.
	Retired []string
	// Unmanaged keys are never touched.
	Unmanaged []string
	// Exact makes every dynamic override ours.
	Exact bool
	// Reassigning asks for the throttle keys too, which a reassignment of ours has set.
	Reassigning bool
}

// FromSpec reads a KafkaTopic: its spec for what is wanted, its status for what was set earlier.
func FromSpec(t *v1alpha1.KafkaTopic) Desired {
	d := Desired{
		Name:       t.TopicName(),
		Partitions: t.Spec.Partitions,
		Config:     make(map[string]string, len(t.Spec.Config)+1),
		Unmanaged:  t.Spec.UnmanagedConfig,
		Exact:      t.Spec.ConfigOwnership == v1alpha1.ConfigExact,

		Reassigning: t.Status.Reassignment != nil,
	}
	if t.Spec.ReplicationFactor != nil {
		d.Replication = new(int16(*t.Spec.ReplicationFactor))
	}
	for key, value := range t.Spec.Config {
		if !slices.Contains(d.Unmanaged, key) {
			d.Config[key] = value.String()
		}
	}
	if t.Spec.MinInsyncReplicas != nil {
		d.Config[KeyMinInsyncReplicas] = strconv.Itoa(int(*t.Spec.MinInsyncReplicas))
	}
	for _, key := range slices.Sorted(maps.Keys(t.Status.ManagedConfig)) {
		if _, wanted := d.Config[key]; !wanted && !slices.Contains(d.Unmanaged, key) {
			d.Retired = append(d.Retired, key)
		}
	}
	return d
}

// alwaysAsked are keys that the Durable condition and the rules about dangerous changes need.
var alwaysAsked = []string{KeyMinInsyncReplicas, KeyUncleanLeaderElection, KeyCleanupPolicy}

// Keys are the configuration keys to ask the broker for, sorted; nil means all of them.
func (d Desired) Keys() []string {
	if d.Exact {
		return nil
	}
	keys := append(slices.Clone(alwaysAsked), d.Retired...)
	for key := range d.Config {
		keys = append(keys, key)
	}
	if d.Reassigning {
		keys = append(keys, keyThrottledLeader, keyThrottledFollower)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Managed are the keys of the topic that are ours now: wanted, and set on the topic itself.
func (d Desired) Managed(o Observed) map[string]string {
	managed := make(map[string]string)
	for key := range d.Config {
		if e, ok := o.Config[key]; ok && e.Source == SourceDynamicTopic && e.Value != nil {
			managed[key] = *e.Value
		}
	}
	for _, key := range d.Retired {
		if e, ok := o.Config[key]; ok && e.Source == SourceDynamicTopic && e.Value != nil {
			managed[key] = *e.Value
		}
	}
	if len(managed) == 0 {
		return nil
	}
	return managed
}
