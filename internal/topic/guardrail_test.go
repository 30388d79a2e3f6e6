package topic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// guarded is a KafkaCluster named default with these topic policies.
func guarded(policies ...v1alpha1.TopicPolicy) *v1alpha1.KafkaCluster {
	return &v1alpha1.KafkaCluster{
		ObjectMeta: metav1.ObjectMeta{Name: "default"},
		Spec:       v1alpha1.KafkaClusterSpec{TopicPolicies: policies},
	}
}

func labelled(key, value string) metav1.LabelSelector {
	return metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

func TestPolicyFor(t *testing.T) {
	prod := v1alpha1.TopicPolicy{Namespaces: labelled("tier", "prod"), NamePattern: "prod"}
	anywhere := v1alpha1.TopicPolicy{NamePattern: "anywhere"}
	broken := v1alpha1.TopicPolicy{Namespaces: metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Near"}}}}
	tests := map[string]struct {
		reason   string
		policies []v1alpha1.TopicPolicy
		labels   map[string]string
		want     string
		wantErr  string
	}{
		"no policies":              {"what is absent is not bounded", nil, map[string]string{"tier": "prod"}, "", ""},
		"the first that matches":   {"the order is the author's", []v1alpha1.TopicPolicy{prod, anywhere}, map[string]string{"tier": "prod"}, "spec.topicPolicies[0]", ""},
		"an empty selector":        {"it selects all namespaces", []v1alpha1.TopicPolicy{prod, anywhere}, nil, "spec.topicPolicies[1]", ""},
		"none that matches":        {"no policy, no bounds", []v1alpha1.TopicPolicy{prod}, map[string]string{"tier": "test"}, "", ""},
		"an unreadable selector":   {"it may have been meant for this namespace", []v1alpha1.TopicPolicy{broken, anywhere}, nil, "", "spec.topicPolicies[0].namespaces of KafkaCluster default is not a selector"},
		"unreadable, but too late": {"an earlier one has applied already", []v1alpha1.TopicPolicy{anywhere, broken}, nil, "spec.topicPolicies[0]", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g, err := topic.PolicyFor(guarded(tt.policies...), tt.labels)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("%s: error %v, want %q", tt.reason, err, tt.wantErr)
				}
				return
			}
			got := ""
			if g != nil {
				got = g.Field
			}
			if err != nil || got != tt.want {
				t.Errorf("%s: %q, %v; want %q", tt.reason, got, err, tt.want)
			}
		})
	}
}

// judge holds one topic of namespace shop against one policy that is for all.
func judge(t *testing.T, policy v1alpha1.TopicPolicy, spec v1alpha1.KafkaTopicSpec, before topic.Usage) []string {
	t.Helper()
	g, err := topic.PolicyFor(guarded(policy), nil)
	if err != nil {
		t.Fatal(err)
	}
	var messages []string
	for _, r := range topic.Judge(object(spec, v1alpha1.KafkaTopicStatus{}), g, before) {
		if r.Reason != v1alpha1.ReasonPolicyViolation {
			t.Errorf("reason %s, want %s: %s", r.Reason, v1alpha1.ReasonPolicyViolation, r.Message)
		}
		messages = append(messages, r.Message)
	}
	return messages
}

