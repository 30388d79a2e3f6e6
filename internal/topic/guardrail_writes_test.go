package topic_test

import (
	"strings"
	"testing"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

func TestRefuseWrites(t *testing.T) {
	const own = `^{{ .Namespace }}\.[a-z0-9.-]+$`
	tests := map[string]struct {
		reason   string
		pattern  string
		topics   v1alpha1.ProducerTopics
		selected []string
		want     string // part of the sentences; empty: taken
	}{
		"a name of its own":               {"the namespace may have that topic", own, v1alpha1.ProducerTopics{Names: []string{"shop.orders"}}, nil, ""},
		"a name of another team":          {"it may not have that topic", own, v1alpha1.ProducerTopics{Names: []string{"shop.orders", "bank.payments"}}, nil, `spec.topics.names[1] is "bank.payments": KafkaCluster default lets profiles of namespace shop manage ACLs of topics that match ^shop\.[a-z0-9.-]+$ as a whole (spec.topicPolicies[0].namePattern), and bank.payments does not`},
		"every topic":                     {"* is all topics to the brokers", own, v1alpha1.ProducerTopics{Names: []string{"*"}}, nil, "spec.topics.names[0]"},
		"a label on a topic of another":   {"a refused KafkaTopic can carry any label", own, v1alpha1.ProducerTopics{}, []string{"bank.payments"}, "take the label off its KafkaTopic"},
		"a prefix of its own":             {"what begins so is the namespace's", own, v1alpha1.ProducerTopics{Prefixes: []string{"shop."}}, nil, ""},
		"a longer prefix":                 {"what begins so is the namespace's", own, v1alpha1.ProducerTopics{Prefixes: []string{"shop.orders-"}}, nil, ""},
		"a shorter prefix":                {"shopping.carts begins so too", own, v1alpha1.ProducerTopics{Prefixes: []string{"shop"}}, nil, `spec.topics.prefixes[0] is "shop*"`},
		"the empty prefix":                {"every topic begins so", own, v1alpha1.ProducerTopics{Prefixes: []string{""}}, nil, "spec.topics.prefixes[0]"},
		"a prefix out of the class":       {"no name of the namespace begins so", own, v1alpha1.ProducerTopics{Prefixes: []string{"shop.X"}}, nil, "spec.topics.prefixes[0]"},
		"any tail":                        {"what begins so is the namespace's", `{{ .Namespace }}-.*`, v1alpha1.ProducerTopics{Prefixes: []string{"shop-x"}}, nil, ""},
		"a list of names":                 {"the prefix lets in shop-secret", `shop-(orders|payments)`, v1alpha1.ProducerTopics{Prefixes: []string{"shop-"}}, nil, "spec.topics.prefixes[0]"},
		"two beginnings":                  {"nobody can tell which", `(shop|store)\..*`, v1alpha1.ProducerTopics{Prefixes: []string{"shop."}}, nil, "spec.topics.prefixes[0]"},
		"letters of either case":          {"the fixed text is none", `(?i)shop\..*`, v1alpha1.ProducerTopics{Prefixes: []string{"shop."}}, nil, "spec.topics.prefixes[0]"},
		"an end that must be there":       {"the prefix lets in other ends", `shop\..*\.v[0-9]+`, v1alpha1.ProducerTopics{Prefixes: []string{"shop."}}, nil, "spec.topics.prefixes[0]"},
		"no pattern":                      {"nothing is bounded", "", v1alpha1.ProducerTopics{Names: []string{"bank.payments"}, Prefixes: []string{""}}, []string{"x"}, ""},
		"a pattern that is not one":       {"nobody can tell what was meant", "a)|(b", v1alpha1.ProducerTopics{Names: []string{"a"}}, nil, "correct the KafkaCluster"},
		"a pattern of nothing but a tail": {"every name is the namespace's", `.*`, v1alpha1.ProducerTopics{Prefixes: []string{""}}, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := topic.Guardrail{TopicPolicy: v1alpha1.TopicPolicy{NamePattern: tt.pattern}, Cluster: "default", Field: "spec.topicPolicies[0]"}
			var p v1alpha1.ProducerProfile
			p.Namespace, p.Spec.Topics = "shop", &tt.topics
			var got []string
			for _, v := range g.RefuseWrites(&p, tt.selected) {
				got = append(got, v.Refusal().Message)
			}
			said := strings.Join(got, "; ")
			if (tt.want == "") != (said == "") || !strings.Contains(said, tt.want) {
				t.Errorf("%s: %q, want %q", tt.reason, said, tt.want)
			}
		})
	}
}

func TestRefuseWritesOfAProfileWithoutTopics(t *testing.T) {
	g := topic.Guardrail{TopicPolicy: v1alpha1.TopicPolicy{NamePattern: "x"}}
	if got := g.RefuseWrites(&v1alpha1.ProducerProfile{}, nil); got != nil {
		t.Errorf("%v: it names nothing, which another rule is about", got)
	}
}
