//go:build e2e

package e2e

import (
	"context"
	"regexp"
	"strconv"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/internal/inject"
)

var _ = Describe("An app that takes too much memory", func() {
	It("is killed and starts again beside the shim that stays, and what it was told is true", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		newProfile(ctx, namespace)
		topic := newTopic(ctx, "e2e-app-memory")
		d := Deployment(namespace, "greedy", producing(topic, "--acks=1", "--rate=400"))
		d.Annotations = policy
		d.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(30))
		d.Spec.Template.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
		Eventually(ctx, func() error { return node.Create(ctx, d.DeepCopy()) }).Should(Succeed()) // once the webhooks know the profile
		node.WaitAvailable(ctx, d)
		pod := node.Pod(ctx, namespace, "greedy")
		progress(ctx, pod, 400)
		shimBefore := containerStatus(pod, inject.ContainerShim).ContainerID

		began := time.Now()
		Expect(syscall.Kill(processOf(pod, "app"), syscall.SIGUSR1)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(node.Get(ctx, client.ObjectKeyFromObject(&pod), &pod)).To(Succeed())
			status := containerStatus(pod, "app")
			g.Expect(status.RestartCount).To(Equal(int32(1)))
			g.Expect(status.LastTerminationState.Terminated).To(And(HaveField("Reason", "OOMKilled"), HaveField("ExitCode", int32(137))))
			g.Expect(status.Ready).To(BeTrue())
		}).Should(Succeed())
		progress(ctx, pod, 400)
		phase("its next life has written 400 records %s after the first was asked to take memory", time.Since(began).Round(10*time.Millisecond))

		id, told := lastTold(ctx, pod)
		first := tally(ctx, topic, id, told)
		phase("the life that was killed: told that all up to %d are acknowledged; ledger: written %d, lost %d, duplicated %d, reordered %d", told, first.Written, first.Lost, first.Duplicated, first.Reordered)
		Expect(first).To(Equal(ledger{Written: first.Written}))
		Expect(node.Get(ctx, client.ObjectKeyFromObject(&pod), &pod)).To(Succeed())
		Expect(containerStatus(pod, inject.ContainerShim)).To(And(HaveField("RestartCount", int32(0)), HaveField("ContainerID", shimBefore)))

		app, last := drained(ctx, pod)
		shim := parseDrain(last)
		second := account(ctx, topic, app)
		phase("the next: sent=%d acknowledged=%d; ledger: written %d, lost %d, duplicated %d, reordered %d; the shim of both: %s", app.Sent, app.Acknowledged,
			second.Written, second.Lost, second.Duplicated, second.Reordered, last)
		Expect(second).To(Equal(ledger{Written: app.Sent}))
		Expect(shim).To(Equal(drain{Acknowledged: first.Written + second.Written, Flushed: shim.Flushed}))
	}, SpecTimeout(3*time.Minute))
})

var toldLine = regexp.MustCompile(`id=(\S+) acknowledged all up to (\d+)\n`)

// lastTold is what the app's life before this one said last of what was acknowledged to it.
func lastTold(ctx context.Context, pod corev1.Pod) (id string, upTo int64) {
	GinkgoHelper()
	log := node.Kubectl(ctx, "-n", pod.Namespace, "logs", pod.Name, "-c", "app", "--previous")
	lines := toldLine.FindAllStringSubmatch(log, -1)
	Expect(lines).NotTo(BeEmpty(), log)
	last := lines[len(lines)-1]
	upTo, err := strconv.ParseInt(last[2], 10, 64)
	Expect(err).NotTo(HaveOccurred())
	return last[1], upTo
}
