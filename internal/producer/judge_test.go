package producer

import (
	"strings"
	"testing"

	"mooring.dev/mooring/api/v1alpha1"
)

// judgeCases break each client's own rules, each row one of them. test/conformance asks the clients themselves, with
// thousands of settings; these rows keep their answers where no client is at hand.
var judgeCases = map[string]struct {
	reason   string
	client   Client
	settings string
	want     Outcome
}{
	"java-value":                 {"case counts", ClientJava, "bootstrap.servers=k:1 acks=ALL", Refused},
	"java-idempotence-retries":   {"asked for, so it throws", ClientJava, "bootstrap.servers=k:1 retries=0 enable.idempotence=true", Refused},
	"java-idempotence-acks":      {"not asked for, so it is switched off", ClientJava, "bootstrap.servers=k:1 acks=1", IdempotenceOff},
	"java-idempotence-in-flight": {"throws even where nobody asked", ClientJava, "bootstrap.servers=k:1 max.in.flight.requests.per.connection=6", Refused},
	"java-transactional-id":      {"idempotence is off", ClientJava, "bootstrap.servers=k:1 transactional.id=tx enable.idempotence=false", Refused},
	"java-two-phase-commit":      {"transactions never expire", ClientJava, "bootstrap.servers=k:1 transaction.two.phase.commit.enable=true transaction.timeout.ms=1", Refused},
	"java-delivery-timeout":      {"29 seconds are less than 5 ms + 30 s", ClientJava, "bootstrap.servers=k:1 delivery.timeout.ms=29000", Refused},
	"java-sasl-mechanism":        {"SASL without a mechanism", ClientJava, "bootstrap.servers=k:1 security.protocol=SASL_SSL sasl.mechanism=", Refused},
	"java-bootstrap":             {"no server", ClientJava, "acks=all", Refused},

	"librdkafka-unknown":                      {"the Java client's own", ClientLibrdkafka, "buffer.memory=1", Refused},
	"librdkafka-value":                        {"above its range", ClientLibrdkafka, "linger.ms=900001", Refused},
	"librdkafka-idempotence-acks":             {"needs all", ClientLibrdkafka, "enable.idempotence=true acks=1", Refused},
	"librdkafka-idempotence-in-flight":        {"at most five", ClientLibrdkafka, "enable.idempotence=true max.in.flight=6", Refused},
	"librdkafka-idempotence-retries":          {"at least one", ClientLibrdkafka, "enable.idempotence=true message.send.max.retries=0", Refused},
	"librdkafka-idempotence-queuing-strategy": {"order", ClientLibrdkafka, "enable.idempotence=true queuing.strategy=lifo", Refused},
	"librdkafka-idempotence-backpressure":     {"order", ClientLibrdkafka, "enable.idempotence=true queue.buffering.backpressure.threshold=2", Refused},
	"librdkafka-transactional-idempotence":    {"idempotence is off", ClientLibrdkafka, "transactional.id=tx enable.idempotence=false", Refused},
	"librdkafka-transaction-socket-timeout":   {"a request must fit in", ClientLibrdkafka, "transactional.id=tx socket.timeout.ms=60101", Refused},
	"librdkafka-transaction-message-timeout":  {"a record must fit in", ClientLibrdkafka, "transactional.id=tx message.timeout.ms=60001", Refused},
	"librdkafka-message-timeout-linger":       {"the record dies waiting", ClientLibrdkafka, "message.timeout.ms=5 linger.ms=5", Refused},
	"librdkafka-linger-later":                 {"seen only when a topic is written", ClientLibrdkafka, "linger.ms=900000", Accepted},
	"librdkafka-gapless":                      {"needs idempotence", ClientLibrdkafka, "enable.gapless.guarantee=true", Refused},
	"librdkafka-reconnect-backoff":            {"the last pause before the first", ClientLibrdkafka, "reconnect.backoff.ms=20000", Refused},

	"sarama-value":                    {"not above 0", ClientSarama, "Producer.Timeout=0s", Refused},
	"sarama-version":                  {"no release", ClientSarama, "Version=latest", Refused},
	"sarama-flush-messages":           {"most below what triggers", ClientSarama, "Producer.Flush.Messages=2 Producer.Flush.MaxMessages=1", Refused},
	"sarama-lz4-version":              {"too old", ClientSarama, "Producer.Compression=lz4 Version=0.9.0.1", Refused},
	"sarama-zstd-version":             {"too old", ClientSarama, "Producer.Compression=zstd Version=2.0.0", Refused},
	"sarama-gzip-level":               {"nine is the highest", ClientSarama, "Producer.Compression=gzip Producer.CompressionLevel=10", Refused},
	"sarama-idempotent-version":       {"too old", ClientSarama, "Producer.Idempotent=true Version=0.10.0.0 Producer.RequiredAcks=-1 Net.MaxOpenRequests=1", Refused},
	"sarama-idempotent-retries":       {"must retry", ClientSarama, "Producer.Idempotent=true Producer.Retry.Max=0 Producer.RequiredAcks=-1 Net.MaxOpenRequests=1", Refused},
	"sarama-idempotent-acks":          {"its default is the leader alone", ClientSarama, "Producer.Idempotent=true Net.MaxOpenRequests=1", Refused},
	"sarama-idempotent-open-requests": {"its default is 5", ClientSarama, "Producer.Idempotent=true Producer.RequiredAcks=-1", Refused},
	"sarama-transaction-idempotent":   {"idempotence is off", ClientSarama, "Producer.Transaction.ID=tx", Refused},

	"franz-go-value":                  {"a minute at most", ClientFranzGo, "ProducerLinger=61s", Refused},
	"franz-go-idempotent-acks":        {"needs all", ClientFranzGo, "RequiredAcks=leader", Refused},
	"franz-go-idempotent-in-flight":   {"must stay 1", ClientFranzGo, "MaxProduceRequestsInflightPerBroker=5", Refused},
	"franz-go-in-flight":              {"at least one", ClientFranzGo, "DisableIdempotentWrite=true MaxProduceRequestsInflightPerBroker=0", Refused},
	"franz-go-transaction-idempotent": {"idempotence is off", ClientFranzGo, "DisableIdempotentWrite=true TransactionalID=tx", Refused},
	"franz-go-transaction-id":         {"empty", ClientFranzGo, "TransactionalID=", Refused},
	"franz-go-client-id":              {"too long", ClientFranzGo, "ClientID=" + strings.Repeat("c", 257), Refused},
	"franz-go-batch-write":            {"a batch above a request", ClientFranzGo, "ProducerBatchMaxBytes=104857601", Refused},
	"franz-go-metadata-age":           {"below the least", ClientFranzGo, "MetadataMaxAge=4s", Refused},
	"franz-go-delivery-timeout":       {"below a second", ClientFranzGo, "RecordDeliveryTimeout=999ms", Refused},

	"kafkajs-idempotent-retries": {"must retry", ClientKafkaJS, "idempotent=true retry.retries=0", Refused},
	"kafkajs-idempotent-acks":    {"needs all", ClientKafkaJS, "idempotent=true acks=1", Refused},
}

