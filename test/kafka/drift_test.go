//go:build kafka

package kafka

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"mooring.dev/mooring/api/v1alpha1"
)

var _ = Describe("A topic that is changed behind the operator's back", func() {
	It("is corrected at the next look, with an Event", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "drifts", config("retention.ms", "86400000"))
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		s.brokers.Set(ctx, t.TopicName(), "retention.ms", "1000")
		ExpectEvent(ctx, t, "TopicDrifted")
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "retention.ms", "86400000")
		ExpectTopicReady(ctx, t)

		phase("a key of somebody else's is theirs")
		s.brokers.Set(ctx, t.TopicName(), "segment.ms", "600000")
		ExpectQuiet(ctx, t, 5*time.Second)
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "segment.ms", "600000")
	}, NodeTimeout(4*time.Minute))

	It("and deleted is missing, and is not made again unless onMissing says so", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "missing")
		s.adopted(ctx, t)
		s.brokers.Remove(ctx, t.TopicName())
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonTopicMissing, t.Status.TopicID, "spec.onMissing")
		ExpectQuiet(ctx, t, 5*time.Second)
		s.brokers.ExpectNoTopic(ctx, t.TopicName())

		phase("onMissing: Recreate")
		before := t.Status.TopicID
		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) { spec.OnMissing = v1alpha1.MissingRecreate })
		ExpectTopicReady(ctx, t)
		Expect(t.Status.TopicID).NotTo(Equal(before))
		Expect(s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor)).To(Equal(t.Status.TopicID))
	}, NodeTimeout(4*time.Minute))

	It("and recreated is another topic, until spec.acceptTopicID takes it", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "replaced", config("retention.ms", "86400000"))
		s.adopted(ctx, t)
		before := t.Status.TopicID
		s.brokers.Remove(ctx, t.TopicName())
		id := s.brokers.Make(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "retention.ms", "7200000")
		Expect(id).NotTo(Equal(before))
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonTopicReplaced, id, before, "spec.acceptTopicID")
		Expect(t.Status.TopicID).To(Equal(before), "status must go on naming the topic that was owned")
		phase("nothing is written to it")
		ExpectQuiet(ctx, t, 5*time.Second)
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "retention.ms", "7200000")

		phase("acceptTopicID: %s", id)
		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) { spec.AcceptTopicID = id })
		ExpectTopicReady(ctx, t)
		Expect(t.Status.TopicID).To(Equal(id))
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "retention.ms", "86400000")
	}, NodeTimeout(4*time.Minute))
})

// adopted makes the topic on the brokers, as the manifest says it should be, and has the operator take it over. A topic
// that the operator itself made a moment ago would be given a minute to show up before it counts as missing.
func (s *Scene) adopted(ctx SpecContext, t *v1alpha1.KafkaTopic) {
	var pairs []string
	for key, value := range t.Spec.Config {
		pairs = append(pairs, key, value.String())
	}
	id := s.brokers.Make(ctx, t.TopicName(), *t.Spec.Partitions, *t.Spec.ReplicationFactor, pairs...)
	ExpectCreated(ctx, t)
	ExpectTopicReady(ctx, t)
	Expect(t.Status.TopicID).To(Equal(id))
}
