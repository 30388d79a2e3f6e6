package topic

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// judgeConfig bounds spec.config. Keys that the topic leaves alone are not judged: they are not sent. min.insync.replicas
// is never among them, and has a range of its own.
func (g *Guardrail) judgeConfig(t *v1alpha1.KafkaTopic) []Violation {
	if g.Config == nil {
		return nil
	}
	var found []Violation
	for _, key := range slices.Sorted(maps.Keys(t.Spec.Config)) {
		if slices.Contains(t.Spec.UnmanagedConfig, key) {
			continue
		}
		field, value := fmt.Sprintf("spec.config[%s]", key), t.Spec.Config[key].String()
		if !allows(g.Config.Allowed, key) {
			found = append(found, Violation{field, value, fmt.Sprintf("KafkaCluster %s lets topics set %s only (%s.config.allowed); take the key out",
				g.Cluster, strings.Join(g.Config.Allowed, ", "), g.Field)})
			continue
		}
		if bounds, ok := g.Config.Bounds[key]; ok {
			found = append(found, g.judgeBounds(field, key, value, bounds)...)
		}
	}
	return found
}

// allows says whether a key is among the allowed ones; no list at all allows every key.
func allows(allowed []string, key string) bool {
	return len(allowed) == 0 || slices.ContainsFunc(allowed, func(pattern string) bool { return globMatch(pattern, key) })
}

// globMatch matches the whole text; * stands for any run of characters, and nothing else is special. It takes at most
// len(pattern)*len(text) steps, whatever the pattern.
func globMatch(pattern, text string) bool {
	p, s, star, resume := 0, 0, -1, 0
	for s < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, s
			p++
		case p < len(pattern) && pattern[p] == text[s]:
			p, s = p+1, s+1
		case star >= 0: // let the last * take one more character
			resume++
			p, s = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// judgeBounds holds a number against its bounds.
func (g *Guardrail) judgeBounds(field, key, value string, bounds v1alpha1.ConfigBounds) []Violation {
	where := fmt.Sprintf("config.bounds[%s]", key)
	least, most, err := parseBounds(bounds)
	if err != nil {
		return []Violation{g.brokenPolicy(field, value, where, err.Error())}
	}
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return []Violation{{field, value, fmt.Sprintf("KafkaCluster %s bounds it (%s.%s), and it is not a whole number of 64 bits; write one", g.Cluster, g.Field, where)}}
	}
	if number == followsRetention && strings.HasPrefix(key, "local.retention.") {
		return nil
	}
	unlimited := ""
	if number < 0 {
		unlimited = ", and a negative value means unlimited"
	}
	switch {
	case size(number) > size(most):
		return []Violation{{field, value, fmt.Sprintf("KafkaCluster %s allows at most %d (%s.%s.max)%s; lower it", g.Cluster, most, g.Field, where, unlimited)}}
	case size(number) < least:
		return []Violation{{field, value, fmt.Sprintf("KafkaCluster %s wants at least %d (%s.%s.min); raise it", g.Cluster, least, g.Field, where)}}
	}
	return nil
}

// followsRetention is what local.retention.ms and local.retention.bytes have by default (KIP-405): no bound of their
// own, but that of retention.ms and retention.bytes.
const followsRetention = -2

// size orders values as Kafka means them: in the retention keys, the only ones that take negative values, those mean
// unlimited.
func size(value int64) int64 {
	if value < 0 {
		return math.MaxInt64
	}
	return value
}

// parseBounds reads the two ends; an absent one is open. The error completes a sentence that begins with the field.
func parseBounds(b v1alpha1.ConfigBounds) (least, most int64, err error) {
	least, most = math.MinInt64, math.MaxInt64
	if b.Min != "" {
		if least, err = strconv.ParseInt(b.Min, 10, 64); err != nil {
			return 0, 0, fmt.Errorf("has min %q, which is not a whole number of 64 bits", b.Min)
		}
	}
	if b.Max != "" {
		if most, err = strconv.ParseInt(b.Max, 10, 64); err != nil {
			return 0, 0, fmt.Errorf("has max %q, which is not a whole number of 64 bits", b.Max)
		}
	}
	if least > size(most) {
		return 0, 0, fmt.Errorf("has min %d above max %d, which no value can keep", least, most)
	}
	return least, most, nil
}
