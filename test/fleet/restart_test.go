//go:build fleet

package fleet

import (
	"context"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

// kubelet says in a real one's place that the pods of a namespace are ready, but for those that it holds.
type kubelet struct {
	ctx  context.Context
	mu   sync.Mutex
	hold func(*corev1.Pod) bool
	held []*corev1.Pod
}

func startKubelet(ctx context.Context, namespace string) *kubelet {
	GinkgoHelper()
	k := &kubelet{ctx: ctx, hold: func(*corev1.Pod) bool { return false }}
	Expect(eachNew(ctx, namespace, k.start, func(*corev1.Pod) {})).To(Succeed())
	return k
}

func (k *kubelet) start(pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.hold(pod) {
		k.held = append(k.held, pod)
		return
	}
	k.ready(pod)
}

// holdIf makes pods that are created from now on wait.
func (k *kubelet) holdIf(hold func(*corev1.Pod) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hold = hold
}

// release makes those that waited ready.
func (k *kubelet) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, pod := range k.held {
		k.ready(pod)
	}
	k.held, k.hold = nil, func(*corev1.Pod) bool { return false }
}

func (k *kubelet) ready(pod *corev1.Pod) {
	after := pod.DeepCopy()
	after.Status.Phase = corev1.PodRunning
	after.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
	_ = kube.Status().Patch(k.ctx, after, client.MergeFrom(pod)) // it may be gone by now
}

// restartedAt is when a Deployment was restarted; "" for never.
func restartedAt(ctx context.Context, g Gomega, namespace, name string) string {
	var d appsv1.Deployment
	g.Expect(kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &d)).To(Succeed())
	return d.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"]
}

func expectAvailable(ctx context.Context, namespace string, names ...string) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		for _, name := range names {
			var d appsv1.Deployment
			g.Expect(kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &d)).To(Succeed())
			g.Expect(d.Status.AvailableReplicas).To(Equal(*d.Spec.Replicas), name)
			g.Expect(d.Status.Replicas).To(Equal(*d.Spec.Replicas), name)
			g.Expect(d.Status.ObservedGeneration).To(Equal(d.Generation), name)
		}
	}).Should(Succeed())
}

// expectCounts waits until the operator counts the pods of a profile so.
func expectCounts(ctx context.Context, p *v1alpha1.ProducerProfile, want v1alpha1.PodCounts) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		g.Expect(kube.Get(ctx, client.ObjectKeyFromObject(p), p)).To(Succeed())
		g.Expect(p.Status.Pods).To(HaveValue(Equal(want)))
	}).Should(Succeed())
}

// changeLinger is a change that is in the environment: only a restart brings it.
func changeLinger(ctx context.Context, p *v1alpha1.ProducerProfile) {
	GinkgoHelper()
	before := p.DeepCopy()
	p.Spec.Batching = &v1alpha1.ProducerBatching{Linger: &metav1.Duration{Duration: 20 * time.Millisecond}}
	Expect(kube.Patch(ctx, p, client.MergeFrom(before))).To(Succeed())
}

var _ = Describe("rollout: Restart", func() {
	It("restarts one workload at a time, and stops at one that does not become ready", func(ctx SpecContext) {
		namespace := freshNamespace(ctx, "restart")
		p := profileIn(ctx, namespace, "reliable", &v1alpha1.ProducerInjection{Rollout: v1alpha1.RolloutRestart})
		expectCaches(ctx, namespace, "reliable")
		node := startKubelet(ctx, namespace)
		for _, name := range []string{"a", "b"} {
			expectCreated(ctx, deployment(namespace, name, 2, "reliable"))
		}
		expectAvailable(ctx, namespace, "a", "b")
		expectCounts(ctx, p, v1alpha1.PodCounts{Bound: 4, Current: 4})
		order := watchRestarts(ctx, namespace)

		say("    a changed profile restarts a, whose new pods do not become ready")
		node.holdIf(func(pod *corev1.Pod) bool { return pod.Labels["app"] == "a" })
		changeLinger(ctx, p)
		Eventually(ctx, func(g Gomega) {
			g.Expect(notesAbout(ctx, g, p, "RolloutStopped")).To(ContainElement(ContainSubstring("Deployment " + namespace + "/a was restarted and does not become ready")))
		}).Should(Succeed())
		Consistently(ctx, func(g Gomega) {
			g.Expect(restartedAt(ctx, g, namespace, "b")).To(BeEmpty(), "b was restarted while a was not ready")
		}).WithTimeout(3 * time.Second).Should(Succeed())
		Expect(order()).To(Equal([]string{"a"}))

		say("    a becomes ready, and b is restarted")
		node.release()
		Eventually(ctx, order).Should(Equal([]string{"a", "b"}))
		expectCounts(ctx, p, v1alpha1.PodCounts{Bound: 4, Current: 4})
		expectAvailable(ctx, namespace, "a", "b")
		Expect(order()).To(Equal([]string{"a", "b"}), "each is restarted once for the same change")
	}, NodeTimeout(2*time.Minute))

	It("waits for a PodDisruptionBudget that allows no disruption", func(ctx SpecContext) {
		namespace := freshNamespace(ctx, "budget")
		p := profileIn(ctx, namespace, "reliable", &v1alpha1.ProducerInjection{Rollout: v1alpha1.RolloutRestart})
		expectCaches(ctx, namespace, "reliable")
		startKubelet(ctx, namespace)
		expectCreated(ctx, deployment(namespace, "a", 2, "reliable"))
		budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "a"}, Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: new(intstr.FromInt32(2)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "a"}}}}
		expectCreated(ctx, budget)
		expectAvailable(ctx, namespace, "a")
		Eventually(ctx, func(g Gomega) {
			g.Expect(kube.Get(ctx, client.ObjectKeyFromObject(budget), budget)).To(Succeed())
			g.Expect(budget.Status.CurrentHealthy).To(BeEquivalentTo(2))
		}).Should(Succeed())
		expectCounts(ctx, p, v1alpha1.PodCounts{Bound: 2, Current: 2})

		changeLinger(ctx, p)
		// The counts are written after the roll-out was looked at: without the budget, a would have been restarted by now.
		expectCounts(ctx, p, v1alpha1.PodCounts{Bound: 2, NeedRestart: 2})
		Consistently(ctx, func(g Gomega) {
			g.Expect(restartedAt(ctx, g, namespace, "a")).To(BeEmpty(), "a was restarted against its PodDisruptionBudget")
		}).WithTimeout(2 * time.Second).Should(Succeed())
		Expect(kube.Delete(ctx, budget)).To(Succeed())
		expectCounts(ctx, p, v1alpha1.PodCounts{Bound: 2, Current: 2})
		Expect(restartedAt(ctx, Default, namespace, "a")).NotTo(BeEmpty())
	}, NodeTimeout(time.Minute))
})

// watchRestarts gathers the Deployments of a namespace whose template is restarted from now on.
func watchRestarts(ctx context.Context, namespace string) (restarted func() []string) {
	GinkgoHelper()
	w, err := kube.Watch(ctx, &appsv1.DeploymentList{}, client.InNamespace(namespace))
	Expect(err).NotTo(HaveOccurred())
	var mu sync.Mutex
	var order []string
	go func() {
		last := make(map[string]string)
		for e := range w.ResultChan() {
			d, ok := e.Object.(*appsv1.Deployment)
			if !ok {
				continue
			}
			at := d.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"]
			mu.Lock()
			if was, known := last[d.Name]; known && was != at {
				order = append(order, d.Name)
			}
			last[d.Name] = at
			mu.Unlock()
		}
	}()
	DeferCleanup(w.Stop)
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(order)
	}
}
