//go:build e2e

package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

// leader is the pod that holds the Lease; empty when none does.
func leader(ctx context.Context) string {
	GinkgoHelper()
	var lease coordinationv1.Lease
	Expect(node.Get(ctx, types.NamespacedName{Namespace: operatorNamespace, Name: "mooring.kafka.mooring.dev"}, &lease)).To(Succeed())
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	name, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
	return name
}

func operatorPods(ctx context.Context) []corev1.Pod {
	GinkgoHelper()
	var list corev1.PodList
	Expect(node.List(ctx, &list, client.InNamespace(operatorNamespace), client.MatchingLabels{"app.kubernetes.io/name": "mooring"})).To(Succeed())
	return list.Items
}

// kafkaCluster makes a KafkaCluster of the suite's brokers, with whatever change makes of it.
func kafkaCluster(ctx context.Context, name string, change ...func(*v1alpha1.KafkaCluster)) *v1alpha1.KafkaCluster {
	GinkgoHelper()
	k := &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: name}}
	k.Spec.BootstrapServers = brokers.Seeds
	for _, c := range change {
		c(k)
	}
	Expect(node.Create(ctx, k)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(node.Delete(ctx, k))).To(Succeed()) }, NodeTimeout(time.Minute))
	return k
}

// kafkaTopic is a topic of three partitions and three replicas. It is not created yet.
func kafkaTopic(namespace, name, cluster string) *v1alpha1.KafkaTopic {
	t := &v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	t.Spec.ClusterRef.Name = cluster
	t.Spec.Partitions, t.Spec.ReplicationFactor = new(int32(3)), new(int32(3))
	return t
}

// createTopic creates a topic, and removes it from the API server and the brokers when the spec is over.
func createTopic(ctx context.Context, t *v1alpha1.KafkaTopic) {
	GinkgoHelper()
	t.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	Expect(node.Create(ctx, t)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(node.Delete(ctx, t))).To(Succeed())
		Eventually(ctx, func() error {
			return node.Get(ctx, client.ObjectKeyFromObject(t), &v1alpha1.KafkaTopic{})
		}).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
	}, NodeTimeout(time.Minute))
}

func waitReady(ctx context.Context, t *v1alpha1.KafkaTopic) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		g.Expect(node.Get(ctx, client.ObjectKeyFromObject(t), t)).To(Succeed())
		g.Expect(meta.IsStatusConditionTrue(t.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue(), "%+v", t.Status.Conditions)
	}).Should(Succeed())
}

