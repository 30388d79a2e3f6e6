package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
	"mooring.dev/mooring/internal/outcome"
)

// recheckRollout is how often a workload that is restarting is looked at.
const recheckRollout = 2 * time.Second

// annotationRestartedAt is what kubectl rollout restart writes into a pod template.
const annotationRestartedAt = "kubectl.kubernetes.io/restartedAt"

// ownerKey names a workload that can be restarted.
type ownerKey struct{ kind, namespace, name string }

// workload is one workload with pods of a profile.
type workload struct {
	key ownerKey
	// spec is the hash that its pods should have; needs says that some have another one.
	spec  string
	needs bool
	pods  []*corev1.Pod
}

// rollout is how far a workload has come.
type rollout string

const (
	settled  rollout = "settled"
	underway rollout = "under way"
	stuck    rollout = "stuck"
	// unmovable workloads do not replace their pods by themselves: paused, or with the strategy OnDelete.
	unmovable rollout = "unmovable"
)

// ownerOf is the object that Events about a pod go to: its controller, or itself.
func ownerOf(pod *corev1.Pod) *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}}
	if ref := metav1.GetControllerOf(pod); ref != nil {
		o.APIVersion, o.Kind, o.Name, o.UID = ref.APIVersion, ref.Kind, ref.Name, ref.UID
	}
	return o
}

// restartable is the workload of a pod; false for pods that no roll-out replaces.
func restartable(pod *corev1.Pod) (ownerKey, bool) {
	ref := metav1.GetControllerOf(pod)
	if ref == nil || !strings.HasPrefix(ref.APIVersion, "apps/") {
		return ownerKey{}, false
	}
	key := ownerKey{ref.Kind, pod.Namespace, inject.WorkloadOf(&pod.ObjectMeta)}
	if ref.Kind == "ReplicaSet" {
		if key.name == ref.Name {
			return ownerKey{}, false // no Deployment made it
		}
		key.kind = "Deployment"
	}
	return key, true
}

// workloadsOf gathers the workloads of pods, in an order that stays.
func workloadsOf(states []podState) []workload {
	byKey := make(map[ownerKey]*workload)
	for i := range states {
		s := &states[i]
		key, ok := restartable(s.pod)
		if !ok || s.Refusal != nil {
			continue
		}
		w := byKey[key]
		if w == nil {
			w = &workload{key: key}
			byKey[key] = w
		}
		w.pods = append(w.pods, s.pod)
		if s.State == inject.NeedRestart || s.State == inject.Missed {
			w.needs, w.spec = true, s.Spec
			if s.State == inject.Missed {
				w.spec = "inject"
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(byKey), func(a, b ownerKey) int {
		return strings.Compare(a.namespace+"/"+a.kind+"/"+a.name, b.namespace+"/"+b.kind+"/"+b.name)
	})
	all := make([]workload, 0, len(keys))
	for _, key := range keys {
		all = append(all, *byKey[key])
	}
	return all
}

// rollOut restarts the workloads of pods that only a restart can change, one at a time: the next one waits until the one
// before is ready again, and if it never is, nothing else is restarted.
func (r *ContractReconciler) rollOut(ctx context.Context, p *v1alpha1.ProducerProfile, states []podState) (outcome.Outcome, error) {
	if p.Spec.Injection == nil || p.Spec.Injection.Rollout != v1alpha1.RolloutRestart {
		return outcome.Done(), nil
	}
	all := workloadsOf(states)
	if !slices.ContainsFunc(all, func(w workload) bool { return w.needs }) {
		return outcome.Done(), nil
	}
	var next *workload
	for i := range all {
		object, progress, err := r.look(ctx, all[i].key)
		if err != nil {
			return outcome.Done(), err
		}
		restarted := object.GetAnnotations()[v1alpha1.AnnotationRestartedFor]
		switch {
		case progress == unmovable:
		case restarted != "" && progress == stuck:
			if r.news(object.GetUID(), string(stuck)+restarted) {
				r.Events.warning(p, eventRollout, "%s %s/%s was restarted and does not become ready; no other workload is restarted until it is", all[i].key.kind, all[i].key.namespace, all[i].key.name)
			}
			return outcome.Wait(10 * recheckRollout), nil
		case progress != settled:
			return outcome.Wait(recheckRollout), nil
		case all[i].needs && restarted != all[i].spec && next == nil:
			next = &all[i]
		}
	}
	if next == nil {
		return outcome.Done(), nil // what is left was restarted for this already, or cannot be
	}
	allowed, err := r.budgetAllows(ctx, next)
	if err != nil || !allowed {
		return outcome.Wait(5 * recheckRollout), err
	}
	return outcome.Wait(recheckRollout), r.restart(ctx, p, next)
}

// look reads a workload and says how far it has come. One that is gone cannot be moved.
func (r *ContractReconciler) look(ctx context.Context, key ownerKey) (client.Object, rollout, error) {
	name := types.NamespacedName{Namespace: key.namespace, Name: key.name}
	var object client.Object
	var progress func() rollout
	switch key.kind {
	case "Deployment":
		d := &appsv1.Deployment{}
		object, progress = d, func() rollout { return deploymentProgress(d) }
	case "StatefulSet":
		s := &appsv1.StatefulSet{}
		object, progress = s, func() rollout { return statefulSetProgress(s) }
	case "DaemonSet":
		d := &appsv1.DaemonSet{}
		object, progress = d, func() rollout { return daemonSetProgress(d) }
	default:
		return &corev1.Pod{}, unmovable, nil
	}
	err := r.Live.Get(ctx, name, object)
	switch {
	case apierrors.IsNotFound(err):
		return object, unmovable, nil
	case err != nil:
		return object, settled, fmt.Errorf("read %s %s: %w", key.kind, name, err)
	}
	return object, progress(), nil
}

func deploymentProgress(d *appsv1.Deployment) rollout {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := d.Status
	if d.Spec.Paused {
		return unmovable
	}
	for _, c := range s.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse {
			return stuck
		}
	}
	if s.ObservedGeneration >= d.Generation && s.UpdatedReplicas >= want && s.Replicas == s.UpdatedReplicas && s.AvailableReplicas >= want {
		return settled
	}
	return underway
}

func statefulSetProgress(s *appsv1.StatefulSet) rollout {
	want := int32(1)
	if s.Spec.Replicas != nil {
		want = *s.Spec.Replicas
	}
	if s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
		return unmovable
	}
	if s.Status.ObservedGeneration >= s.Generation && s.Status.UpdateRevision == s.Status.CurrentRevision && s.Status.ReadyReplicas >= want {
		return settled
	}
	return underway
}

