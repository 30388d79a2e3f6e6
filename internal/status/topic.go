package status

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// maxListed bounds lists in status, as the API does.
const maxListed = 64

// TopicFacts are what one reconcile of a KafkaTopic saw and did.
type TopicFacts struct {
	// Topic as it was read; its status is the one before.
	Topic *v1alpha1.KafkaTopic
	// Seen says that Observed, Managed, Owned and ClusterID are of this reconcile. Otherwise the status before stays.
	Seen      bool
	Observed  topic.Observed
	Managed   map[string]string
	Owned     topic.ID
	ClusterID string
	// Plan that was left at the end.
	Plan topic.Plan
	// BrokerVerdict is the broker's own answer to the proposed steps, in mode Observe.
	BrokerVerdict string
	// Reassigning says that this object has started to move replicas and has not cleaned up yet; Progress is how far it is.
	Reassigning bool
	Progress    *topic.Progress
	// BytesRemaining is what the replicas on the move have still to copy; nil when it is not known.
	BytesRemaining *int64
	// Verdict, when set, overrides what Plan and Observed say: something stood in the way.
	Verdict *Verdict
	Now     metav1.Time
}

// SummarizeTopic computes the status of a KafkaTopic. The same facts give the same status.
func SummarizeTopic(f TopicFacts) v1alpha1.KafkaTopicStatus {
	s := *f.Topic.Status.DeepCopy()
	s.ObservedGeneration = f.Topic.Generation
	s.TopicName = f.Topic.TopicName()
	verdict := f.verdict()
	if f.Seen {
		f.observed(&s)
	}
	c := conditions{set: s.Conditions, generation: f.Topic.Generation, now: f.Now}
	c.verdict(verdict)
	if f.Seen {
		c.inSync(f)
		c.durable(f.Observed)
	} else {
		c.unseen(f.Topic.Generation, verdict)
	}
	for i := range c.set {
		c.set[i].ObservedGeneration = f.Topic.Generation
	}
	s.Conditions = c.set
	return s
}

func (f TopicFacts) observed(s *v1alpha1.KafkaTopicStatus) {
	s.TopicID, s.ClusterID, s.ManagedConfig = f.Owned.String(), f.ClusterID, f.Managed
	s.Plan, s.Reassignment, s.Drift = f.planStatus(), f.reassignment(), f.drift()
	s.Partitions, s.ReplicationFactor, s.MinInsyncReplicas, s.UnderReplicatedPartitions, s.OfflinePartitions = nil, nil, nil, nil, nil
	if !f.Observed.Exists() {
		return
	}
	s.Partitions = new(int32(len(f.Observed.Partitions)))
	s.ReplicationFactor = new(int32(f.Observed.Replication()))
	s.UnderReplicatedPartitions = new(int32(f.Observed.UnderReplicated()))
	s.OfflinePartitions = new(int32(f.Observed.Offline()))
	if n, ok := minISR(f.Observed); ok {
		s.MinInsyncReplicas = new(int32(n))
	}
}

func (f TopicFacts) reassignment() *v1alpha1.ReassignmentStatus {
	if !f.Reassigning {
		return nil
	}
	r := &v1alpha1.ReassignmentStatus{
		Total: int32(len(f.Observed.Partitions)), Done: int32(len(f.Observed.Partitions)), BytesRemaining: f.BytesRemaining,
	}
	if f.Progress != nil {
		r.Total, r.Done = int32(f.Progress.Total), int32(f.Progress.Done)
	}
	return r
}

// drift lists the settings in which a topic that exists differs from the manifest now. What is corrected at once is an Event
// and a count, and not there any more.
func (f TopicFacts) drift() []v1alpha1.DriftStatus {
	if !f.Observed.Exists() {
		return nil
	}
	var drift []v1alpha1.DriftStatus
	for _, step := range append(f.Plan.Proposed, f.Plan.Steps...) {
		switch step := step.(type) {
		case topic.Grow:
			drift = append(drift, v1alpha1.DriftStatus{Key: "partitions", Wanted: strconv.Itoa(int(step.To)), Found: strconv.Itoa(int(step.From))})
		case topic.Reassign:
			drift = append(drift, v1alpha1.DriftStatus{Key: "replicationFactor", Wanted: strconv.Itoa(step.Replication), Found: strconv.Itoa(f.Observed.Replication())})
		case topic.Configure:
			for _, c := range step.Changes {
				drift = append(drift, v1alpha1.DriftStatus{Key: c.Key, Wanted: orUnset(c.To), Found: orUnset(c.From)})
			}
		}
	}
	return drift[:min(len(drift), maxListed)]
}

