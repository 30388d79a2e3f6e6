package manifest

import (
	"strings"
	"testing"
)

// FuzzRead: whatever the bytes, there is an answer in sentences, and what is taken is a KafkaTopic.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "---", "--- #\n", "a", "[", "{", "{}", "{}{}", "null", "- 1", "kind: List\napiVersion: v1\nitems: [1, {}, null]",
		"a: &a [*a]", "a: &a {b: *a}", "? {a: b}\n: c", "!!binary x", "\xff\xfe", "kind: 1\napiVersion: []", "%YAML 1.1\n---\n",
		of("a", "spec: {partitions: 99999999999999999999, config: {a: 1e400, b: -1, c: null, '': x}}"),
		of("a", "spec: {reassignment: {bytesPerSecond: 1e99999}, acknowledge: [1], unmanagedConfig: [[]]}"),
		of("a", "spec: null"), of("1", "metadata: {name: 1, labels: 3, annotations: [x], creationTimestamp: x}")[60:],
		of("{}", "status: 1"), strings.Repeat("[", 2000), strings.Repeat("{\"a\":", 2000),
	} {
		f.Add([]byte(seed))
	}
	s, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set := s.Read("-", data, "shop")
		set.CheckUnique()
		for _, p := range set.Problems {
			if p.Message == "" || (strings.Contains(p.String(), "%!") && !strings.Contains(string(data), "%")) {
				t.Errorf("a problem without a sentence: %+v", p)
			}
		}
		for _, topic := range set.Topics {
			if topic.KafkaTopic.Name == "" || topic.KafkaTopic.Namespace == "" || topic.KafkaTopic.Spec.Adoption == "" {
				t.Errorf("taken without a name or defaults: %+v", topic.KafkaTopic)
			}
			if problems := s.CheckUpdate(topic, topic.KafkaTopic); len(problems) > 0 {
				t.Errorf("a manifest cannot take its own place: %v", problems)
			}
		}
	})
}
