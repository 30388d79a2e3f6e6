package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/api/v1alpha1"
)

// of makes a manifest of the lines that follow metadata.
func of(name, rest string) string {
	return "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaTopic\nmetadata: {name: " + name + "}\n" + rest
}

func read(t testing.TB, text string) Set {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return s.Read("topics.yaml", []byte(text), "shop")
}

func TestReadProblems(t *testing.T) {
	tests := map[string]struct {
		reason string
		text   string
		want   []string
	}{
		"an unknown field": {
			reason: "A misspelt field is a setting that would be lost without a word.",
			text:   of("orders", "spec: {partition: 3}"),
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: spec.partition: there is no such field; did you mean partitions?"},
		},
		"an unknown field of the metadata": {
			reason: "The metadata is not part of the CRD's schema, and is judged all the same.",
			text:   "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaTopic\nmetadata: {name: orders, lables: {a: b}}\n",
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: metadata.lables: there is no such field"},
		},
		"a number in quotes": {
			reason: "Templates quote what they should not.",
			text:   of("orders", `spec: {partitions: "3"}`),
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: spec.partitions: must be an integer, and this is a string; write it without quotes"},
		},
		"a fraction as a configuration value": {
			reason: "No integer key of Kafka takes a fraction, and a string says it exactly.",
			text:   of("orders", "spec: {config: {min.cleanable.dirty.ratio: 0.5}}"),
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: spec.config.min.cleanable.dirty.ratio: must be an integer or a string, and this is a number with a fraction; write it in quotes"},
		},
		"true as a configuration value": {
			reason: "YAML makes a boolean of it, and Kafka's configuration has strings.",
			text:   of("orders", "spec: {config: {preallocate: true}}"),
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: spec.config.preallocate: must be an integer or a string, and this is true or false; write it in quotes"},
		},
		"a value that is out of range": {
			reason: "The schema's bounds hold.",
			text:   of("orders", "spec: {partitions: 0}"),
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: spec.partitions: should be greater than or equal to 1 (it is 0)"},
		},
		"an enum": {
			reason: "The allowed values are in the message.",
			text:   of("orders", "spec: {adoption: adopt}"),
			want:   []string{`topics.yaml:1: KafkaTopic shop/orders: spec.adoption: "adopt" is not allowed; supported values: "Review", "Adopt", "Refuse"`},
		},
		"the same thing twice in a set": {
			reason: "List types are the API server's business, so ours.",
			text:   of("orders", "spec: {acknowledge: [RetentionCut, RetentionCut]}"),
			want:   []string{`topics.yaml:1: KafkaTopic shop/orders: spec.acknowledge[1]: is there twice (it is "RetentionCut")`},
		},
		"a CEL rule over two fields": {
			reason: "Rules of the CRD are judged without an API server.",
			text:   of("orders", "spec: {replicationFactor: 2, minInsyncReplicas: 3}"),
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: spec.minInsyncReplicas: minInsyncReplicas must not be above replicationFactor:"},
		},
		"a CEL rule over a map": {
			reason: "min.insync.replicas has a field of its own.",
			text:   of("orders", "spec: {config: {min.insync.replicas: 2}}"),
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: spec.config: set spec.minInsyncReplicas instead of min.insync.replicas in config"},
		},
		"Kafka's own topics": {
			reason: "The name rules are CEL too.",
			text:   of("orders", "spec: {topicName: __consumer_offsets}"),
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: spec.topicName: topicName must not begin with '__':"},
		},
		"a name that Kubernetes does not take": {
			reason: "Topic names may have capitals and underscores, object names may not.",
			text:   of("Orders_x", ""),
			want:   []string{`topics.yaml:1: KafkaTopic shop/Orders_x: metadata.name: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (it is "Orders_x")`},
		},
		"no name": {
			reason: "generateName gives a topic a name that nobody can plan for.",
			text:   "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaTopic\nmetadata: {generateName: orders-}\n",
			want:   []string{"topics.yaml:1: KafkaTopic without a name: metadata.name: is missing; a topic has to be known by its name before it can be planned"},
		},
		"no metadata": {
			reason: "What is missing is named.",
			text:   "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaTopic\n",
			want:   []string{"topics.yaml:1: KafkaTopic without a name: metadata.name: is missing"},
		},
		"a spec that is no object": {
			reason: "A wrong type anywhere is a sentence.",
			text:   of("orders", "spec: [1]"),
			want:   []string{"topics.yaml:1: KafkaTopic shop/orders: spec: must be an object, and this is a list"},
		},
		"another version": {
			reason: "A version that this program does not know is no other kind.",
			text:   "apiVersion: kafka.mooring.dev/v2\nkind: KafkaTopic\n",
			want:   []string{"topics.yaml:1: apiVersion: this program reads KafkaTopics of kafka.mooring.dev/v1alpha1, and this one is of kafka.mooring.dev/v2"},
		},
		"no kind": {
			reason: "A values file beside the manifests is told apart.",
			text:   "replicas: 3\n",
			want:   []string{"topics.yaml:1: kind: is missing; a manifest for a topic begins with apiVersion: kafka.mooring.dev/v1alpha1 and kind: KafkaTopic"},
		},
		"a document that is a list": {
			reason: "The message says what it is.",
			text:   "- a\n- b\n",
			want:   []string{"topics.yaml:1: want an object with apiVersion and kind, and this is a list"},
		},
		"the same key twice": {
			reason: "YAML would take the last one without a word.",
			text:   of("orders", "spec: {partitions: 1}\nspec: {partitions: 2}\n"),
			want:   []string{`topics.yaml:1: not YAML: unmarshal errors: line 5: key "spec" already set in map`},
		},
		"the same key twice in JSON": {
			reason: "JSON would, too.",
			text:   `{"apiVersion": "v1", "kind": "List", "kind": "KafkaTopic"}`,
			want:   []string{`topics.yaml:1: duplicate field "kind"`},
		},
		"no YAML, in the third document": {
			reason: "The line is that of the file, so that an editor can jump to it.",
			text:   "# nothing\n---\n" + of("a", "") + "---\nspec: [1\nb: 2\n",
			want:   []string{"topics.yaml:7 (document 3): not YAML: line 7: did not find expected ',' or ']'"},
		},
		"text behind a separator": {
			reason: "kubectl refuses it, and YAML would read it.",
			text:   "--- kind: x\n",
			want:   []string{"topics.yaml:1 (document 2): there is text after the separator ---; begin the document on the next line, as kubectl wants it"},
		},
		"two problems in one document and one in another": {
			reason: "All of them are told at once.",
			text:   of("a", "spec: {partitions: 0, mode: Watch}") + "\n---\n" + of("b", "spec: {x: 1}"),
			want: []string{
				`topics.yaml:1: KafkaTopic shop/a: spec.mode: "Watch" is not allowed; supported values: "Manage", "Observe"`,
				"topics.yaml:1: KafkaTopic shop/a: spec.partitions: should be greater than or equal to 1 (it is 0)",
				"topics.yaml:6 (document 2): KafkaTopic shop/b: spec.x: there is no such field",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			set := read(t, test.text)
			var got []string
			for _, p := range set.Problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(test.want, got, samePrefix); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", test.reason, diff)
			}
		})
	}
}

