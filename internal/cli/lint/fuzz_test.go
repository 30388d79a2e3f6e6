package lint

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzRun: whatever the bytes, there are findings in sentences, of known rules, at places of the file, in every format.
func FuzzRun(f *testing.F) {
	for _, file := range wrong(f) {
		f.Add(file.Data)
	}
	for _, seed := range []string{
		"", "---", "a: &a [*a]", "? {a: b}\n: c", "\xff\xfe", "{}{}", "kind: List\napiVersion: v1\nitems: [1, {}, null]",
		"apiVersion: v1\nkind: Pod\nmetadata: {annotations: [x], labels: 3}\nspec: 1",
		"apiVersion: apps/v1\nkind: Deployment\nspec: {template: {metadata: {annotations: {kafka.mooring.dev/producer-profile: a/b/c, '': 1}}, spec: {containers: {a: b}}}}",
		"apiVersion: kafka.mooring.dev/v1alpha1\nkind: ProducerProfile\nmetadata: {name: a}\nspec: {batching: {batchSize: 1e400}, delivery: {deliveryTimeout: 1x}, properties: {a: null}}",
		"apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaCluster\nmetadata: {name: a}\nspec: &s {bootstrapServers: [&b 'a:1', *b], topicPolicies: [{namePattern: '('}]}\n---\nx: *s",
		strings.Repeat("[", 2000), strings.Repeat("{\"a\":", 2000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := run(t, File{"a.yaml", data})
		lines := strings.Count(string(data), "\n") + 2
		for _, finding := range r.Findings {
			if _, known := RuleOf(finding.Rule); !known || strings.TrimSpace(finding.Message) == "" {
				t.Errorf("no sentence, or no rule: %+v", finding)
			}
			if strings.Contains(finding.Message, "%!") && !strings.Contains(string(data), "%") {
				t.Errorf("a slip of the format: %s", finding.Message)
			}
			if finding.Line < 1 || finding.Line > lines || finding.Column < 1 {
				t.Errorf("%d:%d is outside of the file: %+v", finding.Line, finding.Column, finding)
			}
		}
		if strings.Count(r.Text(), "\n") != len(r.Findings)+1 || strings.Count(r.GitHub(), "\n") != len(r.Findings) {
			t.Errorf("a finding is more than a line:\n%s\n%s", r.Text(), r.GitHub())
		}
		for _, encode := range []func() ([]byte, error){r.JSON, func() ([]byte, error) { return r.SARIF("") }} {
			if text, err := encode(); err != nil || !json.Valid(text) {
				t.Errorf("%v: %s", err, text)
			}
		}
	})
}
