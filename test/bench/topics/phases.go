package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

// topics are the KafkaTopics as the watch last showed them.
func (b *bench) topics(ctx context.Context) ([]v1alpha1.KafkaTopic, error) {
	var list v1alpha1.KafkaTopicList
	err := b.seen.List(ctx, &list, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// untilReady waits until every object is ready at a generation that has what was asked for.
func (b *bench) untilReady(ctx context.Context, has func(*v1alpha1.KafkaTopic) bool) error {
	return b.until(ctx, "all Ready", func() (bool, error) {
		topics, err := b.topics(ctx)
		ready := 0
		for i := range topics {
			t := &topics[i]
			if has(t) && t.Status.ObservedGeneration == t.Generation && meta.IsStatusConditionTrue(t.Status.Conditions, v1alpha1.ConditionReady) {
				ready++
			}
		}
		return ready == b.n, err
	})
}

// busy adds what the operator's CPU did during a phase.
func (b *bench) busy(into *time.Duration, phase func() error) error {
	before, err := b.cpu()
	if err != nil {
		return err
	}
	if err := phase(); err != nil {
		return err
	}
	after, err := b.cpu()
	*into = after - before
	return err
}

func (b *bench) create(ctx context.Context) error {
	say("creating %d KafkaTopics", b.n)
	err := b.busy(&b.result.cpu.create, func() error {
		started := time.Now()
		if err := b.eachObject(b.n, func(t *v1alpha1.KafkaTopic) error { return b.k8s.Create(ctx, t) }); err != nil {
			return err
		}
		err := b.untilReady(ctx, func(*v1alpha1.KafkaTopic) bool { return true })
		b.result.create = time.Since(started)
		return err
	})
	if err != nil {
		return err
	}
	m, err := b.scrape(ctx)
	b.result.requests, b.result.apiReads, b.result.apiWrites = m.kafka, m.apiReads, m.apiWrites
	return err
}

func (b *bench) change(ctx context.Context) error {
	say("changing one key on all of them")
	return b.busy(&b.result.cpu.change, func() error {
		started := time.Now()
		if err := b.eachObject(b.n, b.changeObject(ctx)); err != nil {
			return err
		}
		err := b.untilReady(ctx, func(t *v1alpha1.KafkaTopic) bool { return len(t.Spec.Config) == 1 })
		b.result.change = time.Since(started)
		return err
	})
}

// sweep watches one look at a converged cluster: from just after one look to just after the next.
func (b *bench) sweep(ctx context.Context) error {
	say("watching one sweep of the converged cluster")
	if err := b.untilTold(ctx); err != nil {
		return err
	}
	if err := b.untilLook(ctx); err != nil {
		return err
	}
	before, err := b.scrape(ctx)
	if err != nil {
		return err
	}
	if err := b.untilLook(ctx); err != nil {
		return err
	}
	after, err := b.scrape(ctx)
	if err != nil {
		return err
	}
	for api, count := range after.kafka {
		b.result.sweepRequests += count - before.kafka[api]
	}
	b.result.sweepReads, b.result.sweepWrites = after.apiReads-before.apiReads, after.apiWrites-before.apiWrites
	b.result.rss, err = b.rss()
	return err
}

// untilTold waits until the Events of what was done before are written, which come behind the statuses: the operator has written
// nothing for a while.
func (b *bench) untilTold(ctx context.Context) error {
	const still = 3 * time.Second
	writes, since := -1.0, time.Now()
	return b.until(ctx, "the last Event", func() (bool, error) {
		m, err := b.scrape(ctx)
		if m.apiWrites != writes {
			writes, since = m.apiWrites, time.Now()
		}
		return time.Since(since) >= still, err
	})
}

// untilLook waits for the next look to end: the age of the view falls.
func (b *bench) untilLook(ctx context.Context) error {
	last := -1.0
	return b.until(ctx, "a look at the cluster", func() (bool, error) {
		m, err := b.scrape(ctx)
		fell := m.viewAge < last
		last = m.viewAge
		return fell, err
	})
}

// restart ends the operator and starts it on the converged cluster, and counts objects that changed.
func (b *bench) restart(ctx context.Context) error {
	say("restarting the operator")
	before, err := b.versions(ctx)
	if err != nil {
		return err
	}
	b.stopOperator()
	if err := b.launch(); err != nil {
		return err
	}
	err = b.until(ctx, "every topic to be reconciled again", func() (bool, error) {
		m, err := b.scrape(ctx)
		return err == nil && m.seen >= float64(b.n) && m.queued == 0, nil
	})
	if err != nil {
		return err
	}
	after, err := b.versions(ctx)
	for name, version := range after {
		if before[name] != version {
			b.result.restartWrites++
		}
	}
	return err
}

func (b *bench) versions(ctx context.Context) (map[string]string, error) {
	var list v1alpha1.KafkaTopicList
	if err := b.k8s.List(ctx, &list); err != nil {
		return nil, err
	}
	versions := make(map[string]string, len(list.Items))
	for i := range list.Items {
		versions[list.Items[i].Name] = list.Items[i].ResourceVersion
	}
	return versions, nil
}

func (b *bench) remove(ctx context.Context) error {
	if err := b.eachObject(b.n, b.wantDeleted(ctx, false)); err != nil {
		return err
	}
	err := b.until(ctx, "the finalizers", func() (bool, error) {
		topics, err := b.topics(ctx)
		return err == nil && !slices.ContainsFunc(topics, func(t v1alpha1.KafkaTopic) bool { return len(t.Finalizers) == 0 }), err
	})
	if err != nil {
		return err
	}
	say("deleting all of them, topics too")
	return b.busy(&b.result.cpu.remove, func() error {
		started := time.Now()
		if err := b.eachObject(b.n, func(t *v1alpha1.KafkaTopic) error { return b.k8s.Delete(ctx, t) }); err != nil {
			return err
		}
		err := b.until(ctx, "all gone", func() (bool, error) {
			topics, err := b.topics(ctx)
			return err == nil && len(topics) == 0, err
		})
		if err != nil {
			return err
		}
		err = b.untilTopics(ctx, func(topics kadm.TopicDetails) bool { return len(topics) == 0 })
		b.result.remove = time.Since(started)
		return err
	})
}

func (b *bench) print() {
	r, f := b.result, b.floors
	var kinds []string
	for _, api := range slices.Sorted(maps.Keys(r.requests)) {
		kinds = append(kinds, fmt.Sprintf("%s=%.0f", api, r.requests[api]))
	}
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.2fs", d.Seconds()) }
	ratio := func(d, floor time.Duration) string {
		return fmt.Sprintf("%s (floor %s, ratio %.2f)", seconds(d), seconds(floor), d.Seconds()/floor.Seconds())
	}
	fmt.Printf("bench-topics N=%d KAFKA=%s create=%s rate=%.0f/s change=%s delete=%s deletes=%.0f/s kafka[%s] api[reads=%.0f writes=%.0f] sweep[kafka=%.0f reads=%.0f writes=%.0f] restart[writes=%d] cpu=%s (create %s, change %s, delete %s) rss=%dMB\n",
		b.n, b.kafka, ratio(r.create, f.create), float64(b.n)/r.create.Seconds(), ratio(r.change, f.change), ratio(r.remove, f.remove), float64(b.n)/r.remove.Seconds(),
		strings.Join(kinds, " "), r.apiReads, r.apiWrites, r.sweepRequests, r.sweepReads, r.sweepWrites, r.restartWrites,
		seconds(r.cpu.create+r.cpu.change+r.cpu.remove), seconds(r.cpu.create), seconds(r.cpu.change), seconds(r.cpu.remove), r.rss>>20)
}
