package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

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
	// live are the KafkaTopics that there are, by namespace/name; owners those that own a topic, by its name. Both are
	// nil offline.
	live   map[string]*v1alpha1.KafkaTopic
	owners map[string]*v1alpha1.KafkaTopic
	// refused are namespaces that the cluster does not take topics of, and why.
	refused map[string]topic.Refusal
}

// planAll plans in the order of the manifests. The problems are those of manifests that cannot take the place of the object
// that is there; these are not planned.
func (p *planner) planAll(ctx context.Context, topics []manifest.Topic) ([]report.Topic, []manifest.Problem) {
	planned := make([]report.Topic, len(topics))
	problems := make([][]manifest.Problem, len(topics))
	claimed := p.claims(topics)
	forEach(len(topics), lookAtOnce, func(i int) {
		planned[i], problems[i] = p.plan(ctx, topics[i], claimed[i])
	})
	var found []report.Topic
	for i := range planned {
		if len(problems[i]) == 0 {
			found = append(found, planned[i])
		}
	}
	return found, slices.Concat(problems...)
}

// claims are the refusals of manifests whose topic belongs to another KafkaTopic; nil for the others. An object that exists is
// older than one that does not, and of two that do not the first one applied will own the topic.
func (p *planner) claims(topics []manifest.Topic) []*topic.Refusal {
	refusals := make([]*topic.Refusal, len(topics))
	first := make(map[string]string)
	for i, t := range topics {
		name := t.KafkaTopic.TopicName()
		if owner := p.owners[name]; owner != nil {
			if key := owner.Namespace + "/" + owner.Name; key != t.Name() {
				refusals[i] = conflict(key, name, "is older and owns")
			}
			continue
		}
		if key, taken := first[name]; taken {
			refusals[i] = conflict(key, name, "in these manifests too is for")
			continue
		}
		first[name] = t.Name()
	}
	return refusals
}

func conflict(other, name, how string) *topic.Refusal {
	return &topic.Refusal{Reason: v1alpha1.ReasonConflict, Message: fmt.Sprintf("KafkaTopic %s %s topic %s; keep one of the two", other, how, name)}
}

// ownersOf are the oldest KafkaTopics for each topic of a cluster.
func ownersOf(live []v1alpha1.KafkaTopic, cluster string) map[string]*v1alpha1.KafkaTopic {
	owners := make(map[string]*v1alpha1.KafkaTopic)
	for i := range live {
		t := &live[i]
		if t.Spec.ClusterRef.Name != cluster {
			continue
		}
		before := owners[t.TopicName()]
		if before == nil || cmp.Or(t.CreationTimestamp.Compare(before.CreationTimestamp.Time), cmp.Compare(t.UID, before.UID)) < 0 {
			owners[t.TopicName()] = t
		}
	}
	return owners
}

// plan is what the operator would do about one manifest.
func (p *planner) plan(ctx context.Context, m manifest.Topic, claimed *topic.Refusal) (report.Topic, []manifest.Problem) {
	kt := m.KafkaTopic.DeepCopy()
	out := report.Topic{Source: m.Source, Namespace: kt.Namespace, Name: kt.Name, Cluster: kt.Spec.ClusterRef.Name, TopicName: kt.TopicName(), State: "Unknown"}
	if live := p.live[m.Name()]; live != nil {
		if problems := p.schema.CheckUpdate(m, live); len(problems) > 0 {
			return out, problems
		}
		kt.Status = live.Status
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
	if r := cmp.Or(claimed, p.refusal(kt.Namespace)); r != nil {
		out.Refusals = []topic.Refusal{*r}
		return out, nil
	}
	p.assume(&policy, state, &out)
	plan := topic.MakePlan(desired, observed, policy)
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

func (p *planner) refusal(namespace string) *topic.Refusal {
	if r, refused := p.refused[namespace]; refused {
		return &r
	}
	return nil
}

// refusesNamespace says why a cluster takes no topics of a namespace with these labels.
func refusesNamespace(cluster *v1alpha1.KafkaCluster, namespace string, has map[string]string) (topic.Refusal, bool) {
	selector, err := metav1.LabelSelectorAsSelector(&cluster.Spec.AllowedNamespaces.Selector)
	if err == nil && selector.Matches(labels.Set(has)) {
		return topic.Refusal{}, false
	}
	return topic.Refusal{Reason: v1alpha1.ReasonNamespaceNotAllowed, Message: fmt.Sprintf(
		"KafkaCluster %s takes topics of namespaces labelled %s only, and namespace %s is not; ask for the label, or use another cluster",
		cluster.Name, metav1.FormatLabelSelector(&cluster.Spec.AllowedNamespaces.Selector), namespace)}, true
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
