package contract

import (
	"slices"
	"strings"
)

// Allow says whether a topic may be written. A nil receiver allows every topic.
func (t *Topics) Allow(topic string) bool {
	if t == nil {
		return true
	}
	return slices.Contains(t.Names, topic) ||
		slices.ContainsFunc(t.Prefixes, func(p string) bool { return strings.HasPrefix(topic, p) })
}
