//go:build e2e

package e2e

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A node's drain", func() {
	It("ends producers under load with nothing lost, and others take their place when the node is back", func(ctx SpecContext) {
		const app, replicas = "drained-producers", 3
		namespace := node.NewNamespace(ctx)
		newProfile(ctx, namespace)
		topic := newTopic(ctx, "e2e-node-drain")
		d := Deployment(namespace, app, producing(topic, "--acks=0", "--rate=400"))
		d.Annotations, d.Spec.Replicas = policy, new(int32(replicas))
		d.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(30))
		Eventually(ctx, func() error { return node.Create(ctx, d.DeepCopy()) }).Should(Succeed()) // once the webhooks know the profile
		node.WaitAvailable(ctx, d)
		pods := node.Pods(ctx, namespace, app)
		Expect(pods).To(HaveLen(replicas))
		var release []func()
		for _, pod := range pods {
			release = append(release, keep(ctx, pod))
			progress(ctx, pod, 200)
		}

		name := pods[0].Spec.NodeName
		DeferCleanup(func(ctx SpecContext) { node.Kubectl(ctx, "uncordon", name) }, NodeTimeout(time.Minute))
		type result struct {
			said string
			err  error
		}
		done := make(chan result, 1)
		began := time.Now()
		go func() {
			// The other pods of the node stay: it is the only one.
			said, err := node.TryKubectl(ctx, "", "drain", name, "--pod-selector=app="+app, "--timeout=90s")
			done <- result{said, err}
		}()
		var sent int64
		var shims drain
		var runs []outcome
		for i, pod := range pods {
			run, last := ended(ctx, pod)
			release[i]()
			shim := parseDrain(last)
			sent, runs = sent+run.Sent, append(runs, run)
			shims = drain{shims.Acknowledged + shim.Acknowledged, shims.Flushed + shim.Flushed, shims.Lost + shim.Lost}
		}
		var r result
		Eventually(ctx, done).Should(Receive(&r))
		Expect(r.err).NotTo(HaveOccurred())
		Expect(strings.Count(r.said, "evicted")).To(Equal(replicas), r.said)
		took := time.Since(began)

		var all ledger
		for _, run := range runs {
			l := account(ctx, topic, run)
			all = ledger{all.Written + l.Written, all.Lost + l.Lost, all.Duplicated + l.Duplicated, all.Reordered + l.Reordered, all.Plain + l.Plain}
		}
		phase("kubectl drain evicted %d producers in %s: sent=%d; shims acknowledged=%d flushed=%d lost=%d; ledger: written %d, lost %d, duplicated %d, reordered %d", replicas,
			took.Round(10*time.Millisecond), sent, shims.Acknowledged, shims.Flushed, shims.Lost, all.Written, all.Lost, all.Duplicated, all.Reordered)
		Expect(all).To(Equal(ledger{Written: sent}))
		Expect(shims).To(Equal(drain{Acknowledged: sent, Flushed: shims.Flushed}))

		node.Kubectl(ctx, "uncordon", name)
		node.WaitAvailable(ctx, d)
		for _, pod := range node.Pods(ctx, namespace, app) {
			progress(ctx, pod, 200)
		}
	}, SpecTimeout(4*time.Minute))
})
