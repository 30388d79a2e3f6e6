package controllers

import (
	"cmp"
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// Indexes of the cache.
const (
	// indexTopicsByCluster finds the KafkaTopics of a KafkaCluster.
	indexTopicsByCluster = "mooring.topicsByCluster"
	// indexTopicsByTarget finds the KafkaTopics that mean the same topic.
	indexTopicsByTarget = "mooring.topicsByTarget"
	// indexClustersBySecret finds the KafkaClusters that read a Secret.
	indexClustersBySecret = "mooring.clustersBySecret"
)

// target is the value of indexTopicsByTarget. A slash is in neither part.
func target(cluster, topic string) string { return cluster + "/" + topic }

// addIndexes registers the indexes; it must run before the cache starts.
func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	byCluster := func(o client.Object) []string { return []string{o.(*v1alpha1.KafkaTopic).Spec.ClusterRef.Name} }
	byTarget := func(o client.Object) []string {
		t := o.(*v1alpha1.KafkaTopic)
		return []string{target(t.Spec.ClusterRef.Name, t.TopicName())}
	}
	bySecret := func(o client.Object) []string { return kafka.SecretsOf(&o.(*v1alpha1.KafkaCluster).Spec) }
	if err := indexer.IndexField(ctx, &v1alpha1.KafkaTopic{}, indexTopicsByCluster, byCluster); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.KafkaTopic{}, indexTopicsByTarget, byTarget); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.KafkaCluster{}, indexClustersBySecret, bySecret); err != nil {
		return err
	}
	if err := addProfileIndexes(ctx, indexer); err != nil {
		return err
	}
	if err := addContractIndexes(ctx, indexer); err != nil {
		return err
	}
	return addGuardrailIndexes(ctx, indexer)
}

// sameTarget lists the KafkaTopics that mean the same topic, oldest first: the first one owns it.
func sameTarget(ctx context.Context, c client.Reader, cluster, topic string) ([]v1alpha1.KafkaTopic, error) {
	var list v1alpha1.KafkaTopicList
	// The items are read and never changed, so the cache's own copies will do.
	if err := c.List(ctx, &list, client.MatchingFields{indexTopicsByTarget: target(cluster, topic)}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.KafkaTopic) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID))
	})
	return list.Items, nil
}
