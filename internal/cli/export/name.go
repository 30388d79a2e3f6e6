// Package export turns topics that exist into KafkaTopic manifests that say what the topics are, and no more. It is pure.
package export

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// maxName bounds metadata.name, so that with .yaml behind it the result is still the name of a file (255 bytes), and no shorter than a
// topic name may be.
const maxName = 249

// Names gives every topic a metadata.name of its own. A topic name that is a valid metadata.name is kept. Any other is
// made one; where that is another topic's too, the first digits of a hash of the topic name tell them apart. So a name
// depends on the names of the other topics, but not on their order.
func Names(topics []string) map[string]string {
	taken := make(map[string]bool, len(topics))
	claims := make(map[string]int, len(topics))
	for _, topic := range topics {
		name := nameFrom(topic)
		claims[name]++
		taken[name] = taken[name] || name == topic
	}
	names := make(map[string]string, len(topics))
	var clashing []string
	for _, topic := range topics {
		name := nameFrom(topic)
		if name == topic || (claims[name] == 1 && !taken[name]) {
			names[topic] = name
			taken[name] = true
			continue
		}
		clashing = append(clashing, topic)
	}
	slices.Sort(clashing)
	for _, topic := range clashing {
		name := withHash(nameFrom(topic), topic, taken)
		names[topic], taken[name] = name, true
	}
	return names
}

// nameFrom makes a DNS subdomain (RFC 1123) of a topic name: lower case, - for _, and labels between dots that begin and
// end with a letter or digit.
func nameFrom(topic string) string {
	var labels []string
	for label := range strings.SplitSeq(strings.ReplaceAll(strings.ToLower(topic), "_", "-"), ".") {
		if label = strings.Trim(label, "-"); label != "" {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		return "topic"
	}
	return strings.Join(labels, ".")
}

// withHash adds as many digits of the hash as it takes; eight do, but for topics that somebody named after their hashes.
func withHash(name, topic string, taken map[string]bool) string {
	sum := sha256.Sum256([]byte(topic))
	digits := hex.EncodeToString(sum[:])
	for n := 8; ; n += 8 {
		stem := strings.TrimRight(name[:min(len(name), maxName-1-n)], "-.")
		candidate := stem + "-" + digits[:n]
		if !taken[candidate] || n == len(digits) {
			return candidate
		}
	}
}
