package controllers

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
)

// podsSettle is how long the events of pods are gathered before they are counted: a roll-out of a hundred pods is one count.
const podsSettle = 100 * time.Millisecond

func setupContracts(mgr ctrl.Manager, o Options, events Events) error {
	r := &ContractReconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Events: events, Now: time.Now,
		Source: ContractSource{Reader: mgr.GetClient(), Namespace: o.Namespace, Shim: inject.Image{Name: o.ShimImage}},
	}
	r.init()
	return r.setup(mgr)
}

func (r *ContractReconciler) init() {
	r.limit = flowcontrol.NewTokenBucketRateLimiter(patchesPerSecond, patchesAtOnce)
	r.told = lru.New(rememberedNotes)
}

func (r *ContractReconciler) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("contract").
		For(&v1alpha1.ProducerProfile{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ProducerProfile{}, forgetCounts()).
		Watches(&corev1.Pod{}, r.byPod()).
		Watches(&v1alpha1.KafkaCluster{}, handler.EnqueueRequestsFromMapFunc(r.profilesOfCluster), builder.WithPredicates(contractOfCluster())).
		Watches(&v1alpha1.KafkaTopic{}, handler.EnqueueRequestsFromMapFunc(r.profilesThatSelect), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.profilesOfSecret)).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.profilesOfNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 8, RateLimiter: limiter(), ReconciliationTimeout: 2 * time.Minute}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// forgetCounts takes a profile that went out of the metrics: no reconcile sees it go.
func forgetCounts() handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		profilePods.DeletePartialMatch(map[string]string{"namespace": e.Object.GetNamespace(), "profile": e.Object.GetName()})
	}}
}

// contractOfCluster lets through what is in a contract: the spec, and the cluster's identity.
func contractOfCluster() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.(*v1alpha1.KafkaCluster).Status.ClusterID != e.ObjectNew.(*v1alpha1.KafkaCluster).Status.ClusterID
	}})
}

// byPod wakes the profile that a pod carries or asks for, and those whose selectors may bind it.
func (r *ContractReconciler) byPod() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	wake := func(ctx context.Context, q queue, o client.Object) {
		pod := o.(*corev1.Pod)
		if namespace, name, ok := strings.Cut(profileOfPod(pod), "/"); ok {
			q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}, podsSettle)
			return
		}
		found, err := r.Source.Find(ctx, &pod.ObjectMeta, pod.Namespace)
		if err == nil && found.Profile != nil {
			q.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(found.Profile)}, podsSettle)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { wake(ctx, q, e.Object) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			before, after := e.ObjectOld.(*corev1.Pod), e.ObjectNew.(*corev1.Pod)
			if lives(before) == lives(after) && equality.Semantic.DeepEqual(before.Annotations, after.Annotations) && equality.Semantic.DeepEqual(before.Labels, after.Labels) {
				return
			}
			wake(ctx, q, before)
			wake(ctx, q, after)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			r.news(e.Object.GetUID(), "")
			r.untouched.forget(e.Object.GetUID())
			wake(ctx, q, e.Object)
		},
	}
}

func (r *ContractReconciler) requests(ctx context.Context, keep func(*v1alpha1.ProducerProfile) bool, options ...client.ListOption) []reconcile.Request {
	var list v1alpha1.ProducerProfileList
	if err := r.Client.List(ctx, &list, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil // the cache is gone, and the process with it
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if keep(&list.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

func (r *ContractReconciler) profilesOfCluster(ctx context.Context, o client.Object) []reconcile.Request {
	return r.requests(ctx, func(p *v1alpha1.ProducerProfile) bool { return clusterOf(p) == o.GetName() }, client.MatchingFields{indexProfilesByCluster: o.GetName()})
}

// profilesThatSelect are those whose allow-list may have changed with a KafkaTopic.
func (r *ContractReconciler) profilesThatSelect(ctx context.Context, o client.Object) []reconcile.Request {
	return r.requests(ctx, func(p *v1alpha1.ProducerProfile) bool { return p.Spec.Topics != nil && p.Spec.Topics.Selector != nil }, client.InNamespace(o.GetNamespace()))
}

// profilesOfSecret are those of the clusters that trust the certificates in a Secret.
func (r *ContractReconciler) profilesOfSecret(ctx context.Context, o client.Object) []reconcile.Request {
	if o.GetNamespace() != r.Source.Namespace {
		return nil
	}
	var list v1alpha1.KafkaClusterList
	if err := r.Client.List(ctx, &list, client.MatchingFields{indexClustersBySecret: o.GetName()}, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		requests = append(requests, r.profilesOfCluster(ctx, &list.Items[i])...)
	}
	return requests
}

// profilesOfNamespace are those that a label lets into a namespace, or shuts out.
func (r *ContractReconciler) profilesOfNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	return r.requests(ctx, func(p *v1alpha1.ProducerProfile) bool {
		return p.Spec.Selector != nil || p.Spec.AllowedNamespaces != nil || p.Namespace == o.GetName()
	})
}
