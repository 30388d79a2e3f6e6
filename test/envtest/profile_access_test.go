//go:build envtest

package envtest

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/twmb/franz-go/pkg/kadm"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

func quantity(text string) *resource.Quantity { return new(resource.MustParse(text)) }

func minISR(value string) []kadm.AlterConfig {
	return []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "min.insync.replicas", Value: &value}}
}

func bounded(user, rate string) profileChange {
	return func(s *v1alpha1.ProducerProfileSpec) {
		s.Quota = &v1alpha1.ProducerQuota{User: user, ProducerByteRate: quantity(rate)}
	}
}

// lively is a KafkaCluster that is looked at every second.
func lively(ctx SpecContext) *v1alpha1.KafkaCluster {
	GinkgoHelper()
	k := clusterNamed(fresh("lively"), brokers.ListenAddrs()...)
	k.Spec.Drift.Interval = &metav1.Duration{Duration: time.Second}
	expectCreated(ctx, k)
	DeferCleanup(func(ctx SpecContext) { // its looks would be counted by other specs
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, k))).To(Succeed())
		expectGone(ctx, k)
	})
	return k
}

var _ = Describe("the quota of a ProducerProfile", func() {
	It("is set, changed with the manifest, put back after drift, and removed with the profile", func(ctx SpecContext) {
		k, user := lively(ctx), fresh("u")
		p := profileNamed(fresh("bounded"), onCluster(k.Name), bounded(user, "1Mi"))
		expectCreated(ctx, p)
		expectProfileReady(ctx, p)
		Expect(quotaOf(ctx, user)).To(Equal(map[string]float64{"producer_byte_rate": 1 << 20}))
		Expect(p.Finalizers).To(ConsistOf(v1alpha1.Finalizer))
		Expect(p.Status.Managed.Quota.Values).To(Equal(map[string]string{"producer_byte_rate": "1048576"}))

		changeProfile(ctx, p, func(p *v1alpha1.ProducerProfile) {
			p.Spec.Quota.ProducerByteRate, p.Spec.Quota.RequestPercentage = nil, new(int32(50))
		})
		expectProfileReady(ctx, p)
		Expect(quotaOf(ctx, user)).To(Equal(map[string]float64{"request_percentage": 50}), "the retired key is gone")

		setQuota(ctx, user, "request_percentage", 5)
		Eventually(func() map[string]float64 { return quotaOf(ctx, user) }).Should(Equal(map[string]float64{"request_percentage": 50}))
		setQuota(ctx, user, "consumer_byte_rate", 9) // somebody else's key of the same entity

		Expect(k8s.Delete(ctx, p)).To(Succeed())
		expectGone(ctx, p)
		Expect(quotaOf(ctx, user)).To(Equal(map[string]float64{"consumer_byte_rate": 9}))
	})

	It("that was there with another value is left alone, and said", func(ctx SpecContext) {
		k, user := lively(ctx), fresh("u")
		setQuota(ctx, user, "producer_byte_rate", 7)
		p := profileNamed(fresh("late"), onCluster(k.Name), bounded(user, "1Mi"))
		expectCreated(ctx, p)
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonQuotaExists)
		Expect(c.Message).To(And(ContainSubstring("user "+user), ContainSubstring("producer_byte_rate 7 already"), ContainSubstring("--delete-config")))
		Expect(k8s.Delete(ctx, p)).To(Succeed())
		expectGone(ctx, p)
		Expect(quotaOf(ctx, user)).To(Equal(map[string]float64{"producer_byte_rate": 7}))
	})

	It("belongs to the oldest profile, and goes to the next one with it", func(ctx SpecContext) {
		k, user := lively(ctx), fresh("u")
		first := profileNamed(fresh("first"), onCluster(k.Name), bounded(user, "1Mi"))
		expectCreated(ctx, first)
		expectProfileReady(ctx, first)
		Eventually(time.Now).Should(BeTemporally(">=", first.CreationTimestamp.Add(time.Second)))
		second := profileNamed(fresh("second"), onCluster(k.Name), bounded(user, "2Mi"))
		expectCreated(ctx, second)
		c := expectProfileCondition(ctx, second, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonConflict)
		Expect(c.Message).To(ContainSubstring("ProducerProfile default/" + first.Name + " is older"))
		Expect(quotaOf(ctx, user)).To(Equal(map[string]float64{"producer_byte_rate": 1 << 20}))
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		expectGone(ctx, first)
		expectProfileReady(ctx, second)
		Expect(quotaOf(ctx, user)).To(Equal(map[string]float64{"producer_byte_rate": 2 << 20}))
		Expect(k8s.Delete(ctx, second)).To(Succeed())
		expectGone(ctx, second)
		Expect(quotaOf(ctx, user)).To(BeEmpty())
	})
})

