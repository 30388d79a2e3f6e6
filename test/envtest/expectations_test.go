//go:build envtest

package envtest

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	dto "github.com/prometheus/client_model/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/status"
)

// topicNamed builds a KafkaTopic in the namespace default.
func topicNamed(name string, change ...func(*v1alpha1.KafkaTopicSpec)) *v1alpha1.KafkaTopic {
	t := &v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}}
	for _, c := range change {
		c(&t.Spec)
	}
	return t
}

func expectCreated(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, o)).To(Succeed())
}

// expectReason waits until Ready has a reason at the present generation, and checks that kstatus reads it right.
func expectReason(ctx context.Context, t *v1alpha1.KafkaTopic, reason string) *metav1.Condition {
	GinkgoHelper()
	var ready *metav1.Condition
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(t), t)).To(Succeed())
		ready = meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil(), "there is no condition Ready")
		g.Expect(t.Status.ObservedGeneration).To(Equal(t.Generation))
		g.Expect(ready.Reason).To(Equal(reason), ready.Message)
	}).Should(Succeed())
	Expect(status.CheckKstatus(t.Generation, t.Status.ObservedGeneration, t.Status.Conditions)).To(BeEmpty())
	return ready
}

func expectGone(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Eventually(func() bool {
		return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(o), o))
	}).Should(BeTrue(), "the object is still there")
}

// change patches a KafkaTopic as kubectl would.
func change(ctx context.Context, t *v1alpha1.KafkaTopic, edit func(*v1alpha1.KafkaTopic)) error {
	before := t.DeepCopy()
	edit(t)
	return k8s.Patch(ctx, t, client.MergeFrom(before))
}

// onBrokers asks the brokers, not us.
func onBrokers(ctx context.Context, name string) (partitions int, exists bool) {
	GinkgoHelper()
	topics, err := admin.ListTopics(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	detail, ok := topics[name]
	return len(detail.Partitions), ok && detail.Err == nil
}

func configOnBrokers(ctx context.Context, name, key string) string {
	GinkgoHelper()
	configs, err := admin.DescribeTopicConfigs(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	for _, c := range configs[0].Configs {
		if c.Key == key {
			return c.MaybeValue()
		}
	}
	return ""
}

// reconciles counts the reconciles of a controller that have ended, whatever their result.
func reconciles(controller string) float64 {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	total := 0.0
	for _, family := range families {
		if family.GetName() != "controller_runtime_reconcile_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			if labelOf(m, "controller") == controller {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return total
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
