//go:build kafka

package kafka

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/status"
)

var _ = Describe("The operator", func() {
	It("is killed four times while it creates 100 topics, and makes each exactly once", func(ctx SpecContext) {
		DeferCleanup(ensureOperator, NodeTimeout(2*time.Minute))
		s := NewScene()
		k := s.Cluster(ctx)
		ExpectClusterReady(ctx, k)
		first := make(map[string]string) // the IDs as they were first seen
		unrecorded := 0
		for round := range 4 {
			create := s.topics(ctx, round*25, 25)
			done := inBackground(create)
			// Killed as soon as the first of them is on the brokers: the others are at every step of their way.
			Eventually(ctx, func(g Gomega) int { return len(s.brokers.idsOf(ctx, g, s.Name)) }).
				WithPolling(5 * time.Millisecond).Should(BeNumerically(">", round*25))
			operator.Kill(ctx)
			Eventually(ctx, done).Should(BeClosed())
			unrecorded += s.remember(ctx, first)
			operator.Start(ctx)
			ExpectAllReady(ctx, s, (round+1)*25)
		}
		phase("%d topics were on the brokers and in no status when the operator was killed", unrecorded)
		expectEachOnce(ctx, s, first, 100)
		expectSilentRestart(ctx, s, k)
	}, NodeTimeout(6*time.Minute))
})

func ensureOperator(ctx context.Context) {
	if !operator.alive() {
		operator.Start(ctx)
	}
}

// topics are functions that create KafkaTopics, numbered from first.
func (s *Scene) topics(ctx context.Context, first, count int) []func() {
	template := s.Topic(ctx, "many", config("retention.ms", "86400000"))
	var create []func()
	for i := range count {
		t := template.DeepCopy()
		t.Name = s.Named(fmt.Sprintf("%03d", first+i))
		create = append(create, func() { ExpectCreated(ctx, t) })
	}
	return create
}

// inBackground runs the functions one after the other; the channel is closed after the last.
func inBackground(run []func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(done)
		for _, f := range run {
			f()
		}
	}()
	return done
}

// remember notes the IDs of topics that are new on the brokers, and returns how many topics no status speaks of.
func (s *Scene) remember(ctx context.Context, first map[string]string) int {
	recorded := make(map[string]bool)
	for _, t := range s.list(ctx, Default) {
		recorded[t.Status.TopicID] = true
	}
	unrecorded := 0
	for name, id := range s.brokers.idsOf(ctx, Default, s.Name) {
		if _, known := first[name]; !known {
			first[name] = id
		}
		if !recorded[id] {
			unrecorded++
		}
	}
	return unrecorded
}

func (s *Scene) list(ctx context.Context, g Gomega) []v1alpha1.KafkaTopic {
	var list v1alpha1.KafkaTopicList
	g.Expect(kube.List(ctx, &list, client.MatchingLabels{sceneLabel: s.Name})).To(Succeed())
	return list.Items
}

// ExpectAllReady waits until there are so many KafkaTopics in the scene, and all are Ready.
func ExpectAllReady(ctx context.Context, s *Scene, count int) {
	begin := time.Now()
	Eventually(ctx, func(g Gomega) {
		topics := s.list(ctx, g)
		g.Expect(topics).To(HaveLen(count))
		for i := range topics {
			expectReady(g, topics[i].Status.Conditions, "True", v1alpha1.ReasonReady, nil)
		}
	}).WithTimeout(3*time.Minute).Should(Succeed(), "all %d topics of %s", count, s.Name)
	phase("%d topics are Ready after %s", count, time.Since(begin).Round(100*time.Millisecond))
	for _, t := range s.list(ctx, Default) {
		Expect(status.CheckKstatus(t.Generation, t.Status.ObservedGeneration, t.Status.Conditions)).To(BeEmpty(), t.Name)
	}
}

// expectEachOnce compares the brokers' topics with the objects: as many, under the same IDs, and those that were there
// before a fault are the same topics and not others of the same name.
func expectEachOnce(ctx context.Context, s *Scene, first map[string]string, count int) {
	Eventually(ctx, func(g Gomega) {
		ids := s.brokers.idsOf(ctx, g, s.Name)
		g.Expect(ids).To(HaveLen(count))
		for name, id := range first {
			g.Expect(ids).To(HaveKeyWithValue(name, id), "it was made twice")
		}
		for _, t := range s.list(ctx, g) {
			g.Expect(ids).To(HaveKeyWithValue(t.TopicName(), t.Status.TopicID))
		}
	}).Should(Succeed())
}

// expectSilentRestart restarts the operator on a fleet that has converged: it reads everything, and writes nothing.
func expectSilentRestart(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	expectIdle(ctx)
	before := s.versions(ctx)
	phase("the cluster counts its topics")
	ExpectSettled(ctx, 5*time.Second, func(g Gomega) string {
		g.Expect(kube.Get(ctx, client.ObjectKeyFromObject(k), k)).To(Succeed())
		return k.ResourceVersion
	})
	Expect(k.Status.Topics.Managed).To(BeEquivalentTo(len(before)))
	cluster := k.DeepCopy()
	operator.Restart(ctx)
	Eventually(ctx, operator.Reconciles).Should(BeNumerically(">=", len(before)-1), "not every topic was looked at")
	expectIdle(ctx)
	Expect(kube.Get(ctx, client.ObjectKeyFromObject(k), k)).To(Succeed())
	Expect(k.Status).To(Equal(cluster.Status), "the KafkaCluster was written by the restart")
	Expect(k.ResourceVersion).To(Equal(cluster.ResourceVersion), "the KafkaCluster was written by the restart")
	Expect(operator.Writes(Default)).To(BeZero(), "requests that change something on the API server, since the restart")
	phase("a new topic, so that the new process is known to have connected")
	canary := s.Topic(ctx, "canary")
	canary.Name = s.Named("canary")
	ExpectCreated(ctx, canary)
	ExpectTopicReady(ctx, canary)
	expectIdle(ctx)
	after := s.versions(ctx)
	for name, version := range before {
		Expect(after).To(HaveKeyWithValue(name, version), "it was written by the restart")
	}
}

// expectIdle waits until no topic has been reconciled for 2 s. Once idle is not enough: right after a restart the topics are
// looked at in vain, and again when the connection stands.
func expectIdle(ctx context.Context) {
	ExpectSettled(ctx, 2*time.Second, func(g Gomega) string {
		if !operator.Idle(g) {
			return time.Now().String() // never twice the same
		}
		return fmt.Sprint(operator.Reconciles(g))
	})
}

// versions are the resource versions of the scene's topics.
func (s *Scene) versions(ctx context.Context) map[string]string {
	versions := make(map[string]string)
	for _, t := range s.list(ctx, Default) {
		versions[t.Name] = t.ResourceVersion
	}
	return versions
}
