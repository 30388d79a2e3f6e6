package lint

import (
	"slices"
	"strings"

	"mooring.dev/mooring/internal/producer"
)

// Rule is one thing that lint looks for. ID is what people search for and name; it never changes.
type Rule struct {
	ID       string
	Severity producer.Severity
	// Fields that it speaks of.
	Fields []string
	// Sentence says what is wrong and how to mend it, for any values.
	Sentence string
	// Source is where the rule comes from.
	Source string
	// Client whose rule it is; "" for Mooring's own. What lint reads breaks only Mooring's and the Java client's.
	Client producer.Client
}

// Rules of lint: those of manifests, clusters, topics and workloads first, then the producer rules.
func Rules() []Rule { return slices.Clone(table) }

var table = func() []Rule {
	rules := slices.Concat(manifestRules, clusterRules, topicRules, workloadRules)
	for _, r := range producer.Rules() {
		rules = append(rules, Rule{r.ID, r.Severity, r.Fields, r.Sentence, r.Source, r.Client})
	}
	return rules
}()

// RuleOf finds a rule by its ID.
func RuleOf(id string) (Rule, bool) {
	i := slices.IndexFunc(table, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return table[i], true
}

// Halves parts the sentence into what is wrong and how to mend it; mend is "" where saying the first says the second.
func (r Rule) Halves() (what, mend string) {
	for at := 0; ; {
		i := strings.Index(r.Sentence[at:], "; ")
		if i < 0 {
			return r.Sentence, ""
		}
		at += i + len("; ")
		verb, _, _ := strings.Cut(r.Sentence[at:], " ")
		if slices.Contains(mending, strings.TrimSuffix(verb, ",")) {
			return r.Sentence[:at-len("; ")], r.Sentence[at:]
		}
	}
}

// mending are the verbs that the second half of a sentence begins with.
var mending = []string{
	"add", "choose", "correct", "delete", "give", "keep", "look", "lower", "make", "mend", "move", "name", "put", "raise", "remove", "set",
	"shorten", "turn", "use", "write",
}

// IDs of lint's own rules.
const (
	ruleDocument      = "document"
	ruleKind          = "api-kind"
	ruleMetadata      = "api-metadata"
	ruleField         = "api-field"
	ruleSchema        = "api-schema"
	ruleAPI           = "api-rule"
	ruleTwice         = "object-twice"
	ruleClusterPolicy = "cluster-policy"
	ruleOneServer     = "bootstrap-single"
	ruleManyServers   = "bootstrap-many"
	ruleTopicTwice    = "topic-twice"
	ruleTopicMetric   = "topic-metric-name"
	ruleMinISR        = "topic-min-isr"
	ruleGuardrail     = "topic-guardrail"
	ruleUnjudged      = "topic-guardrail-unknown"
	ruleNamespace     = "topic-namespace"
	ruleDurability    = "profile-topic-durability"
	ruleKey           = "workload-key"
	ruleKeyReserved   = "workload-key-reserved"
	ruleKeyPlace      = "workload-key-place"
	ruleValue         = "workload-value"
	ruleContainer     = "workload-container"
	ruleProfile       = "workload-profile-unknown"
	ruleProfileAway   = "workload-profile-namespace"
	ruleGrace         = "grace-too-short"
)

var manifestRules = []Rule{
	{ID: ruleDocument, Severity: producer.Error, Sentence: "a manifest is YAML or JSON, with one object in each document; mend the text at the place that is named", Source: "kubectl"},
	{ID: ruleKind, Severity: producer.Error, Fields: []string{"apiVersion", "kind"}, Sentence: "an object begins with its apiVersion and kind; write apiVersion: kafka.mooring.dev/v1alpha1 and one of KafkaCluster, KafkaTopic, ProducerProfile", Source: "Kubernetes API conventions"},
	{ID: ruleMetadata, Severity: producer.Error, Fields: []string{"metadata"}, Sentence: "names, namespaces, labels and annotations have the forms that Kubernetes gives them; mend the one that is named", Source: "Kubernetes: ObjectMeta"},
	{ID: ruleField, Severity: producer.Error, Fields: []string{"any field"}, Sentence: "the API server drops a field that it does not know, or refuses it; use the name that the message gives, or remove the field", Source: "the CRD's structural schema"},
	{ID: ruleSchema, Severity: producer.Error, Fields: []string{"any field"}, Sentence: "a field has a type, a range or a list of words; write what the message asks for", Source: "the CRD's schema"},
	{ID: ruleAPI, Severity: producer.Error, Fields: []string{"any field"}, Sentence: "a rule of the CRD about several fields together is broken; mend what the message names", Source: "the CRD's x-kubernetes-validations"},
	{ID: ruleTwice, Severity: producer.Error, Fields: []string{"metadata.name"}, Sentence: "two manifests are for the same object, and the one applied last overwrites the other; remove one of them or rename it", Source: "kubectl apply"},
}

var clusterRules = []Rule{
	{ID: ruleClusterPolicy, Severity: producer.Error, Fields: []string{"spec.topicPolicies", "spec.allowedNamespaces"}, Sentence: "a selector, a pattern or a bound of a KafkaCluster cannot be read, so that no topic could be judged by it; mend it", Source: "Mooring: docs/tasks/guardrails.md"},
}

var topicRules = []Rule{
	{ID: ruleTopicTwice, Severity: producer.Error, Fields: []string{"spec.topicName", "metadata.name"}, Sentence: "two KafkaTopics are for one topic of one cluster, and only the older one gets it; remove one of them, or give it another spec.topicName", Source: "Mooring"},
	{ID: ruleTopicMetric, Severity: producer.Warning, Fields: []string{"spec.topicName", "metadata.name"}, Sentence: "the names of two topics differ in dots and underscores only, which Kafka's metrics do not tell apart, and brokers refuse to create the second; choose another name", Source: "org.apache.kafka.common.internals.Topic.hasCollision"},
	{ID: ruleMinISR, Severity: producer.Warning, Fields: []string{"spec.minInsyncReplicas"}, Sentence: "with spec.minInsyncReplicas equal to spec.replicationFactor no producer with acks=all can write while one broker is down; lower spec.minInsyncReplicas, or raise spec.replicationFactor", Source: "Kafka documentation, min.insync.replicas"},
	{ID: ruleGuardrail, Severity: producer.Error, Fields: []string{"spec"}, Sentence: "the KafkaCluster's topicPolicies do not allow the topic; write what the message asks for", Source: "KafkaCluster spec.topicPolicies"},
	{ID: ruleUnjudged, Severity: producer.Advice, Fields: []string{"metadata.namespace"}, Sentence: "the KafkaCluster judges by labels of the namespace, and no Namespace in these files says which it has; add the Namespace to what is linted", Source: "KafkaCluster spec.topicPolicies, spec.allowedNamespaces"},
	{ID: ruleNamespace, Severity: producer.Error, Fields: []string{"metadata.namespace"}, Sentence: "the KafkaCluster takes no topics of this namespace; use another cluster, or ask for the label that spec.allowedNamespaces selects", Source: "KafkaCluster spec.allowedNamespaces"},
	{ID: ruleDurability, Severity: producer.Warning, Fields: []string{"spec.topics"}, Sentence: "the profile waits for acks=all, and a topic that it writes loses records with one broker all the same; raise the topic's replicationFactor to 3 and its minInsyncReplicas to 2", Source: "Kafka documentation, min.insync.replicas and unclean.leader.election.enable"},
}

var workloadRules = []Rule{
	{ID: ruleKey, Severity: producer.Error, Fields: []string{"metadata.annotations", "metadata.labels"}, Sentence: "Mooring knows no such key, and does nothing about it; use the name that the message gives, or remove it", Source: "Mooring: api/v1alpha1"},
	{ID: ruleKeyReserved, Severity: producer.Warning, Fields: []string{"metadata.annotations"}, Sentence: "Mooring itself writes this annotation, and overwrites what is there; remove it", Source: "Mooring: api/v1alpha1"},
	{ID: ruleKeyPlace, Severity: producer.Error, Fields: []string{"metadata.labels", "metadata.annotations"}, Sentence: "the key does nothing where it is; move it to the annotations or labels of the object that the message names", Source: "Mooring: api/v1alpha1"},
	{ID: ruleValue, Severity: producer.Error, Fields: []string{"metadata.annotations"}, Sentence: "the value of an annotation of Mooring's is not one that it takes; write what the message asks for", Source: "Mooring: api/v1alpha1"},
	{ID: ruleContainer, Severity: producer.Error, Fields: []string{"metadata.annotations[kafka.mooring.dev/producer-containers]"}, Sentence: "the pod template has no container of this name, and admission refuses the pod; write the name of one of its containers", Source: "Mooring: injection"},
	{ID: ruleProfile, Severity: producer.Warning, Fields: []string{"metadata.annotations[kafka.mooring.dev/producer-profile]"}, Sentence: "no ProducerProfile in these files has this name; if none is in the cluster either, admission refuses the pod; use the name of one that there is, or add it", Source: "Mooring: injection"},
	{ID: ruleProfileAway, Severity: producer.Error, Fields: []string{"metadata.annotations[kafka.mooring.dev/producer-profile]"}, Sentence: "a ProducerProfile serves its own namespace only, unless its spec.allowedNamespaces says otherwise; add spec.allowedNamespaces to the profile, or use one of this namespace", Source: "ProducerProfile spec.allowedNamespaces"},
}
