package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/test/bench/stage"
)

const (
	maxAll = 5 * time.Second // from the profile's change to the last pod's contract, for 1000 pods
	// parallel is how many patches the operator has under way at once (controllers/contract_controller.go).
	parallel = 32
	profile  = "reliable"
)

// bench is one run: what it runs on and what it has measured.
type bench struct {
	*stage.Stage
	n, rounds int

	operator *stage.Operator
	// patched holds, for each pod, the annotations before and after a change.
	patched []pair
	// all is how long each round took; pods how long each pod waited, over all rounds.
	all, floors []time.Duration
	pods        stage.Load
	floorPods   stage.Load
	cpu         time.Duration
}

type pair struct {
	name          string
	before, after map[string]string
}

func (b *bench) start(ctx context.Context) (err error) {
	if err := b.Client.Create(ctx, stage.Profile(profile)); err != nil {
		return err
	}
	stage.Say("starting the operator")
	if b.operator, err = b.StartOperator(ctx); err != nil {
		return err
	}
	if err := b.InstallWebhooks(ctx); err != nil {
		return err
	}
	return stage.Until(ctx, "the webhooks to be called", func() (bool, error) {
		pod := stage.Pod("probe", profile)
		err := b.Client.Create(ctx, pod, client.DryRunAll)
		return err == nil && pod.Annotations[v1alpha1.AnnotationContract] != "", nil
	})
}

func (b *bench) makePods(ctx context.Context) error {
	stage.Say("creating %d pods", b.n)
	_, err := stage.Run(b.n, parallel, func(i int) error { return b.Client.Create(ctx, stage.Pod(fmt.Sprintf("pod-%05d", i), profile)) })
	if err != nil {
		return err
	}
	return b.untilCurrent(ctx)
}

// untilCurrent waits until the operator has counted all pods, and has nothing left to do.
func (b *bench) untilCurrent(ctx context.Context) error {
	return stage.Until(ctx, "the operator to count the pods", func() (bool, error) {
		var p v1alpha1.ProducerProfile
		err := b.Client.Get(ctx, client.ObjectKey{Namespace: stage.Namespace, Name: profile}, &p)
		n := int32(b.n)
		return p.Status.Pods != nil && *p.Status.Pods == v1alpha1.PodCounts{Bound: n, Current: n}, err
	})
}

// change changes the profile, as often as there are rounds, and watches the contracts follow.
func (b *bench) change(ctx context.Context) error {
	modes := []v1alpha1.ShimMode{v1alpha1.ShimReject, v1alpha1.ShimAudit}
	if err := b.oneChange(ctx, v1alpha1.ShimAudit); err != nil { // warm
		return err
	}
	b.all, b.pods = nil, stage.Load{}
	cpu, err := b.operator.CPU()
	if err != nil {
		return err
	}
	for i := range b.rounds {
		if err := b.oneChange(ctx, modes[i%2]); err != nil {
			return err
		}
	}
	spent, err := b.operator.CPU()
	b.cpu = (spent - cpu) / time.Duration(b.rounds)
	return err
}

func (b *bench) oneChange(ctx context.Context, mode v1alpha1.ShimMode) error {
	var before corev1.PodList
	if err := b.Client.List(ctx, &before, client.InNamespace(stage.Namespace)); err != nil {
		return err
	}
	was := make(map[string]map[string]string, b.n)
	for i := range before.Items {
		was[before.Items[i].Name] = before.Items[i].Annotations
	}
	seen := &waits{was: was, took: make(map[string]time.Duration, b.n)}
	watched, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	stage.Say("the profile's shim.mode becomes %s", mode)
	p := &v1alpha1.ProducerProfile{}
	p.Namespace, p.Name = stage.Namespace, profile
	patch := fmt.Sprintf(`{"spec":{"shim":{"mode":%q}}}`, mode)
	w, err := b.watch(watched, before.ResourceVersion)
	if err != nil {
		return err
	}
	seen.begin = time.Now()
	if err := b.Client.Patch(ctx, p, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		return err
	}
	for len(seen.took) < b.n {
		select {
		case e, open := <-w.ResultChan():
			if pod, ok := e.Object.(*corev1.Pod); ok {
				seen.note(pod)
			}
			if !open { // an API server lets go of watchers that do not keep up
				if w, err = b.catchUp(watched, seen); err != nil {
					return err
				}
			}
		case <-watched.Done():
			return fmt.Errorf("a minute after the change %d of %d pods have the new contract", len(seen.took), b.n)
		}
	}
	w.Stop()
	b.patched = seen.patched
	took := time.Since(seen.begin)
	load := stage.Load{Took: took}
	for _, wait := range seen.took {
		load.Calls = append(load.Calls, wait)
	}
	b.all, b.pods = append(b.all, took), b.pods.Add(load)
	return b.untilCurrent(ctx)
}

