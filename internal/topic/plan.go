package topic

import (
	"fmt"
	"slices"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// Plan is what is to be done about one topic, and what is not and why.
type Plan struct {
	// Steps to carry out now, in order.
	Steps []Step
	// Proposed steps wait for a person: the mode is Observe, or the topic is under review.
	Proposed []Step
	// Refusals are the parts of the manifest that will not be carried out. They do not hold back the steps.
	Refusals []Refusal
}

// Refusal is one part of the manifest that will not be carried out. Reason is one of the condition reasons of the API;
// Message says what is wrong and how to mend it.
type Refusal struct {
	Reason  string
	Message string
}

// passing are reasons of refusals that go away without anybody's help.
var passing = []string{v1alpha1.ReasonBlocked, v1alpha1.ReasonReassigning, v1alpha1.ReasonUnknown}

// NeedsAcknowledgement says whether a refusal waits for spec.acknowledge.
func (p Plan) NeedsAcknowledgement() bool {
	return slices.ContainsFunc(p.Refusals, func(r Refusal) bool { return r.Reason == v1alpha1.ReasonAcknowledgeRequired })
}

// Passes says that this refusal goes away without anybody's help.
func (r Refusal) Passes() bool { return slices.Contains(passing, r.Reason) }

// Converged says that the topic is what the manifest says.
func (p Plan) Converged() bool {
	return len(p.Steps) == 0 && len(p.Proposed) == 0 && len(p.Refusals) == 0
}

// Policy is what is allowed, and what is remembered of the topic from earlier.
type Policy struct {
	Mode      v1alpha1.TopicMode
	Adoption  v1alpha1.AdoptionPolicy
	OnMissing v1alpha1.MissingPolicy
	// Owned is the topic that this object owns; zero before first contact.
	Owned ID
	// Accepted is a topic ID that a person allows to take the owned one's place.
	Accepted ID
	// Acknowledged are the dangerous changes that the manifest names.
	Acknowledged []v1alpha1.DangerousChange
	// Empty says that the topic holds no record: no change is dangerous then.
	Empty bool
	// Untaken are changes that the broker acknowledged and did not carry out; they are not sent again.
	Untaken []Change
	Cluster Cluster
	// Reassignment bounds what moving replicas may cost.
	Reassignment Reassignment
	// Reassigning says that this object has started to move replicas, and has not cleaned up after it yet.
	Reassigning bool
	// OthersReassigning says that another object moves replicas on the same cluster: the brokers' rates are still needed.
	OthersReassigning bool
	// Rates are the throttle rates that the objects of this cluster set.
	Rates []int64
}

// PolicyFromSpec reads a KafkaTopic for the cluster that it is on now. What it owned on another cluster, behind the same
// bootstrap servers, counts for nothing. An ID that does not parse is as good as none: admission cannot check it.
func PolicyFromSpec(t *v1alpha1.KafkaTopic, clusterID string, c Cluster) Policy {
	owned, _ := ParseID(t.Status.TopicID)
	if t.Status.ClusterID != clusterID {
		owned = ID{}
	}
	accepted, _ := ParseID(t.Spec.AcceptTopicID)
	return Policy{
		Mode:         t.Spec.Mode,
		Adoption:     t.Spec.Adoption,
		OnMissing:    t.Spec.OnMissing,
		Owned:        owned,
		Accepted:     accepted,
		Acknowledged: t.Spec.Acknowledge,
		Cluster:      c,
		Reassignment: ReassignmentFromSpec(t.Spec.Reassignment),
		Reassigning:  t.Status.Reassignment != nil,
	}
}

// State names what was found in the topic's place.
type State int

// The states.
const (
	// Absent: no topic, and there never was one of ours.
	Absent State = iota
	// Foreign: a topic that this object has not taken over.
	Foreign
	// Owned: our topic.
	Owned
	// Replaced: our topic's name on another topic.
	Replaced
	// Missing: our topic is gone.
	Missing
)

// StateOf says what was found in the topic's place.
func StateOf(o Observed, p Policy) State {
	switch {
	case !o.Exists() && p.Owned == ID{}:
		return Absent
	case !o.Exists():
		return Missing
	case p.Owned == ID{}:
		return Foreign
	case o.ID == p.Owned || (o.ID == p.Accepted && p.Accepted != ID{}):
		return Owned
	default:
		return Replaced
	}
}

// MakePlan decides what is to be done about a topic.
func MakePlan(d Desired, o Observed, p Policy) Plan {
	var plan Plan
	if o.Internal {
		return refuse(v1alpha1.ReasonInvalidSpec, "topic %s is one of Kafka's own; remove this KafkaTopic", d.Name)
	}
	switch StateOf(o, p) {
	case Absent:
		plan = planCreate(d, p)
	case Missing:
		if p.OnMissing != v1alpha1.MissingRecreate {
			return refuse(v1alpha1.ReasonTopicMissing,
				"topic %s (topic ID %s) was deleted behind this object's back, with its records; set spec.onMissing to Recreate to make it again, empty", d.Name, p.Owned)
		}
		plan = planCreate(d, p)
	case Replaced:
		return refuse(v1alpha1.ReasonTopicReplaced,
			"topic %s has topic ID %s, and this object owned %s: somebody deleted and recreated it; set spec.acceptTopicID to %s to take over the new one", d.Name, o.ID, p.Owned, o.ID)
	case Foreign:
		if p.Adoption == v1alpha1.AdoptionRefuse {
			return refuse(v1alpha1.ReasonAdoptionRefused,
				"topic %s exists and spec.adoption is Refuse; set it to Adopt or Review, or choose another spec.topicName", d.Name)
		}
		plan = planChange(d, o, p)
		if p.Adoption == v1alpha1.AdoptionReview {
			plan = plan.underReview(d)
		}
	case Owned:
		plan = planChange(d, o, p)
	}
	if p.Mode == v1alpha1.ModeObserve {
		plan = plan.observed()
	}
	return plan
}

// observed turns steps into proposals, but for those that clean up after a reassignment of ours: the throttle that was set in
// mode Manage comes off in mode Observe too.
func (p Plan) observed() Plan {
	var cleanup, proposed []Step
	for _, s := range p.Steps {
		switch s.(type) {
		case Unthrottle, Elect:
			cleanup = append(cleanup, s)
		default:
			proposed = append(proposed, s)
		}
	}
	p.Steps, p.Proposed = cleanup, append(proposed, p.Proposed...)
	return p
}

func refuse(reason, format string, args ...any) Plan {
	return Plan{Refusals: []Refusal{{Reason: reason, Message: fmt.Sprintf(format, args...)}}}
}

// underReview turns the steps against a topic that exists into proposals: first contact writes nothing by surprise.
func (p Plan) underReview(d Desired) Plan {
	if len(p.Steps) == 0 {
		return p
	}
	p.Proposed, p.Steps = p.Steps, nil
	p.Refusals = append([]Refusal{{
		Reason: v1alpha1.ReasonAdoptionReview,
		Message: fmt.Sprintf("topic %s exists and differs from this manifest, which would %s; change the manifest to match, or set spec.adoption to Adopt",
			d.Name, firstFew(Lines(p.Proposed))),
	}}, p.Refusals...)
	return p
}

// firstFew keeps a sentence readable; all of the plan is in status.
func firstFew(lines []string) string {
	const few = 3
	if len(lines) <= few {
		return strings.Join(lines, "; ")
	}
	return strings.Join(lines[:few], "; ") + fmt.Sprintf("; and %d more", len(lines)-few)
}

func planCreate(d Desired, p Policy) Plan {
	var plan Plan
	replicas := 0
	if d.Replication != nil {
		replicas = int(*d.Replication)
	}
	if r, ok := refuseReplication(replicas, p.Cluster); ok {
		plan.Refusals = append(plan.Refusals, r)
	}
	if r, ok := refuseMinISR(d, replicas, p.Cluster); ok {
		plan.Refusals = append(plan.Refusals, r)
	}
	if len(plan.Refusals) > 0 {
		return plan
	}
	plan.Steps = []Step{Create{Name: d.Name, Partitions: d.Partitions, Replication: d.Replication, Config: d.Config}}
	return plan
}

func planChange(d Desired, o Observed, p Policy) Plan {
	var plan Plan
	plan.add(planPartitions(d, o, p))
	plan.add(planConfig(d, o, p))
	plan.add(planReplication(d, o, p))
	if !plan.moves() {
		plan.add(planCleanup(d, o, p))
	}
	return plan
}

// moves says whether the plan starts to move replicas.
func (p *Plan) moves() bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { _, is := s.(Reassign); return is })
}

