package controllers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/principal"
	"mooring.dev/mooring/internal/status"
	"mooring.dev/mooring/internal/topic"
)

// access is one way from what the brokers hold to what a profile wants them to hold.
type access struct {
	admin    kafka.Admin
	cluster  string // name of the KafkaCluster
	desired  principal.Desired
	own      principal.Owned
	siblings principal.Siblings
	// refusals say what of the spec is not wanted after all, and why.
	refusals []principal.Refusal
}

// keepAccess makes the brokers hold the profile's quota and ACLs, and looks after them at the cluster's interval.
func (s *profileScope) keepAccess(ctx context.Context, admin kafka.Admin) outcome.Outcome {
	p := s.profile
	if m := p.Status.Managed; m != nil && m.Cluster != s.config.Cluster {
		if f := s.withdraw(ctx); f != nil {
			f.verdict.Message += "; until then nothing is put on KafkaCluster " + s.config.Cluster
			return s.stop(*f)
		}
		if err := s.record(ctx, nil); err != nil {
			return s.broken(err)
		}
	}
	a, err := s.wanted(ctx, admin)
	if err != nil {
		return s.broken(err)
	}
	if a.desired.Nothing() && a.own.Nothing() {
		s.facts.Managed = nil
		s.reconciler.checks.forget(p.UID)
		if err := removeFinalizer(ctx, s.reconciler.Client, p); err != nil {
			return s.broken(err)
		}
		return s.finish(a.refusals, nil, 0)
	}
	if err := addFinalizer(ctx, s.reconciler.Client, p); err != nil {
		return s.broken(err)
	}
	now := s.reconciler.Now()
	if c, ok := s.reconciler.checks.get(p.UID); ok && now.Before(c.due) && reflect.DeepEqual(c.of, a.inputs()) {
		s.facts.Managed = c.managed
		return s.finish(c.refusals, c.notes, c.due.Sub(now))
	}
	inputs := a.inputs() // a cluster without an authorizer makes less of them
	plan, f := s.drive(ctx, &a)
	if f != nil {
		return s.stop(*f)
	}
	s.facts.Managed = a.own.Record(a.cluster, admin.Info().ClusterID)
	interval := intervalOf(s.cluster)
	interval = interval - interval/10 + rand.N(interval/5+1) // many profiles do not beat in step
	refusals := slices.Concat(a.refusals, plan.Refusals)
	inputs.own = principal.FromStatus(s.facts.Managed, admin.Info().ClusterID)
	s.reconciler.checks.set(p.UID, check{of: inputs, due: now.Add(interval), managed: s.facts.Managed, refusals: refusals, notes: plan.Notes})
	if len(plan.Awaited) > 0 {
		s.reconciler.checks.forget(p.UID)
		return s.stop(handingOver(plan.Awaited))
	}
	return s.finish(refusals, plan.Notes, interval)
}

func handingOver(awaited []principal.ACL) failure {
	return failure{status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonProgressing,
		Message: "waiting for the other ProducerProfiles of the principal to take over: " + awaited[0].String()}, outcome.Wait(time.Second)}
}

// finish says what is not done and why, or that all is, and comes back for the next look; 0 is never.
func (s *profileScope) finish(refusals []principal.Refusal, notes []string, next time.Duration) outcome.Outcome {
	for _, note := range notes {
		s.warn("acl-denied", "spec.authorization.principal", note)
	}
	if len(refusals) == 0 {
		return outcome.Wait(next)
	}
	messages := make([]string, 0, len(refusals))
	for _, r := range refusals {
		messages = append(messages, r.Message)
	}
	again := recheckRefused
	if next > 0 {
		again = min(again, next)
	}
	return s.stop(failure{status.Verdict{Kind: status.Stuck, Reason: refusals[0].Reason, Message: strings.Join(messages, "; ")}, outcome.Refuse(again)})
}

