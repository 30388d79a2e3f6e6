package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/test/bench/stage"
)

const (
	maxOwn  = 5 * time.Millisecond // p99 of our own time
	minRate = 500                  // pods a second in the handler
)

// bench is one run: what it runs on and what it has measured.
type bench struct {
	*stage.Stage
	profiles, pods, parallel int

	operator                       *stage.Operator
	floorLoad, plainLoad, asksLoad stage.Load
	plainCalls                     float64
	oneByOne                       stage.Load // one pod at a time
	own, ownOneByOne               histogram
	cpu                            time.Duration
	handler, handlerPlain          stage.Load
}

func profileName(i int) string { return fmt.Sprintf("profile-%05d", i) }

func (b *bench) makeProfiles(ctx context.Context) error {
	stage.Say("creating %d ProducerProfiles", b.profiles)
	_, err := stage.Run(b.profiles, 32, func(i int) error { return b.Client.Create(ctx, stage.Profile(profileName(i))) })
	return err
}

// create makes pods as dry runs; each asks for another profile, or none does.
func (b *bench) create(ctx context.Context, n, parallel int, asks bool) (stage.Load, error) {
	return stage.Run(n, parallel, func(i int) error {
		pod := b.pod(i, asks)
		if err := b.Client.Create(ctx, pod, client.DryRunAll); err != nil {
			return err
		}
		if _, injected := pod.Annotations[v1alpha1.AnnotationContract]; injected != (asks && b.operator != nil) {
			return errors.New("a pod came out of admission as it should not")
		}
		return nil
	})
}

func (b *bench) pod(i int, asks bool) *corev1.Pod {
	if !asks {
		return stage.Pod(fmt.Sprintf("pod-%d", i), "")
	}
	return stage.Pod(fmt.Sprintf("pod-%d", i), profileName(i%b.profiles))
}

// floor is what the API server needs for the annotated pods itself: half of it before the webhooks are there, half after.
func (b *bench) floor(ctx context.Context) error {
	stage.Say("the floor: %d annotated pods, no webhook", b.pods/2)
	if _, err := b.create(ctx, 500, b.parallel, true); err != nil { // warm
		return err
	}
	load, err := b.create(ctx, b.pods/2, b.parallel, true)
	b.floorLoad = b.floorLoad.Add(load)
	return err
}

func (b *bench) start(ctx context.Context) (err error) {
	stage.Say("starting the operator")
	operator, err := b.StartOperator(ctx)
	if err != nil {
		return err
	}
	if err := b.InstallWebhooks(ctx); err != nil {
		return err
	}
	err = stage.Until(ctx, "the webhooks to be called", func() (bool, error) {
		pod := b.pod(b.profiles-1, true)
		err := b.Client.Create(ctx, pod, client.DryRunAll)
		return err == nil && pod.Annotations[v1alpha1.AnnotationContract] != "", nil
	})
	if err != nil {
		return err
	}
	b.operator = operator
	stage.Say("waiting until the profiles are judged, so that only admission is at work")
	err = stage.Until(ctx, "the profiles", func() (bool, error) {
		var list v1alpha1.ProducerProfileList
		if err := b.Client.List(ctx, &list); err != nil {
			return false, err
		}
		for i := range list.Items {
			if list.Items[i].Status.ObservedGeneration == 0 {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	_, err = b.create(ctx, 500, b.parallel, true) // warm
	return err
}

// unannotated pods must not reach us.
func (b *bench) unannotated(ctx context.Context) error {
	stage.Say("%d pods without the annotation", b.pods)
	before, err := scrape(ctx, b.operator)
	if err != nil {
		return err
	}
	if b.plainLoad, err = b.create(ctx, b.pods, b.parallel, false); err != nil {
		return err
	}
	after, err := scrape(ctx, b.operator)
	b.plainCalls = after.requests - before.requests
	return err
}

// annotated pods come as fast as the API server takes them, which keeps both cores busy, and then one at a time.
func (b *bench) annotated(ctx context.Context) (err error) {
	stage.Say("%d annotated pods, %d at a time", b.pods, b.parallel)
	cpu, err := b.operator.CPU()
	if err != nil {
		return err
	}
	if b.asksLoad, b.own, err = b.timed(ctx, b.pods, b.parallel); err != nil {
		return err
	}
	spent, err := b.operator.CPU()
	if err != nil {
		return err
	}
	b.cpu = spent - cpu
	stage.Say("%d annotated pods, one at a time", b.pods/2)
	b.oneByOne, b.ownOneByOne, err = b.timed(ctx, b.pods/2, 1)
	return err
}

// timed creates annotated pods and reads from the operator's metrics what its handler took for them.
func (b *bench) timed(ctx context.Context, n, parallel int) (stage.Load, histogram, error) {
	before, err := scrape(ctx, b.operator)
	if err != nil {
		return stage.Load{}, histogram{}, err
	}
	load, err := b.create(ctx, n, parallel, true)
	if err != nil {
		return load, histogram{}, err
	}
	after, err := scrape(ctx, b.operator)
	own := after.own.minus(before.own)
	if err == nil && own.count < uint64(n) {
		err = fmt.Errorf("only %d of %d annotated pods came to the handler", own.count, n)
	}
	return load, own, err
}

// withdraw takes the webhooks and the operator away.
func (b *bench) withdraw(ctx context.Context) error {
	if err := b.RemoveWebhooks(ctx); err != nil {
		return err
	}
	b.operator.Stop()
	b.operator = nil
	return stage.Until(ctx, "the webhooks to go", func() (bool, error) {
		pod := b.pod(0, true)
		err := b.Client.Create(ctx, pod, client.DryRunAll)
		return err == nil && pod.Annotations[v1alpha1.AnnotationContract] == "", nil
	})
}

func (b *bench) print() {
	fmt.Printf("bench-admission PROFILES=%d PODS=%d PARALLEL=%d own[%s] saturated[%s cpu=%s/pod] annotated[one at a time: %s, saturated: %s] unannotated[calls=%.0f %s] floor[%s] handler[%s] handler-unannotated[%s]\n",
		b.profiles, b.pods, b.parallel, b.ownOneByOne, b.own, stage.Millis(b.cpu/time.Duration(b.pods)), b.oneByOne, b.asksLoad, b.plainCalls, b.plainLoad, b.floorLoad, b.handler, b.handlerPlain)
}

// judge says which promise was not kept. Our own time is judged where a pod does not wait for a core that the other pods of
// the load have; what it is when they do is printed beside it.
func (b *bench) judge() error {
	switch {
	case b.plainCalls != 0:
		return fmt.Errorf("%.0f calls came for pods without the annotation", b.plainCalls)
	case b.ownOneByOne.quantile(0.99) > maxOwn || b.handler.Quantile(0.99) > maxOwn:
		return fmt.Errorf("p99 of our own time is above %s", maxOwn)
	case b.handler.Rate() < minRate:
		return fmt.Errorf("the handler takes %.0f pods a second, and not %d", b.handler.Rate(), minRate)
	}
	return nil
}
