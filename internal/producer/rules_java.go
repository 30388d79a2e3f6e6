package producer

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// setting is the field of a property where a finding points: the profile's field, or the name of the setting.
func (c *Config) setting(name string) string {
	if v, ok := c.Values[name]; ok && v.Field != "" {
		return v.Field
	}
	return name
}

// javaKnows says whether the Java client whose rules are asked has a property.
func (c *Config) javaKnows(p Property) bool {
	return c.java != 3 || !strings.HasPrefix(p.Since, "4.")
}

// javaIdempotence is what the Java client makes of enable.idempotence: whether it was set, and whether retries or acks
// switch it off where it was not.
func (c *Config) javaIdempotence() (on, explicit, switchedOff bool) {
	_, explicit = c.Get(propIdempotence)
	on = c.truth(propIdempotence)
	if !on {
		return false, explicit, false
	}
	conflict := c.javaRetriesZero() || c.javaAcksWeak() || c.java == 3 && c.javaInFlightHigh()
	return !conflict, explicit, conflict && !explicit
}

func (c *Config) javaRetriesZero() bool {
	n, ok := c.whole(propRetries)
	return ok && n == 0
}

func (c *Config) javaAcksWeak() bool {
	acks, set := c.Get(propAcks)
	acks = javaTrim(acks)
	return set && (acks == "0" || acks == "1")
}

func (c *Config) javaInFlightHigh() bool {
	n, ok := c.whole(propInFlight)
	return ok && n > 5
}

// conflicts is a check of one of the keys that idempotence needs.
func conflicts(property string, broken func(c *Config) bool, message string) func(*Config) []hit {
	return func(c *Config) []hit {
		if !c.truth(propIdempotence) || !broken(c) {
			return nil
		}
		_, explicit := c.Get(propIdempotence)
		h := hit{field: c.setting(property), message: message}
		if !explicit {
			h.silent = true
			h.message += "; the client starts without idempotence, and only its log says so"
		}
		return []hit{h}
	}
}

var javaRules = []Rule{
	{
		ID: "java-value", Client: ClientJava, Severity: Error, Fields: []string{"any property"},
		Sentence: "the Java client does not start with a value that is not what the property takes",
		Source:   "ConfigDef.parseType and validators, kafka-clients 4.3.1 and 3.9.2",
		check:    checkJavaValues,
	},
	{
		ID: "java-idempotence-retries", Client: ClientJava, Severity: Error, Fields: []string{propRetries, propIdempotence},
		Sentence: "idempotence needs retries above 0; with enable.idempotence=true set the Java client does not start, without it idempotence is switched off in silence",
		Source:   "ProducerConfig.postProcessAndValidateIdempotenceConfigs: Must set retries to non-zero when using the idempotent producer.",
		check:    conflicts(propRetries, (*Config).javaRetriesZero, "idempotence needs retries above 0; remove retries"),
	},
	{
		ID: "java-idempotence-acks", Client: ClientJava, Severity: Error, Fields: []string{propAcks, propIdempotence},
		Sentence: "idempotence needs acks all; with enable.idempotence=true set the Java client does not start, without it idempotence is switched off in silence",
		Source:   "ProducerConfig.postProcessAndValidateIdempotenceConfigs: Must set acks to all in order to use the idempotent producer.",
		check:    conflicts(propAcks, (*Config).javaAcksWeak, "idempotence needs acks all; set acks to all"),
	},
	{
		ID: "java-idempotence-in-flight", Client: ClientJava, Severity: Error, Fields: []string{propInFlight, propIdempotence},
		Sentence: "idempotence needs max.in.flight.requests.per.connection of at most 5; from Kafka 4.0 on the Java client does not start otherwise, unless enable.idempotence=false is set",
		Source:   "ProducerConfig.postProcessAndValidateIdempotenceConfigs; KAFKA-17546 made 3.x's warning an error",
		check: func(c *Config) []hit {
			hits := conflicts(propInFlight, (*Config).javaInFlightHigh, "idempotence needs max.in.flight.requests.per.connection of at most 5; lower it")(c)
			for i := range hits {
				hits[i].silent = hits[i].silent && c.java == 3
			}
			return hits
		},
	},
	{
		ID: "java-transactional-id", Client: ClientJava, Severity: Error, Fields: []string{propTransactionalID, propIdempotence},
		Sentence: "a transactional.id needs idempotence; set enable.idempotence=true, acks=all and retries above 0",
		Source:   "ProducerConfig.postProcessAndValidateIdempotenceConfigs: Cannot set a transactional.id without also enabling idempotence.",
		check: func(c *Config) []hit {
			on, _, _ := c.javaIdempotence()
			if _, set := c.Get(propTransactionalID); !set || on {
				return nil
			}
			return []hit{{field: c.setting(propTransactionalID)}}
		},
	},
	{
		ID: "java-two-phase-commit", Client: ClientJava, Severity: Error, Fields: []string{propTransactionTimeout, propTwoPhaseCommit},
		Sentence: "transaction.timeout.ms cannot be set beside transaction.two.phase.commit.enable=true; remove it",
		Source:   "KIP-939; ProducerConfig of kafka-clients 4.1 and later",
		check: func(c *Config) []hit {
			if _, set := c.Get(propTransactionTimeout); !set || !c.truth(propTwoPhaseCommit) || c.java == 3 {
				return nil
			}
			return []hit{{field: c.setting(propTransactionTimeout)}}
		},
	},
	{
		ID: "java-delivery-timeout", Client: ClientJava, Severity: Error, Fields: []string{propDeliveryTimeout, propLinger, propRequestTimeout},
		Sentence: "a delivery.timeout.ms that is set must be at least linger.ms + request.timeout.ms; raise it",
		Source:   "KIP-91; KafkaProducer.configureDeliveryTimeout",
		check: func(c *Config) []hit {
			delivery, okDelivery := c.whole(propDeliveryTimeout)
			linger, okLinger := c.whole(propLinger)
			request, okRequest := c.whole(propRequestTimeout)
			if _, set := c.Get(propDeliveryTimeout); !set || !okDelivery || !okLinger || !okRequest {
				return nil
			}
			least := min(min(linger, math.MaxInt32)+request, math.MaxInt32)
			if delivery >= least {
				return nil
			}
			return say(c.setting(propDeliveryTimeout), "delivery.timeout.ms is %d, less than linger.ms + request.timeout.ms, which is %d; raise it", delivery, least)
		},
	},
	{
		ID: "java-sasl-mechanism", Client: ClientJava, Severity: Error, Fields: []string{propSASLMechanism, propSecurityProtocol},
		Sentence: "a security.protocol with SASL needs a sasl.mechanism; name it",
		Source:   "CommonClientConfigs.postValidateSaslMechanismConfig",
		check: func(c *Config) []hit {
			protocol, _ := c.Get(propSecurityProtocol)
			mechanism, set := c.Get(propSASLMechanism)
			if !strings.HasPrefix(strings.ToUpper(javaTrim(protocol)), "SASL_") || !set || javaTrim(mechanism) != "" {
				return nil
			}
			return []hit{{field: c.setting(propSASLMechanism)}}
		},
	},
	{
		ID: "java-bootstrap", Client: ClientJava, Severity: Error, Fields: []string{propBootstrap},
		Sentence: "bootstrap.servers must be host:port, parted by commas, and one of the hosts must be known to the DNS",
		Source:   "ClientUtils.parseAndValidateAddresses",
		check:    checkJavaBootstrap,
	},
}

