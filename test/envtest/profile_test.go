//go:build envtest

package envtest

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

var _ = Describe("a ProducerProfile", func() {
	It("is resolved, with its configuration and hash in status", func(ctx SpecContext) {
		p := profileNamed(fresh("plain"))
		expectCreated(ctx, p)
		expectProfileReady(ctx, p)
		Expect(p.Status.Configuration).To(HaveKeyWithValue("acks", "all"))
		Expect(p.Status.Configuration).To(HaveKeyWithValue("enable.idempotence", "true"))
		Expect(p.Status.Configuration["bootstrap.servers"]).NotTo(BeEmpty())
		Expect(p.Status.Hash).NotTo(BeEmpty())
		Expect(p.Finalizers).To(BeEmpty(), "it has put nothing anywhere")
		expectProfileCondition(ctx, p, v1alpha1.ConditionValid, metav1.ConditionTrue, v1alpha1.ReasonValid)
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionUnknown, v1alpha1.ReasonNoTopics)
		Expect(c.Message).To(ContainSubstring("spec.topics is absent"))

		twin := profileNamed(fresh("twin"))
		expectCreated(ctx, twin)
		expectProfileReady(ctx, twin)
		Expect(twin.Status.Hash).To(Equal(p.Status.Hash))
	})

	It("whose cluster does not exist says so, and goes on when it appears", func(ctx SpecContext) {
		name := fresh("absent")
		p := profileNamed(fresh("early"), onCluster(name))
		expectCreated(ctx, p)
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonClusterNotReady)
		Expect(c.Message).To(ContainSubstring("no KafkaCluster " + name))
		Expect(p.Status.Configuration).To(HaveKeyWithValue("acks", "all"), "what is known is said")
		expectCreated(ctx, clusterNamed(name, brokers.ListenAddrs()...))
		expectProfileReady(ctx, p)
	})

	It("below the cluster's minimum is refused, and let in when the cluster lets it", func(ctx SpecContext) {
		k := clusterNamed(fresh("strict"), brokers.ListenAddrs()...)
		k.Spec.ProducerPolicy = &v1alpha1.ProducerPolicy{MinimumGuarantee: v1alpha1.Idempotent}
		expectCreated(ctx, k)
		p := profileNamed(fresh("weak"), onCluster(k.Name), func(s *v1alpha1.ProducerProfileSpec) { s.Guarantee = v1alpha1.AtLeastOnce })
		expectCreated(ctx, p)
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPolicyViolation)
		Expect(c.Message).To(ContainSubstring("AtLeastOnce is weaker than Idempotent"))
		expectProfileCondition(ctx, p, v1alpha1.ConditionValid, metav1.ConditionFalse, v1alpha1.ReasonPolicyViolation)
		before := k.DeepCopy()
		k.Spec.ProducerPolicy.MinimumGuarantee = v1alpha1.AtLeastOnce
		Expect(k8s.Patch(ctx, k, client.MergeFrom(before))).To(Succeed())
		expectProfileReady(ctx, p)
		expectProfileCondition(ctx, p, v1alpha1.ConditionValid, metav1.ConditionTrue, v1alpha1.ReasonValid)
	})

	It("of a namespace that the cluster does not take is refused", func(ctx SpecContext) {
		k := clusterNamed(fresh("closed"), brokers.ListenAddrs()...)
		k.Spec.AllowedNamespaces = &v1alpha1.NamespaceConsent{Selector: metav1.LabelSelector{MatchLabels: map[string]string{"kafka": "yes"}}}
		expectCreated(ctx, k)
		p := profileNamed(fresh("unwelcome"), onCluster(k.Name))
		expectCreated(ctx, p)
		expectProfileCondition(ctx, p, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNamespaceNotAllowed)
	})

	It("that breaks rules names all of them", func(ctx SpecContext) {
		p := profileNamed(fresh("broken"), func(s *v1alpha1.ProducerProfileSpec) {
			s.Properties = map[string]v1alpha1.ConfigValue{
				"lingerr": v1alpha1.MakeConfigValue("5"), "max.block.ms": v1alpha1.MakeConfigValue("soon"),
			}
		})
		expectCreated(ctx, p)
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionValid, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec)
		Expect(c.Message).To(And(ContainSubstring("lingerr"), ContainSubstring("max.block.ms")))
		expectProfileCondition(ctx, p, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec)
	})
})