func orUnset(value *string) string {
	if value == nil {
		return "(unset)"
	}
	return *value
}

func (f TopicFacts) planStatus() *v1alpha1.PlanStatus {
	steps := topic.Lines(append(f.Plan.Proposed, f.Plan.Steps...))
	if len(steps) == 0 && len(f.Plan.Refusals) == 0 {
		return nil
	}
	p := &v1alpha1.PlanStatus{Steps: steps[:min(len(steps), maxListed)], Verdict: f.BrokerVerdict}
	for _, r := range f.Plan.Refusals[:min(len(f.Plan.Refusals), maxListed)] {
		p.Refusals = append(p.Refusals, v1alpha1.RefusalStatus{Reason: r.Reason, Message: r.Message})
	}
	return p
}

// verdict is what the facts come to, gravest first.
func (f TopicFacts) verdict() Verdict {
	switch {
	case f.Verdict != nil:
		return *f.Verdict
	case len(f.Plan.Refusals) > 0:
		return f.refused()
	case len(f.Plan.Proposed) > 0:
		return Verdict{Stuck, v1alpha1.ReasonPlanPending, "mode is Observe, and would: " + strings.Join(topic.Lines(f.Plan.Proposed), "; ")}
	case f.Reassigning:
		r := f.reassignment()
		return Verdict{Working, v1alpha1.ReasonReassigning, fmt.Sprintf("replicas are moving: %d of %d partitions have arrived", r.Done, r.Total)}
	case len(f.Plan.Steps) > 0:
		return Verdict{Working, v1alpha1.ReasonProgressing, "waiting for the brokers to show: " + strings.Join(topic.Lines(f.Plan.Steps), "; ")}
	case f.Observed.Offline() > 0:
		return Verdict{Working, v1alpha1.ReasonProgressing, fmt.Sprintf("%d of %d partitions have no leader", f.Observed.Offline(), len(f.Observed.Partitions))}
	}
	return Verdict{Ready, v1alpha1.ReasonReady, "the topic is what this manifest says"}
}

// refused names every refusal. One that does not pass by itself decides, whatever its place.
func (f TopicFacts) refused() Verdict {
	v := Verdict{Kind: Working, Reason: f.Plan.Refusals[0].Reason}
	messages := make([]string, 0, len(f.Plan.Refusals))
	for _, r := range f.Plan.Refusals {
		messages = append(messages, r.Message)
		if v.Kind == Working && !r.Passes() {
			v.Kind, v.Reason = Stuck, r.Reason
		}
	}
	v.Message = strings.Join(messages, "; ")
	return v
}

// inSync says whether the topic agrees with the manifest as it was found.
func (c *conditions) inSync(f TopicFacts) {
	if f.Reassigning {
		c.add(v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonReassigning, "replicas are moving to where this manifest wants them")
		return
	}
	pending := topic.Lines(append(f.Plan.Proposed, f.Plan.Steps...))
	if len(pending) == 0 && len(f.Plan.Refusals) == 0 && f.Observed.Exists() {
		c.add(v1alpha1.ConditionInSync, metav1.ConditionTrue, v1alpha1.ReasonInSync, "the topic agrees with this manifest")
		return
	}
	if !f.Observed.Exists() {
		c.add(v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonDrifted, "there is no such topic")
		return
	}
	for _, r := range f.Plan.Refusals {
		pending = append(pending, r.Message)
	}
	c.add(v1alpha1.ConditionInSync, metav1.ConditionFalse, v1alpha1.ReasonDrifted, strings.Join(pending, "; "))
}

// unseen takes back what was said about another manifest, and about a topic that nobody can see any more.
func (c *conditions) unseen(generation int64, v Verdict) {
	if before := meta.FindStatusCondition(c.set, v1alpha1.ConditionInSync); before != nil && before.ObservedGeneration != generation {
		c.add(v1alpha1.ConditionInSync, metav1.ConditionUnknown, v1alpha1.ReasonUnknown, "not compared with this manifest yet: "+v.Message)
	}
	if v.Kind == Lost {
		c.add(v1alpha1.ConditionDurable, metav1.ConditionUnknown, v1alpha1.ReasonUnknown, v.Message)
	}
}

func minISR(o topic.Observed) (int, bool) {
	text, ok := o.Value(topic.KeyMinInsyncReplicas)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}
