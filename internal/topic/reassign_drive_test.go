package topic_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"mooring.dev/mooring/internal/topic"
)

// cluster carries out reassignments as the controller does (PartitionReassignmentReplicas): replicas are old and new
// together until all the new are in sync, at once where nothing has to be copied.
type cluster struct {
	t        *testing.T
	r        *rand.Rand
	observed topic.Observed
	started  int
}

func (c *cluster) start(step topic.Reassign) {
	c.t.Helper()
	for _, m := range step.Moves {
		i := slices.IndexFunc(c.observed.Partitions, func(p topic.Partition) bool { return p.Number == m.Partition })
		p := &c.observed.Partitions[i]
		if p.Moving() {
			c.t.Fatalf("partition %d moves already", m.Partition)
		}
		if !slices.Equal(p.Replicas, m.From) {
			c.t.Fatalf("partition %d is on %v, and the move is from %v", m.Partition, p.Replicas, m.From)
		}
		if !step.AllowReplicationFactorChange && len(m.From) != len(m.To) {
			c.t.Fatalf("partition %d: the controller refuses the change of factor (KIP-860)", m.Partition)
		}
		leader := p.Leader
		*p = moving(p.Number, m.From, m.To)
		p.Leader = leader
		if len(p.Adding) == 0 {
			c.arrive(i)
		}
		c.started++
	}
}

func (c *cluster) arrive(i int) {
	p := c.observed.Partitions[i]
	leader := p.Leader
	p = on(p.Number, p.Target()...)
	if slices.Contains(p.Replicas, leader) {
		p.Leader = leader
	}
	c.observed.Partitions[i] = p
}

// pass lets some of the moves in flight arrive.
func (c *cluster) pass() {
	for i, p := range c.observed.Partitions {
		if p.Moving() && c.r.IntN(2) == 0 {
			c.arrive(i)
		}
	}
}

func (c *cluster) inFlight() int {
	return len(slices.DeleteFunc(slices.Clone(c.observed.Partitions), func(p topic.Partition) bool { return !p.Moving() }))
}

// Plan after plan leads to the wanted factor: never more on the move than allowed, each partition once, nobody else's, and then nothing.
func TestPlansLeadToTheWantedFactor(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 5))
		brokers := racked("a", "b", "c", "a", "b", "")
		c := &cluster{t: t, r: r, observed: topic.Observed{ID: ours}}
		desired := topic.Desired{Name: "orders", Replication: new(int16(2 + r.IntN(3)))}
		wrong := 0
		for i := range 1 + r.IntN(40) {
			p := randomPartition(r.IntN, int32(i), 1+r.IntN(5), brokers, 0)
			if len(p.Replicas) != int(*desired.Replication) {
				wrong++
			}
			if r.IntN(8) == 0 { // somebody else is moving it, to other brokers
				p = moving(p.Number, p.Replicas, randomPartition(r.IntN, 0, len(p.Replicas), brokers, 0).Replicas)
			}
			c.observed.Partitions = append(c.observed.Partitions, p)
		}
		policy := adopt()
		policy.Cluster.Brokers = brokers
		for round := 0; topic.ReassignmentOf(desired, c.observed) != nil; round++ {
			plan := topic.MakePlan(desired, c.observed, policy)
			if len(plan.Refusals) > 0 || round > 200 {
				t.Fatalf("seed %d, round %d: %+v", seed, round, plan)
			}
			c.start(movesOf(plan))
			if n := c.inFlight(); n > 10 {
				t.Fatalf("seed %d: %d on the move", seed, n)
			}
			c.pass()
		}
		if plan := topic.MakePlan(desired, c.observed, policy); !plan.Converged() || c.started != wrong {
			t.Fatalf("seed %d: %d moves for %d partitions, and then %+v", seed, c.started, wrong, plan)
		}
	}
}
