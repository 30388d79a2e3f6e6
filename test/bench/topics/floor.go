package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

const (
	writers = 32  // API writes at once; more is not faster
	chunk   = 500 // topics in one request
)

func (b *bench) object(i int) *v1alpha1.KafkaTopic {
	return &v1alpha1.KafkaTopic{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("bench-%05d", i), Namespace: "default"},
		Spec: v1alpha1.KafkaTopicSpec{
			Partitions: new(int32(1)), ReplicationFactor: new(int32(3)), MinInsyncReplicas: new(int32(2)),
		},
	}
}

// eachObject does something with every object, some at a time.
func (b *bench) eachObject(n int, do func(*v1alpha1.KafkaTopic) error) error {
	var group sync.WaitGroup
	errs := make(chan error, writers)
	next := make(chan int)
	for range writers {
		group.Go(func() {
			for i := range next {
				if err := do(b.object(i)); err != nil {
					errs <- err
					for range next { // drain, so that the sender ends
					}
					return
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// warmUp makes the brokers' first topics, which are slow on cold JVMs, and takes them away.
func (b *bench) warmUp(ctx context.Context) error {
	say("warming up")
	if err := b.createTopics(ctx, min(b.n, 200)); err != nil {
		return err
	}
	return b.deleteTopics(ctx, min(b.n, 200))
}

// measureFloor does by hand what the operator will do, with no operator there.
func (b *bench) measureFloor(ctx context.Context) error {
	say("measuring the floor: the same requests and writes, from a bare program")
	status := func(t *v1alpha1.KafkaTopic) error {
		t.Status = v1alpha1.KafkaTopicStatus{ObservedGeneration: 1, TopicName: t.Name, Partitions: new(int32(1)), ReplicationFactor: new(int32(3)),
			MinInsyncReplicas: new(int32(2)), UnderReplicatedPartitions: new(int32(0)), OfflinePartitions: new(int32(0)),
			ManagedConfig: map[string]string{"min.insync.replicas": "2"}, Conditions: sampleConditions()}
		return b.k8s.Status().Patch(ctx, t, client.Merge)
	}
	steps := []struct {
		into *time.Duration
		do   []func() error
	}{
		{&b.floors.create, []func() error{
			func() error {
				return b.eachObject(b.n, func(t *v1alpha1.KafkaTopic) error { return b.k8s.Create(ctx, t) })
			},
			func() error { return b.createTopics(ctx, b.n) },
			func() error { return b.eachObject(b.n, status) },
		}},
		{&b.floors.change, []func() error{
			func() error { return b.eachObject(b.n, b.changeObject(ctx)) },
			func() error { return b.alterTopics(ctx) },
			func() error { return b.eachObject(b.n, status) },
		}},
		{&b.floors.remove, []func() error{
			func() error { return b.deleteTopics(ctx, b.n) },
			func() error {
				return b.eachObject(b.n, func(t *v1alpha1.KafkaTopic) error { return b.k8s.Delete(ctx, t) })
			},
			func() error { return b.eachObject(b.n, b.letGo(ctx)) },
		}},
	}
	for _, step := range steps {
		if step.into == &b.floors.remove {
			if err := b.eachObject(b.n, b.wantDeleted(ctx, true)); err != nil {
				return fmt.Errorf("floor: %w", err)
			}
		}
		started := time.Now()
		for _, do := range step.do {
			if err := do(); err != nil {
				return fmt.Errorf("floor: %w", err)
			}
		}
		*step.into = time.Since(started)
	}
	return nil
}

func sampleConditions() []metav1.Condition {
	var set []metav1.Condition
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionInSync, v1alpha1.ConditionDurable} {
		set = append(set, metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: kind, Message: "the topic is what this manifest says",
			ObservedGeneration: 1, LastTransitionTime: metav1.Now()})
	}
	return set
}

// changeObject sets one key, as a user would.
func (b *bench) changeObject(ctx context.Context) func(*v1alpha1.KafkaTopic) error {
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"config":{"max.message.bytes":"2097152"}}}`))
	return func(t *v1alpha1.KafkaTopic) error { return b.k8s.Patch(ctx, t, patch) }
}

// wantDeleted sets the policy that deletes, and the finalizer if the operator is not there to do so.
func (b *bench) wantDeleted(ctx context.Context, finalizer bool) func(*v1alpha1.KafkaTopic) error {
	patch := `{"spec":{"deletionPolicy":"Delete"}}`
	if finalizer {
		patch = `{"metadata":{"finalizers":["` + v1alpha1.Finalizer + `"]},"spec":{"deletionPolicy":"Delete"}}`
	}
	return func(t *v1alpha1.KafkaTopic) error {
		return b.k8s.Patch(ctx, t, client.RawPatch("application/merge-patch+json", []byte(patch)))
	}
}

// letGo takes the finalizer off, as the operator does when the topic is gone.
func (b *bench) letGo(ctx context.Context) func(*v1alpha1.KafkaTopic) error {
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))
	return func(t *v1alpha1.KafkaTopic) error { return b.k8s.Patch(ctx, t, patch) }
}

func (b *bench) names(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = b.object(i).Name
	}
	return names
}

func (b *bench) createTopics(ctx context.Context, n int) error {
	for names := range slices.Chunk(b.names(n), chunk) {
		var steps []topic.Create
		for _, name := range names {
			steps = append(steps, topic.Create{Name: name, Partitions: new(int32(1)), Replication: new(b.replication), Config: map[string]string{"min.insync.replicas": "2"}})
		}
		resp, err := wirereq.Create(steps, time.Minute, false).RequestWith(ctx, b.direct)
		if err != nil {
			return err
		}
		for _, t := range resp.Topics {
			if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
				return fmt.Errorf("create %s: %w", t.Topic, err)
			}
		}
	}
	return b.untilTopics(ctx, func(topics kadm.TopicDetails) bool {
		led := 0
		for _, t := range topics {
			if t.Err == nil && len(t.Partitions) > 0 && t.Partitions[0].Leader >= 0 {
				led++
			}
		}
		return led >= n
	})
}

func (b *bench) alterTopics(ctx context.Context) error {
	for names := range slices.Chunk(b.names(b.n), chunk) {
		var steps []topic.Configure
		for _, name := range names {
			steps = append(steps, topic.Configure{Name: name, Changes: []topic.Change{{Key: "max.message.bytes", To: new("2097152")}}})
		}
		if _, err := wirereq.Configure(steps, false).RequestWith(ctx, b.direct); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) deleteTopics(ctx context.Context, n int) error {
	admin := kadm.NewClient(b.direct)
	for names := range slices.Chunk(b.names(n), chunk) {
		if _, err := admin.DeleteTopics(ctx, names...); err != nil {
			return err
		}
	}
	return b.untilTopics(ctx, func(topics kadm.TopicDetails) bool { return len(topics) == 0 })
}

func (b *bench) untilTopics(ctx context.Context, is func(kadm.TopicDetails) bool) error {
	return b.until(ctx, "the brokers", func() (bool, error) {
		topics, err := kadm.NewClient(b.direct).ListTopics(ctx)
		return err == nil && is(topics), err
	})
}
