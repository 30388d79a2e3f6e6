package export

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/internal/topic"
)

func TestNames(t *testing.T) {
	tests := map[string]struct {
		reason string
		topics []string
		want   map[string]string
	}{
		"valid names":      {"They are kept.", []string{"orders", "a.b", "a-b"}, map[string]string{"orders": "orders", "a.b": "a.b", "a-b": "a-b"}},
		"capitals and _":   {"Kubernetes takes neither.", []string{"Order_Events"}, map[string]string{"Order_Events": "order-events"}},
		"odd labels":       {"Labels begin and end with a letter or digit.", []string{"_a_._b_..c."}, map[string]string{"_a_._b_..c.": "a.b.c"}},
		"nothing is left":  {"There is still a name.", []string{"_._"}, map[string]string{"_._": "topic"}},
		"clash with valid": {"The valid one keeps its name, whatever the order.", []string{"a_b", "a-b"}, map[string]string{"a-b": "a-b", "a_b": "a-b-648fa9b3"}},
		"clash of two":     {"Neither has the name, so that neither depends on the order.", []string{"A", "a_", "b"}, map[string]string{"A": "a-559aead0", "a_": "a-571fb0e3", "b": "b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Names(test.topics)); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", test.reason, diff)
			}
		})
	}
}

// TestNamesHold: whatever the topics, every one has a name of its own that Kubernetes takes, and the order does not matter.
func TestNamesHold(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := "aAbB._-0"
	for round := range 200 {
		seen := make(map[string]bool)
		for range 1 + random.IntN(300) {
			length := 1 + random.IntN(6)
			if random.IntN(20) == 0 {
				length = 249 - random.IntN(3)
			}
			var b strings.Builder
			for range length {
				b.WriteByte(alphabet[random.IntN(len(alphabet))])
			}
			seen[b.String()] = true
		}
		var topics []string
		for topic := range seen {
			topics = append(topics, topic)
		}
		names := Names(topics)
		slices.Sort(topics)
		if diff := cmp.Diff(names, Names(topics)); diff != "" {
			t.Fatalf("round %d: the order of the topics matters:\n%s", round, diff)
		}
		owner := make(map[string]string)
		for topic, name := range names {
			if errs := validation.IsDNS1123Subdomain(name); len(errs) > 0 || len(name)+len(".yaml") > 255 {
				t.Fatalf("round %d: topic %q is named %q: %v", round, topic, name, errs)
			}
			if other, taken := owner[name]; taken {
				t.Fatalf("round %d: topics %q and %q are both named %q", round, topic, other, name)
			}
			owner[name] = topic
			if valid := len(validation.IsDNS1123Subdomain(topic)) == 0; valid && name != topic {
				t.Fatalf("round %d: topic %q is valid and named %q", round, topic, name)
			}
		}
		if len(names) != len(topics) {
			t.Fatalf("round %d: %d names for %d topics", round, len(names), len(topics))
		}
	}
}

func set(value string) topic.Entry {
	return topic.Entry{Value: &value, Source: topic.SourceDynamicTopic}
}

func inherited(value string) topic.Entry {
	return topic.Entry{Value: &value, Source: topic.SourceDefault}
}

// on makes partitions with these replicas.
func on(replicas ...[]int32) []topic.Partition {
	var partitions []topic.Partition
	for i, r := range replicas {
		partitions = append(partitions, topic.Partition{Number: int32(i), Leader: r[0], Replicas: r, ISR: r})
	}
	return partitions
}

