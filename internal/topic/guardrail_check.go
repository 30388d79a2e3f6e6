package topic

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// CheckCluster finds what no topic could ever be judged by: selectors, patterns and bounds that cannot be read. The CRD
// checks shapes; what it cannot parse is parsed here.
func CheckCluster(spec *v1alpha1.KafkaClusterSpec) []Violation {
	var found []Violation
	if consent := spec.AllowedNamespaces; consent != nil {
		found = append(found, checkSelector("spec.allowedNamespaces.selector", &consent.Selector)...)
	}
	for i := range spec.TopicPolicies {
		policy, field := &spec.TopicPolicies[i], policyField(i)
		found = append(found, checkSelector(field+".namespaces", &policy.Namespaces)...)
		// Any namespace will do: what a namespace may be called means the same to RE2.
		if _, err := compileName(fillNamespace(policy.NamePattern, "namespace")); err != nil {
			found = append(found, Violation{field + ".namePattern", policy.NamePattern, err.Error()})
		}
		if policy.Config == nil {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(policy.Config.Bounds)) {
			found = append(found, checkBounds(fmt.Sprintf("%s.config.bounds[%s]", field, key), key, policy.Config)...)
		}
	}
	return found
}

func checkSelector(field string, selector *metav1.LabelSelector) []Violation {
	_, err := metav1.LabelSelectorAsSelector(selector)
	if err == nil {
		return nil
	}
	written, _ := json.Marshal(selector) // strings only: it cannot fail
	return []Violation{{field, string(written), fmt.Sprintf("it is not a selector: %v", err)}}
}

func checkBounds(field, key string, config *v1alpha1.TopicConfigPolicy) []Violation {
	bounds := config.Bounds[key]
	written := fmt.Sprintf("min %q, max %q", bounds.Min, bounds.Max)
	if key == KeyMinInsyncReplicas {
		return []Violation{{field, written, "min.insync.replicas has a range of its own; set minInsyncReplicas of the policy instead"}}
	}
	if _, _, err := parseBounds(bounds); err != nil {
		return []Violation{{field, written, "it " + err.Error()}}
	}
	return nil
}
