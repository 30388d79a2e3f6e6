package producer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// withField are the properties that spec.properties does not take, because they have fields of their own.
var withField = []string{
	propAcks, propBatchSize, propBufferMemory, propCompression, propMaxIdle, propDeliveryTimeout, propIdempotence, propLinger,
	propInFlight, propMaxRequestSize, propMetadataMaxAge, propRequestTimeout, propRetries, propRetryBackoff,
	propTransactionTimeout, propTransactionalID,
}

// ofCluster are the properties that spec.properties does not take, because the KafkaCluster and the credentials say them.
var ofCluster = []string{
	propBootstrap, "config.providers", propSASLMechanism, propSecurityProtocol, "ssl.endpoint.identification.algorithm",
	"ssl.keystore.location", "ssl.keystore.type", "ssl.truststore.location", "ssl.truststore.type",
}

// secrets are the properties that hold one.
var secrets = func() []string {
	var names []string
	for _, p := range Properties() {
		if p.Type == Password {
			names = append(names, p.Name)
		}
	}
	return names
}()

// noneOfCEL says that spec.properties has none of the names.
func noneOfCEL(names []string) string {
	return "!has(self.properties) || !self.properties.exists(k, k in ['" + strings.Join(names, "', '") + "'])"
}

// eachProperty is a check of every entry of spec.properties. A configuration without a profile has no such entries.
func eachProperty(check func(c *Config, name, value string) string) func(*Config) []hit {
	return func(c *Config) []hit {
		var hits []hit
		for _, name := range slices.Sorted(maps.Keys(c.Spec.Properties)) {
			if message := check(c, name, c.Spec.Properties[name].String()); message != "" {
				hits = append(hits, hit{field: propertyField(name), message: message})
			}
		}
		return hits
	}
}

func listed(names []string, format func(name string) string) func(*Config) []hit {
	return eachProperty(func(_ *Config, name, _ string) string {
		if !slices.Contains(names, name) {
			return ""
		}
		return format(name)
	})
}

var propertyRules = []Rule{
	{
		ID: "property-unknown", Severity: Error, Fields: []string{"spec.properties"},
		Sentence: "spec.properties takes the names of the Java producer's properties; look the name up with kubectl mooring explain, or remove it",
		Source:   "ProducerConfig.configDef() of kafka-clients 4.3.1",
		check: eachProperty(func(_ *Config, name, _ string) string {
			if _, known := PropertyOf(name); known || isPassedOn(name) {
				return ""
			}
			return explainUnknown(name)
		}),
	},
	{
		ID: "property-value", Severity: Error, Fields: []string{"spec.properties"},
		Sentence: "a value in spec.properties must be what the property takes: its type, its range, one of its words",
		Source:   "ProducerConfig.configDef() of kafka-clients 4.3.1",
		check: eachProperty(func(_ *Config, name, value string) string {
			p, known := PropertyOf(name)
			if !known || p.Type == Password {
				return ""
			}
			if err := p.Check(value); err != nil {
				return fmt.Sprintf("%s is %.100q and %v", name, value, err)
			}
			return ""
		}),
	},
	{
		ID: "property-has-field", Severity: Error, Fields: []string{"spec.properties"},
		CEL:      noneOfCEL(withField),
		Sentence: "spec.properties is for what has no field of its own; acks, retries, timeouts, batching, transactions and connections are set in spec.delivery, spec.batching, spec.transactions and spec.connections, and enable.idempotence follows from spec.guarantee; move it there",
		Source:   "Mooring: two places for one value can differ",
		check: listed(withField, func(name string) string {
			return fmt.Sprintf("%s has a place of its own; remove it here and set %s", name, fieldOf(name))
		}),
	},
	{
		ID: "property-of-cluster", Severity: Error, Fields: []string{"spec.properties"},
		CEL:      noneOfCEL(ofCluster),
		Sentence: "how brokers are reached and trusted is the KafkaCluster's and spec.credentials' to say, for every client alike; remove it from spec.properties",
		Source:   "Mooring",
		check: listed(ofCluster, func(name string) string {
			return name + " follows from the KafkaCluster (bootstrapServers, tls) and spec.credentials; remove it"
		}),
	},
	{
		ID: "property-secret", Severity: Error, Fields: []string{"spec.properties"},
		CEL:      noneOfCEL(secrets),
		Sentence: "a secret does not belong into a ProducerProfile, which many may read; put it into a Secret and name that in spec.credentials",
		Source:   "ConfigDef.Type.PASSWORD of kafka-clients 4.3.1",
		check: listed(secrets, func(name string) string {
			return name + " holds a secret, and many may read a ProducerProfile; put it into a Secret and name that in spec.credentials"
		}),
	},
	{
		ID: "property-class", Severity: Warning, Fields: []string{"spec.properties"},
		Sentence: "a Java client does not start where a class that it is told to load is not on its class path; make sure that every application has it",
		Source:   "ConfigDef.Type.CLASS of kafka-clients 4.3.1",
		check: eachProperty(func(_ *Config, name, value string) string {
			p, _ := PropertyOf(name)
			loads := p.Type == Class || name == "interceptor.classes" || name == "metric.reporters" || name == "security.providers"
			if !loads || value == "" || strings.HasPrefix(value, "org.apache.kafka.") {
				return ""
			}
			return fmt.Sprintf("a Java client does not start unless %.200s is on its class path; other clients do not read %s at all", value, name)
		}),
	},
	{
		ID: "property-recent", Severity: Advice, Fields: []string{"spec.properties"},
		Sentence: "an older Java client ignores a property that it does not know yet",
		Source:   "ProducerConfig of each release",
		check: eachProperty(func(_ *Config, name, _ string) string {
			p, known := PropertyOf(name)
			if !known || !strings.HasPrefix(p.Since, "4.") {
				return ""
			}
			return fmt.Sprintf("Java clients before Kafka %s ignore %s", p.Since, name)
		}),
	},
	{
		ID: "partitioner-twice", Severity: Error, Fields: []string{"spec.properties[" + propPartitioner + "]", "spec.partitioner"},
		CEL:      `!has(self.partitioner) || !has(self.properties) || !('partitioner.class' in self.properties)`,
		Sentence: "spec.partitioner and partitioner.class in spec.properties say the same thing twice; remove one",
		Source:   "Mooring",
		check: when(func(c *Config) bool {
			_, set := c.Spec.Properties[propPartitioner]
			return set && c.Spec.Partitioner != ""
		}),
	},
	{
		ID: "client-id-twice", Severity: Error, Fields: []string{"spec.properties[" + propClientID + "]", "spec.quota.clientID"},
		CEL:      `!has(self.properties) || !('client.id' in self.properties) || !has(self.quota) || !has(self.quota.clientID)`,
		Sentence: "spec.quota.clientID already is the producers' client.id, so that the quota applies to them; remove client.id from spec.properties",
		Source:   "KIP-546",
		check: when(func(c *Config) bool {
			_, set := c.Spec.Properties[propClientID]
			return set && c.Spec.Quota != nil && c.Spec.Quota.ClientID != ""
		}),
	},
}
