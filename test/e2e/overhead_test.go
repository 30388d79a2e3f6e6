//go:build e2e

package e2e

import (
	"context"
	"fmt"
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
		idle := Container("idle", pauseImage())
		idle.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		var plain, floor, shimmed []time.Duration
		// In turns, so that all see the same machine.
		for i := range starts {
			plain = append(plain, startPod(ctx, appPod(namespace, fmt.Sprintf("plain-%d", i), image), 0))
			beside := appPod(namespace, fmt.Sprintf("idle-%d", i), image)
			beside.Spec.InitContainers = []corev1.Container{idle}
			floor = append(floor, startPod(ctx, beside, 1))
			annotated := appPod(namespace, fmt.Sprintf("shim-%d", i), image)
			annotated.Annotations = policy
			shimmed = append(shimmed, startPod(ctx, annotated, 1))
		}
		phase("from create to the app's container ready, %d starts each: without a sidecar %s", starts, quantiles(plain))
		phase("beside a sidecar that does nothing and is not waited for: %s", quantiles(floor))
		phase("beside the shim: %s; so at p50 it costs %s, of which any sidecar costs %s", quantiles(shimmed),
			quantile(shimmed, 0.5)-quantile(plain, 0.5), quantile(floor, 0.5)-quantile(plain, 0.5))
		// A startup probe, which a kubelet looks at once a second, costs about a second more.
		Expect(quantile(shimmed, 0.5)).To(BeNumerically("<", quantile(floor, 0.5)+750*time.Millisecond))
	}, SpecTimeout(5*time.Minute))
})

// appPod is a pod of one container. It is not created yet.
func appPod(namespace, name, image string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{Container("app", image)}, AutomountServiceAccountToken: new(false), TerminationGracePeriodSeconds: new(int64(1)),
		},
	}
}

// startPod runs a pod until its app is Ready, and returns how long that took since it was created. It is gone soon after.
func startPod(ctx context.Context, pod *corev1.Pod, sidecars int) time.Duration {
	GinkgoHelper()
	var began time.Time
	Eventually(ctx, func() error { began = time.Now(); return node.Create(ctx, pod) }).Should(Succeed()) // once the webhooks know the profile
	Eventually(ctx, func(g Gomega) {
		g.Expect(node.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		g.Expect(pod.Status.ContainerStatuses).NotTo(BeEmpty())
		g.Expect(pod.Status.ContainerStatuses[0].Ready).To(BeTrue())
	}).WithPolling(20 * time.Millisecond).Should(Succeed())
	took := time.Since(began)
	Expect(pod.Spec.InitContainers).To(HaveLen(sidecars))
	Expect(node.Delete(ctx, pod)).To(Succeed())
	return took
}
