//go:build envtest

package envtest

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/twmb/franz-go/pkg/kgo"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

func safe(s *v1alpha1.KafkaTopicSpec) {
	s.Partitions, s.ReplicationFactor, s.MinInsyncReplicas = new(int32(3)), new(int32(3)), new(int32(2))
}

var _ = Describe("a KafkaTopic", func() {
	It("becomes a topic, follows its manifest, and tells what it did", func(ctx SpecContext) {
		t := topicNamed(fresh("orders"), safe)
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonReady)
		Expect(t.Finalizers).To(BeEmpty(), "deletionPolicy Retain needs no finalizer")
		Expect(t.Status.TopicID).NotTo(BeEmpty())
		Expect(*t.Status.Partitions).To(Equal(int32(3)))

		Expect(change(ctx, t, func(t *v1alpha1.KafkaTopic) {
			t.Spec.Partitions = new(int32(5))
			t.Spec.Config = map[string]v1alpha1.ConfigValue{"max.message.bytes": v1alpha1.MakeConfigValue("2097152")}
		})).To(Succeed())
		expectReason(ctx, t, v1alpha1.ReasonReady)
		partitions, _ := onBrokers(ctx, t.Name)
		Expect(partitions).To(Equal(5))
		Expect(configOnBrokers(ctx, t.Name, "max.message.bytes")).To(Equal("2097152"))

		By("resetting the key that the manifest drops")
		Expect(change(ctx, t, func(t *v1alpha1.KafkaTopic) { t.Spec.Config = nil })).To(Succeed())
		expectReason(ctx, t, v1alpha1.ReasonReady)
		Expect(configOnBrokers(ctx, t.Name, "max.message.bytes")).To(Equal("1048588"))
		Expect(t.Status.ManagedConfig).To(Equal(map[string]string{"min.insync.replicas": "2"}))

		Eventually(func(g Gomega) {
			var events eventsv1.EventList
			g.Expect(k8s.List(ctx, &events, client.InNamespace("default"))).To(Succeed())
			var reasons []string
			for _, e := range events.Items {
				if e.Regarding.Name == t.Name {
					reasons = append(reasons, e.Reason)
				}
			}
			g.Expect(reasons).To(ContainElements("TopicCreated", "PartitionsAdded", "ConfigChanged"))
		}).Should(Succeed())
	})

	It("costs nothing once it has converged", func(ctx SpecContext) {
		t := topicNamed(fresh("quiet"), safe)
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonReady)
		version, requests, writes, before := t.ResourceVersion, running.kafkaRequests.Load(), running.apiWrites.Load(), reconciles("kafkatopic")

		Expect(change(ctx, t, func(t *v1alpha1.KafkaTopic) { t.Annotations = map[string]string{"touched": "yes"} })).To(Succeed())
		Eventually(func() float64 { return reconciles("kafkatopic") }).Should(BeNumerically(">", before), "the annotation wakes a second reconcile")

		Expect(running.kafkaRequests.Load()-requests).To(BeZero(), "Kafka requests of a second reconcile")
		Expect(running.apiWrites.Load()-writes).To(BeZero(), "API writes of a second reconcile")
		touched := t.ResourceVersion
		Expect(touched).NotTo(Equal(version))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(t), t)).To(Succeed())
		Expect(t.ResourceVersion).To(Equal(touched), "somebody wrote the object after the annotation")
	})

	It("writes nothing in mode Observe, and says what it would do and what the broker thinks of it", func(ctx SpecContext) {
		t := topicNamed(fresh("observed"), safe, func(s *v1alpha1.KafkaTopicSpec) { s.Mode = v1alpha1.ModeObserve })
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonPlanPending)
		Expect(t.Status.Plan.Steps).To(ConsistOf(ContainSubstring("create topic " + t.Name)))
		Expect(t.Status.Plan.Verdict).To(Equal("accepted"))
		_, exists := onBrokers(ctx, t.Name)
		Expect(exists).To(BeFalse())
	})

	It("waits for review before it changes a topic that was there", func(ctx SpecContext) {
		name := fresh("existing")
		_, err := admin.CreateTopic(ctx, 2, 3, map[string]*string{"retention.ms": new("3600000")}, name)
		Expect(err).NotTo(HaveOccurred())
		t := topicNamed(name, safe)
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonAdoptionReview)
		Expect(t.Status.Plan.Steps).To(ConsistOf(
			ContainSubstring("from 2 to 3 partitions"), ContainSubstring("set min.insync.replicas to 2")))
		Expect(t.Status.TopicID).To(BeEmpty(), "a topic under review is not ours")
		partitions, _ := onBrokers(ctx, name)
		Expect(partitions).To(Equal(2))

		Expect(change(ctx, t, func(t *v1alpha1.KafkaTopic) { t.Spec.Adoption = v1alpha1.AdoptionAdopt })).To(Succeed())
		expectReason(ctx, t, v1alpha1.ReasonReady)
		partitions, _ = onBrokers(ctx, name)
		Expect(partitions).To(Equal(3))
		Expect(configOnBrokers(ctx, name, "retention.ms")).To(Equal("3600000"), "a key that the manifest does not name is not ours")
	})
})

