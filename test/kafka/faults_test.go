//go:build kafka

package kafka

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"mooring.dev/mooring/api/v1alpha1"
)

var _ = Describe("Fifty topics are being created when", func() {
	BeforeEach(func() { needsOwnBrokers("they are not ours to kill") })

	It("the broker that leads the quorum is killed: all become Ready, and are whole again when it is back", func(ctx SpecContext) {
		s := NewSceneWithFaults()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		leader := s.brokers.Leader(ctx)
		done := s.createWhile(ctx, 50, func() { s.brokers.Kill(ctx, leader) })
		Eventually(ctx, done).Should(BeClosed())
		ExpectAllReady(ctx, s, 50)
		phase("the status says that replicas are behind")
		Eventually(ctx, func(g Gomega) int { return s.underReplicated(ctx, g) }).WithTimeout(patience).Should(BeNumerically(">", 0))
		s.brokers.Restore(ctx)
		expectWhole(ctx, s, 50)
	}, NodeTimeout(6*time.Minute))

	It("all brokers are killed: the outage is a condition, and all become Ready when they are back", func(ctx SpecContext) {
		s := NewSceneWithFaults()
		k := s.Cluster(ctx)
		ExpectClusterReady(ctx, k)
		done := s.createWhile(ctx, 50, func() { s.brokers.Kill(ctx, s.brokers.Nodes()...) })
		Eventually(ctx, done).Should(BeClosed())
		ExpectClusterNotReady(ctx, k, v1alpha1.ReasonClusterUnreachable)
		late := s.Topic(ctx, "late", func(spec *v1alpha1.KafkaTopicSpec) { spec.ReplicationFactor = new(int32(3)) })
		ExpectCreated(ctx, late)
		ExpectTopicNotReady(ctx, late, v1alpha1.ReasonClusterUnreachable)
		s.brokers.Restore(ctx)
		ExpectClusterReady(ctx, k)
		ExpectAllReady(ctx, s, 51)
		expectWhole(ctx, s, 51)
	}, NodeTimeout(8*time.Minute))

	It("all brokers freeze for 15 s: no worker hangs, and all become Ready when they go on", func(ctx SpecContext) {
		s, other := NewSceneWithFaults(), NewScene()
		k := s.Cluster(ctx)
		ExpectClusterReady(ctx, k)
		done := s.createWhile(ctx, 50, func() { s.brokers.Pause(ctx, s.brokers.Nodes()...) })
		frozen := time.Now()
		Eventually(ctx, done).Should(BeClosed())
		phase("a topic of another cluster is looked after meanwhile")
		away := other.Cluster(ctx, func(k *v1alpha1.KafkaCluster) { closedPort(ctx, other, k) })
		ExpectClusterNotReady(ctx, away, v1alpha1.ReasonClusterUnreachable)
		stranded := other.Topic(ctx, "stranded", func(spec *v1alpha1.KafkaTopicSpec) { spec.ReplicationFactor = new(int32(3)) })
		ExpectCreated(ctx, stranded)
		ExpectTopicNotReady(ctx, stranded, v1alpha1.ReasonClusterUnreachable)
		Eventually(ctx, func() time.Duration { return time.Since(frozen) }).Should(BeNumerically(">", 15*time.Second))
		s.brokers.Restore(ctx)
		ExpectClusterReady(ctx, k)
		ExpectAllReady(ctx, s, 50)
		expectWhole(ctx, s, 50)
		Eventually(ctx, operator.Idle).WithTimeout(patience).Should(BeTrue(), "a worker hangs")
	}, NodeTimeout(8*time.Minute))
})

// createWhile creates KafkaTopics, and lets the fault happen when the first of them are on the brokers and the others on
// their way. The channel is closed when all the objects have been created.
func (s *Scene) createWhile(ctx context.Context, count int, fault func()) <-chan struct{} {
	create := s.topics(ctx, 0, count)
	for _, c := range create[:count/2] {
		c()
	}
	rest := inBackground(create[count/2:])
	Eventually(ctx, func(g Gomega) int { return len(s.brokers.idsOf(ctx, g, s.Name)) }).
		WithPolling(5 * time.Millisecond).Should(BeNumerically(">", 0))
	fault()
	return rest
}

// underReplicated sums what the statuses of the scene's topics say.
func (s *Scene) underReplicated(ctx context.Context, g Gomega) int {
	sum := 0
	for _, t := range s.list(ctx, g) {
		if n := t.Status.UnderReplicatedPartitions; n != nil {
			sum += int(*n)
		}
	}
	return sum
}

// expectWhole finds every topic as it should be, on the brokers and in its status, after the brokers are back.
func expectWhole(ctx context.Context, s *Scene, count int) {
	Eventually(ctx, func(g Gomega) int { return s.underReplicated(ctx, g) }).WithTimeout(2*time.Minute).Should(BeZero(), "the status still says that replicas are behind")
	ExpectAllReady(ctx, s, count)
	expectEachOnce(ctx, s, nil, count)
	for _, t := range s.list(ctx, Default) {
		pairs := []string{}
		for key, value := range t.Spec.Config {
			pairs = append(pairs, key, value.String())
		}
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, 3, pairs...)
	}
}