// samePrefix lets a wanted text that ends in a colon stand for all that begin with it: the rest is the CRD's to say.
var samePrefix = cmp.Comparer(func(a, b string) bool {
	return a == b || (strings.HasSuffix(a, ":") && strings.HasPrefix(b, a)) || (strings.HasSuffix(b, ":") && strings.HasPrefix(a, b))
})

func TestReadTopics(t *testing.T) {
	tests := map[string]struct {
		reason string
		text   string
		topics []string
		notes  []string
	}{
		"documents, some of them empty": {
			reason: "Templates leave empty documents behind.",
			text:   "---\n---\n" + of("a", "") + "---\n# nothing\n---\n" + of("b", "metadata2: 1")[:len(of("b", ""))] + "\n---\n",
			topics: []string{"shop/a@3", "shop/b@9"},
		},
		"JSON": {
			reason: "kubectl takes it, one value after the other.",
			text:   `{"apiVersion":"kafka.mooring.dev/v1alpha1","kind":"KafkaTopic","metadata":{"name":"a"}}` + "\n" + `{"apiVersion":"kafka.mooring.dev/v1alpha1","kind":"KafkaTopic","metadata":{"name":"b","namespace":"other"}}`,
			topics: []string{"shop/a@1", "other/b@1"},
		},
		"YAML that begins with a brace": {
			reason: "A flow mapping is no JSON.",
			text:   "{apiVersion: kafka.mooring.dev/v1alpha1, kind: KafkaTopic, metadata: {name: a}}",
			topics: []string{"shop/a@1"},
		},
		"a list": {
			reason: "kubectl get -o yaml writes one.",
			text:   "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: kafka.mooring.dev/v1alpha1, kind: KafkaTopic, metadata: {name: a}}\n- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}}\n",
			topics: []string{"shop/a@1"},
			notes:  []string{"topics.yaml:1: left aside: Secret ns/s is not a KafkaTopic"},
		},
		"a typed list": {
			reason: "Its items need not say what they are.",
			text:   "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaTopicList\nitems:\n- {metadata: {name: a}}\n",
			topics: []string{"shop/a@1"},
		},
		"what an API server has written": {
			reason: "A manifest may come from kubectl get, with a status, which says nothing about what is wanted.",
			text:   of("a", "spec: {}\nstatus: {topicID: AAAAAAAAAAAAAAAAAAAAAA, nonsense: 1}"),
			topics: []string{"shop/a@1"},
		},
		"CRLF and a byte order mark": {
			reason: "Files come from Windows.",
			text:   "\xef\xbb\xbf" + strings.ReplaceAll("---\n"+of("a", "spec: {partitions: 3}\n"), "\n", "\r\n"),
			topics: []string{"shop/a@2"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			set := read(t, test.text)
			if len(set.Problems) > 0 {
				t.Fatalf("%s\n%v", test.reason, set.Problems)
			}
			var topics []string
			for _, topic := range set.Topics {
				topics = append(topics, topic.Name()+"@"+strings.TrimPrefix(topic.Source.String(), "topics.yaml:"))
				if topic.KafkaTopic.Status.TopicID != "" {
					t.Errorf("a status was read")
				}
			}
			if diff := cmp.Diff(test.topics, topics); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", test.reason, diff)
			}
			if diff := cmp.Diff(test.notes, set.Notes); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", test.reason, diff)
			}
		})
	}
}

