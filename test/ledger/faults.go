package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"mooring.dev/mooring/test/shim/rig"
)

// faults are what happens to the brokers of a run: the same kinds in the same order for the same seed.
type faults struct {
	stage *stage
	relay *rig.Relay
	admin *kadm.Client
	topic string
	plan  plan

	r      *rand.Rand
	done   int
	counts map[string]int
	joined bool // the node that joins has
	missed int  // nodes in a row at which the fault that is due hit nothing
	first  int  // of the nodes that it is tried at
}

type kind struct {
	name string
	do   func(*faults, context.Context, int32) (hit int, err error)
	// real says that it takes brokers that are processes of their own.
	real bool
}

// kinds of faults, in the order in which they come round.
var kinds = []kind{
	{"killed (SIGKILL) and restarted", (*faults).kill, true},
	{"leaders moved away", (*faults).move, true},
	{"connections cut", (*faults).cut, false},
	{"answers lost with their connections", (*faults).deafen, false},
	{"requests cut in half", (*faults).tear, false},
	{"killed (SIGKILL) and restarted", (*faults).kill, true},
	{"answers delayed", (*faults).delay, false},
	{"frozen (SIGSTOP)", (*faults).pause, true},
	{"leaders moved away", (*faults).move, true},
	{"unreachable", (*faults).refuse, false},
}

// kinds that this cluster can have.
func (f *faults) kinds() []kind {
	if !f.stage.cluster.State().Settings.Embedded {
		return kinds
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return k.real })
}

func (f *faults) random() *rand.Rand {
	if f.r == nil {
		f.r = rand.New(rand.NewPCG(f.plan.seed, 7))
		f.counts = make(map[string]int)
	}
	return f.r
}

// gap until the next fault.
func (f *faults) gap() time.Duration { return f.between(500*time.Millisecond, 2*time.Second) }

func (f *faults) between(low, high time.Duration) time.Duration {
	return low + time.Duration(f.random().Int64N(int64(high-low)))
}

// next breaks something, and waits until it is mended. What hit nothing (no leader to move, no connection to cut) is no fault,
// and comes again at another node.
func (f *faults) next(ctx context.Context) error {
	r := f.random()
	possible := f.kinds()
	k := possible[f.done%len(possible)]
	nodes := f.nodes()
	if f.missed == 0 {
		f.first = r.IntN(len(nodes))
	}
	node := nodes[(f.first+f.missed)%len(nodes)]
	if f.done >= f.plan.faults/2 && !f.joined && !f.stage.cluster.State().Settings.Embedded {
		k, node = kind{"a broker added, and made a leader", (*faults).join, true}, added
	}
	begin := time.Now()
	hit, err := k.do(f, ctx, node)
	if err != nil {
		return fmt.Errorf("node %d, %s: %w", node, k.name, err)
	}
	if hit == 0 {
		rig.Say("node %d: %s: nothing was hit", node, k.name)
		f.missed++
		return nil
	}
	f.missed = 0
	f.done++
	f.counts[k.name]++
	rig.Say("fault %d: node %d: %s, %d times (%s, %.1f s)", f.done, node, k.name, hit, begin.Format("15:04:05"), time.Since(begin).Seconds())
	return nil
}

