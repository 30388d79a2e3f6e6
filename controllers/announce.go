package controllers

import (
	"context"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/status"
	"mooring.dev/mooring/internal/topic"
)

// recheckMoving is how often replicas on the move are looked at. Looks of several topics travel together.
const recheckMoving = 2 * time.Second

// recheckPassing is how often a refusal that goes away by itself is looked at; a look at the cluster may be sooner.
const recheckPassing = 10 * time.Second

// first is how new the first look must be: what moves is old news at once, everything else may come from the last look.
func (s *scope) first() kafka.Freshness {
	if s.policy.Reassigning {
		return s.newest()
	}
	return kafka.Cached()
}

// announce writes into status what a process that dies must leave word of, before it is done. Replicas are about to move: the
// throttle has to come off again whatever happens, and after a restart only status knows that it was ours. A topic is about
// to be created under adoption Refuse, or again after ours was lost: should we not live to own it, the next process would take
// it for somebody else's.
func (s *scope) announce(ctx context.Context, plan topic.Plan) (outcome.Outcome, bool) {
	s.facts.Progress = topic.ReassignmentOf(s.desired, s.facts.Observed)
	lost := topic.StateOf(s.facts.Observed, s.policy) == topic.Missing
	if (lost || s.topic.Spec.Adoption == v1alpha1.AdoptionRefuse) && !s.attempted && s.creates(plan) {
		s.facts.Owned = topic.ID{} // nothing is owned until the new one is
		return s.stop(failure{status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonCreating,
			Message: "the topic is not there, and is being created"}, outcome.Wait(10 * time.Millisecond)}), true
	}
	moves := slices.ContainsFunc(plan.Steps, func(step topic.Step) bool { _, is := step.(topic.Reassign); return is })
	cleans := slices.ContainsFunc(plan.Steps, func(step topic.Step) bool { _, is := step.(topic.Unthrottle); return is })
	if moves && !s.policy.Reassigning {
		s.facts.Reassigning = true
		s.own()
		return outcome.Wait(10 * time.Millisecond), true
	}
	if !cleans {
		return outcome.Outcome{}, false
	}
	if err := s.lookAround(ctx); err != nil {
		s.quiet = true
		return outcome.Retry(err), true
	}
	return outcome.Outcome{}, false
}

func (s *scope) creates(plan topic.Plan) bool {
	return slices.ContainsFunc(plan.Steps, func(step topic.Step) bool { _, is := step.(topic.Create); return is })
}

// lookAround finds out which throttle rates the objects of this cluster set, and whether another one still needs them.
func (s *scope) lookAround(ctx context.Context) error {
	var list v1alpha1.KafkaTopicList
	cluster := client.MatchingFields{indexTopicsByCluster: s.topic.Spec.ClusterRef.Name}
	if err := s.reconciler.Client.List(ctx, &list, cluster, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	s.policy.Rates, s.policy.OthersReassigning = nil, false
	for i := range list.Items {
		t := &list.Items[i]
		if rate := topic.ReassignmentFromSpec(t.Spec.Reassignment).BytesPerSecond; !slices.Contains(s.policy.Rates, rate) {
			s.policy.Rates = append(s.policy.Rates, rate)
		}
		if t.UID != s.topic.UID && t.Status.Reassignment != nil {
			s.policy.OthersReassigning = true
		}
	}
	s.makePlan()
	return nil
}
