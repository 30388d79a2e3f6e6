package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// movers are brokers that move replicas, which kfake does not: one topic, its throttle, and the brokers' rates. They outlive
// a process. The order of what a step does to them is that of franz.Admin.
type movers struct {
	observed topic.Observed
	rates    map[int32]int64
	started  map[int32]int // moves by partition
	looks    int           // since the last move began
	version  topic.Version
	// unthrottled are moves of data that began without a throttle.
	unthrottled int
}

func newMovers(partitions int) *movers {
	entry := func(value string, kind topic.Type) topic.Entry {
		return topic.Entry{Value: &value, Source: topic.SourceDefault, Type: kind}
	}
	m := &movers{rates: make(map[int32]int64), started: make(map[int32]int), observed: topic.Observed{ID: topic.ID{7}, Config: map[string]topic.Entry{
		topic.KeyMinInsyncReplicas: entry("1", topic.TypeInt), topic.KeyCleanupPolicy: entry("delete", topic.TypeList), topic.KeyUncleanLeaderElection: entry("false", topic.TypeBoolean),
	}}}
	for i := range int32(partitions) {
		id := 1 + i%3
		m.observed.Partitions = append(m.observed.Partitions, topic.Partition{Number: i, Leader: id, Replicas: []int32{id}, ISR: []int32{id}})
	}
	return m
}

// look is one look at the topic. What moves has arrived at the second one.
func (m *movers) look() topic.Observed {
	m.looks++
	for i := range m.observed.Partitions {
		if p := &m.observed.Partitions[i]; p.Moving() && m.looks > 1 {
			*p = topic.Partition{Number: p.Number, Leader: p.Target()[0], Replicas: p.Target(), ISR: p.Target()}
		}
	}
	o := m.observed
	o.At, o.Partitions, o.Config = m.version, slices.Clone(o.Partitions), maps.Clone(o.Config)
	return o
}

func (m *movers) configure(changes []topic.Change) {
	for _, c := range changes {
		if delete(m.observed.Config, c.Key); c.To != nil && *c.To != "" {
			m.observed.Config[c.Key] = topic.Entry{Value: c.To, Source: topic.SourceDynamicTopic, Type: topic.TypeList}
		}
	}
}

// movingAdmin is one process's view of them. Each of its requests burns the fuse.
type movingAdmin struct {
	kafka.Admin
	*movers
	fuse *fuse
}

func (a movingAdmin) Bump() topic.Version                                { a.version++; return a.version }
func (a movingAdmin) Forget(string)                                      {}
func (a movingAdmin) Records(context.Context, string) (int64, error)     { return 1, nil }
func (a movingAdmin) Sizes(context.Context, string) (topic.Sizes, error) { return topic.Sizes{}, nil }
func (a movingAdmin) Validate(context.Context, string, topic.Step) error { return nil }
func (a movingAdmin) Observe(context.Context, string, []string, kafka.Freshness) (topic.Observed, error) {
	return a.look(), nil
}

func (a movingAdmin) Info() kafka.ClusterInfo {
	info := kafka.ClusterInfo{ClusterID: "movers", KafkaVersion: "v4.1", ControllerID: 1, Topics: 1}
	for id := range int32(3) {
		info.Brokers = append(info.Brokers, kafka.Broker{Broker: topic.Broker{ID: id + 1}, Host: "localhost", Port: 9092})
	}
	return info
}

func (a movingAdmin) Apply(_ context.Context, _ string, s topic.Step) (kafka.Applied, error) {
	var err error
	switch s := s.(type) {
	case topic.Reassign:
		err = a.reassign(s)
	case topic.Unthrottle:
		err = a.unthrottle(s)
	case topic.Elect:
		err = a.fuse.burn("elect")
	default:
		err = fmt.Errorf("nobody asked for %T", s)
	}
	return kafka.Applied{Version: a.Bump()}, err
}

