package controllers

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// Indexes of the cache.
const (
	// indexTopicsByCluster finds the KafkaTopics of a KafkaCluster.
	indexTopicsByCluster = "mooring.topicsByCluster"
	// indexTopicsByMetric finds the KafkaTopics whose topics share the name that Kafka's metrics give them: those that mean the same
	// topic, and those whose names differ in dots and underscores only. An index of its own for the former would say the same of
	// nearly every topic, and each index with an entry for every topic costs half a kilobyte a topic.
	indexTopicsByMetric = "mooring.topicsByMetric"
	// indexClustersBySecret finds the KafkaClusters that read a Secret.
	indexClustersBySecret = "mooring.clustersBySecret"
)

// target names something of a KafkaCluster in an index. A slash is not in the cluster's name.
func target(cluster, name string) string { return cluster + "/" + name }

// metricTarget is the value of indexTopicsByMetric. Kafka writes dots as underscores in the names of metrics.
func metricTarget(cluster, name string) string {
	return target(cluster, strings.ReplaceAll(name, ".", "_"))
}

// addIndexes registers the indexes; it must run before the cache starts.
func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	byCluster := func(o client.Object) []string { return []string{o.(*v1alpha1.KafkaTopic).Spec.ClusterRef.Name} }
	byMetric := func(o client.Object) []string {
		t := o.(*v1alpha1.KafkaTopic)
		return []string{metricTarget(t.Spec.ClusterRef.Name, t.TopicName())}
	}
	bySecret := func(o client.Object) []string { return kafka.SecretsOf(&o.(*v1alpha1.KafkaCluster).Spec) }
	if err := indexer.IndexField(ctx, &v1alpha1.KafkaTopic{}, indexTopicsByCluster, byCluster); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.KafkaTopic{}, indexTopicsByMetric, byMetric); err != nil {
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
	items, err := listBy(ctx, c, indexTopicsByMetric, metricTarget(cluster, topic), notOurWrites)
	if err != nil {
		return nil, err
	}
	items = slices.DeleteFunc(items, func(t v1alpha1.KafkaTopic) bool { return t.TopicName() != topic })
	slices.SortFunc(items, func(a, b v1alpha1.KafkaTopic) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID))
	})
	return items, nil
}
