package producer

import "fmt"

// TopicLimits are what a topic takes.
type TopicLimits struct {
	Name string
	// MaxMessageBytes is max.message.bytes, the largest record batch after compression; 0 is not known.
	MaxMessageBytes int64
}

// CheckTopics judges a configuration against the topics that it writes.
func CheckTopics(c Config, topics []TopicLimits) []Finding {
	request, ok := c.whole(propMaxRequestSize)
	if !ok {
		return nil
	}
	var findings []Finding
	for _, t := range topics {
		if t.MaxMessageBytes <= 0 || request <= t.MaxMessageBytes || c.Values[propMaxRequestSize].Origin != OriginProfile {
			continue
		}
		findings = append(findings, Finding{
			Rule: "request-above-topic", Severity: Warning, Field: "spec.batching.maxRequestSize",
			Message: fmt.Sprintf("a record as large as %d bytes may be sent, and topic %s takes batches of %d (max.message.bytes): it would be refused with MESSAGE_TOO_LARGE; lower spec.batching.maxRequestSize, or raise the topic's max.message.bytes",
				request, t.Name, t.MaxMessageBytes),
		})
	}
	return findings
}

// CheckGrace judges a configuration against the time that a pod has to end. Below zero is not known.
func CheckGrace(c Config, graceSeconds int64) []Finding {
	delivery, ok := c.whole(propDeliveryTimeout)
	if !ok || graceSeconds < 0 {
		return nil
	}
	need, field, what := delivery, "spec.delivery.deliveryTimeout", "a record may be tried for"
	if c.hasShim() && c.Spec.Shim.Drain != nil {
		need, field, what = c.Spec.Shim.Drain.Milliseconds(), "spec.shim.drain", "the shim may flush for"
	}
	if need <= graceSeconds*1000 {
		return nil
	}
	return []Finding{{
		Rule: "grace-too-short", Severity: Warning, Field: field,
		Message: fmt.Sprintf("%s %d ms, and the pod has %d s to end (terminationGracePeriodSeconds): what is not sent by then is lost; raise the grace period to %d s, or lower %s",
			what, need, graceSeconds, (need+999)/1000, field),
	}}
}

// factRules are what CheckTopics, CheckGrace and the reconcile of a profile say; they need more than a configuration, so
// their rows check nothing.
var factRules = []Rule{
	{
		ID: "request-above-topic", Severity: Warning, Fields: []string{"spec.batching.maxRequestSize"},
		Sentence: "a record larger than a topic's max.message.bytes is refused with MESSAGE_TOO_LARGE; lower spec.batching.maxRequestSize, or raise the topic's max.message.bytes",
		Source:   "topic property max.message.bytes", check: func(*Config) []hit { return nil },
	},
	{
		ID: "grace-too-short", Severity: Warning, Fields: []string{"spec.shim.drain", "spec.delivery.deliveryTimeout"},
		Sentence: "a pod that must end sooner than its last records can be delivered loses them; raise terminationGracePeriodSeconds, or lower spec.shim.drain or spec.delivery.deliveryTimeout",
		Source:   "Kubernetes pod lifecycle", check: func(*Config) []hit { return nil },
	},
	{
		ID: "idempotent-write-acl", Severity: Warning, Fields: []string{"spec.guarantee"},
		Sentence: "brokers older than Kafka 2.8 that have an authorizer let nobody be idempotent without the ACL IDEMPOTENT_WRITE on the cluster; grant it to the producers' principal, or set spec.authorization.mode to Manage",
		Source:   "KIP-679", check: func(*Config) []hit { return nil },
	},
	{
		ID: "acl-denied", Severity: Warning, Fields: []string{"spec.authorization.principal"},
		Sentence: "a DENY ACL that the profile did not make reaches what its principal is to be allowed, and a DENY is stronger; delete it, unless it is meant so",
		Source:   "org.apache.kafka.metadata.authorizer.StandardAuthorizer", check: func(*Config) []hit { return nil },
	},
}
