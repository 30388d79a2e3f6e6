//go:build envtest

package envtest

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"mooring.dev/mooring/api/v1alpha1"
)

var _ = Describe("a restart", func() {
	It("with everything converged writes nothing", func(ctx SpecContext) {
		const many = 50
		for range many {
			expectCreated(ctx, topicNamed(fresh("fleet"), safe))
		}
		var topics v1alpha1.KafkaTopicList
		Eventually(func(g Gomega) {
			g.Expect(k8s.List(ctx, &topics)).To(Succeed())
			for _, t := range topics.Items {
				g.Expect(t.Status.ObservedGeneration).To(Equal(t.Generation), t.Name)
			}
		}).Should(Succeed())
		running.stop()
		versions := versionsOf(ctx)
		before := reconciles("kafkatopic")
		running = startReplica()
		// Each topic is reconciled when it is listed and again when its cluster connects.
		Eventually(func() float64 { return reconciles("kafkatopic") - before }).Should(BeNumerically(">=", 2*len(topics.Items)))
		Expect(versionsOf(ctx)).To(Equal(versions), "the restart wrote to some object")
	})
})

func versionsOf(ctx SpecContext) map[string]string {
	GinkgoHelper()
	var topics v1alpha1.KafkaTopicList
	Expect(k8s.List(ctx, &topics)).To(Succeed())
	versions := make(map[string]string)
	for _, t := range topics.Items {
		versions["KafkaTopic "+t.Name] = t.ResourceVersion
	}
	return versions
}
