package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/status"
	"mooring.dev/mooring/internal/topic"
)

// maxRounds bounds observe-plan-apply within one reconcile. One round does it, two when the broker surprises.
const maxRounds = 4

// scope is one reconcile of one KafkaTopic: what it reads, and the facts that it records on the way.
type scope struct {
	reconciler *TopicReconciler
	topic      *v1alpha1.KafkaTopic
	facts      status.TopicFacts
	// quiet leaves the status as it is.
	quiet bool

	admin   kafka.Admin
	desired topic.Desired
	policy  topic.Policy
	// version to observe after.
	version topic.Version
	// doubt is an error after which only a look tells whether the step was carried out.
	doubt error
	// refused are keys that the broker refused in this reconcile, and why.
	refused map[string]topic.Refusal
	// attempted says that we may have created the topic, and were not told.
	attempted bool
}

func (s *scope) use(admin kafka.Admin) {
	info := admin.Info()
	s.admin = admin
	s.desired = topic.FromSpec(s.topic)
	s.policy = topic.PolicyFromSpec(s.topic, info.ClusterID, info.Cluster())
	s.facts.Reassigning = s.policy.Reassigning
	s.facts.ClusterID = info.ClusterID
	s.facts.Owned = s.policy.Owned
	if m := s.reconciler.memory.get(s.topic.UID); m.generation == s.topic.Generation {
		s.policy.Untaken = m.untaken
	}
	s.refused = make(map[string]topic.Refusal)
	ready := meta.FindStatusCondition(s.topic.Status.Conditions, v1alpha1.ConditionReady)
	s.attempted = ready != nil && ready.Reason == v1alpha1.ReasonCreating
}

// stop ends the reconcile with something in the way.
func (s *scope) stop(f failure) outcome.Outcome {
	s.facts.Verdict = &f.verdict
	return f.outcome
}

// drive is observe, plan, apply, until the plan has nothing to do.
func (s *scope) drive(ctx context.Context) outcome.Outcome {
	if err := s.observe(ctx, s.first()); err != nil {
		return s.stop(failureOf(err, "look at topic "+s.desired.Name))
	}
	if lag, err := s.confirmLoss(ctx); err != nil {
		return s.stop(failureOf(err, "look at topic "+s.desired.Name))
	} else if lag {
		return s.stop(failure{status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonProgressing,
			Message: "the topic was created a moment ago, and not every broker knows of it yet"}, outcome.Wait(time.Second)})
	}
	for round := range maxRounds {
		plan := s.makePlan()
		if plan.NeedsAcknowledgement() && !s.policy.Empty {
			plan = s.unlessEmpty(ctx)
		}
		if len(plan.Steps) == 0 {
			return s.finish(ctx)
		}
		if s.doubt != nil {
			return s.stop(failureOf(s.doubt, topic.Lines(plan.Steps)[0]))
		}
		if round == 0 {
			s.reportDrift(plan)
		}
		if o, wait := s.announce(ctx, plan); wait {
			return o
		}
		steps := s.facts.Plan.Steps
		if f := s.apply(ctx, steps); f != nil {
			s.relook(ctx)
			return s.stop(*f)
		}
		if f := s.settle(ctx, steps); f != nil {
			return s.stop(*f)
		}
	}
	return s.stop(failure{
		status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonBrokerError, Message: "the topic keeps changing while it is being changed"},
		outcome.Retry(fmt.Errorf("topic %s: no end after %d rounds", s.desired.Name, maxRounds)),
	})
}

func (s *scope) observe(ctx context.Context, f kafka.Freshness) error {
	o, err := s.admin.Observe(ctx, s.desired.Name, s.desired.Keys(), f)
	if err != nil {
		return err
	}
	s.facts.Observed, s.facts.Seen = o, true
	return nil
}

// relook makes the status tell what is there after a failure; when it cannot, what was seen before stays.
func (s *scope) relook(ctx context.Context) {
	if err := s.observe(ctx, kafka.After(s.version)); err == nil {
		s.makePlan()
		s.own()
	}
}

// makePlan plans from what was last seen, less what the broker refused in this reconcile.
func (s *scope) makePlan() topic.Plan {
	if s.attempted && s.policy.Adoption == v1alpha1.AdoptionRefuse {
		// It is most likely ours: it was not there a moment ago, and we asked for it. Review takes it if it is what we asked for.
		s.policy.Adoption = v1alpha1.AdoptionReview
	}
	plan := topic.MakePlan(s.desired, s.facts.Observed, s.policy)
	s.facts.Plan = plan.Without(s.refused)
	return s.facts.Plan
}

