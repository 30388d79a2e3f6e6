package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// judgeProfiles says of each ProducerProfile what its webhook would, and how it goes with the topics in the files.
func (l *linter) judgeProfiles() {
	for _, p := range l.profiles {
		config := l.resolve(p.value, p.value.Namespace)
		findings := slices.Concat(producer.Validate(config), producer.CheckTopics(config, l.limits(p.value)))
		for _, f := range findings {
			l.producerFinding(p, f)
		}
		l.judgeDurability(p, config)
	}
}

func (l *linter) resolve(p *v1alpha1.ProducerProfile, namespace string) producer.Config {
	name := p.Spec.ClusterRef.Name
	if name == "" {
		name = "default"
	}
	return producer.Resolve(p, l.cluster(name), namespace)
}

// producerFinding reports what the producer rules found, unless the API server's own check has said it: the rule's words are
// the same, but for the values at hand, which are better to have.
func (l *linter) producerFinding(p typed[*v1alpha1.ProducerProfile], f producer.Finding) {
	if strings.HasPrefix(f.Field, ofCluster) {
		return // said of the KafkaCluster itself
	}
	same := func(other Finding) bool {
		return other.File == p.Source.File && other.Object == p.String() && other.Rule == f.Rule && other.general
	}
	if i := slices.IndexFunc(l.findings, same); i >= 0 {
		l.findings = slices.Delete(l.findings, i, i+1)
	} else if !p.sound && l.has(p.Object, f.Field) {
		return
	}
	l.reportAs(p.Object, f.Rule, f.Severity, f.Field, f.Message)
}

const ofCluster = "KafkaCluster "

// written are the KafkaTopics in the files that a profile selects. One that selects none in words may write any, and none is
// singled out.
func (l *linter) written(p *v1alpha1.ProducerProfile) []typed[*v1alpha1.KafkaTopic] {
	selected := p.Spec.Topics
	if selected == nil {
		return nil
	}
	selector := labels.Nothing()
	if s, err := metav1.LabelSelectorAsSelector(selected.Selector); err == nil && selected.Selector != nil {
		selector = s
	}
	var topics []typed[*v1alpha1.KafkaTopic]
	for _, t := range l.topics {
		name := t.value.TopicName()
		byPrefix := slices.ContainsFunc(selected.Prefixes, func(prefix string) bool { return prefix != "" && strings.HasPrefix(name, prefix) })
		byLabel := t.value.Namespace == p.Namespace && selector.Matches(labels.Set(t.value.Labels))
		if t.value.Spec.ClusterRef.Name == p.Spec.ClusterRef.Name && (slices.Contains(selected.Names, name) || byPrefix || byLabel) {
			topics = append(topics, t)
		}
	}
	return topics
}

func (l *linter) limits(p *v1alpha1.ProducerProfile) []producer.TopicLimits {
	var limits []producer.TopicLimits
	for _, t := range l.written(p) {
		value := t.value.Spec.Config["max.message.bytes"]
		if most, err := strconv.ParseInt(value.String(), 10, 64); err == nil {
			limits = append(limits, producer.TopicLimits{Name: t.value.TopicName(), MaxMessageBytes: most})
		}
	}
	return limits
}

// judgeDurability finds topics that make acks=all worth less than it says, by what their manifests say. What they leave to the
// brokers is not known here.
func (l *linter) judgeDurability(p typed[*v1alpha1.ProducerProfile], config producer.Config) {
	if acks, _ := config.Get("acks"); acks != "all" && acks != "-1" {
		return
	}
	for _, t := range l.written(p.value) {
		if why := weakness(&t.value.Spec); why != "" {
			l.report(p.Object, ruleDurability, "spec.topics", fmt.Sprintf("%s (%s) is written with acks=all, and %s", t.String(), place(t.Object), why))
		}
	}
}

// weakness is why records can be lost with one broker, "" where the manifest gives no reason.
func weakness(spec *v1alpha1.KafkaTopicSpec) string {
	unclean := spec.Config["unclean.leader.election.enable"]
	switch {
	case spec.ReplicationFactor != nil && *spec.ReplicationFactor == 1:
		return "its replicationFactor is 1: the loss of one broker loses records; raise it to 3"
	case spec.MinInsyncReplicas != nil && *spec.MinInsyncReplicas == 1:
		return "its minInsyncReplicas is 1: acks=all is acks=1 by another name while the other replicas are behind; raise it to 2"
	case unclean.String() == "true":
		return "its unclean.leader.election.enable is true: a replica without the latest records may become leader; take the key out"
	}
	return ""
}
