package topic

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// namespaceVariable is the one variable of a namePattern.
var namespaceVariable = regexp.MustCompile(`\{\{\s*\.Namespace\s*\}\}`)

// judgeName holds the topic's name against namePattern.
func (g *Guardrail) judgeName(t *v1alpha1.KafkaTopic) []Violation {
	if g.NamePattern == "" {
		return nil
	}
	field := "metadata.name"
	if t.Spec.TopicName != "" {
		field = "spec.topicName"
	}
	name := t.TopicName()
	pattern := fillNamespace(g.NamePattern, t.Namespace)
	whole, err := compileName(pattern)
	if err != nil {
		return []Violation{g.brokenPolicy(field, name, "namePattern", err.Error())}
	}
	if whole.MatchString(name) {
		return nil
	}
	return []Violation{{field, name, fmt.Sprintf("KafkaCluster %s takes names from namespace %s that match %s as a whole (%s.namePattern); give spec.topicName such a name",
		g.Cluster, t.Namespace, pattern, g.Field)}}
}

// fillNamespace puts the namespace into a pattern, as text and not as an expression.
func fillNamespace(pattern, namespace string) string {
	return namespaceVariable.ReplaceAllLiteralString(pattern, regexp.QuoteMeta(namespace))
}

// compileName makes an expression that the whole name must match, whether the pattern has its own ^ and $ or not: who
// forgets them means the whole name too. The error completes a sentence that begins with the field.
func compileName(pattern string) (*regexp.Regexp, error) {
	if strings.Contains(pattern, "{{") {
		// To RE2 these are plain braces, and no topic's name could ever match.
		return nil, errors.New("has a variable that is none: {{ .Namespace }} is the only one")
	}
	// By itself first: a pattern such as a)|(b would only compile inside the group below.
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, fmt.Errorf("is not a regular expression (RE2): %w", err)
	}
	whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("is not a regular expression (RE2): %w", err)
	}
	return whole, nil
}
