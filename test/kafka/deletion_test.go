//go:build kafka

package kafka

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/hack/localkafka/local"
)

func deleting(spec *v1alpha1.KafkaTopicSpec) { spec.DeletionPolicy = v1alpha1.DeletionDelete }

var _ = Describe("Deleting a KafkaTopic", func() {
	It("leaves the topic with deletionPolicy Retain", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "kept")
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		Expect(t.Finalizers).To(BeEmpty())
		id := t.Status.TopicID
		ExpectDeleted(ctx, t)
		ExpectGone(ctx, t)
		Expect(s.brokers.ExpectOnBrokers(ctx, s.Named("kept"), 2, s.brokers.Replicas(ctx))).To(Equal(id))
	}, NodeTimeout(3*time.Minute))

	It("waits while the cluster is down, and says how to let go", func(ctx SpecContext) {
		needsOwnBrokers("they are not ours to kill")
		s := NewSceneWithFaults()
		k := s.Cluster(ctx)
		ExpectClusterReady(ctx, k)
		orphan, waits := s.Topic(ctx, "orphan", deleting), s.Topic(ctx, "waits", deleting)
		ExpectCreated(ctx, orphan)
		ExpectCreated(ctx, waits)
		ExpectTopicReady(ctx, orphan)
		ExpectTopicReady(ctx, waits)
		s.brokers.Kill(ctx, s.brokers.Nodes()...)
		ExpectDeleted(ctx, orphan)
		ExpectDeleted(ctx, waits)
		ExpectTopicNotReady(ctx, orphan, v1alpha1.ReasonClusterUnreachable, v1alpha1.AnnotationOrphan+"=true")
		ExpectTopicNotReady(ctx, waits, v1alpha1.ReasonClusterUnreachable, v1alpha1.AnnotationOrphan+"=true")
		phase("one is let go")
		Expect(annotate(ctx, orphan, v1alpha1.AnnotationOrphan, "true")).To(Succeed())
		id := orphan.Status.TopicID
		ExpectGone(ctx, orphan)

		s.brokers.Restore(ctx)
		phase("its topic is there, and the one of the object that waited goes with it")
		Expect(s.brokers.ExpectOnBrokers(ctx, s.Named("orphan"), 2, 3)).To(Equal(id))
		ExpectGone(ctx, waits)
		s.brokers.ExpectNoTopic(ctx, s.Named("waits"))
	}, NodeTimeout(6*time.Minute))

	It("deletes no topic that took the place of its own", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "swapped", deleting)
		s.adopted(ctx, t)
		s.brokers.Remove(ctx, t.TopicName())
		id := s.brokers.Make(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor)
		ExpectDeleted(ctx, t)
		ExpectGone(ctx, t)
		Expect(s.brokers.ExpectOnBrokers(ctx, s.Named("swapped"), 2, s.brokers.Replicas(ctx))).To(Equal(id))
	}, NodeTimeout(3*time.Minute))

	It("is stalled where the brokers have delete.topic.enable=false, and can be let go", func(ctx SpecContext) {
		needsOwnBrokers("delete.topic.enable is a setting of the brokers")
		small := StartLocalBrokers(ctx, "no-deletion", local.Settings{Brokers: 1, DisableTopicDeletion: true, FastJVM: true})
		DeferCleanup(func(ctx context.Context) { small.Stop(ctx) }, NodeTimeout(2*time.Minute))
		s := NewSceneOn(small)
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "undeletable", deleting)
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		ExpectDeleted(ctx, t)
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonDeletionDisabled, "TOPIC_DELETION_DISABLED", v1alpha1.AnnotationOrphan+"=true")
		id := t.Status.TopicID
		Expect(annotate(ctx, t, v1alpha1.AnnotationOrphan, "true")).To(Succeed())
		ExpectGone(ctx, t)
		Expect(small.ExpectOnBrokers(ctx, s.Named("undeletable"), 2, 1)).To(Equal(id))
	}, NodeTimeout(6*time.Minute))
})
