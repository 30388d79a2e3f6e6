package producer

import (
	"regexp"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

func (c *Config) idTemplate() string {
	if c.Spec.Transactions == nil {
		return ""
	}
	return c.Spec.Transactions.IDTemplate
}

var idTemplate = regexp.MustCompile(`^([^{}]|\{(namespace|workload|pod|ordinal|container)\})*$`)

var transactionRules = []Rule{
	{
		ID: "transactions-need-guarantee", Severity: Error, Fields: []string{"spec.transactions", "spec.guarantee"},
		CEL:      `!has(self.transactions) || self.guarantee == 'Transactional'`,
		Sentence: "spec.transactions is for the guarantee Transactional; set spec.guarantee to Transactional, or remove spec.transactions",
		Source:   "ProducerConfig of kafka-clients 4.3: a transactional.id needs idempotence",
		check: when(func(c *Config) bool {
			return c.Spec.Transactions != nil && c.Guarantee != v1alpha1.Transactional
		}),
	},
	{
		ID: "transactional-id-missing", Severity: Error, Fields: []string{"spec.transactions.idTemplate"},
		CEL:      `!has(self.guarantee) || self.guarantee != 'Transactional' || (has(self.transactions) && has(self.transactions.idTemplate) && size(self.transactions.idTemplate) > 0)`,
		Sentence: "the guarantee Transactional needs spec.transactions.idTemplate, for example {namespace}-{workload}-{ordinal}",
		Source:   "KIP-98",
		check:    when(func(c *Config) bool { return c.Guarantee == v1alpha1.Transactional && c.idTemplate() == "" }),
	},
	{
		ID: "transactional-id-placeholder", Severity: Error, Fields: []string{"spec.transactions.idTemplate"},
		CEL:      `!has(self.transactions) || !has(self.transactions.idTemplate) || self.transactions.idTemplate.matches('^([^{}]|\\{(namespace|workload|pod|ordinal|container)\\})*$')`,
		Sentence: "spec.transactions.idTemplate knows {namespace}, {workload}, {pod}, {ordinal} and {container}, and no other braces; mend the placeholder",
		Source:   "Mooring",
		check:    when(func(c *Config) bool { return !idTemplate.MatchString(c.idTemplate()) }),
	},
	{
		ID: "transactional-id-shared", Severity: Error, Fields: []string{"spec.transactions.idTemplate"},
		CEL:      `!has(self.transactions) || !has(self.transactions.idTemplate) || size(self.transactions.idTemplate) == 0 || self.transactions.idTemplate.contains('{pod}') || self.transactions.idTemplate.contains('{ordinal}')`,
		Sentence: "without {pod} or {ordinal} all replicas have one transactional.id, and each that starts fences the one before; add {ordinal} (StatefulSets) or {pod} to spec.transactions.idTemplate",
		Source:   "KIP-98, KIP-447: a second producer with the same ID fences the first",
		check: when(func(c *Config) bool {
			t := c.idTemplate()
			return t != "" && !strings.Contains(t, "{pod}") && !strings.Contains(t, "{ordinal}")
		}),
	},
	{
		ID: "transactional-id-collides", Severity: Warning, Fields: []string{"spec.transactions.idTemplate"},
		Sentence: "{ordinal} alone is the same in every workload and namespace that uses the profile; add {namespace} and {workload} to spec.transactions.idTemplate",
		Source:   "KIP-98",
		check: when(func(c *Config) bool {
			t := c.idTemplate()
			return strings.Contains(t, "{ordinal}") && !strings.Contains(t, "{pod}") &&
				(!strings.Contains(t, "{workload}") || !strings.Contains(t, "{namespace}"))
		}),
	},
	{
		ID: "two-phase-commit-timeout", Severity: Error, Fields: []string{"spec.transactions.timeout"},
		CEL: `!has(self.properties) || !('transaction.two.phase.commit.enable' in self.properties) || ` +
			`string(self.properties['transaction.two.phase.commit.enable']).trim().lowerAscii() != 'true' || !has(self.transactions) || !has(self.transactions.timeout)`,
		Sentence: "with transaction.two.phase.commit.enable transactions never expire, and the Java client does not start with a transaction.timeout.ms beside it; remove spec.transactions.timeout",
		Source:   "KIP-939; ProducerConfig of kafka-clients 4.1 and later",
		check: when(func(c *Config) bool {
			return c.Spec.Transactions != nil && c.Spec.Transactions.Timeout != nil && c.truth(propTwoPhaseCommit)
		}),
	},
	{
		ID: "transaction-timeout-above-broker", Severity: Warning, Fields: []string{"spec.transactions.timeout"},
		Sentence: "brokers refuse a transaction.timeout.ms above their transaction.max.timeout.ms, which is 15 minutes unless it was raised; lower spec.transactions.timeout",
		Source:   "broker property transaction.max.timeout.ms; INVALID_TRANSACTION_TIMEOUT",
		check: func(c *Config) []hit {
			if n, ok := c.whole(propTransactionTimeout); !ok || n <= 900000 {
				return nil
			}
			return []hit{{}}
		},
	},
	{
		ID: "delivery-outlives-transaction", Severity: Advice, Fields: []string{"spec.delivery.deliveryTimeout", "spec.transactions.timeout"},
		Sentence: "a record may be tried for longer than its transaction lives; librdkafka is given the shorter time; set spec.delivery.deliveryTimeout to spec.transactions.timeout (60s unless set) or less",
		Source:   "librdkafka: message.timeout.ms must be <= transaction.timeout.ms",
		check: when(func(c *Config) bool {
			delivery, okDelivery := c.whole(propDeliveryTimeout)
			transaction, okTransaction := c.whole(propTransactionTimeout)
			_, byProfile := c.Get(propTransactionalID)
			return byProfile && okDelivery && okTransaction && delivery > transaction && c.Values[propDeliveryTimeout].Origin == OriginProfile
		}),
	},
}
