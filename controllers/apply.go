package controllers

import (
	"context"
	"fmt"
	"time"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/status"
	"mooring.dev/mooring/internal/topic"
)

// apply carries out steps in order and stops at the first failure. An error after which only a look can tell becomes a
// doubt, and the next round looks.
func (s *scope) apply(ctx context.Context, steps []topic.Step) *failure {
	for _, step := range steps {
		applied, err := s.send(ctx, step)
		switch {
		case err == nil:
			s.carriedOut(step, applied.ID)
		case s.doubtful(step, err):
			s.doubt = err
			return nil
		case refusesKeys(step, err):
			if f := s.applyEach(ctx, step.(topic.Configure)); f != nil {
				return f
			}
		default:
			return new(failureOf(err, step.Lines()[0]))
		}
	}
	return nil
}

// send has one step carried out, and counts it.
func (s *scope) send(ctx context.Context, step topic.Step) (kafka.Applied, error) {
	applied, err := s.admin.Apply(ctx, s.desired.Name, step)
	s.version = applied.Version
	countStep(step, err)
	return applied, err
}

// doubtful says whether the step may have been carried out in spite of the error: by us, unheard, or by somebody else.
func (s *scope) doubtful(step topic.Step, err error) bool {
	class := kafka.ClassOf(err)
	switch step.(type) {
	case topic.Create:
		if class == kafka.ClassOutcomeUnknown {
			s.attempted = true
		}
		return class == kafka.ClassOutcomeUnknown || class == kafka.ClassExists
	case topic.Grow:
		return class == kafka.ClassOutcomeUnknown || class == kafka.ClassInvalid // INVALID_PARTITIONS: it has that many already
	}
	return false
}

func refusesKeys(step topic.Step, err error) bool {
	_, configures := step.(topic.Configure)
	return configures && kafka.ClassOf(err) == kafka.ClassInvalidConfig
}

// applyEach sends the changes one by one, because the broker takes all the keys of a topic or none: a key that it refuses
// must not hold back the others.
func (s *scope) applyEach(ctx context.Context, step topic.Configure) *failure {
	for _, change := range step.Changes {
		one := topic.Configure{Name: step.Name, Changes: []topic.Change{change}}
		_, err := s.send(ctx, one)
		switch {
		case err == nil:
			s.carriedOut(one, topic.ID{})
		case kafka.ClassOf(err) == kafka.ClassInvalidConfig:
			s.refused[change.Key] = topic.Refusal{
				Reason:  v1alpha1.ReasonInvalidConfig,
				Message: fmt.Sprintf("spec.config: the broker refuses to %s: %v", change, err),
			}
		default:
			return new(failureOf(err, change.String()))
		}
	}
	return nil
}

// carriedOut records a step that the broker acknowledged.
func (s *scope) carriedOut(step topic.Step, id topic.ID) {
	events, t := s.reconciler.Events, s.topic
	switch step := step.(type) {
	case topic.Create:
		s.policy.Owned, s.facts.Owned = id, id
		m := s.reconciler.memory.get(t.UID)
		m.created, m.createdAt = id, s.reconciler.Now()
		s.reconciler.memory.set(t.UID, m)
		events.normal(t, eventCreated, "%s (topic ID %s)", step.Lines()[0], id)
	case topic.Grow:
		events.normal(t, eventGrown, "%s", step.Lines()[0])
	case topic.Configure:
		for _, line := range step.Lines() {
			events.normal(t, eventConfigured, "%s", line)
		}
	case topic.Reassign:
		events.normal(t, eventReassigning, "%s", step.Lines()[0])
	case topic.Unthrottle:
		s.policy.Reassigning, s.facts.Reassigning = false, false
		events.normal(t, eventReassigned, "replicas have moved: topic %s has replication factor %d", step.Name, s.facts.Observed.Replication())
	case topic.Remove:
		events.normal(t, eventDeleted, "%s", step.Lines()[0])
	}
}