var _ = Describe("deleting a KafkaTopic", func() {
	remove := func(ctx SpecContext, t *v1alpha1.KafkaTopic) { Expect(k8s.Delete(ctx, t)).To(Succeed()) }
	policy := func(p v1alpha1.DeletionPolicy) func(*v1alpha1.KafkaTopicSpec) {
		return func(s *v1alpha1.KafkaTopicSpec) { s.DeletionPolicy = p }
	}

	It("keeps the topic by default", func(ctx SpecContext) {
		t := topicNamed(fresh("kept"), safe)
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonReady)
		remove(ctx, t)
		expectGone(ctx, t)
		_, exists := onBrokers(ctx, t.Name)
		Expect(exists).To(BeTrue())
	})

	It("deletes the topic where the policy says so, and only then lets go", func(ctx SpecContext) {
		t := topicNamed(fresh("deleted"), safe, policy(v1alpha1.DeletionDelete))
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonReady)
		Expect(t.Finalizers).To(ConsistOf(v1alpha1.Finalizer))
		remove(ctx, t)
		expectGone(ctx, t)
		_, exists := onBrokers(ctx, t.Name)
		Expect(exists).To(BeFalse())
	})

	It("leaves alone a topic that somebody recreated under the same name", func(ctx SpecContext) {
		t := topicNamed(fresh("recreated"), safe, policy(v1alpha1.DeletionDelete))
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonReady)
		_, err := admin.DeleteTopic(ctx, t.Name)
		Expect(err).NotTo(HaveOccurred())
		_, err = admin.CreateTopic(ctx, 1, 3, nil, t.Name)
		Expect(err).NotTo(HaveOccurred())
		remove(ctx, t)
		expectGone(ctx, t)
		_, exists := onBrokers(ctx, t.Name)
		Expect(exists).To(BeTrue(), "the other topic of that name is somebody else's")
	})

	It("waits with DeleteIfEmpty while there are records, and the orphan annotation lets go", func(ctx SpecContext) {
		t := topicNamed(fresh("filled"), safe, policy(v1alpha1.DeletionDeleteIfEmpty))
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonReady)
		producer, err := kgo.NewClient(kgo.SeedBrokers(brokers.ListenAddrs()...))
		Expect(err).NotTo(HaveOccurred())
		defer producer.Close()
		Expect(producer.ProduceSync(ctx, &kgo.Record{Topic: t.Name, Value: []byte("x")}).FirstErr()).To(Succeed())
		remove(ctx, t)
		ready := expectReason(ctx, t, v1alpha1.ReasonTopicNotEmpty)
		Expect(ready.Message).To(ContainSubstring(v1alpha1.AnnotationOrphan))
		Expect(change(ctx, t, func(t *v1alpha1.KafkaTopic) {
			t.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"}
		})).To(Succeed())
		expectGone(ctx, t)
		_, exists := onBrokers(ctx, t.Name)
		Expect(exists).To(BeTrue())
	})

	It("of two objects for one topic never touches it through the younger one, and hands it over from the older", func(ctx SpecContext) {
		name := fresh("shared")
		owner := topicNamed(name, safe, policy(v1alpha1.DeletionDelete))
		expectCreated(ctx, owner)
		expectReason(ctx, owner, v1alpha1.ReasonReady)
		// creationTimestamp has whole seconds; the second object is the younger one for certain only in the next.
		Eventually(time.Now).Should(BeTemporally(">=", owner.CreationTimestamp.Add(time.Second)))
		loser := topicNamed(fresh("loser"), safe, policy(v1alpha1.DeletionDelete), func(s *v1alpha1.KafkaTopicSpec) { s.TopicName = name })
		expectCreated(ctx, loser)
		ready := expectReason(ctx, loser, v1alpha1.ReasonConflict)
		Expect(ready.Message).To(ContainSubstring("default/" + owner.Name))

		heir := topicNamed(fresh("heir"), safe, func(s *v1alpha1.KafkaTopicSpec) { s.TopicName = name })
		expectCreated(ctx, heir)
		expectReason(ctx, heir, v1alpha1.ReasonConflict)
		remove(ctx, loser)
		expectGone(ctx, loser)
		_, exists := onBrokers(ctx, name)
		Expect(exists).To(BeTrue(), "deleting the loser deleted the topic")

		remove(ctx, owner)
		expectGone(ctx, owner)
		expectReason(ctx, heir, v1alpha1.ReasonReady)
		_, exists = onBrokers(ctx, name)
		Expect(exists).To(BeTrue(), "the heir's topic was deleted")
	})
})
