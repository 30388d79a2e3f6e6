package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka/pool"
)

// profileWorkers is how many profiles are reconciled at once. They are cheap, and wait for looks that carry them all.
const profileWorkers = 64

func (r *ProfileReconciler) setup(mgr ctrl.Manager, p *pool.Pool) error {
	byPool := handler.TypedFuncs[pool.TopicRef, reconcile.Request]{
		GenericFunc: func(ctx context.Context, e event.TypedGenericEvent[pool.TopicRef], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			for _, request := range r.profilesOf(ctx, e.Object) {
				q.Add(request)
			}
		},
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("producerprofile").
		For(&v1alpha1.ProducerProfile{}, specChanged()).
		Watches(&v1alpha1.ProducerProfile{}, r.bySibling(), builder.WithPredicates(accessChanged())).
		Watches(&v1alpha1.KafkaTopic{}, handler.EnqueueRequestsFromMapFunc(r.profilesOfTopic)).
		Watches(&v1alpha1.KafkaCluster{}, handler.EnqueueRequestsFromMapFunc(r.profilesOfCluster), specChanged()).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.profilesOfNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(p.AlsoTopics(byPool)).
		WithOptions(controller.Options{MaxConcurrentReconciles: profileWorkers, RateLimiter: limiter(), ReconciliationTimeout: time.Minute}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// bySibling wakes the profiles that share a quota or a principal with one that changed, before and after the change. One
// that went is forgotten here: without a finalizer no reconcile sees it go.
func (r *ProfileReconciler) bySibling() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	wake := func(ctx context.Context, q queue, o client.Object) {
		for _, request := range r.siblingsOf(ctx, o) {
			q.Add(request)
		}
	}
	return handler.Funcs{
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			wake(ctx, q, e.ObjectOld)
			wake(ctx, q, e.ObjectNew)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			r.release(e.Object.(*v1alpha1.ProducerProfile))
			wake(ctx, q, e.Object)
		},
	}
}

// accessChanged lets through what changes whose a quota or an ACL is.
func accessChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false }, // it is younger than all others, and changes nothing for them
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(*v1alpha1.ProducerProfile), e.ObjectNew.(*v1alpha1.ProducerProfile)
			return before.Generation != after.Generation || !equality.Semantic.DeepEqual(before.Status.Managed, after.Status.Managed)
		},
	}
}

// siblingsOf are the other profiles that want or have what this one does: a quota, or ACLs of a principal.
func (r *ProfileReconciler) siblingsOf(ctx context.Context, o client.Object) []reconcile.Request {
	self := o.(*v1alpha1.ProducerProfile)
	found := make(map[types.NamespacedName]bool)
	for _, index := range []string{indexProfilesByQuota, indexProfilesByPrincipal} {
		for _, value := range profileIndexes[index](self) {
			for _, request := range r.list(ctx, index, value) {
				found[request.NamespacedName] = true
			}
		}
	}
	delete(found, client.ObjectKeyFromObject(self))
	requests := make([]reconcile.Request, 0, len(found))
	for name := range found {
		requests = append(requests, reconcile.Request{NamespacedName: name})
	}
	return requests
}

// profilesOfTopic are the profiles that write the topic of a KafkaTopic. An update asks twice, for the object before and
// after: a label may let it go.
func (r *ProfileReconciler) profilesOfTopic(ctx context.Context, o client.Object) []reconcile.Request {
	t := o.(*v1alpha1.KafkaTopic)
	return r.writersOf(ctx, t.Spec.ClusterRef.Name, func(m matcher) bool { return m.names(t.TopicName()) || m.selects(t) })
}

// profilesOf are the profiles that write a topic, or all of a cluster.
func (r *ProfileReconciler) profilesOf(ctx context.Context, ref pool.TopicRef) []reconcile.Request {
	if ref.Topic == "" {
		return r.list(ctx, indexProfilesByCluster, ref.Cluster)
	}
	manifests, err := sameTarget(ctx, r.Client, ref.Cluster, ref.Topic)
	if err != nil {
		return nil // the cache is gone, and the process with it
	}
	return r.writersOf(ctx, ref.Cluster, func(m matcher) bool {
		for i := range manifests {
			if m.selects(&manifests[i]) {
				return true
			}
		}
		return m.names(ref.Topic)
	})
}

func (r *ProfileReconciler) writersOf(ctx context.Context, cluster string, writes func(matcher) bool) []reconcile.Request {
	profiles, err := listProfiles(ctx, r.Client, indexProfilesByCluster, cluster)
	if err != nil {
		return nil // the cache is gone, and the process with it
	}
	var requests []reconcile.Request
	for i := range profiles {
		if p := &profiles[i]; p.Spec.Topics != nil && writes(matcherOf(p)) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(p)})
		}
	}
	return requests
}

func (r *ProfileReconciler) profilesOfCluster(ctx context.Context, o client.Object) []reconcile.Request {
	return r.list(ctx, indexProfilesByCluster, o.GetName())
}

func (r *ProfileReconciler) list(ctx context.Context, index, value string) []reconcile.Request {
	profiles, err := listProfiles(ctx, r.Client, index, value)
	if err != nil {
		return nil // the cache is gone, and the process with it
	}
	requests := make([]reconcile.Request, 0, len(profiles))
	for i := range profiles {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&profiles[i])})
	}
	return requests
}

// profilesOfNamespace are the profiles that a label of their namespace lets in or shuts out.
func (r *ProfileReconciler) profilesOfNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	var list v1alpha1.ProducerProfileList
	if err := r.Client.List(ctx, &list, client.InNamespace(o.GetName()), client.UnsafeDisableDeepCopy); err != nil {
		return nil // the cache is gone, and the process with it
	}
	requests := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return requests
}

// clustersLetGo are the clusters of a profile that are being deleted and may wait for it.
func (r *ClusterReconciler) clustersLetGo(ctx context.Context, o client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, cluster := range profileIndexes[indexProfilesByCluster](o.(*v1alpha1.ProducerProfile)) {
		name := types.NamespacedName{Name: cluster}
		var k v1alpha1.KafkaCluster
		if err := r.Client.Get(ctx, name, &k); err == nil && !k.DeletionTimestamp.IsZero() {
			requests = append(requests, reconcile.Request{NamespacedName: name})
		}
	}
	return requests
}