// settle looks until the brokers show the steps, for a while. What they do not show by then is either on its way (a
// topic, partitions) or will never come (a value that the broker took and did not keep).
func (s *scope) settle(ctx context.Context, steps []topic.Step) *failure {
	patience, cancel := context.WithTimeout(ctx, s.reconciler.SettleFor)
	defer cancel()
	freshness := kafka.After(s.version)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		if err := s.observe(patience, freshness); err != nil {
			if patience.Err() != nil {
				return waiting(steps) // nobody answered in time, which says nothing about what was taken
			}
			return new(failureOf(err, "look at topic "+s.desired.Name))
		}
		unsettled := s.unsettled(steps)
		if len(unsettled) == 0 || s.doubtSettled() {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-patience.Done():
			return s.unsettledAfterAll(unsettled)
		}
		freshness = s.newest()
	}
}

// doubtSettled says whether a look has answered a doubt. A topic that exists already, and that the look does not show, is
// on its way to the broker that was asked: another look will tell whose it is.
func (s *scope) doubtSettled() bool {
	if kafka.ClassOf(s.doubt) == kafka.ClassExists {
		return s.facts.Observed.Exists()
	}
	return s.doubt != nil
}

func (s *scope) unsettled(steps []topic.Step) []topic.Step {
	var left []topic.Step
	for _, step := range steps {
		if c, ok := step.(topic.Configure); ok {
			step = c.Without(s.refused)
		}
		if !topic.Settled(step, s.facts.Observed, s.facts.Owned) {
			left = append(left, step)
		}
	}
	return left
}

// waiting is for steps that were sent, and that the brokers do not show yet.
func waiting(steps []topic.Step) *failure {
	return &failure{status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonProgressing,
		Message: "waiting for the brokers to show: " + topic.Lines(steps)[0]}, outcome.Wait(time.Second)}
}

func (s *scope) unsettledAfterAll(steps []topic.Step) *failure {
	untaken := topic.Unsettled(steps, s.facts.Observed)
	if len(untaken) == 0 {
		return waiting(steps)
	}
	s.policy.Untaken = append(s.policy.Untaken, untaken...)
	m := s.reconciler.memory.get(s.topic.UID)
	m.generation, m.untaken = s.topic.Generation, s.policy.Untaken
	s.reconciler.memory.set(s.topic.UID, m)
	return nil // the next round plans without them, and says so
}

// remove deletes the topic that this object owns, and waits until a look no longer shows it. It returns whether it is gone.
func (s *scope) remove(ctx context.Context) (bool, outcome.Outcome) {
	doing := "delete topic " + s.desired.Name
	if s.policy.Owned == (topic.ID{}) {
		return true, outcome.Done() // it was ours on another cluster, behind the same bootstrap servers
	}
	if err := s.observe(ctx, s.newest()); err != nil {
		return false, s.stop(undeleted(err, doing))
	}
	step := topic.Remove{Name: s.desired.Name, ID: s.policy.Owned}
	if topic.Settled(step, s.facts.Observed, step.ID) {
		return true, outcome.Done()
	}
	if s.topic.Spec.DeletionPolicy == v1alpha1.DeletionDeleteIfEmpty {
		if f := s.refuseNotEmpty(ctx); f != nil {
			return false, s.stop(*f)
		}
	}
	_, err := s.send(ctx, step)
	if err != nil && kafka.ClassOf(err) != kafka.ClassAbsent {
		return false, s.stop(undeleted(err, doing))
	}
	if err == nil {
		s.carriedOut(step, step.ID)
	}
	if f := s.settle(ctx, []topic.Step{step}); f != nil {
		f.verdict.Reason = v1alpha1.ReasonDeleting
		return false, s.stop(*f)
	}
	return true, outcome.Done()
}

// undeleted explains why a topic could not be deleted, and how to let its object go without.
func undeleted(err error, doing string) failure {
	f := failureOf(err, doing)
	f.verdict.Message += fmt.Sprintf("; to let this object go and leave the topic, annotate it with %s=true", v1alpha1.AnnotationOrphan)
	return f
}

func (s *scope) refuseNotEmpty(ctx context.Context) *failure {
	records, err := s.admin.Records(ctx, s.desired.Name)
	if err != nil {
		return new(undeleted(err, "look for records in topic "+s.desired.Name))
	}
	if records == 0 {
		return nil
	}
	return &failure{status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonTopicNotEmpty, Message: fmt.Sprintf(
		"deletionPolicy is DeleteIfEmpty and topic %s holds up to %d records; set deletionPolicy to Delete to delete them too, or annotate this object with %s=true to leave the topic",
		s.desired.Name, records, v1alpha1.AnnotationOrphan)}, outcome.Wait(30 * time.Second)}
}
