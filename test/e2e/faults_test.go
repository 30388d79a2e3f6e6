//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/internal/inject"
)

// runningProducer is the pod of an annotated Deployment whose app writes to a topic of its own.
func runningProducer(ctx context.Context, namespace, name, topic string, args ...string) corev1.Pod {
	GinkgoHelper()
	d := Deployment(namespace, name, producing(topic, args...))
	d.Annotations = policy
	d.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(30))
	Eventually(ctx, func() error { return node.Create(ctx, d.DeepCopy()) }).Should(Succeed()) // once the webhooks know the profile
	node.WaitAvailable(ctx, d)
	return node.Pod(ctx, namespace, name)
}

var _ = Describe("Under load", func() {
	It("loses, repeats and reorders nothing when a broker is killed", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		newProfile(ctx, namespace)
		topic := newTopic(ctx, "e2e-broker-killed")
		pod := runningProducer(ctx, namespace, "orders", topic, "--acks=1", "--rate=400")
		progress(ctx, pod, 400)

		killed := brokers.State().Nodes[0].ID
		DeferCleanup(func(ctx SpecContext) {
			Expect(brokers.Start(ctx, killed)).To(Succeed())
			Expect(brokers.WaitReady(ctx)).To(Succeed())
		}, NodeTimeout(2*time.Minute))
		Expect(brokers.Kill(ctx, killed)).To(Succeed())
		began := time.Now()
		progress(ctx, pod, 2000)
		phase("2000 records acknowledged %s after broker %d was killed", time.Since(began).Round(10*time.Millisecond), killed)
		Expect(brokers.Start(ctx, killed)).To(Succeed())
		progress(ctx, pod, 400)

		view, err := audited(ctx, pod)
		Expect(err).NotTo(HaveOccurred())
		app, shim := drained(ctx, pod)
		l := account(ctx, topic, app)
		phase("app sent=%d acknowledged=%d; shim %s, retries %d, doubts %d; ledger: written %d, lost %d, duplicated %d, reordered %d", app.Sent, app.Acknowledged, shim,
			view.Clients[0].Done.Retries, view.Clients[0].Done.Doubts, l.Written, l.Lost, l.Duplicated, l.Reordered)
		Expect(l).To(Equal(ledger{Written: app.Sent}))
	}, SpecTimeout(4*time.Minute))

	It("loses nothing when the shim is killed, which starts again beside the app that goes on", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		newProfile(ctx, namespace)
		topic := newTopic(ctx, "e2e-shim-killed")
		pod := runningProducer(ctx, namespace, "orders", topic, "--acks=1", "--rate=400")
		progress(ctx, pod, 400)

		began := time.Now()
		Expect(syscall.Kill(processOf(pod, inject.ContainerShim), syscall.SIGKILL)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(node.Get(ctx, client.ObjectKeyFromObject(&pod), &pod)).To(Succeed())
			status := containerStatus(pod, inject.ContainerShim)
			g.Expect(status.RestartCount).To(Equal(int32(1)))
			g.Expect(status.LastTerminationState.Terminated).To(HaveField("ExitCode", int32(137)))
		}).Should(Succeed())
		Eventually(ctx, acknowledged).WithArguments(ctx, pod).Should(BeNumerically(">=", 2000))
		phase("2000 records acknowledged by its next life %s after the shim was killed", time.Since(began).Round(10*time.Millisecond))

		app, shim := drained(ctx, pod)
		Expect(containerStatus(pod, "app").RestartCount).To(BeZero())
		l := account(ctx, topic, app)
		phase("app sent=%d acknowledged=%d; shim %s; ledger: written %d, lost %d, duplicated %d, reordered %d", app.Sent, app.Acknowledged, shim, l.Written, l.Lost, l.Duplicated, l.Reordered)
		// Sequences go with the process: what the client sends again to the next one are new records.
		Expect(l).To(Equal(ledger{Written: app.Sent, Duplicated: l.Duplicated}))
	}, SpecTimeout(3*time.Minute))
})

// processOf is the process of a container on this machine, which is the node.
func processOf(pod corev1.Pod, container string) int {
	GinkgoHelper()
	_, id, found := strings.Cut(containerStatus(pod, container).ContainerID, "://")
	Expect(found).To(BeTrue())
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	Expect(err).NotTo(HaveOccurred())
	var pids []int
	for _, file := range groups {
		content, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(content), id) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			Expect(err).NotTo(HaveOccurred())
			pids = append(pids, pid)
		}
	}
	Expect(pids).To(HaveLen(1), fmt.Sprintf("processes of container %s", id))
	return pids[0]
}
