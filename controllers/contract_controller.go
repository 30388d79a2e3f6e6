package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
	"mooring.dev/mooring/internal/outcome"
)

// patchesAtOnce and patchesPerSecond bound what a change of one profile asks of the API server.
const (
	patchesAtOnce    = 32
	patchesPerSecond = 500
)

const rememberedNotes = 8192

// ContractReconciler keeps the contracts of running pods what their profile comes to now, and counts them.
type ContractReconciler struct {
	Client client.Client
	// Live reads the API server itself: workloads are looked at only while one is restarted, and no cache is kept of them.
	Live   client.Reader
	Source ContractSource
	Events Events
	Now    func() time.Time

	limit     flowcontrol.RateLimiter
	untouched untouched
	// told are the last notes about pods that were missed or cannot be given their profile, and about workloads whose restart
	// is stuck. Nobody hears of a workload that goes, so there are at most rememberedNotes; one that falls out is told again.
	mu   sync.Mutex
	told *lru.Cache
}

// podState is one pod and how it stands.
type podState struct {
	pod *corev1.Pod
	inject.Refreshed
}

// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets;daemonsets,verbs=get;patch
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=list
// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=producerprofiles,verbs=get;list;watch
// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=producerprofiles/status,verbs=get;patch;update

// Reconcile implements reconcile.ObjectReconciler.
func (r *ContractReconciler) Reconcile(ctx context.Context, p *v1alpha1.ProducerProfile) (ctrl.Result, error) {
	if !p.DeletionTimestamp.IsZero() {
		return outcome.Done().Result() // pods keep what they have
	}
	states, err := r.observe(ctx, p)
	if err != nil {
		return outcome.Retry(err).Result()
	}
	err = r.patch(ctx, states)
	due, errTouch := r.touch(ctx, states)
	r.announce(p, states)
	next, errRollout := r.rollOut(ctx, p, states)
	errStatus := writePodCounts(ctx, r.Client, p, countPods(states))
	switch {
	case err != nil:
		return outcome.Retry(err).Result()
	case errRollout != nil:
		return outcome.Retry(errRollout).Result()
	case errTouch != nil:
		return outcome.Retry(errTouch).Result()
	}
	return next.Within(due).Or(errStatus).Result()
}

// observe says how each pod of a profile stands to it. A profile resolves alike for all pods of a namespace.
func (r *ContractReconciler) observe(ctx context.Context, p *v1alpha1.ProducerProfile) ([]podState, error) {
	pods, err := r.boundPods(ctx, p)
	if err != nil {
		return nil, err
	}
	type bound struct {
		inject.Binding
		refusal *inject.Refusal
	}
	bindings := make(map[string]bound)
	states := make([]podState, 0, len(pods))
	for _, pod := range pods {
		b, known := bindings[pod.Namespace]
		if !known {
			if b.Binding, b.refusal, err = r.bind(ctx, p, pod.Namespace); err != nil {
				return nil, err
			}
			bindings[pod.Namespace] = b
		}
		s := podState{pod: pod}
		if b.refusal != nil {
			s.Refreshed = inject.Refreshed{State: inject.Stale, Refusal: b.refusal}
			if _, injected, _ := inject.StatusOf(pod.Annotations); !injected {
				s.State = inject.Missed
			}
		} else {
			s.Refreshed = inject.Refresh(&pod.ObjectMeta, b.Binding)
		}
		states = append(states, s)
	}
	return states, nil
}

func (r *ContractReconciler) bind(ctx context.Context, p *v1alpha1.ProducerProfile, namespace string) (inject.Binding, *inject.Refusal, error) {
	place, err := r.Source.place(ctx, namespace)
	if err != nil {
		return inject.Binding{}, nil, err
	}
	if refusal := inject.Consent(p, place); refusal != nil {
		return inject.Binding{}, refusal, nil
	}
	return r.Source.Bind(ctx, p, inject.ByAnnotation, namespace)
}

