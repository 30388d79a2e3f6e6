//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("The shim's price", func() {
	It("at the start of a pod is printed", func(ctx SpecContext) {
		const starts = 20
		namespace := node.NewNamespace(ctx)
		newProfile(ctx, namespace)
		image := probeImage()
		var plain, shimmed []time.Duration
		// In turns, so that both see the same machine.
		for i := range starts {
			plain = append(plain, startPod(ctx, namespace, fmt.Sprintf("plain-%d", i), image, nil))
			shimmed = append(shimmed, startPod(ctx, namespace, fmt.Sprintf("shim-%d", i), image, policy))
		}
		slices.Sort(plain)
		slices.Sort(shimmed)
		phase("from create to the app's container running, median of %d starts: without the shim %s (p90 %s), with it %s (p90 %s), so it costs %s", starts,
			quantile(plain, 0.5), quantile(plain, 0.9), quantile(shimmed, 0.5), quantile(shimmed, 0.9), quantile(shimmed, 0.5)-quantile(plain, 0.5))
		Expect(quantile(shimmed, 0.5)).To(BeNumerically("<", quantile(plain, 0.5)+5*time.Second))
	}, SpecTimeout(4*time.Minute))
})

// startPod runs a pod until its app is Ready, and returns how long that took since it was created. It is gone soon after.
func startPod(ctx context.Context, namespace, name, image string, annotations map[string]string) time.Duration {
	GinkgoHelper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: annotations},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{Container("app", image)}, AutomountServiceAccountToken: new(false), TerminationGracePeriodSeconds: new(int64(1)),
		},
	}
	var began time.Time
	Eventually(ctx, func() error { began = time.Now(); return node.Create(ctx, pod.DeepCopy()) }).Should(Succeed())
	Eventually(ctx, func(g Gomega) {
		g.Expect(node.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		g.Expect(pod.Status.ContainerStatuses).NotTo(BeEmpty())
		g.Expect(pod.Status.ContainerStatuses[0].Ready).To(BeTrue())
	}).WithPolling(20 * time.Millisecond).Should(Succeed())
	took := time.Since(began)
	Expect(pod.Spec.InitContainers).To(HaveLen(len(annotations)))
	Expect(node.Delete(ctx, pod)).To(Succeed())
	return took
}
