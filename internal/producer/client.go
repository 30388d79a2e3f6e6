package producer

import (
	"slices"

	"mooring.dev/mooring/api/v1alpha1"
)

// Client is a family of clients that are configured alike, or a way of handing a configuration over.
type Client string

// The clients that Render writes for.
const (
	// ClientJava is the Java client (kafka-clients 4): producer.properties.
	ClientJava Client = "java"
	// ClientLibrdkafka is librdkafka and what stands on it: confluent-kafka for Python, Go, .NET and JavaScript, rust-rdkafka, kcat.
	ClientLibrdkafka Client = "librdkafka"
	// ClientJSON is producer.json: every value typed, for anything else.
	ClientJSON Client = "json"
	// ClientEnv is the environment variables that many applications read by convention.
	ClientEnv Client = "env"
	// ClientSpring is Spring Boot's spring.kafka.* and the Spring Cloud Stream binder, by environment.
	ClientSpring Client = "spring"
	// ClientMicroProfile is MicroProfile Config: Quarkus, SmallRye Reactive Messaging, Open Liberty, Helidon.
	ClientMicroProfile Client = "microprofile"
	// ClientMicronaut is Micronaut Kafka.
	ClientMicronaut Client = "micronaut"
	// ClientAspire is .NET Aspire's Confluent.Kafka component.
	ClientAspire Client = "aspire"
	// ClientConnect is a Kafka Connect worker.
	ClientConnect Client = "connect"
	// ClientServiceBinding is the files of the Service Binding specification.
	ClientServiceBinding Client = "servicebinding"
	// ClientSarama is IBM/sarama.
	ClientSarama Client = "sarama"
	// ClientFranzGo is twmb/franz-go.
	ClientFranzGo Client = "franz-go"
	// ClientKafkaGo is segmentio/kafka-go.
	ClientKafkaGo Client = "kafka-go"
	// ClientKafkaJS is KafkaJS.
	ClientKafkaJS Client = "kafkajs"
)

// ClientJava3 is the Java client 3.9: Judge knows its rules, and ClientJava's rendering serves it.
const ClientJava3 Client = "java-3"

// Clients are all that Render writes for, in the order of the reference page.
func Clients() []Client {
	return []Client{
		ClientJava, ClientLibrdkafka, ClientJSON, ClientEnv, ClientSpring, ClientMicroProfile, ClientMicronaut, ClientAspire,
		ClientConnect, ClientServiceBinding, ClientSarama, ClientFranzGo, ClientKafkaGo, ClientKafkaJS,
	}
}

// clientDocs say in a line what a client is told, and how.
var clientDocs = map[Client]string{
	ClientJava:           "kafka-clients: the file producer.properties; secrets are read from files by the client's own config provider",
	ClientLibrdkafka:     "librdkafka and what stands on it (Python, Go, .NET, Rust, Node, PHP, Ruby, kcat): the files librdkafka.conf and librdkafka.json",
	ClientJSON:           "anything else: the file producer.json, every value with its type",
	ClientEnv:            "applications that read KAFKA_* from the environment",
	ClientSpring:         "Spring Boot and the Spring Cloud Stream binder: environment variables",
	ClientMicroProfile:   "Quarkus, SmallRye, Open Liberty, Helidon: environment variables of MicroProfile Config",
	ClientMicronaut:      "Micronaut Kafka: environment variables",
	ClientAspire:         ".NET Aspire's Confluent.Kafka component: environment variables",
	ClientConnect:        "a Kafka Connect worker: the file connect.properties, and the variables of the common images",
	ClientServiceBinding: "the Service Binding specification: a folder with one file for each key; addresses only",
	ClientSarama:         "IBM/sarama: the file sarama.json, with the names of sarama.Config's fields",
	ClientFranzGo:        "twmb/franz-go: the file franz-go.json, with the names of kgo's options",
	ClientKafkaGo:        "segmentio/kafka-go: the file kafka-go.json, with the names of kafka.Writer's fields; it has no idempotence",
	ClientKafkaJS:        "KafkaJS: the file kafkajs.json, with one object for each of new Kafka(), producer() and send()",
}

// Doc says in a line what the client is told, and how; "" for a client that Render does not write for.
func (c Client) Doc() string { return clientDocs[c] }

// ClientOf is the client that a format of spec.injection.formats is for.
func ClientOf(f v1alpha1.InjectionFormat) Client {
	if f == "properties" {
		return ClientJava
	}
	return Client(f)
}

// Outcome is what a client does with settings.
type Outcome string

// The outcomes.
const (
	// Accepted: the client starts.
	Accepted Outcome = "accepted"
	// Refused: it does not.
	Refused Outcome = "refused"
	// IdempotenceOff: it starts without the idempotence that it has by default, and nobody asked for that.
	IdempotenceOff Outcome = "idempotence-off"
)

// Verdict is what a client does with settings, and why.
type Verdict struct {
	Outcome  Outcome
	Findings []Finding
}

// Judge says what a client does with settings in its own names and spellings, by the client's own rules. It knows
// ClientJava, ClientJava3, ClientLibrdkafka, ClientSarama, ClientFranzGo and ClientKafkaJS; for another client it accepts everything.
func Judge(client Client, settings map[string]string) Verdict {
	c := Config{Values: make(map[string]Value, len(settings)), alone: true}
	for name, text := range settings {
		c.Values[name] = Value{text, OriginSettings, name}
	}
	rules := client
	if client == ClientJava3 {
		rules, c.java = ClientJava, 3
	}
	v := Verdict{Outcome: Accepted}
	for _, r := range Rules() {
		if r.Client == "" || r.Client != rules {
			continue
		}
		v.Findings = append(v.Findings, r.find(&c)...)
		v.Outcome = worse(v.Outcome, outcomeOf(r, &c))
	}
	v.Findings = sorted(v.Findings)
	return v
}

func outcomeOf(r Rule, c *Config) Outcome {
	hits := r.check(c)
	switch {
	case r.Severity != Error || len(hits) == 0:
		return Accepted
	case slices.ContainsFunc(hits, func(h hit) bool { return !h.silent }):
		return Refused
	}
	return IdempotenceOff
}

func worse(a, b Outcome) Outcome {
	order := []Outcome{Accepted, IdempotenceOff, Refused}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}