// nodes that there are now.
func (f *faults) nodes() (ids []int32) {
	for _, n := range f.stage.cluster.State().Nodes {
		if n.ID != added || f.joined {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// whole waits until every partition has all its replicas in sync: what is broken next is not to be the last copy.
func (f *faults) whole(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	err := rig.Until(ctx, 200*time.Millisecond, func() bool {
		topics, err := f.admin.ListTopics(ctx, f.topic)
		if err != nil {
			return false
		}
		in := true
		for _, p := range topics[f.topic].Partitions.Sorted() {
			in = in && p.Err == nil && len(p.ISR) == 3 && len(p.Replicas) == 3 // four, while one is being replaced
		}
		return in && len(topics[f.topic].Partitions) == f.plan.partitions
	})
	if err != nil {
		return fmt.Errorf("the replicas did not come into sync again: %w", err)
	}
	return nil
}

func (f *faults) kill(ctx context.Context, node int32) (int, error) {
	if err := f.stage.cluster.Kill(ctx, node); err != nil {
		return 0, err
	}
	if err := pause(ctx, f.between(0, 8*time.Second)); err != nil {
		return 0, err
	}
	if err := f.stage.cluster.Start(ctx, node); err != nil {
		return 0, err
	}
	return 1, f.whole(ctx)
}

func (f *faults) pause(ctx context.Context, node int32) (int, error) {
	if err := f.stage.cluster.Pause(ctx, node); err != nil {
		return 0, err
	}
	// Less than a session, and more: then the others elect leaders while the frozen one takes itself for one.
	if err := pause(ctx, f.between(2*time.Second, 12*time.Second)); err != nil {
		return 0, err
	}
	if err := f.stage.cluster.Resume(ctx, node); err != nil {
		return 0, err
	}
	return 1, f.whole(ctx)
}

// move makes another replica the leader of every partition that the node leads.
func (f *faults) move(ctx context.Context, node int32) (int, error) {
	topics, err := f.admin.ListTopics(ctx, f.topic)
	if err != nil {
		return 0, err
	}
	var assign kadm.AlterPartitionAssignmentsReq
	moved, n := make(kadm.TopicsSet), 0
	for _, p := range topics[f.topic].Partitions.Sorted() {
		if p.Leader != node {
			continue
		}
		replicas := slices.DeleteFunc(slices.Clone(p.Replicas), func(id int32) bool { return id == node })
		assign.Assign(f.topic, p.Partition, append(replicas, node))
		moved.Add(f.topic, p.Partition)
		n++
	}
	if n == 0 {
		return 0, nil
	}
	answers, err := f.admin.AlterPartitionAssignments(ctx, assign)
	if err == nil {
		err = answers.Error()
	}
	if err != nil {
		return 0, err
	}
	if _, err = f.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, moved); err != nil {
		return 0, err
	}
	return n, f.whole(ctx)
}

// join adds a broker that nobody has heard of, and makes it the leader of every third partition.
func (f *faults) join(ctx context.Context, node int32) (int, error) {
	if err := f.stage.cluster.Start(ctx, node); err != nil {
		return 0, err
	}
	f.joined = true
	topics, err := f.admin.ListTopics(ctx, f.topic)
	if err != nil {
		return 0, err
	}
	var assign kadm.AlterPartitionAssignmentsReq
	moved, n := make(kadm.TopicsSet), 0
	for _, p := range topics[f.topic].Partitions.Sorted() {
		if p.Partition%3 == 0 {
			assign.Assign(f.topic, p.Partition, []int32{node, p.Replicas[0], p.Replicas[1]})
			moved.Add(f.topic, p.Partition)
			n++
		}
	}
	answers, err := f.admin.AlterPartitionAssignments(ctx, assign)
	if err == nil {
		err = answers.Error()
	}
	if err != nil {
		return 0, err
	}
	if err := f.whole(ctx); err != nil {
		return 0, err
	}
	_, err = f.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, moved)
	return n, err
}

func (f *faults) cut(_ context.Context, node int32) (int, error) { return f.relay.Cut(node), nil }

func (f *faults) deafen(ctx context.Context, node int32) (int, error) {
	const answers = 6
	f.relay.Deafen(node, answers)
	err := pause(ctx, 2*time.Second)
	return answers - int(f.relay.Deafen(node, 0)), err
}

func (f *faults) tear(ctx context.Context, node int32) (int, error) {
	const requests = 4
	f.relay.Tear(node, requests)
	err := pause(ctx, 2*time.Second)
	return requests - int(f.relay.Tear(node, 0)), err
}

func (f *faults) delay(ctx context.Context, node int32) (int, error) {
	f.relay.Delay(node, f.between(300*time.Millisecond, 1500*time.Millisecond))
	err := pause(ctx, 3*time.Second)
	f.relay.Delay(node, 0)
	return 1, err
}

func (f *faults) refuse(ctx context.Context, node int32) (int, error) {
	cut := f.relay.Refuse(node, true)
	err := pause(ctx, f.between(time.Second, 3*time.Second))
	f.relay.Refuse(node, false)
	return cut, err
}

// tally says how often each kind came.
func tally(counts map[string]int) string {
	var parts []string
	for name, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, name))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
