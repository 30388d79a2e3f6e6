//go:build envtest

package envtest

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

func atMost(partitions int32) v1alpha1.TopicPolicy {
	return v1alpha1.TopicPolicy{Partitions: &v1alpha1.Int32Range{Max: &partitions}}
}

// later waits until an object that is made now is younger than this one: creationTimestamp has whole seconds.
func later(t *v1alpha1.KafkaTopic) {
	GinkgoHelper()
	Eventually(time.Now).Should(BeTemporally(">=", t.CreationTimestamp.Add(time.Second)))
}

var _ = Describe("guardrails in the reconcile", func() {
	It("hold back a topic that the webhook has not seen, and write nothing to the brokers", func(ctx SpecContext) {
		k := guardedCluster(ctx, atMost(4))
		t := topicNamed(fresh("unseen"), on(k.Name), func(s *v1alpha1.KafkaTopicSpec) { s.Partitions = new(int32(5)) })
		expectCreated(ctx, t)
		Expect(expectReason(ctx, t, v1alpha1.ReasonPolicyViolation).Message).To(Equal(
			"spec.partitions is 5: KafkaCluster " + k.Name + " allows at most 4 (spec.topicPolicies[0].partitions.max); set spec.partitions to at most 4"))
		_, exists := onBrokers(ctx, t.Name)
		Expect(exists).To(BeFalse())

		By("letting go as soon as the policy does")
		before := k.DeepCopy()
		k.Spec.TopicPolicies = []v1alpha1.TopicPolicy{atMost(5)}
		Expect(k8s.Patch(ctx, k, client.MergeFrom(before))).To(Succeed())
		expectReason(ctx, t, v1alpha1.ReasonReady)
	})

	It("leave alone a topic that is older than the policy; it can be annotated, changed elsewhere, and deleted", func(ctx SpecContext) {
		namespace := fresh("older")
		namespaceNamed(ctx, namespace, true)
		k := guardedCluster(ctx, v1alpha1.TopicPolicy{})
		t := in(namespace, topicNamed(fresh("legacy"), on(k.Name), safe, func(s *v1alpha1.KafkaTopicSpec) { s.DeletionPolicy = v1alpha1.DeletionDelete }))
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonReady)
		before := k.DeepCopy()
		k.Spec.TopicPolicies = []v1alpha1.TopicPolicy{atMost(2)}
		Expect(k8s.Patch(ctx, k, client.MergeFrom(before))).To(Succeed())
		expectReason(ctx, t, v1alpha1.ReasonPolicyViolation)
		partitions, _ := onBrokers(ctx, t.Name)
		Expect(partitions).To(Equal(3))

		By("annotating it")
		Expect(change(ctx, t, func(t *v1alpha1.KafkaTopic) { t.Annotations = map[string]string{"note": "to be moved"} })).To(Succeed())

		By("changing what the policy says nothing of: it is taken with a warning, and not carried out")
		loud, warnings := listening()
		changed := t.DeepCopy()
		changed.Spec.Config = map[string]v1alpha1.ConfigValue{"max.message.bytes": v1alpha1.MakeConfigValue("2097152")}
		Expect(loud.Patch(ctx, changed, client.MergeFrom(t))).To(Succeed())
		Expect(warnings.take()).To(ConsistOf(ContainSubstring("against the policy, as before: spec.partitions is 3")))
		expectReason(ctx, t, v1alpha1.ReasonPolicyViolation)
		Expect(configOnBrokers(ctx, t.Name, "max.message.bytes")).NotTo(Equal("2097152"))

		By("making it worse, which is refused")
		Expect(change(ctx, t, func(t *v1alpha1.KafkaTopic) { t.Spec.Partitions = new(int32(4)) })).To(MatchError(ContainSubstring("at most 2")))

		By("deleting it, with its topic")
		Expect(k8s.Delete(ctx, t)).To(Succeed())
		expectGone(ctx, t)
		_, exists := onBrokers(ctx, t.Name)
		Expect(exists).To(BeFalse())
	})

	It("give the quota to the oldest, and what one of them leaves to those that were held back", func(ctx SpecContext) {
		namespace := fresh("share")
		namespaceNamed(ctx, namespace, false)
		k := guardedCluster(ctx, v1alpha1.TopicPolicy{Quota: &v1alpha1.TopicQuota{Topics: new(int32(1))}})
		first := in(namespace, topicNamed(fresh("first"), on(k.Name), safe))
		expectCreated(ctx, first)
		expectReason(ctx, first, v1alpha1.ReasonReady)
		later(first)
		second := in(namespace, topicNamed(fresh("second"), on(k.Name), safe))
		expectCreated(ctx, second)
		Expect(expectReason(ctx, second, v1alpha1.ReasonPolicyViolation).Message).To(ContainSubstring("may have 1 (spec.topicPolicies[0].quota.topics)"))
		_, exists := onBrokers(ctx, second.Name)
		Expect(exists).To(BeFalse())

		By("leaving other namespaces out of it")
		elsewhere := fresh("elsewhere")
		namespaceNamed(ctx, elsewhere, false)
		other := in(elsewhere, topicNamed(fresh("other"), on(k.Name), safe))
		expectCreated(ctx, other)
		expectReason(ctx, other, v1alpha1.ReasonReady)

		Expect(k8s.Delete(ctx, first)).To(Succeed())
		expectReason(ctx, second, v1alpha1.ReasonReady)
	})

	It("hold back what came in while the webhook was away", func(ctx SpecContext) {
		namespace := fresh("away")
		namespaceNamed(ctx, namespace, true)
		k := guardedCluster(ctx, atMost(4))
		t := in(namespace, topicNamed(fresh("sneaked"), on(k.Name), func(s *v1alpha1.KafkaTopicSpec) { s.Partitions = new(int32(5)) }))
		expectRefused(ctx, creating(ctx, t), "at most 4")
		running.stop()
		expectCreated(ctx, t)
		running = startReplica()
		expectReason(ctx, t, v1alpha1.ReasonPolicyViolation)
		_, exists := onBrokers(ctx, t.Name)
		Expect(exists).To(BeFalse())
	})
})