func daemonSetProgress(d *appsv1.DaemonSet) rollout {
	s := d.Status
	if d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return unmovable
	}
	if s.ObservedGeneration >= d.Generation && s.UpdatedNumberScheduled >= s.DesiredNumberScheduled && s.NumberAvailable >= s.DesiredNumberScheduled {
		return settled
	}
	return underway
}

// budgetAllows says whether every PodDisruptionBudget over the workload's pods can spare one. The roll-out itself keeps to
// maxUnavailable; budgets count it only where pods are evicted, so it is asked here before.
func (r *ContractReconciler) budgetAllows(ctx context.Context, w *workload) (bool, error) {
	var list policyv1.PodDisruptionBudgetList
	if err := r.Live.List(ctx, &list, client.InNamespace(w.key.namespace)); err != nil {
		return false, fmt.Errorf("list PodDisruptionBudgets: %w", err)
	}
	for i := range list.Items {
		selector, err := metav1.LabelSelectorAsSelector(list.Items[i].Spec.Selector)
		if err != nil {
			continue
		}
		covers := slices.ContainsFunc(w.pods, func(pod *corev1.Pod) bool { return selector.Matches(labels.Set(pod.Labels)) })
		if covers && list.Items[i].Status.DisruptionsAllowed < 1 {
			return false, nil
		}
	}
	return true, nil
}

// restart does what kubectl rollout restart does, and writes down for what.
func (r *ContractReconciler) restart(ctx context.Context, p *v1alpha1.ProducerProfile, w *workload) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{v1alpha1.AnnotationRestartedFor: w.spec}},
		"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
			"annotations": map[string]string{annotationRestartedAt: r.Now().UTC().Format(time.RFC3339)}}}},
	})
	if err != nil {
		return err
	}
	object := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: w.key.kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: w.key.namespace, Name: w.key.name}}
	if err := r.Client.Patch(ctx, object, client.RawPatch(types.StrategicMergePatchType, patch), fieldOwner); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("restart %s %s/%s: %w", w.key.kind, w.key.namespace, w.key.name, err)
	}
	r.Events.normal(p, eventRestarted, "%s %s/%s is restarted, because its pods cannot take the profile as it is now without", w.key.kind, w.key.namespace, w.key.name)
	return nil
}
