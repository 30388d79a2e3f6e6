package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// guard holds the topic against the cluster's topicPolicies. Admission has done so too; here are the topics that are older
// than the policy, and those that came in while the webhook was away.
func (r *TopicReconciler) guard(ctx context.Context, t *v1alpha1.KafkaTopic, cluster *v1alpha1.KafkaCluster) (*failure, error) {
	if len(cluster.Spec.TopicPolicies) == 0 {
		return nil, nil
	}
	if t.Status.Reassignment != nil {
		// What has begun to move is brought to its end: to leave it alone would leave the throttle on the brokers.
		return nil, nil
	}
	var namespace corev1.Namespace
	if err := r.Client.Get(ctx, types.NamespacedName{Name: t.Namespace}, &namespace); err != nil {
		return nil, err
	}
	policy, err := topic.PolicyFor(cluster, namespace.Labels)
	if err != nil {
		return stuckFor(v1alpha1.ReasonPolicyViolation, "%v", err), nil
	}
	if policy == nil {
		return nil, nil
	}
	var before topic.Usage
	if policy.Quota != nil { // without one, nothing is listed: ten thousand topics stay cheap
		all, err := TopicsOfNamespace(ctx, r.Client, cluster.Name, t.Namespace)
		if err != nil {
			return nil, err
		}
		before = topic.UsageBefore(t, all)
	}
	refusals := topic.Judge(t, policy, before)
	if len(refusals) == 0 {
		return nil, nil
	}
	messages := make([]string, 0, len(refusals))
	for _, refusal := range refusals {
		messages = append(messages, refusal.Message)
	}
	return stuckFor(v1alpha1.ReasonPolicyViolation, "%s", strings.Join(messages, "; ")), nil
}

// TopicsOfNamespace lists the KafkaTopics of a namespace on a cluster. The items are the cache's own: read only.
func TopicsOfNamespace(ctx context.Context, c client.Reader, cluster, namespace string) ([]v1alpha1.KafkaTopic, error) {
	return listBy(ctx, c, indexTopicsByNamespace, cluster+"/"+namespace) // after our own writes: partitions may be known from a status alone
}

// TopicsOfTarget lists the KafkaTopics that mean a topic, oldest first: the first one owns it. The items are the cache's
// own: read only.
func TopicsOfTarget(ctx context.Context, c client.Reader, cluster, name string) ([]v1alpha1.KafkaTopic, error) {
	return sameTarget(ctx, c, cluster, name)
}

// TopicsOfMetric lists the KafkaTopics whose topics share the name that Kafka's metrics give to this one. The items are
// the cache's own: read only.
func TopicsOfMetric(ctx context.Context, c client.Reader, cluster, name string) ([]v1alpha1.KafkaTopic, error) {
	return listBy(ctx, c, indexTopicsByMetric, metricTarget(cluster, name), notOurWrites)
}

// notOurWrites makes a list wait for none of our own writes. Otherwise it waits until all of them to any KafkaTopic have come
// back to the cache, so that of a thousand reconciles each would wait for all the others. It is for lists by what only people
// write: which topic an object means, on which cluster, in which namespace.
const notOurWrites = client.DisableReadYourWritesConsistency

func listBy(ctx context.Context, c client.Reader, index, value string, more ...client.ListOption) ([]v1alpha1.KafkaTopic, error) {
	var list v1alpha1.KafkaTopicList
	if err := c.List(ctx, &list, append(more, client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, fmt.Errorf("list KafkaTopics: %w", err)
	}
	return list.Items, nil
}

// Indexes of the cache for guardrails.
const (
	// indexTopicsByNamespace finds the KafkaTopics of a namespace on a KafkaCluster: they share a quota.
	indexTopicsByNamespace = "mooring.topicsByNamespace"
	// indexTopicsHeldBack finds those among them that a policy holds back: they wait for quota.
	indexTopicsHeldBack = "mooring.topicsHeldBack"
)

// addGuardrailIndexes registers the indexes; it must run before the cache starts.
func addGuardrailIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	byNamespace := func(t *v1alpha1.KafkaTopic) []string { return []string{t.Spec.ClusterRef.Name + "/" + t.Namespace} }
	indexes := map[string]func(*v1alpha1.KafkaTopic) []string{
		indexTopicsByNamespace: byNamespace,
		indexTopicsHeldBack: func(t *v1alpha1.KafkaTopic) []string {
			stalled := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionStalled)
			if stalled == nil || stalled.Reason != v1alpha1.ReasonPolicyViolation {
				return nil
			}
			return byNamespace(t)
		},
	}
	for name, values := range indexes {
		index := func(o client.Object) []string { return values(o.(*v1alpha1.KafkaTopic)) }
		if err := indexer.IndexField(ctx, &v1alpha1.KafkaTopic{}, name, index); err != nil {
			return err
		}
	}
	return nil
}

// heldBack are the topics that wait for what a topic that went leaves of the quota. Where there is no quota nobody does, and
// nobody is looked for: it would be among our own writes, and once for each of ten thousand topics that go.
func (r *TopicReconciler) heldBack(ctx context.Context, gone *v1alpha1.KafkaTopic) []reconcile.Request {
	var cluster v1alpha1.KafkaCluster
	err := r.Client.Get(ctx, types.NamespacedName{Name: gone.Spec.ClusterRef.Name}, &cluster)
	if err != nil || !slices.ContainsFunc(cluster.Spec.TopicPolicies, func(p v1alpha1.TopicPolicy) bool { return p.Quota != nil }) {
		return nil // a cluster that is gone holds nobody back by a quota
	}
	return r.list(ctx, client.MatchingFields{indexTopicsHeldBack: gone.Spec.ClusterRef.Name + "/" + gone.Namespace})
}