func TestYAML(t *testing.T) {
	two, three := []int32{1, 2}, []int32{1, 2, 3}
	tests := map[string]struct {
		reason   string
		topic    string
		name     string
		observed topic.Observed
		options  Options
		want     string
	}{
		"a plain topic": {
			reason:   "What is inherited is left out, so that it goes on to be inherited.",
			topic:    "orders",
			observed: topic.Observed{Partitions: on(three, three), Config: map[string]topic.Entry{"retention.ms": inherited("604800000"), "min.insync.replicas": inherited("1")}},
			want:     "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaTopic\nmetadata:\n  name: orders\nspec:\n  partitions: 2\n  replicationFactor: 3\n",
		},
		"everything": {
			reason: "Numbers are numbers, words are words, and what YAML would take for another thing is in quotes.",
			topic:  "Orders", name: "orders", options: Options{Namespace: "shop", ClusterRef: "prod"},
			observed: topic.Observed{Partitions: on(three), Config: map[string]topic.Entry{
				"min.insync.replicas": set("2"), "retention.ms": set("-1"), "cleanup.policy": set("compact,delete"), "compression.type": set("zstd"),
				"preallocate": set("true"), "min.cleanable.dirty.ratio": set("0.5"), "odd": set("a\"b\n\x1b\u0085é"), "empty": set(""), "big": set("9223372036854775807"), "zeros": set("007"),
			}},
			want: `apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata:
  name: orders
  namespace: shop
spec:
  clusterRef:
    name: prod
  topicName: Orders
  partitions: 1
  replicationFactor: 3
  minInsyncReplicas: 2
  config:
    big: "9223372036854775807"
    cleanup.policy: "compact,delete"
    compression.type: zstd
    empty: ""
    min.cleanable.dirty.ratio: "0.5"
    odd: "a\"b\n\x1b\u0085\u00e9"
    preallocate: "true"
    retention.ms: -1
    zeros: "007"
`,
		},
		"what no manifest can or should say": {
			reason: "Throttles are a reassignment's, secrets are not shown, read-only keys cannot be set.",
			topic:  "orders",
			observed: topic.Observed{Partitions: on(two), Config: map[string]topic.Entry{
				"leader.replication.throttled.replicas": set("0:1"), "follower.replication.throttled.replicas": set("0:2"),
				"secret": {Source: topic.SourceDynamicTopic, Type: topic.TypePassword}, "fixed": {Value: new("1"), Source: topic.SourceDynamicTopic, ReadOnly: true},
				"min.insync.replicas": set("3"),
			}},
			want: `# fixed is read-only on this cluster, so it is left out.
# min.insync.replicas is 3, above the replication factor 2: no producer with acks=all can write. It is left out; set spec.minInsyncReplicas to mend it.
# secret is set, and the brokers do not show its value, so it is left out.
apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata:
  name: orders
spec:
  partitions: 1
  replicationFactor: 2
`,
		},
		"several replication factors": {
			reason:   "Any number would move replicas, so there is none.",
			topic:    "orders",
			observed: topic.Observed{Partitions: on(three, two, three, three, two), Config: map[string]topic.Entry{"min.insync.replicas": set("2")}},
			want: `# The partitions have several replication factors: 2 for partitions 1, 4, 3 for partitions 0, 2-3. spec.replicationFactor is left out; setting it moves replicas until all have that many.
apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata:
  name: orders
spec:
  partitions: 5
  minInsyncReplicas: 2
`,
		},
		"replicas on the move": {
			reason:   "A reassignment counts as done: applying the manifest is not to undo it.",
			topic:    "orders",
			observed: topic.Observed{Partitions: []topic.Partition{{Replicas: []int32{1, 2, 3, 4}, Adding: []int32{4}, Removing: []int32{1}}}},
			want:     "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaTopic\nmetadata:\n  name: orders\nspec:\n  partitions: 1\n  replicationFactor: 3\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.name == "" {
				test.name = test.topic
			}
			got := FromObserved(test.topic, test.name, test.observed, test.options).YAML()
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", test.reason, diff)
			}
		})
	}
}

func TestLeftOut(t *testing.T) {
	for name, want := range map[string]bool{"orders": false, "_schemas": false, "__consumer_offsets": true, "__amazon_msk_canary": true} {
		if got := LeftOut(name, false) != ""; got != want {
			t.Errorf("%s is left out: %v, want %v", name, got, want)
		}
	}
	if LeftOut("orders", true) == "" {
		t.Error("an internal topic is left out, whatever its name")
	}
}

// FuzzScalar: text is read back as the same text, and a configuration value as what Kafka would call the same.
func FuzzScalar(f *testing.F) {
	for _, seed := range []string{"", "a", "yes", "Null", "~", "1e5", "0x1F", "1_000", "0o7", "07", "-", "- a", "a: b", "a #b", "é", "\u2028", "\U0001F600", "\x00", "=", "<<", "2001-01-01", "12:30:45", ".inf", "-0", "1.0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ToValidUTF8(s, "") != s {
			t.Skip("Kafka's values are UTF-8")
		}
		var got map[string]any
		text := fmt.Sprintf("%s: %s\n", scalar("k"+s), configValue(s))
		if err := yaml.UnmarshalStrict([]byte(text), &got); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		value, ok := got["k"+s]
		if number, is := value.(float64); is && plainInteger.MatchString(s) && number == number {
			return // the YAML library's own JSON has floats only; the manifest reader keeps integers
		}
		if !ok || fmt.Sprint(value) != s {
			t.Fatalf("%q is read as %#v", text, got)
		}
	})
}
