//go:build kafka

package kafka

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"mooring.dev/mooring/api/v1alpha1"
)

var _ = Describe("A topic that is there before its manifest", func() {
	It("and differs is reviewed first, and changed only with adoption: Adopt", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "differs", config("retention.ms", "172800000"), func(spec *v1alpha1.KafkaTopicSpec) {
			spec.Partitions = new(int32(4))
		})
		id := s.brokers.Make(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "retention.ms", "86400000", "segment.ms", "600000")
		ExpectCreated(ctx, t)
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonAdoptionReview, "spec.adoption")
		Expect(t.Status.TopicID).To(BeEmpty(), "it is not ours yet")
		Expect(t.Status.Plan.Steps).To(HaveLen(2))
		phase("nothing is written: %q", t.Status.Plan.Steps)
		ExpectQuiet(ctx, t, 5*time.Second)
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "retention.ms", "86400000")

		phase("adoption: Adopt")
		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) { spec.Adoption = v1alpha1.AdoptionAdopt })
		ExpectTopicReady(ctx, t)
		Expect(t.Status.TopicID).To(Equal(id))
		Expect(s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 4, *t.Spec.ReplicationFactor,
			"retention.ms", "172800000", "segment.ms", "600000")).To(Equal(id))
	}, NodeTimeout(4*time.Minute))

	It("is refused with adoption: Refuse, and left alone", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "foreign", func(spec *v1alpha1.KafkaTopicSpec) {
			spec.Adoption, spec.DeletionPolicy = v1alpha1.AdoptionRefuse, v1alpha1.DeletionDelete
		})
		id := s.brokers.Make(ctx, t.TopicName(), 1, *t.Spec.ReplicationFactor)
		ExpectCreated(ctx, t)
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonAdoptionRefused)
		phase("the object is deleted, deletionPolicy is Delete, and the topic was never its own")
		ExpectDeleted(ctx, t)
		ExpectGone(ctx, t)
		Expect(s.brokers.ExpectOnBrokers(ctx, t.Name, 1, *t.Spec.ReplicationFactor)).To(Equal(id))
	}, NodeTimeout(4*time.Minute))
})