func TestReadDefaults(t *testing.T) {
	set := read(t, of("orders", "spec: {config: {retention.ms: 1e6, segment.bytes: 9007199254740993}}"))
	if len(set.Topics) != 1 {
		t.Fatal(set.Problems)
	}
	got := set.Topics[0].KafkaTopic.Spec
	if got.ClusterRef.Name != "default" || got.Adoption != v1alpha1.AdoptionReview || got.ConfigOwnership != v1alpha1.ConfigMerge || *got.Reassignment.PartitionsAtOnce != 10 {
		t.Errorf("the CRD's defaults are missing: %+v", got)
	}
	for key, want := range map[string]string{"retention.ms": "1000000", "segment.bytes": "9007199254740993"} {
		if value := got.Config[key]; value.String() != want {
			t.Errorf("%s is %s, want %s: integers are exact", key, value.String(), want)
		}
	}
}

func TestCheckUnique(t *testing.T) {
	set := read(t, of("a", "")+"\n---\n"+of("b", "")+"\n---\n"+of("a", ""))
	set.CheckUnique()
	if len(set.Problems) != 1 || !strings.HasPrefix(set.Problems[0].String(), "topics.yaml:11 (document 3): KafkaTopic shop/a: metadata.name: topics.yaml:1 has the same KafkaTopic") {
		t.Errorf("the second shop/a is to be a problem that names the first: %v", set.Problems)
	}
}

func TestCheckUpdate(t *testing.T) {
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		reason       string
		before, then string
		field        string
	}{
		"the same":             {"A manifest that changes nothing is taken.", "spec: {partitions: 3}", "spec: {partitions: 3}", ""},
		"growth":               {"Growing is allowed.", "spec: {partitions: 3}", "spec: {partitions: 6}", ""},
		"a shrink":             {"The transition rule of the CRD holds.", "spec: {partitions: 3}", "spec: {partitions: 2}", "spec.partitions"},
		"another cluster":      {"A topic does not move.", "", "spec: {clusterRef: {name: other}}", "spec.clusterRef"},
		"another topic's name": {"A topic has no second name.", "", "spec: {topicName: other}", "spec.topicName"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before, then := read(t, of("a", test.before)), read(t, of("a", test.then))
			problems := s.CheckUpdate(then.Topics[0], before.Topics[0].KafkaTopic)
			field := ""
			if len(problems) > 0 {
				field = problems[0].Field
			}
			if field != test.field {
				t.Errorf("%s Got problems %v, want one about %q", test.reason, problems, test.field)
			}
		})
	}
}
