package topic_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

func TestCheckCluster(t *testing.T) {
	near := metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Near"}}}
	bounds := func(key, least, most string) v1alpha1.TopicPolicy {
		return v1alpha1.TopicPolicy{Config: &v1alpha1.TopicConfigPolicy{Bounds: map[string]v1alpha1.ConfigBounds{key: {Min: least, Max: most}}}}
	}
	tests := map[string]struct {
		reason string
		spec   v1alpha1.KafkaClusterSpec
		want   map[string]string // part of the detail, by field
	}{
		"nothing to check": {reason: "no policy, no problem"},
		"a good policy": {
			reason: "the one of the documentation",
			spec: v1alpha1.KafkaClusterSpec{TopicPolicies: []v1alpha1.TopicPolicy{{
				Namespaces: labelled("tier", "prod"), NamePattern: `^{{ .Namespace }}\.[a-z0-9.-]+$`,
				Config: &v1alpha1.TopicConfigPolicy{Allowed: []string{"retention.*"}, Bounds: map[string]v1alpha1.ConfigBounds{"retention.ms": {Max: "2592000000"}}},
			}}},
		},
		"everything that can be wrong": {
			reason: "each problem has its own field, and all are told at once",
			spec: v1alpha1.KafkaClusterSpec{
				AllowedNamespaces: &v1alpha1.NamespaceConsent{Selector: near},
				TopicPolicies: []v1alpha1.TopicPolicy{
					{Namespaces: near, NamePattern: "("}, {NamePattern: "{{ .Tenant }}"},
					bounds("retention.ms", "", "99999999999999999999"), bounds("segment.ms", "2", "1"), bounds("min.insync.replicas", "2", ""),
				},
			},
			want: map[string]string{
				"spec.allowedNamespaces.selector":                          "not a selector",
				"spec.topicPolicies[0].namespaces":                         "not a selector",
				"spec.topicPolicies[0].namePattern":                        "is not a regular expression",
				"spec.topicPolicies[1].namePattern":                        "{{ .Namespace }} is the only one",
				"spec.topicPolicies[2].config.bounds[retention.ms]":        "not a whole number of 64 bits",
				"spec.topicPolicies[3].config.bounds[segment.ms]":          "min 2 above max 1",
				"spec.topicPolicies[4].config.bounds[min.insync.replicas]": "set minInsyncReplicas of the policy",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found := topic.CheckCluster(&tt.spec)
			if len(found) != len(tt.want) {
				t.Errorf("%s: %d problems, want %d: %+v", tt.reason, len(found), len(tt.want), found)
			}
			for _, v := range found {
				if want, ok := tt.want[v.Field]; !ok || !strings.Contains(v.Detail, want) {
					t.Errorf("%s: %s: %s, want %q", tt.reason, v.Field, v.Detail, want)
				}
			}
		})
	}
}