// wanted is what the profile wants on its cluster, less what another profile has.
func (s *profileScope) wanted(ctx context.Context, admin kafka.Admin) (access, error) {
	p, info := s.profile, admin.Info()
	a := access{admin: admin, cluster: s.config.Cluster, own: principal.FromStatus(p.Status.Managed, info.ClusterID)}
	a.desired, a.refusals = principal.FromProfile(p, s.selected, info.Before28)
	if principal.Manages(p) {
		against, err := s.refuseWrites(ctx)
		if err != nil {
			return a, err
		}
		a.refusals = append(a.refusals, against...)
	}
	if len(a.refusals) > 0 {
		a.desired.ACLs = a.own.ACLs // what was understood once stays until the next thing is
	}
	if a.desired.Quota != nil {
		owner, err := s.quotaOwner(ctx, a.desired.Quota.Entity)
		if err != nil {
			return a, err
		}
		if owner != nil {
			a.refusals = append(a.refusals, principal.Refusal{Reason: v1alpha1.ReasonConflict, Message: fmt.Sprintf(
				"spec.quota: ProducerProfile %s/%s is older and owns the quota of %s on KafkaCluster %s; change one of the two",
				owner.Namespace, owner.Name, a.desired.Quota.Entity, a.cluster)})
			a.desired.Quota = nil
		}
	}
	var err error
	a.siblings, err = s.siblings(ctx, a, info.ClusterID, info.Before28)
	return a, err
}

// refuseWrites are what the cluster's topicPolicies have against ACLs for the topics of the profile.
func (s *profileScope) refuseWrites(ctx context.Context) ([]principal.Refusal, error) {
	if len(s.cluster.Spec.TopicPolicies) == 0 {
		return nil, nil
	}
	var namespace corev1.Namespace
	if err := s.reconciler.Client.Get(ctx, types.NamespacedName{Name: s.profile.Namespace}, &namespace); err != nil {
		return nil, err
	}
	return writesRefused(s.cluster, &namespace, s.profile, s.selected), nil
}

func writesRefused(cluster *v1alpha1.KafkaCluster, namespace *corev1.Namespace, p *v1alpha1.ProducerProfile, selected []string) []principal.Refusal {
	policy, err := topic.PolicyFor(cluster, namespace.Labels)
	if err != nil {
		return []principal.Refusal{{Reason: v1alpha1.ReasonPolicyViolation, Message: err.Error()}}
	}
	if policy == nil {
		return nil
	}
	var refusals []principal.Refusal
	for _, v := range policy.RefuseWrites(p, selected) {
		refusals = append(refusals, principal.Refusal{Reason: v1alpha1.ReasonPolicyViolation, Message: v.Refusal().Message})
	}
	return refusals
}

// withdraw takes off the brokers what the profile has put there; nil when nothing is left.
func (s *profileScope) withdraw(ctx context.Context) *failure {
	m := s.profile.Status.Managed
	if m == nil {
		return nil
	}
	var cluster v1alpha1.KafkaCluster
	err := s.reconciler.Client.Get(ctx, types.NamespacedName{Name: m.Cluster}, &cluster)
	if apierrors.IsNotFound(err) {
		s.reconciler.Events.warning(s.profile, eventAccessLeft, "KafkaCluster %s is gone, and with it the way to the quota and the ACLs that this profile put there", m.Cluster)
		return s.withdrawn()
	}
	doing := "take the quota and the ACLs of this profile off KafkaCluster " + m.Cluster
	if err != nil {
		return new(failureOf(err, doing))
	}
	admin, err := s.reconciler.Pool.For(m.Cluster)
	if err != nil {
		return new(failureOf(err, doing).awaited())
	}
	info := admin.Info()
	a := access{admin: admin, cluster: m.Cluster, own: principal.FromStatus(m, info.ClusterID)}
	if a.siblings, err = s.siblings(ctx, a, info.ClusterID, info.Before28); err != nil {
		return new(failureOf(err, doing))
	}
	plan, f := s.drive(ctx, &a)
	if f != nil {
		return f
	}
	if len(plan.Awaited) > 0 {
		return new(handingOver(plan.Awaited))
	}
	return s.withdrawn()
}

