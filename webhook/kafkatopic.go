package webhook

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/controllers"
	"mooring.dev/mooring/internal/topic"
)

const kindTopic = "KafkaTopic"

// topicValidator refuses topics that the KafkaCluster does not take, or that belong to another KafkaTopic.
type topicValidator struct {
	// reader of the cache.
	reader client.Reader
}

// ValidateCreate implements admission.Validator.
func (v *topicValidator) ValidateCreate(ctx context.Context, t *v1alpha1.KafkaTopic) (admission.Warnings, error) {
	s, err := v.gather(ctx, t)
	if err != nil {
		return nil, fault(err)
	}
	return s.warnings(t), refuse(kindTopic, t.Name, append(s.conflict(t), s.violations(t)...))
}

// ValidateUpdate implements admission.Validator. Cluster and topic name cannot change, so no update brings a conflict.
func (v *topicValidator) ValidateUpdate(ctx context.Context, old, t *v1alpha1.KafkaTopic) (admission.Warnings, error) {
	if !t.DeletionTimestamp.IsZero() || equality.Semantic.DeepEqual(old.Spec, t.Spec) {
		return nil, nil
	}
	s, err := v.gather(ctx, t)
	if err != nil {
		return nil, fault(err)
	}
	return ratchet(kindTopic, t.Name, s.violations(old), s.violations(t), s.warnings(t))
}

// ValidateDelete implements admission.Validator. No policy holds a deletion back.
func (v *topicValidator) ValidateDelete(context.Context, *v1alpha1.KafkaTopic) (admission.Warnings, error) {
	return nil, nil
}

// surroundings are what a KafkaTopic is judged by.
type surroundings struct {
	// cluster is nil where there is none yet.
	cluster   *v1alpha1.KafkaCluster
	namespace corev1.Namespace
	// policy of the namespace, or why there is no telling.
	policy    *topic.Guardrail
	policyErr error
	// others use the quota.
	others topic.Usage
	// sameTarget and sameMetric have the topic's name, and its name in metrics. Both hold the topic itself, if it is there.
	sameTarget, sameMetric []v1alpha1.KafkaTopic
}

func (v *topicValidator) gather(ctx context.Context, t *v1alpha1.KafkaTopic) (*surroundings, error) {
	s := &surroundings{}
	cluster := t.Spec.ClusterRef.Name
	var err error
	if s.sameTarget, err = controllers.TopicsOfTarget(ctx, v.reader, cluster, t.TopicName()); err != nil {
		return nil, err
	}
	if s.sameMetric, err = controllers.TopicsOfMetric(ctx, v.reader, cluster, t.TopicName()); err != nil {
		return nil, err
	}
	var k v1alpha1.KafkaCluster
	if err := v.reader.Get(ctx, types.NamespacedName{Name: cluster}, &k); apierrors.IsNotFound(err) {
		return s, nil
	} else if err != nil {
		return nil, fmt.Errorf("read KafkaCluster %s: %w", cluster, err)
	}
	s.cluster = &k
	if err := v.reader.Get(ctx, types.NamespacedName{Name: t.Namespace}, &s.namespace); err != nil {
		return nil, fmt.Errorf("read Namespace %s: %w", t.Namespace, err)
	}
	if s.policy, s.policyErr = topic.PolicyFor(s.cluster, s.namespace.Labels); s.policy == nil || s.policy.Quota == nil {
		return s, nil
	}
	all, err := controllers.TopicsOfNamespace(ctx, v.reader, cluster, t.Namespace)
	if err != nil {
		return nil, err
	}
	s.others = topic.UsageOfOthers(t, all)
	return s, nil
}

// conflict names the KafkaTopic that has the topic already. One that is being deleted hands it over.
func (s *surroundings) conflict(t *v1alpha1.KafkaTopic) []topic.Violation {
	for i := range s.sameTarget {
		owner := &s.sameTarget[i]
		if same(owner, t) || !owner.DeletionTimestamp.IsZero() {
			continue
		}
		return []topic.Violation{{Field: nameField(t), Value: t.TopicName(), Detail: fmt.Sprintf(
			"KafkaTopic %s/%s owns this topic on KafkaCluster %s; change that one, or choose another name with spec.topicName",
			owner.Namespace, owner.Name, t.Spec.ClusterRef.Name)}}
	}
	return nil
}

// violations are what the KafkaCluster has against a topic.
func (s *surroundings) violations(t *v1alpha1.KafkaTopic) []topic.Violation {
	if s.cluster == nil {
		return nil
	}
	const field = "spec.clusterRef.name"
	var found []topic.Violation
	if refusal, refused := topic.RefuseNamespace(s.cluster, "topics", t.Namespace, s.namespace.Labels); refused {
		found = append(found, topic.Violation{Field: field, Value: s.cluster.Name, Detail: refusal.Message})
	}
	switch {
	case s.policyErr != nil:
		found = append(found, topic.Violation{Field: field, Value: s.cluster.Name, Detail: s.policyErr.Error()})
	case s.policy != nil:
		found = append(found, s.policy.Violations(t, s.others)...)
	}
	return found
}

// warnings are what works, and will surprise somebody.
func (s *surroundings) warnings(t *v1alpha1.KafkaTopic) admission.Warnings {
	var all admission.Warnings
	if s.cluster == nil {
		all = append(all, fmt.Sprintf("spec.clusterRef: there is no KafkaCluster %s yet; the topic waits for it", t.Spec.ClusterRef.Name))
	}
	if w := warnMinISR(&t.Spec); w != "" {
		all = append(all, w)
	}
	for i := range s.sameMetric {
		if other := &s.sameMetric[i]; other.TopicName() != t.TopicName() {
			all = append(all, fmt.Sprintf("topic %s has the same name in Kafka's metrics as topic %s of KafkaTopic %s/%s, and brokers refuse to create the second of the two",
				t.TopicName(), other.TopicName(), other.Namespace, other.Name))
			break
		}
	}
	return all
}

func warnMinISR(spec *v1alpha1.KafkaTopicSpec) string {
	if spec.MinInsyncReplicas == nil || spec.ReplicationFactor == nil || *spec.MinInsyncReplicas != *spec.ReplicationFactor {
		return ""
	}
	mend := fmt.Sprintf("lower spec.minInsyncReplicas to %d", *spec.ReplicationFactor-1)
	if *spec.ReplicationFactor == 1 {
		mend = "raise spec.replicationFactor"
	}
	return fmt.Sprintf("spec.minInsyncReplicas equals spec.replicationFactor (%d): while one broker is down, producers with acks=all cannot write; %s",
		*spec.ReplicationFactor, mend)
}

func nameField(t *v1alpha1.KafkaTopic) string {
	if t.Spec.TopicName != "" {
		return "spec.topicName"
	}
	return "metadata.name"
}

func same(a, b *v1alpha1.KafkaTopic) bool { return a.Namespace == b.Namespace && a.Name == b.Name }