func TestJudge(t *testing.T) {
	for rule, tc := range judgeCases {
		t.Run(rule, func(t *testing.T) {
			v := Judge(tc.client, settingsText(tc.settings))
			found := false
			for _, f := range v.Findings {
				found = found || f.Rule == rule
			}
			if v.Outcome != tc.want || !found {
				t.Errorf("%s: got %s %v", tc.reason, v.Outcome, v.Findings)
			}
		})
	}
	for _, r := range Rules() {
		if _, ok := judgeCases[r.ID]; !ok && r.Client != "" {
			t.Errorf("no row breaks the rule %s", r.ID)
		}
	}
}

func settingsText(text string) map[string]string {
	settings := make(map[string]string)
	for _, pair := range strings.Fields(text) {
		name, value, _ := strings.Cut(pair, "=")
		settings[name] = value
	}
	return settings
}

func TestJava3WarnsWhereJava4Refuses(t *testing.T) {
	settings := settingsText("bootstrap.servers=k:1 max.in.flight.requests.per.connection=6")
	if v := Judge(ClientJava3, settings); v.Outcome != IdempotenceOff {
		t.Errorf("got %s %v", v.Outcome, v.Findings)
	}
}

func TestUnknownPropertiesAreExplained(t *testing.T) {
	for name, want := range map[string]string{
		"enable.idempotance":        "did you mean enable.idempotence?",
		"block.on.buffer.full":      "max.block.ms says how long",
		"auto.include.jmx.reporter": "Kafka 4.0 removed it",
		"zzzz":                      "remove it",
	} {
		if got := explainUnknown(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q lacks %q", name, got, want)
		}
	}
}

func TestEveryClientIsDocumented(t *testing.T) {
	for _, c := range Clients() {
		if c.Doc() == "" || renderers[c] == nil {
			t.Errorf("%s lacks a line of documentation or a renderer", c)
		}
	}
	for _, f := range []v1alpha1.InjectionFormat{"properties", "librdkafka", "json", "env", "spring", "microprofile", "micronaut", "aspire", "connect", "servicebinding"} {
		if renderers[ClientOf(f)] == nil {
			t.Errorf("format %s has no renderer", f)
		}
	}
}

func TestPropertyTableIsWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, p := range Properties() {
		if seen[p.Name] || p.Doc == "" || p.Since == "" || p.Type == "" {
			t.Errorf("property %q is there twice, or lacks something", p.Name)
		}
		seen[p.Name] = true
		if d, ok := p.DefaultValue(); ok && d != "" {
			if err := p.Check(d); err != nil {
				t.Errorf("the default of %s, %q, %v", p.Name, d, err)
			}
		}
	}
}
