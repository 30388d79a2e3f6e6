package topic

import (
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"mooring.dev/mooring/api/v1alpha1"
)

// Guardrail is the one topic policy of a KafkaCluster that applies to the topics of a namespace, and where it is written.
type Guardrail struct {
	v1alpha1.TopicPolicy
	// Cluster is the name of the KafkaCluster; Field is the policy's place in it: spec.topicPolicies[0].
	Cluster, Field string
}

// Violation is one field that breaks a rule. Admission shows it as a field error, a reconcile as a Refusal.
type Violation struct {
	// Field is the path of the field: spec.partitions.
	Field string
	// Value that was found; nil where the field is absent. Comparable, so that two judgements can be compared.
	Value any
	// Detail says what the rule is, where it is written, and how to mend it.
	Detail string
}

// Refusal is the violation in one sentence.
func (v Violation) Refusal() Refusal {
	found := fmt.Sprintf("is %v", v.Value)
	switch value := v.Value.(type) {
	case nil:
		found = "is not set"
	case string:
		found = "is " + strconv.Quote(value)
	}
	return Refusal{Reason: v1alpha1.ReasonPolicyViolation, Message: fmt.Sprintf("%s %s: %s", v.Field, found, v.Detail)}
}

// PolicyFor finds the policy for a namespace with these labels: the first one whose selector matches, and nil when none
// does. A selector that cannot be read is an error and not a policy to skip: it may have been meant for this namespace.
func PolicyFor(cluster *v1alpha1.KafkaCluster, namespaceLabels map[string]string) (*Guardrail, error) {
	for i := range cluster.Spec.TopicPolicies {
		policy := &cluster.Spec.TopicPolicies[i]
		field := policyField(i)
		selector, err := metav1.LabelSelectorAsSelector(&policy.Namespaces)
		if err != nil {
			return nil, fmt.Errorf("%s.namespaces of KafkaCluster %s is not a selector: %w; correct the KafkaCluster", field, cluster.Name, err)
		}
		if selector.Matches(labels.Set(namespaceLabels)) {
			return &Guardrail{TopicPolicy: *policy, Cluster: cluster.Name, Field: field}, nil
		}
	}
	return nil, nil
}

func policyField(i int) string { return fmt.Sprintf("spec.topicPolicies[%d]", i) }

// RefuseNamespace says whether the cluster takes nothing of a namespace with these labels, and why. what is there: topics or
// profiles.
func RefuseNamespace(cluster *v1alpha1.KafkaCluster, what, namespace string, namespaceLabels map[string]string) (Refusal, bool) {
	refuse := func(format string, args ...any) (Refusal, bool) {
		return Refusal{Reason: v1alpha1.ReasonNamespaceNotAllowed, Message: fmt.Sprintf(format, args...)}, true
	}
	if cluster.Spec.AllowedNamespaces == nil {
		return Refusal{}, false
	}
	consent := &cluster.Spec.AllowedNamespaces.Selector
	selector, err := metav1.LabelSelectorAsSelector(consent)
	if err != nil {
		return refuse("KafkaCluster %s: spec.allowedNamespaces.selector is not a selector: %v; correct the KafkaCluster", cluster.Name, err)
	}
	if selector.Matches(labels.Set(namespaceLabels)) {
		return Refusal{}, false
	}
	return refuse("KafkaCluster %s takes %s of namespaces labelled %s only, and namespace %s is not; ask for the label, or use another cluster",
		cluster.Name, what, metav1.FormatLabelSelector(consent), namespace)
}

// Judge holds a KafkaTopic against the policy of its namespace. usage is what counts before it, and is read only where
// the policy has a quota.
func Judge(t *v1alpha1.KafkaTopic, g *Guardrail, usage Usage) []Refusal {
	violations := g.Violations(t, usage)
	refusals := make([]Refusal, 0, len(violations))
	for _, v := range violations {
		refusals = append(refusals, v.Refusal())
	}
	return refusals
}

// Violations are all the fields of a KafkaTopic that break the policy, in the order of the policy's own fields.
func (g *Guardrail) Violations(t *v1alpha1.KafkaTopic, usage Usage) []Violation {
	var found []Violation
	found = append(found, g.judgeName(t)...)
	found = append(found, g.judgeRange("partitions", t.Spec.Partitions, g.Partitions)...)
	found = append(found, g.judgeRange("replicationFactor", t.Spec.ReplicationFactor, g.ReplicationFactor)...)
	found = append(found, g.judgeRange("minInsyncReplicas", t.Spec.MinInsyncReplicas, g.MinInsyncReplicas)...)
	found = append(found, g.judgeConfig(t)...)
	return append(found, g.judgeQuota(t, usage)...)
}

// judgeRange bounds spec.NAME. A field that is absent is left to the brokers, whose default nobody promises to be
// within the range: a smallest value has to be said, and a largest one alone asks for nothing.
func (g *Guardrail) judgeRange(name string, value *int32, r *v1alpha1.Int32Range) []Violation {
	if r == nil {
		return nil
	}
	field := "spec." + name
	switch {
	case value == nil && r.Min != nil:
		return []Violation{{field, nil, fmt.Sprintf("KafkaCluster %s wants at least %d (%s.%s.min), and the brokers' default may be less; set %s to at least %d",
			g.Cluster, *r.Min, g.Field, name, field, *r.Min)}}
	case value == nil:
		return nil
	case r.Min != nil && *value < *r.Min:
		return []Violation{{field, *value, fmt.Sprintf("KafkaCluster %s wants at least %d (%s.%s.min); set %s to at least %d",
			g.Cluster, *r.Min, g.Field, name, field, *r.Min)}}
	case r.Max != nil && *value > *r.Max:
		return []Violation{{field, *value, fmt.Sprintf("KafkaCluster %s allows at most %d (%s.%s.max); set %s to at most %d",
			g.Cluster, *r.Max, g.Field, name, field, *r.Max)}}
	}
	return nil
}

// brokenPolicy is for a topic that cannot be judged: nobody can tell what the policy would have said.
func (g *Guardrail) brokenPolicy(field string, value any, where, why string) Violation {
	return Violation{field, value, fmt.Sprintf("it cannot be judged, because %s.%s of KafkaCluster %s %s; correct the KafkaCluster", g.Field, where, g.Cluster, why)}
}
