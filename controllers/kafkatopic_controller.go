package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka/pool"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/status"
)

// TopicReconciler makes topics what their KafkaTopics say.
type TopicReconciler struct {
	Client client.Client
	Pool   Connections
	Events Events
	Now    func() time.Time
	// SettleFor is how long a reconcile waits for the brokers to show what it did; then it comes back later. Default 10 s.
	SettleFor time.Duration

	memory memory
}

// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=kafkatopics,verbs=get;list;watch;update;patch
// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=kafkatopics/status,verbs=get;update;patch
// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=kafkatopics/finalizers,verbs=update
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch

// Reconcile implements reconcile.ObjectReconciler.
func (r *TopicReconciler) Reconcile(ctx context.Context, t *v1alpha1.KafkaTopic) (ctrl.Result, error) {
	s := &scope{reconciler: r, topic: t, facts: status.TopicFacts{Topic: t, Now: metav1.NewTime(r.Now())}}
	var o outcome.Outcome
	if t.DeletionTimestamp.IsZero() {
		o = r.converge(ctx, s)
	} else {
		o = r.delete(ctx, s)
	}
	if s.quiet {
		return o.Result()
	}
	next := status.SummarizeTopic(s.facts)
	r.Events.onVerdict(t, t.Status.Conditions, next.Conditions)
	return o.Or(writeTopicStatus(ctx, r.Client, t, next)).Result()
}

// converge makes the topic what the manifest says, or says why not.
func (r *TopicReconciler) converge(ctx context.Context, s *scope) outcome.Outcome {
	refused, err := r.admit(ctx, s.topic)
	if err != nil {
		s.quiet = true
		return outcome.Retry(err)
	}
	if refused != nil {
		return s.stop(*refused)
	}
	if err := r.matchFinalizer(ctx, s.topic); err != nil {
		s.quiet = true
		return outcome.Retry(err)
	}
	admin, err := r.Pool.For(s.topic.Spec.ClusterRef.Name)
	if err != nil {
		return s.away(err)
	}
	s.use(admin)
	return s.drive(ctx)
}

// matchFinalizer puts the finalizer on a topic whose deletion has to delete something, and takes it off any other: where
// nothing has to happen, nothing can get stuck, and each topic costs one write less.
func (r *TopicReconciler) matchFinalizer(ctx context.Context, t *v1alpha1.KafkaTopic) error {
	if t.Spec.DeletionPolicy == v1alpha1.DeletionRetain || t.Spec.Mode == v1alpha1.ModeObserve {
		return removeFinalizer(ctx, r.Client, t)
	}
	return addFinalizer(ctx, r.Client, t)
}

// delete does what deletionPolicy says, and lets the object go.
func (r *TopicReconciler) delete(ctx context.Context, s *scope) outcome.Outcome {
	t := s.topic
	if !controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer) {
		s.quiet = true
		r.release(t)
		return outcome.Done()
	}
	why, err := r.keeps(ctx, t)
	if err != nil {
		s.quiet = true
		return outcome.Retry(err)
	}
	if why != "" {
		r.Events.normal(t, eventRetained, "topic %s is left as it is: %s", t.TopicName(), why)
		return r.letGo(ctx, s)
	}
	admin, err := r.Pool.For(t.Spec.ClusterRef.Name)
	if err != nil {
		return s.stop(undeleted(err, "delete topic "+t.TopicName()).awaited())
	}
	s.use(admin)
	gone, o := s.remove(ctx)
	if !gone {
		return o
	}
	return r.letGo(ctx, s)
}

// keeps says why the topic outlives this object; empty when it does not.
func (r *TopicReconciler) keeps(ctx context.Context, t *v1alpha1.KafkaTopic) (string, error) {
	switch {
	case t.Annotations[v1alpha1.AnnotationOrphan] == "true":
		return "the annotation " + v1alpha1.AnnotationOrphan + " asks for it", nil
	case t.Spec.DeletionPolicy == v1alpha1.DeletionRetain:
		return "deletionPolicy is Retain", nil
	case t.Status.TopicID == "":
		return "this object never owned it", nil
	}
	others, err := sameTarget(ctx, r.Client, t.Spec.ClusterRef.Name, t.TopicName())
	if err != nil {
		return "", err
	}
	for i := range others {
		if others[i].UID != t.UID && others[i].DeletionTimestamp.IsZero() {
			return fmt.Sprintf("KafkaTopic %s/%s refers to it too, and takes it over", others[i].Namespace, others[i].Name), nil
		}
	}
	return "", nil
}

// letGo removes the finalizer. The object may be gone after it, so there is no status to write.
func (r *TopicReconciler) letGo(ctx context.Context, s *scope) outcome.Outcome {
	s.quiet = true
	if err := removeFinalizer(ctx, r.Client, s.topic); err != nil {
		return outcome.Retry(err)
	}
	r.release(s.topic)
	return outcome.Done()
}

// release forgets what was kept in memory about an object that is going.
func (r *TopicReconciler) release(t *v1alpha1.KafkaTopic) {
	r.memory.forget(t.UID)
	r.Pool.Forget(t.Spec.ClusterRef.Name, t.TopicName())
}

// away is for a cluster that cannot be asked. A topic that was ready stays so for a while: the outage is one condition on
// the KafkaCluster, and not one write per topic each time the brokers restart.
func (s *scope) away(err error) outcome.Outcome {
	t := s.topic
	ready := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady)
	known := ready != nil && ready.Status != metav1.ConditionFalse && t.Status.ObservedGeneration == t.Generation
	f := failureOf(err, fmt.Sprintf("KafkaCluster %s", t.Spec.ClusterRef.Name)).awaited()
	state := s.reconciler.Pool.State(t.Spec.ClusterRef.Name)
	if state.Phase == pool.Unknown || state.Phase == pool.Connecting {
		s.quiet = true // the pool wakes every topic within seconds, connected or not
		return outcome.Wait(recheckAway)
	}
	if !known {
		return s.stop(f)
	}
	if !state.Out {
		s.quiet = true
		return outcome.Wait(recheckAway)
	}
	f.verdict.Kind = status.Lost
	f.outcome = outcome.Wait(recheckAway)
	return s.stop(f)
}

var _ reconcile.ObjectReconciler[*v1alpha1.KafkaTopic] = (*TopicReconciler)(nil)