var _ = Describe("the ACLs of a ProducerProfile", func() {
	It("are for exactly its topics, follow the manifest, are put back, and go with it", func(ctx SpecContext) {
		k := lively(ctx)
		principal, a, b := "User:"+fresh("p"), fresh("a"), fresh("b")
		p := profileNamed(fresh("granted"), onCluster(k.Name), writing(a), managingFor(principal))
		expectCreated(ctx, p)
		expectProfileReady(ctx, p)
		Expect(aclsOf(ctx, principal)).To(ConsistOf("TOPIC "+a+" WRITE", "TOPIC "+a+" DESCRIBE"))
		Expect(p.Status.Managed.ACLs).To(Equal([]v1alpha1.ManagedACL{
			{Principal: principal, Resource: "TOPIC", Pattern: "LITERAL", Name: a, Operations: []string{"DESCRIBE", "WRITE"}},
		}))

		By("leaving alone what is somebody else's")
		foreign := kadm.NewACLs().Allow(principal).AllowHosts("*").Topics(a).Operations(kadm.OpRead).ResourcePatternType(kadm.ACLPatternLiteral)
		_, err := admin.CreateACLs(ctx, foreign)
		Expect(err).NotTo(HaveOccurred())

		changeProfile(ctx, p, func(p *v1alpha1.ProducerProfile) { p.Spec.Topics.Names = []string{b} })
		expectProfileReady(ctx, p)
		Expect(aclsOf(ctx, principal)).To(ConsistOf("TOPIC "+a+" READ", "TOPIC "+b+" WRITE", "TOPIC "+b+" DESCRIBE"))

		By("putting back what somebody took away")
		gone := kadm.NewACLs().Allow(principal).AllowHosts("*").Topics(b).Operations(kadm.OpWrite).ResourcePatternType(kadm.ACLPatternLiteral)
		_, err = admin.DeleteACLs(ctx, gone)
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() []string { return aclsOf(ctx, principal) }).Should(ContainElement("TOPIC " + b + " WRITE"))

		Expect(k8s.Delete(ctx, p)).To(Succeed())
		expectGone(ctx, p)
		Expect(aclsOf(ctx, principal)).To(ConsistOf("TOPIC " + a + " READ"))
	})

	It("of two profiles for one principal go with the last that wants them", func(ctx SpecContext) {
		k := lively(ctx)
		principal, name := "User:"+fresh("p"), fresh("shared")
		first := profileNamed(fresh("first"), onCluster(k.Name), writing(name), managingFor(principal))
		second := profileNamed(fresh("second"), onCluster(k.Name), writing(name), managingFor(principal))
		expectCreated(ctx, first)
		expectProfileReady(ctx, first)
		expectCreated(ctx, second)
		expectProfileReady(ctx, second)
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		expectGone(ctx, first)
		Expect(aclsOf(ctx, principal)).To(ConsistOf("TOPIC "+name+" WRITE", "TOPIC "+name+" DESCRIBE"))
		Expect(k8s.Delete(ctx, second)).To(Succeed())
		expectGone(ctx, second)
		Expect(aclsOf(ctx, principal)).To(BeEmpty())
	})

	It("follow the profile to another cluster, and are left where the annotation asks for it", func(ctx SpecContext) {
		k := lively(ctx)
		principal, name := "User:"+fresh("p"), fresh("moved")
		p := profileNamed(fresh("moving"), onCluster(k.Name), writing(name), managingFor(principal))
		expectCreated(ctx, p)
		expectProfileReady(ctx, p)

		By("keeping the cluster while something of the profile is on it")
		Expect(k8s.Delete(ctx, k)).To(Succeed())
		Expect(expectClusterReason(ctx, k, v1alpha1.ReasonInUse).Message).To(ContainSubstring("default/" + p.Name))
		changeProfile(ctx, p, func(p *v1alpha1.ProducerProfile) { p.Spec.ClusterRef.Name = "default" })
		expectProfileReady(ctx, p)
		Expect(p.Status.Managed.Cluster).To(Equal("default"))
		expectGone(ctx, k)

		changeProfile(ctx, p, func(p *v1alpha1.ProducerProfile) {
			p.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"}
		})
		Expect(k8s.Delete(ctx, p)).To(Succeed())
		expectGone(ctx, p)
		Expect(aclsOf(ctx, principal)).To(HaveLen(2))
	})

	It("are not for every topic", func(ctx SpecContext) {
		p := profileNamed(fresh("greedy"), managingFor("User:"+fresh("p")))
		expectCreated(ctx, p)
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec)
		Expect(c.Message).To(ContainSubstring("name the topics in spec.topics"))
	})

	It("are not for topics that the namespace may not have, and those that were there when the policy came stay", func(ctx SpecContext) {
		k := clusterNamed(fresh("guarded"), brokers.ListenAddrs()...)
		expectCreated(ctx, k)
		expectClusterReason(ctx, k, v1alpha1.ReasonReady)
		principal, own, other := "User:"+fresh("p"), fresh("default."), fresh("bank.")
		p := profileNamed(fresh("reaching"), onCluster(k.Name), writing(own), managingFor(principal)) // the webhook is not asked in this namespace
		expectCreated(ctx, p)
		expectProfileReady(ctx, p)

		before := k.DeepCopy()
		k.Spec.TopicPolicies = []v1alpha1.TopicPolicy{{NamePattern: `{{ .Namespace }}\..*`}}
		Expect(k8s.Patch(ctx, k, client.MergeFrom(before))).To(Succeed())
		expectClusterReason(ctx, k, v1alpha1.ReasonReady) // the operator has seen it
		changeProfile(ctx, p, func(p *v1alpha1.ProducerProfile) { p.Spec.Topics.Names = []string{own, other} })
		c := expectProfileCondition(ctx, p, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPolicyViolation)
		Expect(c.Message).To(And(ContainSubstring("spec.topics.names[1]"), ContainSubstring(other), ContainSubstring("spec.topicPolicies[0].namePattern")))
		Expect(aclsOf(ctx, principal)).To(ConsistOf("TOPIC "+own+" WRITE", "TOPIC "+own+" DESCRIBE"))

		By("granting it when the policy lets go")
		before = k.DeepCopy()
		k.Spec.TopicPolicies = nil
		Expect(k8s.Patch(ctx, k, client.MergeFrom(before))).To(Succeed())
		expectProfileReady(ctx, p)
		Expect(aclsOf(ctx, principal)).To(HaveLen(4))
	})
})