// checkJavaValues parses each value as the client would. 3.9 takes lists with empty items.
func checkJavaValues(c *Config) []hit {
	var hits []hit
	for _, name := range c.Names() {
		p, known := PropertyOf(name)
		if !known || !c.javaKnows(p) || name == propBootstrap || strings.Contains(c.Values[name].Text, "${") {
			continue
		}
		if c.java == 3 && p.Type == List {
			continue
		}
		if err := p.Check(c.Values[name].Text); err != nil {
			hits = append(hits, say(c.setting(name), "%s is %.100q and %v", name, c.Values[name].Text, err)...)
		}
	}
	return hits
}

// hostPort is the pattern of the Java client (Utils.HOST_PORT_PATTERN): a scheme before the host is passed over.
var hostPort = regexp.MustCompile(`^(?:[0-9a-zA-Z\-%._]*://)?\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)$`)

func checkJavaBootstrap(c *Config) []hit {
	text, set := c.Get(propBootstrap)
	if !set && !c.alone {
		return nil // who lints a profile has no cluster at hand
	}
	items := splitList(javaTrim(text))
	field := c.setting(propBootstrap)
	if len(items) == 0 {
		return say(field, "bootstrap.servers is empty; name host:port")
	}
	var hits []hit
	servers := 0
	for _, item := range items {
		switch {
		case item == "" && c.java == 3:
			continue
		case item == "":
			hits = append(hits, say(field, "bootstrap.servers has an empty item; look for a comma too many")...)
			continue
		}
		servers++
		if err := javaAddress(item); err != nil {
			hits = append(hits, say(field, "bootstrap.servers has %.100q, which %v", item, err)...)
		}
	}
	if servers == 0 {
		hits = append(hits, say(field, "bootstrap.servers names no server; name host:port")...)
	}
	return hits
}

func javaAddress(item string) error {
	m := hostPort.FindStringSubmatch(item)
	if m == nil {
		return fmt.Errorf("is not host:port")
	}
	if port, err := strconv.ParseUint(m[2], 10, 32); err != nil || port > 65535 {
		return fmt.Errorf("has a port above 65535")
	}
	return nil
}