// unlessEmpty plans again if the topic holds no record, because then nothing can be lost. A look that fails leaves the
// refusal standing: it is the safe answer.
func (s *scope) unlessEmpty(ctx context.Context) topic.Plan {
	if records, err := s.admin.Records(ctx, s.desired.Name); err != nil || records > 0 {
		return s.facts.Plan
	}
	s.policy.Empty = true
	return s.makePlan()
}

// confirmLoss looks again before a topic of ours is taken for lost. It returns whether the topic is only on its way: we
// made it a moment ago.
func (s *scope) confirmLoss(ctx context.Context) (lag bool, err error) {
	if topic.StateOf(s.facts.Observed, s.policy) != topic.Missing {
		return false, nil
	}
	if err := s.observe(ctx, s.newest()); err != nil {
		return false, err
	}
	m := s.reconciler.memory.get(s.topic.UID)
	young := m.created == s.policy.Owned && s.reconciler.Now().Sub(m.createdAt) < lagGrace
	return young && !s.facts.Observed.Exists(), nil
}

// newest asks for a look that begins now.
func (s *scope) newest() kafka.Freshness { return kafka.After(s.admin.Bump()) }

// finish records what a reconcile without anything left to do saw.
func (s *scope) finish(ctx context.Context) outcome.Outcome {
	s.own()
	plan := s.facts.Plan
	s.facts.Progress = topic.ReassignmentOf(s.desired, s.facts.Observed)
	if len(plan.Proposed) > 0 && s.topic.Spec.Mode == v1alpha1.ModeObserve {
		s.facts.BrokerVerdict = s.askBroker(ctx, plan.Proposed)
	}
	switch {
	case s.facts.Reassigning:
		s.measure(ctx)
		return outcome.Wait(recheckMoving)
	case len(s.refused) > 0:
		return outcome.Refuse(recheckRefused)
	case slices.ContainsFunc(plan.Refusals, topic.Refusal.Passes):
		return outcome.Wait(recheckPassing)
	}
	return outcome.Done()
}

// measure records what is left to copy. That it cannot be known holds nothing up.
func (s *scope) measure(ctx context.Context) {
	if sizes, err := s.admin.Sizes(ctx, s.desired.Name); err == nil {
		s.facts.BytesRemaining = new(s.facts.Observed.Remaining(sizes))
	}
}

// own records the topic as ours, if first contact came to that.
func (s *scope) own() {
	o := s.facts.Observed
	switch topic.StateOf(o, s.policy) {
	case topic.Foreign:
		agrees := len(s.facts.Plan.Proposed)+len(s.facts.Plan.Refusals) == 0
		if s.topic.Spec.Mode == v1alpha1.ModeObserve || (!agrees && s.policy.Adoption != v1alpha1.AdoptionAdopt) {
			s.facts.Owned = topic.ID{}
			break
		}
		s.facts.Owned = o.ID
		s.reconciler.Events.normal(s.topic, eventAdopted, "took over topic %s (topic ID %s), which was there", s.desired.Name, o.ID)
	case topic.Owned:
		s.facts.Owned = o.ID
	}
	s.facts.Managed = nil
	if s.facts.Owned != (topic.ID{}) {
		s.facts.Managed = s.desired.Managed(o)
	}
}

func (s *scope) askBroker(ctx context.Context, steps []topic.Step) string {
	for _, step := range steps {
		if err := s.admin.Validate(ctx, s.desired.Name, step); err != nil {
			return fmt.Sprintf("refused: %s: %v", step.Lines()[0], err)
		}
	}
	return "accepted"
}

// reportDrift records what changed behind the manifest's back: the topic was what this generation says, and is not.
func (s *scope) reportDrift(plan topic.Plan) {
	t := s.topic
	if s.policy.Reassigning {
		return // the steps are the rest of what was begun
	}
	if t.Status.ObservedGeneration == t.Generation && meta.IsStatusConditionTrue(t.Status.Conditions, v1alpha1.ConditionInSync) {
		for _, line := range topic.Lines(plan.Steps) {
			s.reconciler.Events.warning(t, eventDrifted, "something changed topic %s; correcting: %s", s.desired.Name, line)
		}
		for _, key := range driftedKeys(plan.Steps) {
			driftFound.WithLabelValues(t.Namespace, t.Name, key).Inc()
		}
	}
}
