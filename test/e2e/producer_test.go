//go:build e2e

package e2e

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
)

var _ = Describe("An annotated Deployment", func() {
	It("keeps the profile's guarantee for an app with acks=0, and loses nothing when its pod is drained", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx) // restricted: the injected pod has to be admitted
		newProfile(ctx, namespace)
		topic := newTopic(ctx, "e2e-acks-0")
		d := Deployment(namespace, "checkout", producing(topic, "--acks=0", "--rate=400"))
		d.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(30))
		node.Deploy(ctx, d)

		By("annotating the Deployment that runs")
		node.Kubectl(ctx, "-n", namespace, "annotate", "deployment", "checkout", v1alpha1.AnnotationProducerProfile+"=reliable")
		var pod corev1.Pod
		Eventually(ctx, func(g Gomega) {
			pods := node.Pods(ctx, namespace, "checkout")
			g.Expect(pods).To(HaveLen(1))
			pod = pods[0]
			g.Expect(pod.Spec.InitContainers).NotTo(BeEmpty())
			g.Expect(containerStatus(pod, "app").Ready).To(BeTrue())
		}).Should(Succeed())
		Expect(pod.Spec.InitContainers[0].Name).To(Equal(inject.ContainerShim))
		Expect(*pod.Spec.InitContainers[0].RestartPolicy).To(Equal(corev1.ContainerRestartPolicyAlways))
		Expect(containerStatus(pod, inject.ContainerShim).User.Linux.UID).To(Equal(int64(65532)))
		Expect(node.Exec(ctx, pod, "app", "/producer", "read", "/etc/mooring/contract.json")).To(Equal(pod.Annotations[v1alpha1.AnnotationContract]))
		Expect(node.Exec(ctx, pod, "app", "/producer", "read", "/etc/mooring/producer.properties")).To(ContainSubstring("enable.idempotence=true"))
		Expect(node.Exec(ctx, pod, "app", "/producer", "env", "KAFKA_BOOTSTRAP_SERVERS")).To(Equal("127.0.0.1:9092\n"))

		By("finding in the audit view what the app does")
		progress(ctx, pod, 1000)
		view, err := audited(ctx, pod)
		Expect(err).NotTo(HaveOccurred())
		Expect(view.Clients).To(HaveLen(1))
		seen := view.Clients[0]
		Expect(seen.ClientID).To(Equal("e2e-producer"))
		Expect(seen.Seen.Acks).To(And(HaveKey("0"), HaveLen(1)))
		Expect(seen.Done.UpgradedAcks).To(BeNumerically(">", 0))
		Expect(seen.Done.UpgradedBatches).To(BeNumerically(">", 0))
		Expect(seen.Findings).To(ConsistOf(ContainSubstring("acks=0"), ContainSubstring("no idempotence")))
		phase("audit: %s %s %s: %v; acks upgraded %d, batches made idempotent %d", seen.ClientID, seen.Library, seen.LibraryVersion, seen.Findings, seen.Done.UpgradedAcks, seen.Done.UpgradedBatches)

		By("deleting its pod under load")
		began := time.Now()
		app, shim := drained(ctx, pod)
		took := time.Since(began)
		l := account(ctx, topic, app)
		phase("drain in %s: app sent=%d; shim %s; ledger: written %d, lost %d, duplicated %d, reordered %d", took.Round(10*time.Millisecond), app.Sent, shim, l.Written, l.Lost, l.Duplicated, l.Reordered)
		Expect(l).To(Equal(ledger{Written: app.Sent}))
		Expect(shim).To(HavePrefix(fmt.Sprintf("acknowledged=%d ", app.Sent)))
		Expect(shim).To(HaveSuffix("lost=0"))
	}, SpecTimeout(3*time.Minute))
})
