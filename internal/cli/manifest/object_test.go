package manifest

import (
	"strings"
	"testing"
)

func objects(t *testing.T, text string) []Object {
	t.Helper()
	r, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	return r.Read("a.yaml", []byte(text), "shop")
}

func TestPosition(t *testing.T) {
	const text = `# a comment
apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata: {name: orders}
spec:
  config:
    retention.ms: 1
    "quoted.key": 2
  unmanagedConfig:
  - first
  - "second"
---
{"apiVersion": "kafka.mooring.dev/v1alpha1", "kind": "KafkaTopic",
 "metadata": {"name": "é", "labels": {"a": "b"}}}
---
apiVersion: v1
kind: List
items:
- apiVersion: kafka.mooring.dev/v1alpha1
  kind: ProducerProfile
  metadata: &meta
    name: one
- apiVersion: kafka.mooring.dev/v1alpha1
  kind: ProducerProfile
  metadata: *meta
`
	all := objects(t, text)
	tests := map[string]struct {
		reason string
		object int
		field  string
		want   Position
	}{
		"a key":                         {"its name", 0, "spec.config", Position{6, 3, 9}},
		"a key with dots":               {"the longest name that fits", 0, "spec.config.retention.ms", Position{7, 5, 17}},
		"a key in brackets":             {"the same", 0, "spec.config[retention.ms]", Position{7, 5, 17}},
		"a key in quotes":               {"where it ends is not known", 0, "spec.config[quoted.key]", Position{8, 5, 0}},
		"an item":                       {"the item itself", 0, "spec.unmanagedConfig[0]", Position{10, 5, 10}},
		"an item in quotes":             {"the item itself", 0, "spec.unmanagedConfig[1]", Position{11, 5, 0}},
		"an item that is not there":     {"the list", 0, "spec.unmanagedConfig[7]", Position{9, 3, 18}},
		"a field that is not there":     {"what lacks it", 0, "spec.partitions", Position{5, 1, 5}},
		"in a flow mapping":             {"the key, not the brace", 0, "metadata.name", Position{4, 12, 16}},
		"no field":                      {"the first of the document's own lines", 0, "", Position{2, 1, 0}},
		"a field that begins as one is": {"specs is not spec", 0, "specs", Position{2, 1, 0}},
		"JSON":                          {"the second document's own lines count from the first of the file", 1, "metadata.labels.a", Position{14, 39, 0}},
		"in a list":                     {"the item's own", 2, "metadata.name", Position{22, 5, 9}},
		"through an alias":              {"where it is written", 3, "metadata.name", Position{22, 5, 9}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := all[tt.object].Position(tt.field); got != tt.want {
				t.Errorf("%s: %s is at %+v, want %+v", tt.reason, tt.field, got, tt.want)
			}
		})
	}
}

func TestReaderReadsEveryKind(t *testing.T) {
	tests := map[string]struct {
		reason, text string
		faults       []string
	}{
		"a KafkaCluster":                  {"it has no namespace, and is given none", "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaCluster\nmetadata: {name: a}\nspec: {bootstrapServers: ['a:1']}", nil},
		"a KafkaCluster with a namespace": {"there is none for it", "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaCluster\nmetadata: {name: a, namespace: b}\nspec: {bootstrapServers: ['a:1']}", []string{"metadata metadata.namespace: not allowed on this type"}},
		"a ProducerProfile":               {"its rules too", "apiVersion: kafka.mooring.dev/v1alpha1\nkind: ProducerProfile\nmetadata: {name: a}\nspec: {delivery: {retries: 0}}", []string{"rule spec.delivery.retries: with 0 retries"}},
		"a KafkaTopic":                    {"its schema", "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaTopic\nmetadata: {name: a}\nspec: {partitions: x}", []string{"schema spec.partitions: must be an integer"}},
		"somebody else's":                 {"not ours to judge", "apiVersion: v1\nkind: Secret\nmetadata: 7", nil},
		"no kind":                         {"nothing can be said", "apiVersion: v1", []string{"kind kind: is missing"}},
		"another version":                 {"not one of this program's", "apiVersion: kafka.mooring.dev/v9\nkind: KafkaTopic", []string{"kind apiVersion: this program reads kafka.mooring.dev/v1alpha1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			all := objects(t, tt.text)
			if len(all) != 1 || len(all[0].Faults) != len(tt.faults) {
				t.Fatalf("%s: %+v", tt.reason, all)
			}
			for i, want := range tt.faults {
				f := all[0].Faults[i]
				if got := string(f.Kind) + " " + f.Field + ": " + f.Message; !strings.HasPrefix(got, want) {
					t.Errorf("%s: %q, want %q", tt.reason, got, want)
				}
			}
		})
	}
}
