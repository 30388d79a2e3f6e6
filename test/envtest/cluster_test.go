//go:build envtest

package envtest

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/status"
)

func expectClusterReason(ctx SpecContext, k *v1alpha1.KafkaCluster, reason string) *metav1.Condition {
	GinkgoHelper()
	var ready *metav1.Condition
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(k), k)).To(Succeed())
		ready = meta.FindStatusCondition(k.Status.Conditions, v1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil())
		g.Expect(ready.Reason).To(Equal(reason), ready.Message)
		g.Expect(k.Status.ObservedGeneration).To(Equal(k.Generation))
	}).Should(Succeed())
	Expect(status.CheckKstatus(k.Generation, k.Status.ObservedGeneration, k.Status.Conditions)).To(BeEmpty())
	return ready
}

func clusterNamed(name string, servers ...string) *v1alpha1.KafkaCluster {
	return &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: servers}}
}

func on(cluster string) func(*v1alpha1.KafkaTopicSpec) {
	return func(s *v1alpha1.KafkaTopicSpec) { s.ClusterRef.Name = cluster }
}

var _ = Describe("a KafkaCluster", func() {
	It("publishes what it is", func(ctx SpecContext) {
		k := clusterNamed("default")
		expectClusterReason(ctx, k, v1alpha1.ReasonReady)
		Expect(k.Status.ClusterID).NotTo(BeEmpty())
		Expect(k.Status.Brokers).To(HaveLen(3))
		Expect(*k.Status.LiveBrokers).To(Equal(int32(3)))
	})

	It("that does not exist is named by its topic, which goes on when it appears", func(ctx SpecContext) {
		name := fresh("late")
		t := topicNamed(fresh("early"), safe, on(name))
		expectCreated(ctx, t)
		Expect(expectReason(ctx, t, v1alpha1.ReasonClusterNotReady).Message).To(ContainSubstring("no KafkaCluster " + name))
		expectCreated(ctx, clusterNamed(name, brokers.ListenAddrs()...))
		expectReason(ctx, t, v1alpha1.ReasonReady)
	})

	It("that nobody answers for is one condition, and its topics say so too", func(ctx SpecContext) {
		k := clusterNamed(fresh("away"), "127.0.0.1:1")
		expectCreated(ctx, k)
		expectClusterReason(ctx, k, v1alpha1.ReasonClusterUnreachable)
		t := topicNamed(fresh("stranded"), safe, on(k.Name))
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonClusterUnreachable)
	})

	It("names the Secret and the key that it lacks, and connects when they are there", func(ctx SpecContext) {
		k := clusterNamed(fresh("secret"), brokers.ListenAddrs()...)
		name := fresh("ca")
		k.Spec.TLS = &v1alpha1.KafkaClusterTLS{CABundleRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: name}}}
		expectCreated(ctx, k)
		Expect(expectClusterReason(ctx, k, v1alpha1.ReasonSecretInvalid).Message).To(ContainSubstring("there is no Secret " + operatorNamespace + "/" + name))
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: operatorNamespace}, Data: map[string][]byte{"other": []byte("x")}}
		expectCreated(ctx, secret)
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(k), k)).To(Succeed())
			g.Expect(meta.FindStatusCondition(k.Status.Conditions, v1alpha1.ConditionReady).Message).To(ContainSubstring(`no key "ca.crt"`))
		}).Should(Succeed())
	})

	It("takes topics of the namespaces that it allows, and of no other", func(ctx SpecContext) {
		k := clusterNamed(fresh("choosy"), brokers.ListenAddrs()...)
		k.Spec.AllowedNamespaces = &v1alpha1.NamespaceConsent{Selector: metav1.LabelSelector{MatchLabels: map[string]string{"tier": k.Name}}}
		expectCreated(ctx, k)
		t := topicNamed(fresh("unwelcome"), safe, on(k.Name))
		expectCreated(ctx, t)
		Expect(expectReason(ctx, t, v1alpha1.ReasonNamespaceNotAllowed).Message).To(ContainSubstring("tier=" + k.Name))
		_, exists := onBrokers(ctx, t.Name)
		Expect(exists).To(BeFalse())

		namespace := &corev1.Namespace{}
		Expect(k8s.Get(ctx, client.ObjectKey{Name: "default"}, namespace)).To(Succeed())
		before := namespace.DeepCopy()
		namespace.Labels["tier"] = k.Name
		Expect(k8s.Patch(ctx, namespace, client.MergeFrom(before))).To(Succeed())
		expectReason(ctx, t, v1alpha1.ReasonReady)
	})

	It("being deleted waits for its topics, and says for which", func(ctx SpecContext) {
		k := clusterNamed(fresh("leaving"), brokers.ListenAddrs()...)
		expectCreated(ctx, k)
		t := topicNamed(fresh("last"), safe, on(k.Name))
		expectCreated(ctx, t)
		expectReason(ctx, t, v1alpha1.ReasonReady)
		Expect(k8s.Delete(ctx, k)).To(Succeed())
		Expect(expectClusterReason(ctx, k, v1alpha1.ReasonInUse).Message).To(ContainSubstring("default/" + t.Name))
		Expect(k8s.Delete(ctx, t)).To(Succeed())
		expectGone(ctx, k)
	})
})
