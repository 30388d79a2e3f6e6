package export

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// YAML writes the manifest, always the same for the same topic.
func (t Topic) YAML() string {
	var b strings.Builder
	for _, comment := range t.Comments {
		fmt.Fprintf(&b, "# %s\n", oneLine(comment))
	}
	fmt.Fprintf(&b, "apiVersion: %s\nkind: KafkaTopic\nmetadata:\n  name: %s\n", v1alpha1.GroupVersion, scalar(t.Name))
	if t.Namespace != "" {
		fmt.Fprintf(&b, "  namespace: %s\n", scalar(t.Namespace))
	}
	b.WriteString("spec:\n")
	if t.ClusterRef != "" {
		fmt.Fprintf(&b, "  clusterRef:\n    name: %s\n", scalar(t.ClusterRef))
	}
	if t.TopicName != "" {
		fmt.Fprintf(&b, "  topicName: %s\n", scalar(t.TopicName))
	}
	fmt.Fprintf(&b, "  partitions: %d\n", t.Partitions)
	if t.ReplicationFactor > 0 {
		fmt.Fprintf(&b, "  replicationFactor: %d\n", t.ReplicationFactor)
	}
	if t.MinInsyncReplicas > 0 {
		fmt.Fprintf(&b, "  minInsyncReplicas: %d\n", t.MinInsyncReplicas)
	}
	if len(t.Config) > 0 {
		b.WriteString("  config:\n")
		for _, key := range slices.Sorted(maps.Keys(t.Config)) {
			fmt.Fprintf(&b, "    %s: %s\n", scalar(key), configValue(t.Config[key]))
		}
	}
	return b.String()
}

var (
	// plainWord is text that YAML reads as the same text, once the words below are out of the way.
	plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)
	// plainInteger is a number that YAML and JSON read as the same integer.
	plainInteger = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,17})$`)
)

// yamlWords are what YAML 1.1, which kubectl reads, takes for a boolean or nothing.
var yamlWords = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

func scalar(s string) string {
	if plainWord.MatchString(s) && !slices.Contains(yamlWords, strings.ToLower(s)) {
		return s
	}
	return strconv.QuoteToASCII(s) // every escape of Go is one of YAML's double-quoted style
}

func configValue(s string) string {
	if plainInteger.MatchString(s) {
		return s
	}
	return scalar(s)
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}

// Documents joins manifests into one stream.
func Documents(topics []Topic) string {
	var parts []string
	for _, t := range topics {
		parts = append(parts, t.YAML())
	}
	return strings.Join(parts, "---\n")
}