var _ = Describe("The operator from config/default", func() {
	It("runs twice, as nobody, and one of the two leads", func(ctx SpecContext) {
		var deployment appsv1.Deployment
		Expect(node.Get(ctx, types.NamespacedName{Namespace: operatorNamespace, Name: "mooring"}, &deployment)).To(Succeed())
		Expect(deployment.Status.ReadyReplicas).To(Equal(int32(2)))
		var names []string
		for _, pod := range operatorPods(ctx) {
			names = append(names, pod.Name)
			Expect(pod.Spec.ServiceAccountName).To(Equal("mooring"))
			Expect(pod.Status.ContainerStatuses[0].User.Linux.UID).To(Equal(int64(65532)))
			Expect(pod.Status.ContainerStatuses[0].RestartCount).To(BeZero(), node.Logs(ctx, pod, "mooring"))
		}
		Eventually(ctx, leader).WithArguments(ctx).Should(BeElementOf(names))
	}, SpecTimeout(time.Minute))

	DescribeTable("may do what the generated RBAC says, and no more",
		func(ctx SpecContext, answer string, question ...string) {
			args := append([]string{"auth", "can-i", "--as=system:serviceaccount:mooring-system:mooring"}, question...)
			// The exit status is the answer too.
			output, _ := node.TryKubectl(ctx, "", args...)
			Expect(strings.TrimSpace(output)).To(Equal(answer))
		},
		Entry("read topics everywhere", "yes", "list", "kafkatopics", "-A", SpecTimeout(time.Minute)),
		Entry("read its own Secrets", "yes", "get", "secrets", "-n", operatorNamespace, SpecTimeout(time.Minute)),
		Entry("not read other Secrets", "no", "get", "secrets", "-n", "default", SpecTimeout(time.Minute)),
		Entry("not create pods", "no", "create", "pods", "-A", SpecTimeout(time.Minute)),
		Entry("not bind roles", "no", "create", "clusterrolebindings", SpecTimeout(time.Minute)),
		Entry("not delete topics", "no", "delete", "kafkatopics", "-A", SpecTimeout(time.Minute)),
	)

	It("refuses a topic at admission, through its Service and over TLS", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		cluster := kafkaCluster(ctx, "guarded", func(k *v1alpha1.KafkaCluster) {
			k.Spec.TopicPolicies = []v1alpha1.TopicPolicy{{Partitions: &v1alpha1.Int32Range{Max: new(int32(12))}}}
		})
		wrong := kafkaTopic(namespace, "wide", cluster.Name)
		wrong.Spec.Partitions = new(int32(64))
		// Until its cache has the KafkaCluster, a replica cannot know better.
		Eventually(ctx, func() error { return node.Create(ctx, wrong.DeepCopy(), client.DryRunAll) }).Should(MatchError(And(
			ContainSubstring(`admission webhook "kafkatopics.kafka.mooring.dev" denied the request`),
			ContainSubstring("spec.topicPolicies[0].partitions.max"),
		)))
		right := kafkaTopic(namespace, "narrow", cluster.Name)
		Expect(node.Create(ctx, right, client.DryRunAll)).To(Succeed())
	}, SpecTimeout(2*time.Minute))

	It("brings a topic to three real brokers", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		topic := kafkaTopic(namespace, "orders", kafkaCluster(ctx, "real").Name)
		topic.Spec.TopicName = "e2e-orders"
		began := time.Now()
		createTopic(ctx, topic)
		waitReady(ctx, topic)
		phase("ready %s after it was created", time.Since(began).Round(10*time.Millisecond))

		topics, err := brokers.Admin.ListTopics(ctx, "e2e-orders")
		Expect(err).NotTo(HaveOccurred())
		Expect(topics["e2e-orders"].Partitions).To(HaveLen(3))
		Expect(topics["e2e-orders"].Partitions.NumReplicas()).To(Equal(3))
	}, SpecTimeout(2*time.Minute))

	It("goes on when the pod that leads is gone", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		cluster := kafkaCluster(ctx, "survives").Name
		var first string
		Eventually(ctx, func() string { first = leader(ctx); return first }).ShouldNot(BeEmpty())
		began := time.Now()
		Expect(node.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: first}})).To(Succeed())
		Eventually(ctx, leader).WithArguments(ctx).Should(And(Not(BeEmpty()), Not(Equal(first))))
		phase("another pod leads after %s", time.Since(began).Round(10*time.Millisecond))
		topic := kafkaTopic(namespace, "after", cluster)
		topic.Spec.TopicName = "e2e-after"
		createTopic(ctx, topic)
		waitReady(ctx, topic)
		node.Kubectl(ctx, "-n", operatorNamespace, "rollout", "status", "deployment/mooring", "--timeout=2m")

		By("having asked for nothing that the generated RBAC does not give")
		for _, pod := range operatorPods(ctx) {
			if pod.DeletionTimestamp.IsZero() {
				Expect(node.Logs(ctx, pod, "mooring")).NotTo(ContainSubstring("is forbidden: User")) // other refusals are of namespaces that end
			}
		}
	}, SpecTimeout(3*time.Minute))

	It("takes its certificate from cert-manager instead, with the overlay", func(ctx SpecContext) {
		overlay := node.Kubectl(ctx, "kustomize", filepath.Join(root, "config", "overlays", "cert-manager"))
		var ours []string
		injected := 0
		for _, object := range strings.Split(overlay, "\n---\n") {
			switch {
			case strings.Contains(object, "apiVersion: cert-manager.io/v1\n"):
				continue // its CRDs are not here
			case strings.Contains(object, "WebhookConfiguration\n"):
				Expect(object).To(ContainSubstring("cert-manager.io/inject-ca-from: mooring-system/mooring-webhook"))
				injected++
			case strings.Contains(object, "\nkind: Deployment\n"):
				Expect(object).To(And(ContainSubstring("value: /certificates"), ContainSubstring("secretName: mooring-webhook-cert-manager")))
			}
			ours = append(ours, object)
		}
		Expect(injected).To(Equal(2))
		_, err := node.TryKubectl(ctx, strings.Join(ours, "\n---\n"), "apply", "--server-side", "--dry-run=server", "-f", "-")
		Expect(err).NotTo(HaveOccurred())
	}, SpecTimeout(time.Minute))
})
