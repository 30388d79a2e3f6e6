package producer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func legalTopic(name string) bool {
	return topicName.MatchString(name) && name != "." && name != ".." && !strings.HasPrefix(name, "__")
}

// connectionRules are about the way to the brokers.
var connectionRules = []Rule{
	{
		ID: "bootstrap-single", Severity: Warning, Fields: []string{"KafkaCluster spec.bootstrapServers"},
		Sentence: "with one bootstrap server no producer can start while it is down; name two or three",
		Source:   "Kafka documentation, bootstrap.servers",
		check: func(c *Config) []hit {
			if servers := c.Bootstrap(); len(servers) != 1 || c.Values[propBootstrap].Origin != OriginCluster {
				return nil
			}
			return say("", "KafkaCluster %s has one bootstrap server, and no producer can start while it is down; name two or three, or a load balancer's name with several addresses", c.Cluster)
		},
	},
	{
		ID: "bootstrap-many", Severity: Advice, Fields: []string{"KafkaCluster spec.bootstrapServers"},
		Sentence: "more than five bootstrap servers help nobody: three or four find the rest; shorten the list",
		Source:   "Kafka documentation, bootstrap.servers",
		check:    when(func(c *Config) bool { return len(c.Bootstrap()) > 5 }),
	},
	{
		ID: "credentials-certificate-without-tls", Severity: Error, Fields: []string{"spec.credentials.mechanism"},
		Sentence: "credentials without a mechanism are a client certificate, and the KafkaCluster has no tls; set spec.credentials.mechanism",
		Source:   "Mooring",
		check: when(func(c *Config) bool {
			return c.Known && c.Spec.Credentials != nil && c.Spec.Credentials.Mechanism == "" && !c.Security.TLS && c.Security.CertificateFile != ""
		}),
	},
	{
		ID: "credentials-in-the-clear", Severity: Warning, Fields: []string{"spec.credentials.mechanism"},
		Sentence: "the KafkaCluster has no tls, so that PLAIN and OAUTHBEARER send the credentials in the clear; turn TLS on, or use SCRAM",
		Source:   "RFC 4616; RFC 7628",
		check: when(func(c *Config) bool {
			m := c.Security.Mechanism
			return c.Known && !c.Security.TLS && (m == string(v1alpha1.SASLPlain) || m == string(v1alpha1.SASLOAuthBearer))
		}),
	},
}

