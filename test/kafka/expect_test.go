//go:build kafka

package kafka

import (
	"context"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/status"
)

// patience is how long an object may take to come to a condition, on a busy machine and with brokers that fence and elect.
const patience = 90 * time.Second

// suiteContext is for what is read inside Eventually, which has its own end.
func suiteContext() context.Context { return context.Background() }

// ExpectTopicReady waits until a KafkaTopic is Ready at its generation, and reads it.
func ExpectTopicReady(ctx context.Context, t *v1alpha1.KafkaTopic) {
	ExpectTopicCondition(ctx, t, metav1.ConditionTrue, v1alpha1.ReasonReady, "")
}

// ExpectTopicNotReady waits until a KafkaTopic is not Ready for a reason, with words in the message, and reads it.
func ExpectTopicNotReady(ctx context.Context, t *v1alpha1.KafkaTopic, reason string, words ...string) {
	ExpectTopicCondition(ctx, t, metav1.ConditionFalse, reason, words...)
}

// ExpectTopicCondition waits for Ready to say what is expected of this generation.
func ExpectTopicCondition(ctx context.Context, t *v1alpha1.KafkaTopic, want metav1.ConditionStatus, reason string, words ...string) {
	Eventually(ctx, func(g Gomega) {
		g.Expect(kube.Get(ctx, client.ObjectKeyFromObject(t), t)).To(Succeed())
		g.Expect(t.Status.ObservedGeneration).To(Equal(t.Generation))
		expectReady(g, t.Status.Conditions, want, reason, words)
	}).WithTimeout(patience).Should(Succeed(), "KafkaTopic %s", t.Name)
	Expect(status.CheckKstatus(t.Generation, t.Status.ObservedGeneration, t.Status.Conditions)).To(BeEmpty())
}

func expectReady(g Gomega, conditions []metav1.Condition, want metav1.ConditionStatus, reason string, words []string) {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	g.Expect(ready).NotTo(BeNil(), "no condition Ready yet")
	g.Expect(string(ready.Status)+" "+ready.Reason).To(Equal(string(want)+" "+reason), ready.Message)
	for _, word := range words {
		g.Expect(ready.Message).To(ContainSubstring(word))
	}
}

// ExpectClusterReady waits until a KafkaCluster is Ready, and reads it.
func ExpectClusterReady(ctx context.Context, k *v1alpha1.KafkaCluster) {
	expectCluster(ctx, k, metav1.ConditionTrue, v1alpha1.ReasonReady)
}

// ExpectClusterNotReady waits until a KafkaCluster is not Ready for a reason, with words in the message, and reads it.
func ExpectClusterNotReady(ctx context.Context, k *v1alpha1.KafkaCluster, reason string, words ...string) {
	expectCluster(ctx, k, metav1.ConditionFalse, reason, words...)
}

func expectCluster(ctx context.Context, k *v1alpha1.KafkaCluster, want metav1.ConditionStatus, reason string, words ...string) {
	Eventually(ctx, func(g Gomega) {
		g.Expect(kube.Get(ctx, client.ObjectKeyFromObject(k), k)).To(Succeed())
		g.Expect(k.Status.ObservedGeneration).To(Equal(k.Generation))
		expectReady(g, k.Status.Conditions, want, reason, words)
	}).WithTimeout(patience).Should(Succeed(), "KafkaCluster %s", k.Name)
	Expect(status.CheckKstatus(k.Generation, k.Status.ObservedGeneration, k.Status.Conditions)).To(BeEmpty())
}

// ExpectCreated creates an object.
func ExpectCreated(ctx context.Context, o client.Object) { Expect(kube.Create(ctx, o)).To(Succeed()) }

// ExpectSpecChanged patches the spec of a KafkaTopic.
func ExpectSpecChanged(ctx context.Context, t *v1alpha1.KafkaTopic, change ...func(*v1alpha1.KafkaTopicSpec)) {
	before := t.DeepCopy()
	for _, c := range change {
		c(&t.Spec)
	}
	Expect(kube.Patch(ctx, t, client.MergeFrom(before))).To(Succeed())
}

// ExpectDeleted deletes an object and does not wait.
func ExpectDeleted(ctx context.Context, o client.Object) { Expect(kube.Delete(ctx, o)).To(Succeed()) }

// ExpectGone waits until an object is gone.
func ExpectGone(ctx context.Context, o client.Object) {
	Eventually(ctx, func(g Gomega) {
		err := kube.Get(ctx, client.ObjectKeyFromObject(o), o)
		g.Expect(err).To(HaveOccurred(), "it is still there")
		g.Expect(client.IgnoreNotFound(err)).To(Succeed())
	}).WithTimeout(patience).Should(Succeed())
}

// ExpectQuiet finds that an object is left as it is for a while.
func ExpectQuiet(ctx context.Context, o client.Object, d time.Duration) {
	Expect(kube.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
	before := o.GetResourceVersion()
	Consistently(ctx, func(g Gomega) {
		g.Expect(kube.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
		g.Expect(o.GetResourceVersion()).To(Equal(before), "it was written although nothing changed")
	}).WithTimeout(d).Should(Succeed())
}

// ExpectSettled waits until a value has not changed for a while.
func ExpectSettled(ctx context.Context, d time.Duration, read func(g Gomega) string) {
	last, since := "", time.Now()
	Eventually(ctx, func(g Gomega) time.Duration {
		if value := read(g); value != last {
			last, since = value, time.Now()
		}
		return time.Since(since)
	}).WithTimeout(patience).Should(BeNumerically(">", d), "it goes on changing")
}

// ExpectEvent waits until there is an Event about an object.
func ExpectEvent(ctx context.Context, o client.Object, reason string) {
	Eventually(ctx, func(g Gomega) { g.Expect(kube.eventsOf(g, o, reason)).To(BeNumerically(">", 0)) }).
		Should(Succeed(), "no Event %s about %s", reason, o.GetName())
}
