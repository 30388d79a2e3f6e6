//go:build e2e

package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("While the operator is away", func() {
	It("lets running pods run and others start, and makes annotated pods wait until it is back", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		newProfile(ctx, namespace)
		topic := newTopic(ctx, "e2e-away")
		running := runningProducer(ctx, namespace, "running", topic, "--acks=1", "--rate=200")
		image := probeImage()

		DeferCleanup(func(ctx SpecContext) {
			node.Kubectl(ctx, "-n", operatorNamespace, "scale", "deployment/mooring", "--replicas=2")
			node.Kubectl(ctx, "-n", operatorNamespace, "rollout", "status", "deployment/mooring", "--timeout=2m")
		}, NodeTimeout(3*time.Minute))
		node.Kubectl(ctx, "-n", operatorNamespace, "scale", "deployment/mooring", "--replicas=0")
		Eventually(ctx, operatorPods).WithArguments(ctx).Should(BeEmpty())

		waits := Deployment(namespace, "waits", Container("app", image))
		waits.Spec.Template.Annotations = policy
		Expect(node.Create(ctx, waits)).To(Succeed())
		began := time.Now()
		node.Deploy(ctx, Deployment(namespace, "stranger", Container("app", image)))
		phase("an unannotated pod is available %s after it was created, without the operator", time.Since(began).Round(10*time.Millisecond))
		var why string
		Eventually(ctx, func(g Gomega) {
			var events corev1.EventList
			g.Expect(node.List(ctx, &events, client.InNamespace(namespace))).To(Succeed())
			g.Expect(events.Items).To(ContainElement(And(
				HaveField("InvolvedObject.Kind", "ReplicaSet"),
				HaveField("InvolvedObject.Name", HavePrefix("waits-")),
				HaveField("Reason", "FailedCreate"),
				HaveField("Message", ContainSubstring("pods.kafka.mooring.dev")),
			)))
			for _, e := range events.Items {
				if e.Reason == "FailedCreate" {
					why = e.Message
				}
			}
		}).Should(Succeed())
		phase("the annotated pod waits: %s", why)
		Expect(node.Pods(ctx, namespace, "waits")).To(BeEmpty())
		progress(ctx, running, 400)

		began = time.Now()
		node.Kubectl(ctx, "-n", operatorNamespace, "scale", "deployment/mooring", "--replicas=2")
		node.WaitAvailable(ctx, waits)
		phase("it is available %s after the operator was asked to come back", time.Since(began).Round(10*time.Millisecond))
		Expect(node.Pod(ctx, namespace, "waits").Spec.InitContainers).To(HaveLen(1))

		Expect(node.Get(ctx, client.ObjectKeyFromObject(&running), &running)).To(Succeed())
		for _, status := range append(running.Status.InitContainerStatuses, running.Status.ContainerStatuses...) {
			Expect(status.RestartCount).To(BeZero(), status.Name)
		}
		app, shim := drained(ctx, running)
		l := account(ctx, topic, app)
		phase("the pod that ran: app sent=%d acknowledged=%d; shim %s; ledger: written %d, lost %d", app.Sent, app.Acknowledged, shim, l.Written, l.Lost)
		Expect(l).To(Equal(ledger{Written: app.Sent}))
	}, SpecTimeout(4*time.Minute))
})
