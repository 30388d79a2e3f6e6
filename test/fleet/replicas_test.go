//go:build fleet

package fleet

import (
	"context"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/internal/inject"
)

// census counts pods as they were when they were created.
type census struct {
	mu                sync.Mutex
	with, withoutList []string
}

func (c *census) note(pod *corev1.Pod) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if carriesContract(pod) {
		c.with = append(c.with, pod.Name)
	} else {
		c.withoutList = append(c.withoutList, pod.Name)
	}
}

func (c *census) counts() (with int, without []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.with), c.withoutList
}

var _ = Describe("two replicas", func() {
	// The API server keeps one connection to a webhook: the replica at its end is the one whose death hurts.
	It("lose the one that answers in the middle of a roll-out of 100 pods, and none starts without its contract", func(ctx SpecContext) {
		namespace := freshNamespace(ctx, "rollout")
		profileIn(ctx, namespace, "reliable", nil)
		seen := &census{}
		watched, stop := context.WithCancel(ctx)
		defer stop()
		Expect(eachNew(watched, namespace, seen.note, func(*corev1.Pod) {})).To(Succeed())
		expectCaches(ctx, namespace, "reliable")

		begin := time.Now()
		d := deployment(namespace, "checkout", 100, "reliable")
		d.Spec.ProgressDeadlineSeconds = nil
		expectCreated(ctx, d)
		Eventually(ctx, func() int { n, _ := seen.counts(); return n }).WithPolling(time.Millisecond).Should(BeNumerically(">=", 20))
		victim := replicas[0]
		if service.Asked() == replicas[1].webhooks {
			victim = replicas[1]
		}
		victim.Kill(ctx)
		atKill, _ := seen.counts()
		say("    %s was killed after %d pods; it had the API server's connection", victim.name, atKill)
		Expect(atKill).To(BeNumerically("<", 100), "it was killed too late to prove anything")

		Eventually(ctx, func() int { n, _ := seen.counts(); return n }).Should(Equal(100))
		say("    100 pods after %s", time.Since(begin).Round(100*time.Millisecond))
		var pods corev1.PodList
		Expect(kube.List(ctx, &pods, client.InNamespace(namespace))).To(Succeed())
		Expect(pods.Items).To(HaveLen(100))
		for i := range pods.Items {
			Expect(carriesContract(&pods.Items[i])).To(BeTrue(), pods.Items[i].Name)
		}
		_, without := seen.counts()
		Expect(without).To(BeEmpty(), "pods that were created without a contract")
		victim.Start(ctx)
	}, NodeTimeout(3*time.Minute))
})

// expectCaches waits until both replicas know a profile, so that a refusal of the specs is about pods.
func expectCaches(ctx context.Context, namespace, profile string) {
	GinkgoHelper()
	probe := deployment(namespace, "probe", 1, profile)
	Eventually(ctx, func() error {
		pod := &corev1.Pod{ObjectMeta: probe.Spec.Template.ObjectMeta, Spec: probe.Spec.Template.Spec}
		pod.Namespace, pod.Name, pod.Annotations = namespace, "probe", probe.Annotations
		pod.Spec.ServiceAccountName = "default"
		err := kube.Create(ctx, pod, client.DryRunAll)
		if err == nil && (len(pod.Spec.InitContainers) == 0 || pod.Spec.InitContainers[0].Name != inject.ContainerShim) {
			return errNotInjected
		}
		return err
	}).Should(Succeed())
}
