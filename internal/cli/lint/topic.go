package lint

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// judgeClusters says of each KafkaCluster what its webhook would.
func (l *linter) judgeClusters() {
	for _, k := range l.clusters {
		for _, v := range topic.CheckCluster(&k.value.Spec) {
			if !l.has(k.Object, v.Field) {
				l.report(k.Object, ruleClusterPolicy, v.Field, v.Detail)
			}
		}
		const field = "spec.bootstrapServers"
		switch n := len(k.value.Spec.BootstrapServers); {
		case n == 1:
			l.report(k.Object, ruleOneServer, field, "while that broker is down nothing can connect; name two or three, or an address that stands for all brokers")
		case n > 5:
			l.report(k.Object, ruleManyServers, field, fmt.Sprintf("%d addresses, and every client dials them all when it starts: three or four find the rest; shorten the list", n))
		}
	}
}

// cluster of this name in the files; nil where there is none that can be judged by.
func (l *linter) cluster(name string) *v1alpha1.KafkaCluster {
	for _, k := range l.clusters {
		if k.value.Name == name && k.sound {
			return k.value
		}
	}
	return nil
}

// judgeTopics judges each KafkaTopic beside the others and by its cluster, where that is in the files.
func (l *linter) judgeTopics() {
	all := make(map[string][]v1alpha1.KafkaTopic) // of a cluster and namespace, in the order in which they would be created
	for i := range l.topics {
		t := l.topics[i].value
		t.CreationTimestamp = metav1.NewTime(time.Unix(int64(i), 0))
		key := t.Spec.ClusterRef.Name + "/" + t.Namespace
		all[key] = append(all[key], *t)
	}
	l.judgeNames()
	for _, t := range l.topics {
		spec := &t.value.Spec
		if m, r := spec.MinInsyncReplicas, spec.ReplicationFactor; m != nil && r != nil && *m == *r {
			mend := fmt.Sprintf("lower spec.minInsyncReplicas to %d", *r-1)
			if *r == 1 {
				mend = "raise spec.replicationFactor"
			}
			l.report(t.Object, ruleMinISR, "spec.minInsyncReplicas",
				fmt.Sprintf("equals spec.replicationFactor (%d): while one broker is down, producers with acks=all cannot write; %s", *r, mend))
		}
		if cluster := l.cluster(spec.ClusterRef.Name); cluster != nil && t.sound {
			l.judgeGuardrail(t, cluster, topic.UsageBefore(t.value, all[cluster.Name+"/"+t.value.Namespace]))
		}
	}
}

// judgeNames finds an earlier KafkaTopic for the same topic, or for one that metrics confuse with it.
func (l *linter) judgeNames() {
	names, metrics := make(map[string]int), make(map[string]int) // the first KafkaTopic of each
	for i, t := range l.topics {
		cluster, name := t.value.Spec.ClusterRef.Name, t.value.TopicName()
		key := cluster + "/" + name
		metric := strings.ReplaceAll(key, ".", "_")
		first, sameName := names[key]
		alike, sameMetric := metrics[metric]
		switch {
		case sameName && l.topics[first].String() != t.String():
			l.report(t.Object, ruleTopicTwice, nameField(t.value), fmt.Sprintf("%s (%s) is for topic %s of KafkaCluster %s too, and only one of them can own it; remove one of them, or choose another name with spec.topicName",
				l.topics[first].String(), place(l.topics[first].Object), name, cluster))
		case !sameName && sameMetric && l.topics[alike].String() != t.String():
			before := l.topics[alike]
			l.report(t.Object, ruleTopicMetric, nameField(t.value), fmt.Sprintf("topic %s has the same name in Kafka's metrics as topic %s of %s (%s), and brokers refuse to create the second of the two; choose another name",
				name, before.value.TopicName(), before.String(), place(before.Object)))
		}
		if !sameName {
			names[key] = i
		}
		if !sameMetric {
			metrics[metric] = i
		}
	}
}

func nameField(t *v1alpha1.KafkaTopic) string {
	if t.Spec.TopicName != "" {
		return "spec.topicName"
	}
	return "metadata.name"
}

// judgeGuardrail holds a topic against its cluster. Labels of a namespace that is not in the files are not known, but for its name.
func (l *linter) judgeGuardrail(t typed[*v1alpha1.KafkaTopic], cluster *v1alpha1.KafkaCluster, before topic.Usage) {
	labels, known := l.namespaces[t.value.Namespace]
	if !known {
		labels = map[string]string{corev1.LabelMetadataName: t.value.Namespace}
	}
	if consent := cluster.Spec.AllowedNamespaces; consent != nil && (known || byName(&consent.Selector)) {
		if refusal, refused := topic.RefuseNamespace(cluster, "topics", t.value.Namespace, labels); refused {
			l.report(t.Object, ruleNamespace, "metadata.namespace", refusal.Message)
			return
		}
	} else if consent != nil {
		l.unjudged(t, cluster, "spec.allowedNamespaces")
	}
	judge := *cluster
	if !known {
		for i := range cluster.Spec.TopicPolicies {
			if !byName(&cluster.Spec.TopicPolicies[i].Namespaces) {
				judge.Spec.TopicPolicies = cluster.Spec.TopicPolicies[:i]
				break
			}
		}
	}
	guardrail, err := topic.PolicyFor(&judge, labels)
	switch {
	case err != nil: // the KafkaCluster's own finding
	case guardrail != nil:
		for _, v := range guardrail.Violations(t.value, before) {
			l.report(t.Object, ruleGuardrail, v.Field, found(v.Value)+v.Detail)
		}
	case len(judge.Spec.TopicPolicies) < len(cluster.Spec.TopicPolicies):
		l.unjudged(t, cluster, fmt.Sprintf("spec.topicPolicies[%d]", len(judge.Spec.TopicPolicies)))
	}
}

func (l *linter) unjudged(t typed[*v1alpha1.KafkaTopic], cluster *v1alpha1.KafkaCluster, field string) {
	l.report(t.Object, ruleUnjudged, "metadata.namespace", fmt.Sprintf("whether %s of KafkaCluster %s is for namespace %s depends on labels that are not in these files; add the Namespace to what is linted",
		field, cluster.Name, t.value.Namespace))
}

// byName says that a selector asks for nothing but the namespace's name.
func byName(s *metav1.LabelSelector) bool {
	for key := range s.MatchLabels {
		if key != corev1.LabelMetadataName {
			return false
		}
	}
	for _, e := range s.MatchExpressions {
		if e.Key != corev1.LabelMetadataName {
			return false
		}
	}
	return true
}

func found(value any) string {
	switch v := value.(type) {
	case nil:
		return "is not set: "
	case string:
		return "is " + strconv.Quote(v) + ": "
	}
	return fmt.Sprintf("is %v: ", value)
}