func (s *profileScope) withdrawn() *failure {
	s.facts.Managed = nil
	return nil
}

// record writes down what is the profile's from now on, and nothing else of the status.
func (s *profileScope) record(ctx context.Context, managed *v1alpha1.ManagedAccess) error {
	s.facts.Managed = managed
	next := *s.profile.Status.DeepCopy()
	next.Managed = managed
	if err := writeProfileStatus(ctx, s.reconciler.Client, s.profile, next); err != nil {
		return err
	}
	s.profile.Status.Managed = managed
	return nil
}

// drive is observe, plan, claim, apply, until the plan has nothing to do. What the profile owns at the end is in a.own.
func (s *profileScope) drive(ctx context.Context, a *access) (principal.Plan, *failure) {
	patience, cancel := context.WithTimeout(ctx, s.reconciler.SettleFor)
	defer cancel()
	sent := ""
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		seen, err := s.observeAccess(patience, a)
		if err != nil {
			return principal.Plan{}, new(failureOf(err, "look at the quota and the ACLs of the profile"))
		}
		plan := principal.MakePlan(a.desired, seen, a.own, a.siblings)
		if len(plan.Steps) == 0 {
			a.own = plan.Settled
			return plan, nil
		}
		if lines := strings.Join(plan.Lines(), "; "); lines != sent {
			if f := s.applyAccess(patience, a, plan); f != nil {
				return plan, f
			}
			sent = lines
		}
		select {
		case <-time.After(pause):
		case <-patience.Done():
			return plan, &failure{status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonProgressing,
				Message: "waiting for the brokers to show: " + sent}, outcome.Wait(time.Second)}
		}
	}
}

// observeAccess asks the brokers. Without an authorizer there are no ACLs, which says that those of ours are gone, and that
// none can be made.
func (s *profileScope) observeAccess(ctx context.Context, a *access) (principal.Observed, error) {
	entities, principals := principal.Asks(a.desired, a.own)
	seen, err := a.admin.ObservePrincipals(ctx, entities, principals)
	if kafka.ClassOf(err) != kafka.ClassNoAuthorizer {
		return seen, err
	}
	if len(a.desired.ACLs) > 0 {
		a.refusals = append(a.refusals, principal.Refusal{Reason: v1alpha1.ReasonUnsupported, Message: fmt.Sprintf(
			"spec.authorization.mode is Manage, and the brokers of KafkaCluster %s have no authorizer (authorizer.class.name), so that they keep no ACLs and let everybody write; turn one on, or set the mode to None",
			a.cluster)})
	}
	a.desired.ACLs, a.own.ACLs = nil, nil
	return a.admin.ObservePrincipals(ctx, entities, nil)
}

// applyAccess writes down what is about to be the profile's, and carries out the steps.
func (s *profileScope) applyAccess(ctx context.Context, a *access, plan principal.Plan) *failure {
	p := s.profile
	for _, line := range plan.Drifted(a.own) {
		s.reconciler.Events.warning(p, eventAccessDrifted, "something changed what this profile keeps on the brokers; correcting: %s", line)
		accessDrift.WithLabelValues(p.Namespace, p.Name).Inc()
	}
	if err := s.record(ctx, plan.Claim.Record(a.cluster, a.admin.Info().ClusterID)); err != nil {
		return &failure{status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonProgressing, Message: err.Error()}, outcome.Retry(err)}
	}
	for _, step := range plan.Steps {
		err := a.admin.ApplyPrincipal(ctx, step)
		countAccess(step, err)
		if err != nil {
			return new(failureOf(err, step.Lines()[0]))
		}
		for _, line := range step.Lines() {
			s.reconciler.Events.normal(p, eventAccessChanged, "%s", line)
		}
	}
	a.own = plan.Claim
	return nil
}