// waits are how long each pod waited for its contract.
type waits struct {
	begin   time.Time
	was     map[string]map[string]string
	took    map[string]time.Duration
	patched []pair
}

func (s *waits) note(pod *corev1.Pod) {
	_, known := s.took[pod.Name]
	if known || pod.Annotations[v1alpha1.AnnotationContract] == s.was[pod.Name][v1alpha1.AnnotationContract] {
		return
	}
	s.took[pod.Name] = time.Since(s.begin)
	s.patched = append(s.patched, difference(pod.Name, s.was[pod.Name], pod.Annotations))
}

func (b *bench) watch(ctx context.Context, from string) (watch.Interface, error) {
	return b.Client.Watch(ctx, &corev1.PodList{}, client.InNamespace(stage.Namespace), &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: from}})
}

// catchUp lists what was missed, and watches on from there.
func (b *bench) catchUp(ctx context.Context, seen *waits) (watch.Interface, error) {
	var list corev1.PodList
	if err := b.Client.List(ctx, &list, client.InNamespace(stage.Namespace)); err != nil {
		return nil, err
	}
	for i := range list.Items {
		seen.note(&list.Items[i])
	}
	return b.watch(ctx, list.ResourceVersion)
}

// difference is what a change made of a pod's annotations.
func difference(name string, before, after map[string]string) pair {
	p := pair{name: name, before: make(map[string]string), after: make(map[string]string)}
	for key, value := range after {
		if before[key] != value {
			p.before[key], p.after[key] = before[key], value
		}
	}
	return p
}

// floor sends the patches of the last change, back and forth, with no operator there.
func (b *bench) floor(ctx context.Context) error {
	b.operator.Stop()
	if err := b.RemoveWebhooks(ctx); err != nil {
		return err
	}
	for round := range b.rounds + 1 {
		stage.Say("the floor: %d patches from a bare program", b.n)
		load, err := stage.Run(b.n, parallel, func(i int) error {
			p := b.patched[i]
			annotations := p.before
			if round%2 == 1 {
				annotations = p.after
			}
			patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
			if err != nil {
				return err
			}
			pod := &corev1.Pod{}
			pod.Namespace, pod.Name = stage.Namespace, p.name
			return b.Client.Patch(ctx, pod, client.RawPatch(types.MergePatchType, patch))
		})
		if err != nil {
			return err
		}
		if round > 0 { // the first is to warm
			b.floors, b.floorPods = append(b.floors, load.Took), b.floorPods.Add(load)
		}
	}
	return nil
}

func middle(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func (b *bench) print() {
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.2fs", d.Seconds()) }
	fmt.Printf("bench-policy N=%d ROUNDS=%d all[median=%s worst=%s] pod[p50=%s p99=%s] cpu=%s/round floor[median=%s patch-p50=%s patch-p99=%s] ratio=%.2f patch=%d bytes\n",
		b.n, b.rounds, seconds(middle(b.all)), seconds(slices.Max(b.all)), seconds(b.pods.Quantile(0.5)), seconds(b.pods.Quantile(0.99)), seconds(b.cpu),
		seconds(middle(b.floors)), stage.Millis(b.floorPods.Quantile(0.5)), stage.Millis(b.floorPods.Quantile(0.99)), middle(b.all).Seconds()/middle(b.floors).Seconds(), b.size())
}

func (b *bench) size() int {
	n := 0
	for key, value := range b.patched[0].after {
		n += len(key) + len(value)
	}
	return n
}

func (b *bench) judge() error {
	if worst := slices.Max(b.all); worst > maxAll && b.n <= 1000 {
		return fmt.Errorf("the slowest change took %s, and not at most %s", worst, maxAll)
	}
	return nil
}
