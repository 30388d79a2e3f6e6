package cli

import (
	"context"
	"fmt"
	"slices"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/cli/report"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// lookAtOnce is how many topics are looked at together. They wait for a batch that carries them all.
const lookAtOnce = 256

// planner plans the topics of one Kafka cluster.
type planner struct {
	schema *manifest.Schema
	admin  kafka.Admin
	// cluster is nil offline.
	cluster *v1alpha1.KafkaCluster
	// live are the KafkaTopics that there are, by namespace/name; nil offline.
	live map[string]*v1alpha1.KafkaTopic
	// after are those of this cluster once the manifests are applied, oldest first.
	after []v1alpha1.KafkaTopic
	// namespaces say what the KafkaCluster makes of the manifests' namespaces.
	namespaces map[string]consent
}

// consent is what a KafkaCluster makes of a namespace.
type consent struct {
	// refusal is why it takes no topic of it; nil when it does.
	refusal *topic.Refusal
	// guardrail is the policy for its topics; nil for none.
	guardrail *topic.Guardrail
}

// planAll plans in the order of the manifests. The problems are those of manifests that cannot take the place of the object
// that is there; these are not planned.
func (p *planner) planAll(ctx context.Context, topics []manifest.Topic) ([]report.Topic, []manifest.Problem) {
	planned := make([]report.Topic, len(topics))
	problems := make([][]manifest.Problem, len(topics))
	applied := make(map[string]*v1alpha1.KafkaTopic, len(p.after))
	for i := range p.after {
		applied[nameOf(&p.after[i])] = &p.after[i]
	}
	forEach(len(topics), lookAtOnce, func(i int) {
		planned[i], problems[i] = p.plan(ctx, topics[i], applied[topics[i].Name()])
	})
	var found []report.Topic
	for i := range planned {
		if len(problems[i]) == 0 {
			found = append(found, planned[i])
		}
	}
	return found, slices.Concat(problems...)
}

// plan is what the operator would do about one manifest. kt is the object that applying it makes.
func (p *planner) plan(ctx context.Context, m manifest.Topic, kt *v1alpha1.KafkaTopic) (report.Topic, []manifest.Problem) {
	out := report.Topic{Source: m.Source, Namespace: kt.Namespace, Name: kt.Name, Cluster: kt.Spec.ClusterRef.Name, TopicName: kt.TopicName(), State: "Unknown"}
	if live := p.live[m.Name()]; live != nil {
		if problems := p.schema.CheckUpdate(m, live); len(problems) > 0 {
			return out, problems
		}
	}
	desired := topic.FromSpec(kt)
	info := p.admin.Info()
	policy := topic.PolicyFromSpec(kt, info.ClusterID, info.Cluster())
	observed, err := p.admin.Observe(ctx, desired.Name, desired.Keys(), kafka.Cached())
	if err != nil {
		out.Error = fmt.Sprintf("look at topic %s: %v", desired.Name, err)
		return out, nil
	}
	state := topic.StateOf(observed, policy)
	out.State = report.StateName(state, p.ownership())
	if out.Refusals = p.admit(kt); len(out.Refusals) > 0 {
		return out, nil
	}
	p.assume(&policy, state, &out)
	plan := topic.MakePlan(desired, observed, policy)
	if plan.NeedsAcknowledgement() {
		// Of an empty topic nothing can be lost. A look that fails leaves the refusal standing, as in the operator.
		if records, err := p.admin.Records(ctx, desired.Name); err == nil && records == 0 {
			policy.Empty = true
			plan = topic.MakePlan(desired, observed, policy)
			out.Notes = append(out.Notes, "the topic holds no record now; with one, this needs spec.acknowledge")
		}
	}
	out.Steps, out.Refusals = slices.Concat(plan.Steps, plan.Proposed), plan.Refusals
	switch {
	case len(out.Steps) == 0:
	case policy.Mode == v1alpha1.ModeObserve:
		out.Waits = "Observe"
	case len(plan.Proposed) > 0:
		out.Waits = "Review"
	}
	if moving := movingPartitions(observed); moving > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("replicas are moving: %d partitions of %d", moving, len(observed.Partitions)))
	}
	p.ask(ctx, &out)
	return out, nil
}

func (p *planner) ownership() string {
	if p.cluster == nil {
		return report.OwnershipAssumed
	}
	return report.OwnershipLive
}

// assume plans what Adopt would do where nobody knows whose the topic is: it may be this object's own since long.
func (p *planner) assume(policy *topic.Policy, state topic.State, out *report.Topic) {
	if p.cluster != nil || state != topic.Foreign {
		return
	}
	if policy.Adoption == v1alpha1.AdoptionRefuse {
		out.Notes = append(out.Notes, "adoption is Refuse: unless this KafkaTopic made the topic, none of this is carried out")
	}
	policy.Adoption = v1alpha1.AdoptionAdopt
}

func movingPartitions(o topic.Observed) int {
	n := 0
	for _, q := range o.Partitions {
		if q.Moving() {
			n++
		}
	}
	return n
}