var _ = Describe("admission of a ProducerProfile", func() {
	It("refuses every error at once, each with its field, and warns of the rest", func(ctx SpecContext) {
		namespace := fresh("shop")
		namespaceNamed(ctx, namespace, true)
		k := clusterNamed(fresh("strict"), brokers.ListenAddrs()...)
		k.Spec.ProducerPolicy = &v1alpha1.ProducerPolicy{MinimumGuarantee: v1alpha1.Idempotent}
		expectCreated(ctx, k)
		expectClusterReason(ctx, k, v1alpha1.ReasonReady)
		bad := profileNamed("bad", onCluster(k.Name), managingFor("User:a"), func(s *v1alpha1.ProducerProfileSpec) {
			s.Guarantee = v1alpha1.AtLeastOnce
			s.Properties = map[string]v1alpha1.ConfigValue{"lingerr": v1alpha1.MakeConfigValue("5")}
		})
		bad.Namespace = namespace
		status := expectRefused(ctx, creating(ctx, bad), "AtLeastOnce is weaker than Idempotent", "lingerr", "name the topics in spec.topics")
		Expect(fieldsOf(status)).To(ConsistOf("spec.guarantee", "spec.properties[lingerr]", "spec.authorization.mode"))

		By("taking one that only surprises")
		loud, warnings := listening()
		fine := profileNamed("fine", onCluster(k.Name), func(s *v1alpha1.ProducerProfileSpec) { s.Partitioner = v1alpha1.PartitionerRoundRobin })
		fine.Namespace = namespace
		Expect(loud.Create(ctx, fine)).To(Succeed())
		Expect(warnings.take()).To(ContainElement(ContainSubstring("round-robin-scatters-keys")))

		By("letting an older one be changed elsewhere after the policy became stricter")
		before := k.DeepCopy()
		k.Spec.ProducerPolicy.MinimumGuarantee = v1alpha1.Transactional
		Expect(k8s.Patch(ctx, k, client.MergeFrom(before))).To(Succeed())
		Eventually(func(g Gomega) {
			changed := fine.DeepCopy()
			changed.Spec.Batching = &v1alpha1.ProducerBatching{Compression: "zstd"}
			g.Expect(loud.Patch(ctx, changed, client.MergeFrom(fine), client.DryRunAll)).To(Succeed())
			g.Expect(warnings.take()).To(ContainElement(ContainSubstring("against the policy, as before: spec.guarantee")))
		}).Should(Succeed())
		worse := fine.DeepCopy()
		worse.Spec.Guarantee = v1alpha1.AtLeastOnce
		Expect(k8s.Patch(ctx, worse, client.MergeFrom(fine))).To(MatchError(ContainSubstring("AtLeastOnce is weaker than Transactional")))
	})
})
