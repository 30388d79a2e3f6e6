//go:build kafka

package kafka

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"
	"k8s.io/apimachinery/pkg/api/meta"

	"mooring.dev/mooring/api/v1alpha1"
)

var _ = Describe("Configuration that the brokers", func() {
	It("do not know is refused in their words, and holds no other key back", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "config")
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		ExpectSpecChanged(ctx, t, config("segment.ms", "600000", "retention.msec", "1"))
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonInvalidConfig, "Unknown topic config name", "retention.msec")
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "segment.ms", "600000")
		Expect(t.Status.ManagedConfig).To(Equal(map[string]string{"segment.ms": "600000"}))
		Expect(t.Status.Plan.Refusals).To(HaveLen(1))
		ExpectEvent(ctx, t, v1alpha1.ReasonInvalidConfig)

		phase("without the key the topic is Ready")
		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) { delete(spec.Config, "retention.msec") })
		ExpectTopicReady(ctx, t)
	}, NodeTimeout(4*time.Minute))

	It("cannot read is refused in their words", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "value")
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		ExpectSpecChanged(ctx, t, config("retention.ms", "a day", "segment.ms", "600000"))
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonInvalidConfig, "retention.ms", "Not a number of type LONG")
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "segment.ms", "600000")
		s.brokers.ExpectNotSet(ctx, t.TopicName(), "retention.ms")
	}, NodeTimeout(4*time.Minute))

	It("do not know at creation is refused in their words, and the topic follows the mended manifest", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "born", config("retention.msec", "1", "segment.ms", "600000"))
		ExpectCreated(ctx, t)
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonInvalidConfig, "Unknown topic config name", "retention.msec")
		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) { delete(spec.Config, "retention.msec") })
		ExpectTopicReady(ctx, t)
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "segment.ms", "600000")
	}, NodeTimeout(4*time.Minute))

	It("would cut by their own retention is reset only when the manifest says that it is meant", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "reset", config("retention.ms", "2592000000"))
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		c := s.brokers.producer()
		defer c.Close()
		Expect(c.ProduceSync(ctx, &kgo.Record{Topic: t.TopicName(), Value: []byte("kept for 30 days")}).FirstErr()).To(Succeed())

		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) { delete(spec.Config, "retention.ms") })
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonAcknowledgeRequired, "retention.ms from 2592000000 to 604800000, the broker's default,", "RetentionCut")
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, *t.Spec.ReplicationFactor, "retention.ms", "2592000000")
		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) {
			spec.Acknowledge = []v1alpha1.DangerousChange{v1alpha1.RetentionCut}
		})
		ExpectTopicReady(ctx, t)
		s.brokers.ExpectNotSet(ctx, t.TopicName(), "retention.ms")
	}, NodeTimeout(4*time.Minute))

	// The brokers answer "0.50" with "0.5" and a list without its spaces. Compared as text, these are altered for ever.
	It("spell in another way is set once and left alone", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "spelling", config(
			"min.cleanable.dirty.ratio", "0.50", "cleanup.policy", "compact, delete", "preallocate", "FALSE", "segment.ms", "0600000"))
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		Expect(t.Status.ManagedConfig).To(HaveKey("cleanup.policy"))
		phase("left alone over several looks: %v", t.Status.ManagedConfig)
		ExpectQuiet(ctx, t, 6*time.Second)
		Expect(kube.eventsOf(Default, t, "ConfigChanged")).To(BeZero())
		Expect(kube.eventsOf(Default, t, "TopicDrifted")).To(BeZero())

		phase("a double is changed, and again only once")
		ExpectSpecChanged(ctx, t, config("min.cleanable.dirty.ratio", "0.250"))
		ExpectTopicReady(ctx, t)
		Eventually(ctx, func(g Gomega) { g.Expect(kube.eventsOf(g, t, "ConfigChanged")).To(Equal(1)) }).Should(Succeed())
		ExpectQuiet(ctx, t, 6*time.Second)
		Expect(kube.eventsOf(Default, t, "ConfigChanged")).To(Equal(1))
		_, configs := s.brokers.look(ctx, Default, t.TopicName())
		ratio := configs["min.cleanable.dirty.ratio"]
		Expect(ratio.MaybeValue()).To(Or(Equal("0.25"), Equal("0.250")))
	}, NodeTimeout(4*time.Minute))
})

var _ = Describe("A replication factor", func() {
	It("above the number of brokers is refused with the number", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "wide", func(spec *v1alpha1.KafkaTopicSpec) { spec.ReplicationFactor = new(int32(1000)) })
		ExpectCreated(ctx, t)
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonReplicationFactorTooLarge, "1000", "brokers")
		s.brokers.ExpectNoTopic(ctx, t.TopicName())
		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) { spec.ReplicationFactor = new(s.brokers.Replicas(ctx)) })
		ExpectTopicReady(ctx, t)
	}, NodeTimeout(4*time.Minute))

	It("as large as minInsyncReplicas is made, and called not durable", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "strict", func(spec *v1alpha1.KafkaTopicSpec) { spec.MinInsyncReplicas = spec.ReplicationFactor })
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		Expect(t.Status.MinInsyncReplicas).To(Equal(t.Spec.ReplicationFactor))
		durable := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionDurable)
		Expect(durable.Reason).To(Equal(v1alpha1.ReasonAtRisk), durable.Message)
	}, NodeTimeout(4*time.Minute))
})