var _ = Describe("the topics of a ProducerProfile", func() {
	It("are held against its promise within a second of a change of the KafkaTopic", func(ctx SpecContext) {
		t := topicNamed(fresh("weak"), func(s *v1alpha1.KafkaTopicSpec) {
			s.Partitions, s.ReplicationFactor, s.MinInsyncReplicas = new(int32(3)), new(int32(3)), new(int32(1))
		})
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonReady)
		p := profileNamed(fresh("reliable"), writing(t.Name))
		expectCreated(ctx, p)
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonAtRisk)
		Expect(c.Message).To(ContainSubstring("min.insync.replicas is 1: acks=all is acks=1 by another name"))
		Expect(p.Status.Topics).To(HaveLen(1))
		Expect(p.Status.Topics[0].Name).To(Equal(t.Name))
		Expect(p.Status.Topics[0].Durability).To(Equal(v1alpha1.ReasonAtRisk))
		expectProfileReady(ctx, p)

		Expect(change(ctx, t, func(t *v1alpha1.KafkaTopic) { t.Spec.MinInsyncReplicas = new(int32(2)) })).To(Succeed())
		expectProfileConditionWithin(ctx, time.Second, p, v1alpha1.ConditionDurable, metav1.ConditionTrue, v1alpha1.ReasonDurable)
		Eventually(func(g Gomega) {
			var list eventsv1.EventList
			g.Expect(k8s.List(ctx, &list)).To(Succeed())
			var reasons []string
			for _, e := range list.Items {
				if e.Regarding.UID == p.UID {
					reasons = append(reasons, e.Reason)
				}
			}
			g.Expect(reasons).To(ContainElements("TopicsNotDurable", "TopicsDurable"))
		}).Should(Succeed())
	})

	It("count whether a KafkaTopic describes them or not", func(ctx SpecContext) {
		live, absent, prefix := fresh("live"), fresh("absent"), fresh("family")+"."
		makeTopic(ctx, live, 3, "1")
		p := profileNamed(fresh("mixed"), writing(live, absent))
		expectCreated(ctx, p)
		expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonAtRisk)
		Expect(p.Status.Topics).To(HaveLen(2))
		Expect(p.Status.Topics[0]).To(Equal(v1alpha1.TopicDurability{Name: absent, Durability: v1alpha1.ReasonUnknown, Message: p.Status.Topics[0].Message}))
		Expect(p.Status.Topics[0].Message).To(ContainSubstring("the topic does not exist"))
		Expect(p.Status.Topics[1].Durability).To(Equal(v1alpha1.ReasonAtRisk))

		By("selecting KafkaTopics by label, and by a prefix")
		family := topicNamed(prefix+"one", safe, func(s *v1alpha1.KafkaTopicSpec) { s.MinInsyncReplicas = new(int32(2)) })
		labelled := topicNamed(fresh("labelled"), safe, func(s *v1alpha1.KafkaTopicSpec) { s.MinInsyncReplicas = new(int32(2)) })
		labelled.Labels = map[string]string{"flow": live}
		changeProfile(ctx, p, func(p *v1alpha1.ProducerProfile) {
			p.Spec.Topics = &v1alpha1.ProducerTopics{
				Prefixes: []string{prefix}, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"flow": live}},
			}
		})
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionUnknown, v1alpha1.ReasonNoTopics)
		Expect(c.Message).To(Equal("spec.topics selects no topic now"))
		expectCreated(ctx, family)
		expectCreated(ctx, labelled)
		expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionTrue, v1alpha1.ReasonDurable)
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(p), p)).To(Succeed())
			g.Expect(p.Status.Topics).To(HaveLen(2))
		}).Should(Succeed())

		By("letting go of one whose label goes")
		Expect(change(ctx, labelled, func(t *v1alpha1.KafkaTopic) { t.Labels = nil })).To(Succeed())
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(p), p)).To(Succeed())
			g.Expect(p.Status.Topics).To(HaveLen(1))
		}).Should(Succeed())
	})

	It("that change on the brokers, and that appear there, are news at the next look", func(ctx SpecContext) {
		k := lively(ctx)
		prefix := fresh("stream") + "."
		makeTopic(ctx, prefix+"a", 3, "1")
		p := profileNamed(fresh("watching"), onCluster(k.Name), writingPrefix(prefix))
		expectCreated(ctx, p)
		expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonAtRisk)
		two := "2"
		_, err := admin.AlterTopicConfigs(ctx, minISR(two), prefix+"a")
		Expect(err).NotTo(HaveOccurred())
		expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionTrue, v1alpha1.ReasonDurable)
		makeTopic(ctx, prefix+"b", 1, "1")
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonAtRisk)
		Expect(c.Message).To(ContainSubstring(prefix + "b: replication factor is 1"))
		_, err = admin.DeleteTopic(ctx, prefix+"b")
		Expect(err).NotTo(HaveOccurred())
		expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionTrue, v1alpha1.ReasonDurable)
		Expect(p.Status.Topics).To(HaveLen(1))
	})

	It("make nothing durable that the producers do not wait for", func(ctx SpecContext) {
		name := fresh("sturdy")
		makeTopic(ctx, name, 3, "2")
		p := profileNamed(fresh("careless"), writing(name), func(s *v1alpha1.ProducerProfileSpec) { s.Guarantee = v1alpha1.AtMostOnce })
		expectCreated(ctx, p)
		expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonGuaranteeWeaker)
		Expect(p.Status.Topics[0].Durability).To(Equal(v1alpha1.ReasonAtRisk))
		expectProfileReady(ctx, p)
	})

	It("are warned of where they take less than a request may hold", func(ctx SpecContext) {
		name := fresh("small")
		makeTopic(ctx, name, 3, "2")
		p := profileNamed(fresh("large"), writing(name), func(s *v1alpha1.ProducerProfileSpec) {
			s.Batching = &v1alpha1.ProducerBatching{MaxRequestSize: quantity("4Mi")}
		})
		expectCreated(ctx, p)
		expectProfileReady(ctx, p)
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionValid, metav1.ConditionTrue, v1alpha1.ReasonValid)
		Expect(c.Message).To(And(ContainSubstring("topic "+name+" takes batches of"), ContainSubstring("request-above-topic")))
	})

	It("may be more than a status holds", func(ctx SpecContext) {
		prefix := fresh("many") + "."
		for i := range 260 {
			makeTopic(ctx, fmt.Sprintf("%s%03d", prefix, i), 3, map[bool]string{true: "1", false: "2"}[i >= 258])
		}
		k := clusterNamed(fresh("wide"), brokers.ListenAddrs()...)
		expectCreated(ctx, k)
		p := profileNamed(fresh("wide"), onCluster(k.Name), writingPrefix(prefix))
		expectCreated(ctx, p)
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonAtRisk)
		Expect(p.Status.Topics).To(HaveLen(256))
		Expect(p.Status.Topics[255].Name).To(Equal(prefix+"259"), "the gravest are among them")
		Expect(c.Message).To(And(ContainSubstring("of 260 topics: 2 AtRisk, 258 Durable"), ContainSubstring("lists the gravest 256")))
	})

	It("cost nothing once they have been seen", func(ctx SpecContext) {
		name := fresh("calm")
		makeTopic(ctx, name, 3, "2")
		user := fresh("calm-user")
		p := profileNamed(fresh("calm"), writing(name), managingFor("User:"+user), func(s *v1alpha1.ProducerProfileSpec) {
			s.Quota = &v1alpha1.ProducerQuota{User: user, ProducerByteRate: quantity("1Mi")}
		})
		expectCreated(ctx, p)
		expectProfileReady(ctx, p)
		expectProfileCondition(ctx, p, v1alpha1.ConditionDurable, metav1.ConditionTrue, v1alpha1.ReasonDurable)
		Eventually(func(g Gomega) { // its own claim wakes nobody else, and nothing is under way
			before := reconciles("producerprofile")
			g.Consistently(func() float64 { return reconciles("producerprofile") }).WithTimeout(500 * time.Millisecond).Should(Equal(before))
		}).Should(Succeed())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(p), p)).To(Succeed())
		requests, writes, before := running.kafkaRequests.Load(), running.apiWrites.Load(), reconciles("producerprofile")
		changeProfile(ctx, p, func(p *v1alpha1.ProducerProfile) { p.Annotations = map[string]string{"touched": "yes"} })
		Eventually(func() float64 { return reconciles("producerprofile") }).Should(BeNumerically(">", before), "the annotation wakes a second reconcile")
		Expect(running.kafkaRequests.Load()-requests).To(BeZero(), "Kafka requests of a second reconcile")
		Expect(running.apiWrites.Load()-writes).To(BeZero(), "API writes of a second reconcile")
		Expect(k8s.Delete(ctx, p)).To(Succeed())
		expectGone(ctx, p)
	})
})
