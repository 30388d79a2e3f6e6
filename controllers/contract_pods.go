package controllers

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
)

// indexPodsByProfile finds the pods that carry a profile, or ask for it.
const indexPodsByProfile = "mooring.podsByProfile"

func addContractIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	if err := indexer.IndexField(ctx, &corev1.Pod{}, indexPodsByProfile, func(o client.Object) []string {
		if name := profileOfPod(o.(*corev1.Pod)); name != "" {
			return []string{name}
		}
		return nil
	}); err != nil {
		return err
	}
	return indexer.IndexField(ctx, &v1alpha1.ProducerProfile{}, indexProfilesWithSelector, func(o client.Object) []string {
		if o.(*v1alpha1.ProducerProfile).Spec.Selector != nil {
			return []string{"true"}
		}
		return nil
	})
}

// profileOfPod is namespace/name of the profile that a pod carries or asks for by annotation; "" for none.
func profileOfPod(pod *corev1.Pod) string {
	if status, injected, err := inject.StatusOf(pod.Annotations); injected && err == nil {
		return status.Profile
	}
	request, refusal := inject.ReadRequest(pod.Annotations, pod.Namespace)
	if refusal != nil || request.Name == "" {
		return ""
	}
	return request.Namespace + "/" + request.Name
}

// LightPod is the transform of the pods' cache. Pods are by far the most objects of a cluster, and what a contract follows
// from is all in a pod's metadata: of the others' pods a few hundred bytes stay.
func LightPod(o any) (any, error) {
	pod, ok := o.(*corev1.Pod)
	if !ok {
		return o, nil
	}
	light := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: pod.Namespace, Name: pod.Name, GenerateName: pod.GenerateName, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
		Labels: pod.Labels, OwnerReferences: pod.OwnerReferences, DeletionTimestamp: pod.DeletionTimestamp,
	}}
	light.Status.Phase = pod.Status.Phase
	for key, value := range pod.Annotations {
		if strings.Contains(key, v1alpha1.GroupVersion.Group) || strings.HasPrefix(key, "batch.kubernetes.io/") || key == corev1.MirrorPodAnnotationKey {
			if light.Annotations == nil {
				light.Annotations = make(map[string]string)
			}
			light.Annotations[key] = value
		}
	}
	return light, nil
}

// lives says whether a pod counts: one that has ended or is ending carries what it carries.
func lives(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp.IsZero() && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}

// boundPods are the living pods of a profile: those that carry it or ask for it, and those that its selector would bind and
// that carry nothing. They are the cache's own: read only.
func (r *ContractReconciler) boundPods(ctx context.Context, p *v1alpha1.ProducerProfile) ([]*corev1.Pod, error) {
	var list corev1.PodList
	name := p.Namespace + "/" + p.Name
	if err := r.Client.List(ctx, &list, client.MatchingFields{indexPodsByProfile: name}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var pods []*corev1.Pod
	for i := range list.Items {
		if lives(&list.Items[i]) && list.Items[i].Namespace != r.Source.Namespace { // no webhook is called for our own namespace
			pods = append(pods, &list.Items[i])
		}
	}
	if p.Spec.Selector == nil {
		return pods, nil
	}
	selected, err := r.selectedPods(ctx, p)
	return append(pods, selected...), err
}

// selectedPods are those that the selector binds and that were never injected.
func (r *ContractReconciler) selectedPods(ctx context.Context, p *v1alpha1.ProducerProfile) ([]*corev1.Pod, error) {
	selector := selectorOf(p.Spec.Selector)
	var namespaces corev1.NamespaceList
	enabled := client.MatchingLabels{v1alpha1.LabelInjection: v1alpha1.InjectionEnabled}
	if err := r.Client.List(ctx, &namespaces, enabled, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var pods []*corev1.Pod
	for i := range namespaces.Items {
		place := inject.Place{Name: namespaces.Items[i].Name, Labels: namespaces.Items[i].Labels}
		if inject.Consent(p, place) != nil || place.Name == r.Source.Namespace {
			continue
		}
		var list corev1.PodList
		if err := r.Client.List(ctx, &list, client.InNamespace(place.Name), client.MatchingLabelsSelector{Selector: selector}, client.UnsafeDisableDeepCopy); err != nil {
			return nil, err
		}
		for i := range list.Items {
			pod := &list.Items[i]
			if !lives(pod) || profileOfPod(pod) != "" {
				continue
			}
			found, err := r.Source.Find(ctx, &pod.ObjectMeta, pod.Namespace)
			if err != nil {
				return nil, err
			}
			if found.Profile != nil && found.Profile.UID == p.UID && found.Refusal == nil {
				pods = append(pods, pod)
			}
		}
	}
	return pods, nil
}

// selectorOf reads a selector. One that cannot be read selects nothing, and is the profile's own error.
func selectorOf(s *metav1.LabelSelector) labels.Selector {
	if selector, err := metav1.LabelSelectorAsSelector(s); err == nil {
		return selector
	}
	return labels.Nothing()
}
