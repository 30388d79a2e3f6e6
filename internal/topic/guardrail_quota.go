package topic

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"mooring.dev/mooring/api/v1alpha1"
)

// Usage is what counts against a quota before the topic that is judged.
type Usage struct {
	Topics, Partitions int64
}

// UsageBefore counts the older ones among the KafkaTopics of one namespace and cluster. The oldest have the quota, so that
// everybody who counts comes to the same verdict, in whatever order topics are looked at, and a new one never takes
// anything from an old one.
func UsageBefore(t *v1alpha1.KafkaTopic, all []v1alpha1.KafkaTopic) Usage {
	return count(all, func(other *v1alpha1.KafkaTopic) bool { return older(other, t) })
}

// UsageOfOthers counts all of them but this one: an old topic that grows must not push out a younger one.
func UsageOfOthers(t *v1alpha1.KafkaTopic, all []v1alpha1.KafkaTopic) Usage {
	self := types.NamespacedName{Namespace: t.Namespace, Name: t.Name}
	return count(all, func(other *v1alpha1.KafkaTopic) bool {
		return types.NamespacedName{Namespace: other.Namespace, Name: other.Name} != self
	})
}

func count(all []v1alpha1.KafkaTopic, counts func(*v1alpha1.KafkaTopic) bool) Usage {
	var u Usage
	for i := range all {
		if counts(&all[i]) {
			u.Topics++
			u.Partitions += int64(PartitionsOf(&all[i]))
		}
	}
	return u
}

// older orders as ownership does: creationTimestamp has whole seconds, so the UID decides between objects of one second.
func older(a, b *v1alpha1.KafkaTopic) bool {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID)) < 0
}

// PartitionsOf is what a KafkaTopic counts for: the partitions it asks for, else those it was seen to have, else one.
func PartitionsOf(t *v1alpha1.KafkaTopic) int32 {
	switch {
	case t.Spec.Partitions != nil:
		return *t.Spec.Partitions
	case t.Status.Partitions != nil:
		return *t.Status.Partitions
	}
	return 1
}

// judgeQuota holds what the namespace would have with this topic against its quota.
func (g *Guardrail) judgeQuota(t *v1alpha1.KafkaTopic, before Usage) []Violation {
	if g.Quota == nil {
		return nil
	}
	var found []Violation
	if most := g.Quota.Topics; most != nil && before.Topics+1 > int64(*most) {
		found = append(found, Violation{"metadata.namespace", t.Namespace, fmt.Sprintf(
			"it has %d KafkaTopics on KafkaCluster %s before this one, and may have %d (%s.quota.topics); delete one that nobody needs, or ask for more",
			before.Topics, g.Cluster, *most, g.Field)})
	}
	if most := g.Quota.Partitions; most != nil && before.Partitions+int64(PartitionsOf(t)) > int64(*most) {
		found = append(found, Violation{"spec.partitions", PartitionsOf(t), fmt.Sprintf(
			"namespace %s has %d partitions on KafkaCluster %s before this topic, and may have %d (%s.quota.partitions); %s, or ask for more",
			t.Namespace, before.Partitions, g.Cluster, *most, g.Field, roomFor(int64(*most)-before.Partitions))})
	}
	return found
}

func roomFor(left int64) string {
	if left < 1 {
		return "delete a topic that nobody needs"
	}
	return fmt.Sprintf("set spec.partitions to at most %d", left)
}
