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
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/pool"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/producer"
	"mooring.dev/mooring/internal/status"
)

// ProfileClusters is what the reconciles of profiles need of the pool.
type ProfileClusters interface {
	State(name string) pool.State
	For(name string) (kafka.Admin, error)
	Leave(cluster, observer string)
}

// ProfileReconciler says what ProducerProfiles come to and whether their topics keep it, and puts their quotas and ACLs on
// the brokers.
type ProfileReconciler struct {
	Client client.Client
	Pool   ProfileClusters
	Events Events
	Now    func() time.Time
	// SettleFor is how long a reconcile waits for the brokers to show what it did; then it comes back later. Default 10 s.
	SettleFor time.Duration

	checks checks
}

// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=producerprofiles,verbs=get;list;watch;update;patch
// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=producerprofiles/status,verbs=get;update;patch
// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=producerprofiles/finalizers,verbs=update

// profileScope is one reconcile of one ProducerProfile: what it reads, and the facts that it records on the way.
type profileScope struct {
	reconciler *ProfileReconciler
	profile    *v1alpha1.ProducerProfile
	facts      status.ProfileFacts
	// quiet leaves the status as it is.
	quiet bool

	// cluster is nil where there is none.
	cluster *v1alpha1.KafkaCluster
	config  producer.Config
	// manifests are the KafkaTopics that stand for topics of the profile, by the topics' names; selected are those of them
	// that spec.topics.selector selects, sorted.
	manifests map[string]*v1alpha1.KafkaTopic
	selected  []string
}

// Reconcile implements reconcile.ObjectReconciler.
func (r *ProfileReconciler) Reconcile(ctx context.Context, p *v1alpha1.ProducerProfile) (ctrl.Result, error) {
	s := &profileScope{reconciler: r, profile: p, facts: status.ProfileFacts{Profile: p, Managed: p.Status.Managed, Now: metav1.NewTime(r.Now())}}
	var o outcome.Outcome
	if p.DeletionTimestamp.IsZero() {
		o = r.converge(ctx, s)
	} else {
		o = r.delete(ctx, s)
	}
	if s.quiet {
		return o.Result()
	}
	next := status.SummarizeProfile(s.facts)
	r.Events.onVerdict(p, p.Status.Conditions, next.Conditions)
	r.Events.onDurable(p, p.Status.Conditions, next.Conditions)
	countProfileTopics(p, next)
	return o.Or(writeProfileStatus(ctx, r.Client, p, next)).Result()
}

// converge judges the profile and its topics, and makes the brokers hold its quota and ACLs.
func (r *ProfileReconciler) converge(ctx context.Context, s *profileScope) outcome.Outcome {
	if err := s.gather(ctx); err != nil {
		return s.broken(err)
	}
	s.judge()
	refused, err := r.admitProfile(ctx, s)
	if err != nil {
		return s.broken(err)
	}
	if refused != nil {
		return s.stop(*refused)
	}
	if before := r.checks.moved(s.profile.UID, s.config.Cluster); before != "" {
		r.Pool.Leave(before, observerOf(s.profile))
	}
	admin, err := r.Pool.For(s.config.Cluster)
	if err != nil {
		return s.away(err)
	}
	s.judgeBrokers(admin.Info())
	if err := s.survey(ctx, admin); err != nil {
		return s.stop(failureOf(err, "look at the topics of the profile"))
	}
	if producer.HasErrors(s.facts.Findings) {
		return outcome.Done() // what is on the brokers stays, until somebody says what should be
	}
	return s.keepAccess(ctx, admin)
}

// broken ends a reconcile that could not read the API server, which says nothing about the profile.
func (s *profileScope) broken(err error) outcome.Outcome {
	s.quiet = true
	return outcome.Retry(err)
}

// stop ends the reconcile with something in the way.
func (s *profileScope) stop(f failure) outcome.Outcome {
	s.facts.Verdict = &f.verdict
	return f.outcome
}

// away is for a cluster that cannot be asked. A profile that was ready stays so for a while, as a topic does.
func (s *profileScope) away(err error) outcome.Outcome {
	p, cluster := s.profile, s.config.Cluster
	ready := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
	known := ready != nil && ready.Status != metav1.ConditionFalse && p.Status.ObservedGeneration == p.Generation
	f := failureOf(err, "KafkaCluster "+cluster).awaited()
	state := s.reconciler.Pool.State(cluster)
	switch {
	case state.Phase == pool.Unknown || state.Phase == pool.Connecting:
		s.quiet = true // the pool wakes every profile within seconds, connected or not
		return outcome.Wait(recheckAway)
	case !known:
		return s.stop(f)
	case !state.Out:
		s.quiet = true
		return outcome.Wait(recheckAway)
	}
	f.verdict.Kind = status.Lost
	f.outcome = outcome.Wait(recheckAway)
	return s.stop(f)
}

// delete takes what the profile put on the brokers off again, and lets the object go.
func (r *ProfileReconciler) delete(ctx context.Context, s *profileScope) outcome.Outcome {
	p := s.profile
	if !controllerutil.ContainsFinalizer(p, v1alpha1.Finalizer) {
		s.quiet = true
		r.release(p)
		return outcome.Done()
	}
	if p.Status.Managed != nil && p.Annotations[v1alpha1.AnnotationOrphan] == "true" {
		r.Events.normal(p, eventAccessLeft, "the quota and the ACLs of this profile are left on the brokers: the annotation %s asks for it", v1alpha1.AnnotationOrphan)
		return r.letGo(ctx, s)
	}
	if f := s.withdraw(ctx); f != nil {
		f.verdict.Message += fmt.Sprintf("; to let this object go and leave its quota and ACLs, annotate it with %s=true", v1alpha1.AnnotationOrphan)
		return s.stop(*f)
	}
	return r.letGo(ctx, s)
}

// letGo removes the finalizer. The object may be gone after it, so there is no status to write.
func (r *ProfileReconciler) letGo(ctx context.Context, s *profileScope) outcome.Outcome {
	s.quiet = true
	if err := removeFinalizer(ctx, r.Client, s.profile); err != nil {
		return outcome.Retry(err)
	}
	r.release(s.profile)
	return outcome.Done()
}

// release forgets what was kept in memory about an object that is going.
func (r *ProfileReconciler) release(p *v1alpha1.ProducerProfile) {
	r.checks.release(p.UID)
	r.Pool.Leave(clusterOf(p), observerOf(p))
	forgetProfileTopics(p)
}

// observerOf names a profile to the view of a cluster.
func observerOf(p *v1alpha1.ProducerProfile) string { return p.Namespace + "/" + p.Name }

// clusterOf is the name of the KafkaCluster.
func clusterOf(p *v1alpha1.ProducerProfile) string {
	if p.Spec.ClusterRef.Name == "" {
		return "default"
	}
	return p.Spec.ClusterRef.Name
}

var _ reconcile.ObjectReconciler[*v1alpha1.ProducerProfile] = (*ProfileReconciler)(nil)