func (p *Plan) add(q Plan) {
	p.Steps = append(p.Steps, q.Steps...)
	p.Refusals = append(p.Refusals, q.Refusals...)
}

func planPartitions(d Desired, o Observed, p Policy) Plan {
	have := int32(len(o.Partitions))
	switch {
	case d.Partitions == nil || *d.Partitions == have:
		return Plan{}
	case *d.Partitions < have:
		return refuse(v1alpha1.ReasonPartitionsShrink,
			"topic %s has %d partitions and spec.partitions is %d: Kafka cannot remove partitions; set spec.partitions to %d", d.Name, have, *d.Partitions, have)
	}
	if slices.ContainsFunc(o.Partitions, Partition.Moving) {
		// The controller gives a new partition as many replicas as the first one has at the moment, and while that one moves
		// it has the old and the new ones.
		return refuse(v1alpha1.ReasonReassigning, "topic %s grows to %d partitions once its replicas have arrived", d.Name, *d.Partitions)
	}
	if policy, _ := o.Value(KeyCleanupPolicy); slices.Contains(listItems(policy), "compact") {
		if r, ok := p.unacknowledged(v1alpha1.PartitionGrowthOnCompactedTopic,
			"growing topic %s from %d to %d partitions moves keys to other partitions, and their old values stay uncompacted where they were", d.Name, have, *d.Partitions); ok {
			return Plan{Refusals: []Refusal{r}}
		}
	}
	return Plan{Steps: []Step{Grow{Name: d.Name, From: have, To: *d.Partitions}}}
}

// unacknowledged is the refusal of a dangerous change that the manifest does not name.
func (p Policy) unacknowledged(change v1alpha1.DangerousChange, format string, args ...any) (Refusal, bool) {
	if p.Empty || slices.Contains(p.Acknowledged, change) {
		return Refusal{}, false
	}
	return Refusal{
		Reason:  v1alpha1.ReasonAcknowledgeRequired,
		Message: fmt.Sprintf(format, args...) + fmt.Sprintf("; if you mean it, add %s to spec.acknowledge", change),
	}, true
}

// refuseReplication says it before the broker does, with the count. Fenced brokers count: KRaft places replicas on
// them when it must.
func refuseReplication(replicas int, c Cluster) (Refusal, bool) {
	if len(c.Brokers) == 0 || replicas <= len(c.Brokers) {
		return Refusal{}, false
	}
	return Refusal{
		Reason: v1alpha1.ReasonReplicationFactorTooLarge,
		Message: fmt.Sprintf("spec.replicationFactor is %d and the cluster has %s; lower it, or add brokers",
			replicas, plural(len(c.Brokers), "broker")),
	}, true
}
