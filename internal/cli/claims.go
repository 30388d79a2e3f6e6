package cli

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/topic"
)

// notYet is the age of objects that do not exist: younger than all that do.
var notYet = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// after are the KafkaTopics of a cluster once the manifests are applied, oldest first. Who is older owns a topic that two
// want, and has the quota. What exists keeps its age and status; what is new comes in the order of the manifests.
func after(live []v1alpha1.KafkaTopic, topics []manifest.Topic, cluster string) []v1alpha1.KafkaTopic {
	exists := make(map[string]*v1alpha1.KafkaTopic, len(live))
	for i := range live {
		exists[nameOf(&live[i])] = &live[i]
	}
	var all []v1alpha1.KafkaTopic
	applied := make(map[string]bool, len(topics))
	for i, t := range topics {
		kt := t.KafkaTopic.DeepCopy()
		kt.CreationTimestamp = metav1.NewTime(notYet.Add(time.Duration(i) * time.Second))
		if l := exists[t.Name()]; l != nil {
			kt.CreationTimestamp, kt.UID, kt.Status = l.CreationTimestamp, l.UID, l.Status
		}
		applied[t.Name()] = true
		all = append(all, *kt)
	}
	for i := range live {
		if live[i].Spec.ClusterRef.Name == cluster && !applied[nameOf(&live[i])] {
			all = append(all, live[i])
		}
	}
	slices.SortStableFunc(all, func(a, b v1alpha1.KafkaTopic) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID))
	})
	return all
}

// admit judges what crosses objects, as the operator does before it looks at the topic: who owns it, whether the cluster
// takes the namespace, and the cluster's topicPolicies.
func (p *planner) admit(kt *v1alpha1.KafkaTopic) []topic.Refusal {
	if r := p.conflict(kt); r != nil {
		return []topic.Refusal{*r}
	}
	consent := p.namespaces[kt.Namespace]
	if consent.refusal != nil {
		return []topic.Refusal{*consent.refusal}
	}
	if consent.guardrail == nil || kt.Status.Reassignment != nil { // what has begun to move is brought to its end
		return nil
	}
	var neighbours []v1alpha1.KafkaTopic
	for _, other := range p.after {
		if other.Namespace == kt.Namespace {
			neighbours = append(neighbours, other)
		}
	}
	return topic.Judge(kt, consent.guardrail, topic.UsageBefore(kt, neighbours))
}

// conflict is the refusal of a KafkaTopic whose topic belongs to an older one.
func (p *planner) conflict(kt *v1alpha1.KafkaTopic) *topic.Refusal {
	for i := range p.after {
		owner := &p.after[i]
		if owner.TopicName() != kt.TopicName() {
			continue
		}
		if nameOf(owner) == nameOf(kt) {
			return nil
		}
		how := "is older and owns"
		if p.live[nameOf(owner)] == nil {
			how = "in these manifests too is for"
		}
		return &topic.Refusal{Reason: v1alpha1.ReasonConflict,
			Message: fmt.Sprintf("KafkaTopic %s %s topic %s; keep one of the two", nameOf(owner), how, kt.TopicName())}
	}
	return nil
}

// consentOf is what a KafkaCluster makes of a namespace with these labels.
func consentOf(cluster *v1alpha1.KafkaCluster, namespace string, labels map[string]string) consent {
	if r, refused := topic.RefuseNamespace(cluster, "topics", namespace, labels); refused {
		return consent{refusal: &r}
	}
	guardrail, err := topic.PolicyFor(cluster, labels)
	if err != nil {
		return consent{refusal: &topic.Refusal{Reason: v1alpha1.ReasonPolicyViolation, Message: err.Error()}}
	}
	return consent{guardrail: guardrail}
}

func nameOf(t *v1alpha1.KafkaTopic) string { return t.Namespace + "/" + t.Name }
