//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

var _ = Describe("A profile's change", func() {
	It("reaches running pods without a restart", func(ctx SpecContext) {
		const replicas, rounds = 12, 5
		namespace := node.NewNamespace(ctx)
		profile := newProfile(ctx, namespace)
		d := Deployment(namespace, "fleet", Container("app", probeImage()))
		d.Annotations, d.Spec.Replicas = policy, new(int32(replicas))
		Eventually(ctx, func() error { return node.Create(ctx, d.DeepCopy()) }).Should(Succeed())
		node.WaitAvailable(ctx, d)
		before := node.Pods(ctx, namespace, "fleet")
		Expect(before).To(HaveLen(replicas))

		var all []time.Duration
		for round := range rounds {
			mode := []v1alpha1.ShimMode{v1alpha1.ShimAudit, v1alpha1.ShimReject, v1alpha1.ShimUpgrade}[round%3]
			patch := client.RawPatch("application/merge-patch+json", []byte(fmt.Sprintf(`{"spec":{"shim":{"mode":%q}}}`, mode)))
			began := time.Now()
			Expect(node.Patch(ctx, profile, patch)).To(Succeed())
			all = append(all, reached(ctx, before, began, fmt.Sprintf(`mode="%s",`, mode), fmt.Sprintf("} %d\n", profile.Generation))...)
		}
		slices.Sort(all)
		phase("%d changes on %d pods, from the patch to the shim's /metrics: p50 %s, p99 %s, slowest %s", rounds, replicas,
			quantile(all, 0.5), quantile(all, 0.99), all[len(all)-1].Round(time.Millisecond))
		Expect(quantile(all, 0.5)).To(BeNumerically("<", 5*time.Second))

		By("being the same containers, and counted in the profile's status")
		for _, pod := range before {
			now := corev1.Pod{}
			Expect(node.Get(ctx, client.ObjectKeyFromObject(&pod), &now)).To(Succeed())
			Expect(now.UID).To(Equal(pod.UID))
			for _, status := range append(now.Status.InitContainerStatuses, now.Status.ContainerStatuses...) {
				Expect(status.RestartCount).To(BeZero(), status.Name)
				Expect(status.ContainerID).To(Equal(containerStatus(pod, status.Name).ContainerID))
			}
		}
		Eventually(ctx, func(g Gomega) {
			g.Expect(node.Get(ctx, client.ObjectKeyFromObject(profile), profile)).To(Succeed())
			g.Expect(profile.Status.Pods).To(HaveValue(Equal(v1alpha1.PodCounts{Bound: replicas, Current: replicas})))
		}).Should(Succeed())
	}, SpecTimeout(8*time.Minute))
})

// reached waits until each pod's shim shows a contract with both texts in its contract_info, and returns how long each took.
func reached(ctx context.Context, pods []corev1.Pod, began time.Time, texts ...string) []time.Duration {
	GinkgoHelper()
	took := make([]time.Duration, len(pods))
	var group sync.WaitGroup
	for i, pod := range pods {
		group.Go(func() {
			defer GinkgoRecover()
			Eventually(ctx, func(g Gomega) {
				metrics, err := shimGet(ctx, pod, "/metrics")
				g.Expect(err).NotTo(HaveOccurred())
				_, info, _ := strings.Cut(metrics, "\nmooring_shim_contract_info{")
				end := strings.IndexByte(info, '\n') + 1
				for _, text := range texts {
					g.Expect(info[:end]).To(ContainSubstring(text))
				}
				// A kubelet that misses the moment writes the files at its next look at the pod, a minute later at most.
			}).WithPolling(20 * time.Millisecond).WithTimeout(100 * time.Second).Should(Succeed())
			took[i] = time.Since(began)
		})
	}
	group.Wait()
	return took
}

// quantile of sorted durations.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1)+0.5)].Round(time.Millisecond)
}
