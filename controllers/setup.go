package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
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

// Options for Setup.
type Options struct {
	// Namespace of the operator.
	Namespace string
	// TopicWorkers is how many KafkaTopics are reconciled at once. Most of them wait for a batch that carries them all, so
	// hundreds are cheap, and few are slow. Default 512.
	TopicWorkers int
	Pool         *pool.Pool
	// ShimImage is the image of the shim in pods.
	ShimImage string
}

// Setup registers every controller with the manager.
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if o.TopicWorkers == 0 {
		o.TopicWorkers = 512
	}
	if err := addIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	recorder, err := NewRecorder(mgr.GetConfig(), mgr.GetScheme())
	if err != nil {
		return err
	}
	if err := mgr.Add(recorder); err != nil {
		return err
	}
	events := Events{Recorder: recorder}
	clusters := &ClusterReconciler{Client: mgr.GetClient(), Pool: o.Pool, Events: events, Namespace: o.Namespace, Now: time.Now}
	if err := clusters.setup(mgr, o.Pool); err != nil {
		return err
	}
	topics := &TopicReconciler{Client: mgr.GetClient(), Pool: o.Pool, Events: events, Now: time.Now, SettleFor: 10 * time.Second}
	if err := topics.setup(mgr, o); err != nil {
		return err
	}
	profiles := &ProfileReconciler{Client: mgr.GetClient(), Pool: o.Pool, Events: events, Now: time.Now, SettleFor: 10 * time.Second}
	if err := profiles.setup(mgr, o.Pool); err != nil {
		return err
	}
	return setupContracts(mgr, o, events)
}

// limiter spaces the retries of one object. There is no limit over all objects: a broken one never holds back another.
func limiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](200*time.Millisecond, 2*time.Minute)
}

// specChanged lets events through that a person made: a new generation (deletion is one) or an annotation. A status that
// we wrote ourselves is none.
func specChanged() builder.Predicates {
	return builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))
}

func (r *ClusterReconciler) setup(mgr ctrl.Manager, p *pool.Pool) error {
	bySecret := handler.EnqueueRequestsFromMapFunc(r.clustersOfSecret)
	byPool := handler.TypedFuncs[string, reconcile.Request]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[string], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: e.Object}})
		},
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("kafkacluster").
		For(&v1alpha1.KafkaCluster{}, specChanged()).
		Watches(&corev1.Secret{}, bySecret).
		Watches(&v1alpha1.KafkaTopic{}, handler.EnqueueRequestsFromMapFunc(r.clusterThatWaits), builder.WithPredicates(onlyDeletes())).
		Watches(&v1alpha1.ProducerProfile{}, handler.EnqueueRequestsFromMapFunc(r.clustersLetGo), builder.WithPredicates(accessChanged())).
		WatchesRawSource(p.Clusters(byPool)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 8, RateLimiter: limiter(), ReconciliationTimeout: time.Minute}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// clustersOfSecret are the clusters that read a Secret, if it is one of the operator's namespace.
func (r *ClusterReconciler) clustersOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	if secret.GetNamespace() != r.Namespace {
		return nil
	}
	var list v1alpha1.KafkaClusterList
	if err := r.Client.List(ctx, &list, client.MatchingFields{indexClustersBySecret: secret.GetName()}); err != nil {
		return nil // the cache is gone, and the process with it
	}
	requests := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Name: list.Items[i].Name}})
	}
	return requests
}

// clusterThatWaits is the cluster of a topic that went, if it is being deleted and waits for its topics.
func (r *ClusterReconciler) clusterThatWaits(ctx context.Context, o client.Object) []reconcile.Request {
	name := types.NamespacedName{Name: o.(*v1alpha1.KafkaTopic).Spec.ClusterRef.Name}
	var k v1alpha1.KafkaCluster
	if err := r.Client.Get(ctx, name, &k); err != nil || k.DeletionTimestamp.IsZero() {
		return nil
	}
	return []reconcile.Request{{NamespacedName: name}}
}

func onlyDeletes() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func (r *TopicReconciler) setup(mgr ctrl.Manager, o Options) error {
	byPool := handler.TypedFuncs[pool.TopicRef, reconcile.Request]{
		GenericFunc: func(ctx context.Context, e event.TypedGenericEvent[pool.TopicRef], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			for _, request := range r.topicsOf(ctx, e.Object) {
				q.Add(request)
			}
		},
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("kafkatopic").
		For(&v1alpha1.KafkaTopic{}, specChanged()).
		Watches(&v1alpha1.KafkaTopic{}, handler.EnqueueRequestsFromMapFunc(r.heirs), builder.WithPredicates(onlyDeletes())).
		Watches(&v1alpha1.KafkaCluster{}, handler.EnqueueRequestsFromMapFunc(r.topicsOfCluster), specChanged()).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.topicsOfNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(o.Pool.Topics(byPool)).
		WithOptions(controller.Options{MaxConcurrentReconciles: o.TopicWorkers, RateLimiter: limiter(), ReconciliationTimeout: time.Minute}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// heirs are the other objects that mean the topic of one that went: the next oldest owns it now. What it had of a quota
// goes to those that were held back. An object without a finalizer goes without a reconcile, so this is where it is
// forgotten; an heir looks at the topic again.
func (r *TopicReconciler) heirs(ctx context.Context, o client.Object) []reconcile.Request {
	t := o.(*v1alpha1.KafkaTopic)
	r.release(t)
	return append(r.topicsOf(ctx, pool.TopicRef{Cluster: t.Spec.ClusterRef.Name, Topic: t.TopicName()}), r.heldBack(ctx, t)...)
}

func (r *TopicReconciler) topicsOfCluster(ctx context.Context, o client.Object) []reconcile.Request {
	return r.topicsOf(ctx, pool.TopicRef{Cluster: o.GetName()})
}

// topicsOfNamespace are the topics that a label of their namespace lets in or shuts out.
func (r *TopicReconciler) topicsOfNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	return r.list(ctx, client.InNamespace(o.GetName()), notOurWrites)
}

// topicsOf finds the KafkaTopics of a topic, or of a whole cluster.
func (r *TopicReconciler) topicsOf(ctx context.Context, ref pool.TopicRef) []reconcile.Request {
	if ref.Topic != "" {
		topics, err := sameTarget(ctx, r.Client, ref.Cluster, ref.Topic)
		if err != nil {
			return nil // the cache is gone, and the process with it
		}
		return requestsFor(topics)
	}
	return r.list(ctx, client.MatchingFields{indexTopicsByCluster: ref.Cluster}, notOurWrites)
}

func (r *TopicReconciler) list(ctx context.Context, which ...client.ListOption) []reconcile.Request {
	var list v1alpha1.KafkaTopicList
	if err := r.Client.List(ctx, &list, append(which, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil // the cache is gone, and the process with it
	}
	return requestsFor(list.Items)
}

func requestsFor(topics []v1alpha1.KafkaTopic) []reconcile.Request {
	requests := make([]reconcile.Request, 0, len(topics))
	for i := range topics {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&topics[i])})
	}
	return requests
}