// chosenWords are the fields that take one of a few words, with those that the profile has. The API server refuses others
// by the schema; a manifest that is linted has not been there.
func (c *Config) chosenWords() []struct {
	field, word string
	allowed     []string
} {
	s, shim := &c.Spec, valueOf(c.Spec.Shim)
	return []struct {
		field, word string
		allowed     []string
	}{
		{"spec.ordering", string(s.Ordering), []string{"Strict", "Relaxed"}},
		{"spec.partitioner", string(s.Partitioner), []string{"Default", "RoundRobin"}},
		{"spec.enforcement", string(s.Enforcement), []string{"Enforce", "Audit"}},
		{"spec.shim.listeners", string(shim.Listeners), []string{"None", "Kafka", "HTTP", "All"}},
		{"spec.shim.mode", string(shim.Mode), []string{"Audit", "Upgrade", "Reject"}},
		{"spec.credentials.mechanism", string(valueOf(s.Credentials).Mechanism), []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"}},
	}
}

// scopeRules are about whom and what the profile is for.
var scopeRules = []Rule{
	{
		ID: "word-unknown", Severity: Error, Fields: []string{"spec"},
		Sentence: "a field that takes one of a few words has another one; the message names those that it takes",
		Source:   "the API's own lists",
		check: func(c *Config) []hit {
			var hits []hit
			for _, w := range c.chosenWords() {
				if w.word != "" && !slices.Contains(w.allowed, w.word) {
					hits = append(hits, say(w.field, "%.100q is not known; it must be one of %s", w.word, strings.Join(w.allowed, ", "))...)
				}
			}
			return hits
		},
	},
	{
		ID: "topics-empty", Severity: Error, Fields: []string{"spec.topics"},
		CEL:      `!has(self.topics) || has(self.topics.names) || has(self.topics.prefixes) || has(self.topics.selector)`,
		Sentence: "spec.topics selects nothing, so that nothing might be written; add names, prefixes or a selector, or remove spec.topics to allow every topic",
		Source:   "Mooring",
		check: when(func(c *Config) bool {
			t := c.Spec.Topics
			return t != nil && t.Names == nil && t.Prefixes == nil && t.Selector == nil
		}),
	},
	{
		ID: "topic-name", Severity: Error, Fields: []string{"spec.topics.names"},
		CEL:      `!has(self.topics) || !has(self.topics.names) || self.topics.names.all(n, n.matches('^[a-zA-Z0-9._-]{1,249}$') && n != '.' && n != '..' && !n.startsWith('__'))`,
		Sentence: "a topic's name has letters, digits, '.', '_' and '-', at most 249 of them, is not '.' or '..', and does not begin with '__' (Kafka's own topics); mend spec.topics.names",
		Source:   "org.apache.kafka.common.internals.Topic",
		check: func(c *Config) []hit {
			var hits []hit
			for i, name := range valueOf(c.Spec.Topics).Names {
				if !legalTopic(name) {
					hits = append(hits, say(fmt.Sprintf("spec.topics.names[%d]", i),
						"%.300q cannot be the name of a topic: letters, digits, '.', '_' and '-', at most 249, not '.' or '..', and not beginning with '__'", name)...)
				}
			}
			return hits
		},
	},
	{
		ID: "topic-prefix", Severity: Error, Fields: []string{"spec.topics.prefixes"},
		CEL:      `!has(self.topics) || !has(self.topics.prefixes) || self.topics.prefixes.all(p, p.matches('^[a-zA-Z0-9._-]{1,249}$') && !p.startsWith('__'))`,
		Sentence: "a prefix of topic names has letters, digits, '.', '_' and '-', at most 249 of them, and does not begin with '__' (Kafka's own topics); mend spec.topics.prefixes",
		Source:   "org.apache.kafka.common.internals.Topic",
		check: func(c *Config) []hit {
			var hits []hit
			for i, p := range valueOf(c.Spec.Topics).Prefixes {
				if !topicName.MatchString(p) || strings.HasPrefix(p, "__") {
					hits = append(hits, say(fmt.Sprintf("spec.topics.prefixes[%d]", i),
						"no topic's name can begin with %.300q; use letters, digits, '.', '_' and '-', and do not begin with '__'", p)...)
				}
			}
			return hits
		},
	},
	{
		ID: "quota-empty", Severity: Error, Fields: []string{"spec.quota"},
		CEL:      `!has(self.quota) || has(self.quota.producerByteRate) || has(self.quota.requestPercentage)`,
		Sentence: "spec.quota bounds nothing; set producerByteRate or requestPercentage, or remove spec.quota",
		Source:   "KIP-546",
		check: when(func(c *Config) bool {
			q := c.Spec.Quota
			return q != nil && q.ProducerByteRate == nil && q.RequestPercentage == nil
		}),
	},
	{
		ID: "quota-rate", Severity: Error, Fields: []string{"spec.quota.producerByteRate"},
		CEL:      `!has(self.quota) || !has(self.quota.producerByteRate) || (quantity(string(self.quota.producerByteRate)).isInteger() && quantity(string(self.quota.producerByteRate)).isGreaterThan(quantity('0')))`,
		Sentence: "spec.quota.producerByteRate must be a whole number of bytes per second above 0, for example 10Mi",
		Source:   "KIP-546; broker quota producer_byte_rate",
		check: when(func(c *Config) bool {
			q := valueOf(c.Spec.Quota).ProducerByteRate
			if q == nil {
				return false
			}
			n, whole := q.AsInt64()
			return !whole || n <= 0
		}),
	},
	{
		ID: "selector-selects-all", Severity: Warning, Fields: []string{"spec.selector"},
		Sentence: "an empty selector binds every pod of namespaces with injection enabled, producers or not; add labels, or remove spec.selector and annotate",
		Source:   "Mooring",
		check: when(func(c *Config) bool {
			s := c.Spec.Selector
			return s != nil && len(s.MatchLabels) == 0 && len(s.MatchExpressions) == 0
		}),
	},
	{
		ID: "round-robin-scatters-keys", Severity: Warning, Fields: []string{"spec.partitioner"},
		Sentence: "RoundRobin spreads records with the same key over all partitions, so that their order is lost; use Default unless no record has a key",
		Source:   "RoundRobinPartitioner of kafka-clients 4.3",
		check:    when(func(c *Config) bool { return c.Spec.Partitioner == v1alpha1.PartitionerRoundRobin }),
	},
	{
		ID: "quota-client-id-spring", Severity: Warning, Fields: []string{"spec.quota.clientID"},
		Sentence: "Spring puts a number behind client.id (checkout-1), so that a quota with a client ID does not meet its producers; use spec.quota.user without spec.quota.clientID",
		Source:   "DefaultKafkaProducerFactory of spring-kafka 4.0; test/conformance",
		check: when(func(c *Config) bool {
			q, i := valueOf(c.Spec.Quota), valueOf(c.Spec.Injection)
			return q.ClientID != "" && slices.Contains(i.Formats, v1alpha1.InjectionFormat(ClientSpring))
		}),
	},
	{
		ID: "shim-without-credentials", Severity: Warning, Fields: []string{"spec.credentials"},
		Sentence: "the KafkaCluster authenticates with SASL and spec.credentials is absent: the producers' principal is not the operator's, and brokers will refuse them; name a Secret in spec.credentials",
		Source:   "Mooring",
		check:    when(func(c *Config) bool { return c.clusterSASL && c.Spec.Credentials == nil }),
	},
}