func (a movingAdmin) reassign(s topic.Reassign) error {
	s = s.Still(a.observed)
	leaders, followers := topic.ThrottleFor(s.Moves)
	if err := a.fuse.burn("throttle the topic"); err != nil {
		return err
	}
	a.configure([]topic.Change{{Key: topic.KeyThrottledLeaderReplicas, To: &leaders}, {Key: topic.KeyThrottledFollowerReplicas, To: &followers}})
	for id := range int32(3) {
		if err := a.fuse.burn("give a broker its rate"); err != nil {
			return err
		}
		a.rates[id+1] = s.ThrottleBytesPerSecond
	}
	if err := a.fuse.burn("move"); err != nil {
		return err
	}
	for _, move := range s.Moves {
		p := &a.observed.Partitions[slices.IndexFunc(a.observed.Partitions, func(p topic.Partition) bool { return p.Number == move.Partition })]
		p.Adding, p.Replicas = move.Added(), append(slices.Clone(move.From), move.Added()...)
		a.started[p.Number]++
		a.looks = 0
		if _, throttled := a.observed.Config[topic.KeyThrottledFollowerReplicas]; !throttled || len(a.rates) < 3 {
			a.unthrottled++
		}
	}
	return nil
}

func (a movingAdmin) unthrottle(s topic.Unthrottle) error {
	if err := a.fuse.burn("take the throttle off the topic"); err != nil {
		return err
	}
	a.configure(s.Changes)
	for _, id := range s.Brokers {
		if err := a.fuse.burn("take a broker's rate"); err != nil {
			return err
		}
		if slices.Contains(s.Rates, a.rates[id]) {
			delete(a.rates, id)
		}
	}
	return nil
}

// move reconciles as a queue would, without its pauses, until the topic is ready or the process is dead. It returns which.
func (w *world) move(r *TopicReconciler, key client.ObjectKey) bool {
	w.t.Helper()
	for range 30 {
		if _, err := r.Reconcile(w.t.Context(), w.topic(key)); errors.Is(err, errKilled) {
			return false
		}
		kt := w.topic(key)
		if meta.IsStatusConditionTrue(kt.Status.Conditions, v1alpha1.ConditionReady) && kt.Status.ObservedGeneration == kt.Generation && kt.Status.Reassignment == nil {
			return true
		}
	}
	return false
}

// TestKilledBetweenTheRequestsOfAMove kills the operator after each request and each status of a change of replication
// factor. However it went, the next process ends it: each partition was moved once, never without a throttle, and none stays.
func TestKilledBetweenTheRequestsOfAMove(t *testing.T) {
	key := client.ObjectKey{Namespace: "default", Name: "orders"}
	const partitions = 4
	for kill := 0; ; kill++ {
		kt := sample(key)
		kt.Spec.Partitions, kt.Spec.ReplicationFactor, kt.Spec.MinInsyncReplicas = new(int32(partitions)), new(int32(1)), nil
		// Two rounds of moves, and the API server's default rate.
		kt.Spec.Reassignment = v1alpha1.ReassignmentSpec{PartitionsAtOnce: new(int32(2)), BytesPerSecond: new(resource.MustParse("50Mi"))}
		w, brokers := newWorld(t, kt), newMovers(partitions)
		process := func(f *fuse) *TopicReconciler {
			r := w.process(f)
			r.Pool, r.SettleFor = onePool{movingAdmin{movers: brokers, fuse: f}}, time.Second
			return r
		}
		if !w.move(process(&fuse{left: 100}), key) {
			t.Fatalf("before the change: %+v", w.topic(key).Status)
		}
		edit(key, func(kt *v1alpha1.KafkaTopic) { kt.Spec.ReplicationFactor = new(int32(3)) })(t, w)
		first, second := &fuse{left: kill}, &fuse{left: 100}
		w.move(process(first), key)
		if !w.move(process(second), key) {
			t.Errorf("killed after %v: %v, and then not ready: %+v", first.effects, second.effects, w.topic(key).Status)
		}
		type end struct {
			Factor, Unthrottled int
			Started             map[int32]int
			Rates               map[int32]int64
			Throttled           bool
		}
		_, throttled := brokers.observed.Config[topic.KeyThrottledFollowerReplicas]
		got := end{brokers.observed.Replication(), brokers.unthrottled, brokers.started, brokers.rates, throttled}
		want := end{3, 0, map[int32]int{0: 1, 1: 1, 2: 1, 3: 1}, map[int32]int64{}, false}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("killed after effect %d (%v), then %v (-want +got):\n%s", kill, first.effects, second.effects, diff)
		}
		if t.Failed() {
			return
		}
		if len(first.effects) < kill {
			t.Logf("%d failpoints: %v", kill, first.effects)
			return // the first process ended by itself: every failpoint has had its turn
		}
	}
}