// patch writes the annotations that differ, many at once. The kubelet writes the files, and the shim reads them again. A pod
// that could not be patched stays stale, and the first error comes back.
func (r *ContractReconciler) patch(ctx context.Context, states []podState) error {
	return r.each(ctx, states, r.patchOne)
}

// each does something for each pod that has annotations to be written, many at once, and returns the first error.
func (r *ContractReconciler) each(ctx context.Context, states []podState, do func(context.Context, *podState) error) error {
	var first error
	var mu sync.Mutex
	var group sync.WaitGroup
	slots := make(chan struct{}, patchesAtOnce)
	for i := range states {
		s := &states[i]
		if len(s.Annotations) == 0 {
			continue
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			err := do(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = err
			}
		})
	}
	group.Wait()
	return first
}

func (r *ContractReconciler) patchOne(ctx context.Context, s *podState) error {
	err := r.annotate(ctx, s)
	if apierrors.IsNotFound(err) {
		return nil // it is gone, and its event is on the way
	}
	if err != nil { // a conflict too: another pod has the name by now, or others wrote at once; the cache will say which
		contractPatches.WithLabelValues("failed").Inc()
		return fmt.Errorf("patch the contract of pod %s/%s: %w", s.pod.Namespace, s.pod.Name, err)
	}
	contractPatches.WithLabelValues("ok").Inc()
	r.untouched.note(s.pod.UID, r.Now())
	if s.State == inject.Stale {
		s.State = inject.Current
	}
	return nil
}

// annotate a pod.
func (r *ContractReconciler) annotate(ctx context.Context, s *podState) error {
	if err := r.limit.Wait(ctx); err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid":         s.pod.UID, // another pod of the same name may be there by now
		"annotations": s.Annotations,
	}})
	if err != nil {
		return err
	}
	target := &corev1.Pod{}
	target.Namespace, target.Name = s.pod.Namespace, s.pod.Name
	return r.Client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), fieldOwner)
}

// countPods sums the pods up. Those that are gone by now are counted once more; their event is on the way.
func countPods(states []podState) v1alpha1.PodCounts {
	var c v1alpha1.PodCounts
	for i := range states {
		c.Bound++
		switch states[i].State {
		case inject.Current:
			c.Current++
		case inject.Stale:
			c.Stale++
		case inject.NeedRestart:
			c.NeedRestart++
		case inject.Missed:
			c.Missed++
		}
	}
	return c
}

// Reasons of Events about injected pods.
const (
	eventMissed    = "InjectionMissed"
	eventOutdated  = "ContractOutdated"
	eventRestarted = "WorkloadRestarted"
	eventRollout   = "RolloutStopped"
)

// announce tells the owner of each pod that was missed, once.
func (r *ContractReconciler) announce(p *v1alpha1.ProducerProfile, states []podState) {
	for i := range states {
		s := &states[i]
		reason, note := "", ""
		switch {
		case s.State == inject.Missed:
			reason, note = eventMissed, fmt.Sprintf("pod %s asks for ProducerProfile %s/%s and was started without it; restart it", s.pod.Name, p.Namespace, p.Name)
			if s.Refusal != nil {
				note = fmt.Sprintf("pod %s was started without ProducerProfile %s/%s, which would be refused: %s", s.pod.Name, p.Namespace, p.Name, s.Refusal.Sentence())
			}
		case s.Refusal != nil:
			reason, note = eventOutdated, fmt.Sprintf("pod %s keeps an older contract, because the present one cannot be given to it: %s", s.pod.Name, s.Refusal.Sentence())
		}
		if r.news(s.pod.UID, note) && note != "" {
			r.Events.warning(ownerOf(s.pod), reason, "%s", note)
		}
	}
}

// news says whether a note about a pod or a workload differs from the last one.
func (r *ContractReconciler) news(object types.UID, note string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, _ := r.told.Get(object)
	switch {
	case last == note || last == nil && note == "":
		return false
	case note == "":
		r.told.Remove(object)
	default:
		r.told.Add(object, note)
	}
	return true
}