func TestJudge(t *testing.T) {
	between := func(least, most int32) *v1alpha1.Int32Range { return &v1alpha1.Int32Range{Min: &least, Max: &most} }
	atLeast := func(n int32) *v1alpha1.Int32Range { return &v1alpha1.Int32Range{Min: &n} }
	atMost := func(n int32) *v1alpha1.Int32Range { return &v1alpha1.Int32Range{Max: &n} }
	tests := map[string]struct {
		reason string
		policy v1alpha1.TopicPolicy
		spec   v1alpha1.KafkaTopicSpec
		want   []string
	}{
		"an empty policy": {
			reason: "what is absent is not bounded",
			spec:   v1alpha1.KafkaTopicSpec{Partitions: new(int32(1000))},
		},
		"within every range": {
			reason: "the ends belong to the range",
			policy: v1alpha1.TopicPolicy{Partitions: between(3, 64), ReplicationFactor: between(3, 3), MinInsyncReplicas: between(1, 2)},
			spec:   v1alpha1.KafkaTopicSpec{Partitions: new(int32(64)), ReplicationFactor: new(int32(3)), MinInsyncReplicas: new(int32(1))},
		},
		"outside of every range": {
			reason: "all violations are told at once",
			policy: v1alpha1.TopicPolicy{Partitions: atMost(64), ReplicationFactor: atLeast(3), MinInsyncReplicas: atLeast(2)},
			spec:   v1alpha1.KafkaTopicSpec{Partitions: new(int32(65)), ReplicationFactor: new(int32(2)), MinInsyncReplicas: new(int32(1))},
			want: []string{
				"spec.partitions is 65: KafkaCluster default allows at most 64 (spec.topicPolicies[0].partitions.max); set spec.partitions to at most 64",
				"spec.replicationFactor is 2: KafkaCluster default wants at least 3 (spec.topicPolicies[0].replicationFactor.min); set spec.replicationFactor to at least 3",
				"spec.minInsyncReplicas is 1: KafkaCluster default wants at least 2 (spec.topicPolicies[0].minInsyncReplicas.min); set spec.minInsyncReplicas to at least 2",
			},
		},
		"absent where there is a smallest value": {
			reason: "the brokers' default may be less",
			policy: v1alpha1.TopicPolicy{ReplicationFactor: between(3, 5)},
			want: []string{
				"spec.replicationFactor is not set: KafkaCluster default wants at least 3 (spec.topicPolicies[0].replicationFactor.min), and the brokers' default may be less; set spec.replicationFactor to at least 3",
			},
		},
		"absent where there is a largest value only": {
			reason: "it asks for nothing",
			policy: v1alpha1.TopicPolicy{Partitions: atMost(64), ReplicationFactor: atMost(3), MinInsyncReplicas: atMost(2)},
		},
		"keys that are allowed by name and by glob": {
			reason: "* stands for any run of characters",
			policy: v1alpha1.TopicPolicy{Config: &v1alpha1.TopicConfigPolicy{Allowed: []string{"retention.*", "cleanup.policy"}}},
			spec:   v1alpha1.KafkaTopicSpec{Config: values("retention.ms", "1", "retention.bytes", "1", "cleanup.policy", "delete"), MinInsyncReplicas: new(int32(2))},
		},
		"a key that is not allowed": {
			reason: "the whole key must match, and the others are not held against it",
			policy: v1alpha1.TopicPolicy{Config: &v1alpha1.TopicConfigPolicy{Allowed: []string{"retention.*", "cleanup.policy"}}},
			spec:   v1alpha1.KafkaTopicSpec{Config: values("local.retention.ms", "1", "retention.ms", "1")},
			want: []string{
				`spec.config[local.retention.ms] is "1": KafkaCluster default lets topics set retention.*, cleanup.policy only (spec.topicPolicies[0].config.allowed); take the key out`,
			},
		},
		"a key that is left alone": {
			reason: "it is not sent, so it is not judged",
			policy: v1alpha1.TopicPolicy{Config: &v1alpha1.TopicConfigPolicy{Allowed: []string{"retention.*"}}},
			spec:   v1alpha1.KafkaTopicSpec{Config: values("segment.ms", "1"), UnmanagedConfig: []string{"segment.ms"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, judge(t, tt.policy, tt.spec, topic.Usage{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestJudgeName(t *testing.T) {
	tests := map[string]struct {
		reason        string
		pattern, name string
		want          string // part of the sentence; empty: taken
	}{
		"anchored":                 {"the usual way to write it", `^shop\.[a-z]+$`, "shop.orders", ""},
		"not anchored":             {"the whole name must match in any case", `shop\.[a-z]+`, "shop.orders", ""},
		"a part that matches":      {"a part is not the whole", `shop`, "shop.orders", "match shop as a whole (spec.topicPolicies[0].namePattern); give spec.topicName such a name"},
		"alternatives":             {"the anchors hold for each of them", `a|shop`, "shop.orders", "match a|shop as a whole"},
		"the namespace":            {"the variable is the topic's own namespace", `{{ .Namespace }}\..+`, "shop.orders", ""},
		"without spaces":           {"spacing is a matter of taste", `{{.Namespace}}\..+`, "shop.orders", ""},
		"with many spaces":         {"spacing is a matter of taste", `{{   .Namespace	}}\..+`, "shop.orders", ""},
		"another namespace's name": {"that is what the variable is for", `{{ .Namespace }}\..+`, "till.orders", `spec.topicName is "till.orders": KafkaCluster default takes names from namespace shop that match shop\..+ as a whole`},
		"does not compile":         {"nobody can tell what it meant", `shop.(`, "shop.orders", "spec.topicPolicies[0].namePattern of KafkaCluster default is not a regular expression (RE2)"},
		"compiles in a group only": {"the group is ours", `a)|(.*`, "shop.orders", "is not a regular expression (RE2)"},
		"another variable":         {"plain braces would match nothing for ever", `{{ .Name }}`, "shop.orders", "has a variable that is none: {{ .Namespace }} is the only one"},
		"a newline at the end":     {"$ would let it through in other engines", `shop`, "shop\n", "as a whole"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(judge(t, v1alpha1.TopicPolicy{NamePattern: tt.pattern}, v1alpha1.KafkaTopicSpec{TopicName: tt.name}, topic.Usage{}), "; ")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
			}
		})
	}
}

func TestJudgeBounds(t *testing.T) {
	tests := map[string]struct {
		reason     string
		key, value string
		min, max   string
		want       string // part of the sentence; empty: taken
	}{
		"at the largest value":   {"the ends belong to the range", "retention.ms", "2592000000", "", "2592000000", ""},
		"above it":               {"a bound is a bound", "retention.ms", "2592000001", "", "2592000000", `spec.config[retention.ms] is "2592000001": KafkaCluster default allows at most 2592000000 (spec.topicPolicies[0].config.bounds[retention.ms].max); lower it`},
		"below the smallest":     {"a bound is a bound", "segment.bytes", "13", "14", "", "wants at least 14 (spec.topicPolicies[0].config.bounds[segment.bytes].min); raise it"},
		"unlimited, bounded":     {"a negative retention is for ever, and that is above any largest value", "retention.ms", "-1", "", "2592000000", "and a negative value means unlimited; lower it"},
		"unlimited, from below":  {"for ever is more than any smallest value", "retention.bytes", "-1", "1000", "", ""},
		"unlimited is allowed":   {"a negative largest value means unlimited too", "retention.ms", "-1", "", "-1", ""},
		"a large one of those":   {"nothing is above unlimited", "retention.ms", "9223372036854775807", "", "-1", ""},
		"follows another key":    {"-2 is bounded where retention.ms is", "local.retention.ms", "-2", "", "1000", ""},
		"2^53 and one":           {"numbers of JSON would have lost the last digit", "retention.ms", "9007199254740993", "", "9007199254740992", "allows at most 9007199254740992"},
		"not a number":           {"a bound needs one", "retention.ms", "7d", "", "1000", "it is not a whole number of 64 bits; write one"},
		"a bound that overflows": {"nobody can tell what it meant", "retention.ms", "1", "", "99999999999999999999", `spec.topicPolicies[0].config.bounds[retention.ms] of KafkaCluster default has max "99999999999999999999", which is not a whole number of 64 bits; correct the KafkaCluster`},
		"bounds upside down":     {"no value can keep them", "retention.ms", "1", "2", "1", "has min 2 above max 1, which no value can keep"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			policy := v1alpha1.TopicPolicy{Config: &v1alpha1.TopicConfigPolicy{Bounds: map[string]v1alpha1.ConfigBounds{tt.key: {Min: tt.min, Max: tt.max}}}}
			got := strings.Join(judge(t, policy, v1alpha1.KafkaTopicSpec{Config: values(tt.key, tt.value)}, topic.Usage{}), "; ")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
			}
		})
	}
}

func TestRefuseNamespace(t *testing.T) {
	prod := labelled("tier", "prod")
	broken := metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Near"}}}
	tests := map[string]struct {
		reason  string
		consent *v1alpha1.NamespaceConsent
		labels  map[string]string
		want    string // part of the sentence; empty: taken
	}{
		"absent":      {"all namespaces may", nil, nil, ""},
		"empty":       {"all namespaces may", &v1alpha1.NamespaceConsent{}, nil, ""},
		"matching":    {"this one may", &v1alpha1.NamespaceConsent{Selector: prod}, map[string]string{"tier": "prod"}, ""},
		"other":       {"this one may not", &v1alpha1.NamespaceConsent{Selector: prod}, nil, "labelled tier=prod only, and namespace shop is not"},
		"no selector": {"nobody can tell who was meant", &v1alpha1.NamespaceConsent{Selector: broken}, nil, "spec.allowedNamespaces.selector is not a selector"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cluster := guarded()
			cluster.Spec.AllowedNamespaces = tt.consent
			got, refused := topic.RefuseNamespace(cluster, "topics", "shop", tt.labels)
			if refused != (tt.want != "") || !strings.Contains(got.Message, tt.want) {
				t.Errorf("%s: %q, want %q", tt.reason, got.Message, tt.want)
			}
		})
	}
}
