package producer

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"mooring.dev/mooring/api/v1alpha1"
)

// specMaker makes specs of ProducerProfiles as JSON has them, biased to the edges of the rules.
type specMaker struct{ r *rand.Rand }

func newSpecMaker(seed uint64) specMaker { return specMaker{rand.New(rand.NewPCG(seed, 7))} }

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// maybe sets a field in about half of the specs.
func (m specMaker) maybe(into map[string]any, name string, value func() any) {
	if m.r.IntN(2) == 0 {
		into[name] = value()
	}
}

func (m specMaker) duration(edges ...string) func() any {
	common := []string{"0s", "1ms", "-1ms", "5ms", "30s", "30005ms", "30004ms", "1m", "2m", "2147483647ms", "2147483648ms", "1500us", "1h"}
	return func() any { return pick(m.r, append(common, edges...)...) }
}

func (m specMaker) size() any {
	return pick[any](m.r, 0, 1, -1, 16384, 16383, 65536, "64Ki", "1Mi", "1Gi", "2Gi", "2147483647", "2147483648", "100m", "0.5", "1k", "33554432", "9223372036854775807", "1e30", "-1Ki")
}

func (m specMaker) spec() map[string]any {
	r, s := m.r, map[string]any{}
	m.maybe(s, "guarantee", func() any {
		return pick(r, "AtMostOnce", "AtLeastOnce", "Idempotent", "Transactional", "Transactional")
	})
	m.maybe(s, "ordering", func() any { return pick(r, "Strict", "Relaxed") })
	m.maybe(s, "partitioner", func() any { return pick(r, "Default", "RoundRobin") })
	m.maybe(s, "delivery", m.delivery)
	m.maybe(s, "batching", m.batching)
	m.maybe(s, "transactions", m.transactions)
	m.maybe(s, "connections", func() any {
		c := map[string]any{}
		m.maybe(c, "metadataMaxAge", m.duration())
		m.maybe(c, "idleTimeout", m.duration())
		return c
	})
	m.maybe(s, "properties", m.properties)
	m.maybe(s, "topics", m.topics)
	m.maybe(s, "quota", m.quota)
	m.maybe(s, "shim", func() any {
		return map[string]any{"listeners": pick(r, "None", "Kafka", "HTTP", "All"), "drain": m.duration()()}
	})
	m.maybe(s, "credentials", func() any {
		c := map[string]any{"secretRef": map[string]any{"name": "kafka"}}
		m.maybe(c, "mechanism", func() any { return pick(r, "PLAIN", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM") })
		return c
	})
	return s
}

func (m specMaker) delivery() any {
	d := map[string]any{}
	m.maybe(d, "acks", func() any { return pick(m.r, "all", "-1", "1", "0") })
	m.maybe(d, "maxInFlightRequests", func() any { return pick(m.r, 1, 2, 5, 6, 1000) })
	m.maybe(d, "retries", func() any { return pick(m.r, 0, 1, 10, 2147483647) })
	m.maybe(d, "deliveryTimeout", m.duration("30s5ms", "29s"))
	m.maybe(d, "requestTimeout", m.duration())
	m.maybe(d, "retryBackoff", m.duration("2s"))
	return d
}

func (m specMaker) batching() any {
	b := map[string]any{}
	m.maybe(b, "linger", m.duration("2m"))
	m.maybe(b, "batchSize", m.size)
	m.maybe(b, "bufferMemory", m.size)
	m.maybe(b, "maxRequestSize", m.size)
	m.maybe(b, "compression", func() any { return pick(m.r, "none", "gzip", "snappy", "lz4", "zstd") })
	return b
}

func (m specMaker) transactions() any {
	t := map[string]any{}
	m.maybe(t, "idTemplate", func() any {
		return pick(m.r, "{namespace}-{workload}-{ordinal}", "{pod}", "{ordinal}", "fixed", "{replica}", "{pod", "}", "{}", "a{pod}b{container}")
	})
	m.maybe(t, "timeout", m.duration("16m"))
	return t
}

func (m specMaker) properties() any {
	p := map[string]any{}
	for range m.r.IntN(4) {
		name := pick(m.r, "acks", "linger.ms", "bootstrap.servers", "sasl.jaas.config", "ssl.key.password", "max.block.ms", "Max.Block.MS",
			"partitioner.class", "client.id", "transaction.two.phase.commit.enable", "metadata.max.idle.ms", "no.such.thing", "metrics.recording.level")
		p[name] = pick[any](m.r, "true", "TRUE", " true ", "false", 0, 1, 5000, "4999", "INFO", "", "com.example.Thing", "-1")
	}
	return p
}

func (m specMaker) topics() any {
	t := map[string]any{}
	m.maybe(t, "names", func() any {
		return [](any){pick(m.r, "orders", "a.b_c-1", ".", "..", "__consumer_offsets", "bad name", "ü", "")}
	})
	m.maybe(t, "prefixes", func() any { return [](any){pick(m.r, "orders.", ".", "__", "_", "bad name")} })
	m.maybe(t, "selector", func() any { return map[string]any{} })
	return t
}

func (m specMaker) quota() any {
	q := map[string]any{"user": "alice"}
	m.maybe(q, "clientID", func() any { return "checkout" })
	m.maybe(q, "producerByteRate", m.size)
	m.maybe(q, "requestPercentage", func() any { return pick(m.r, 1, 200) })
	return q
}

// profileOf reads a spec as the API server would hand it to us.
func profileOf(t testing.TB, spec map[string]any) (*v1alpha1.ProducerProfile, error) {
	t.Helper()
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{"namespace": "shop", "name": "orders"}, "spec": spec})
	if err != nil {
		t.Fatal(err)
	}
	var p v1alpha1.ProducerProfile
	return &p, json.Unmarshal(data, &p)
}

// testCluster is the KafkaCluster of tests.
func testCluster() *v1alpha1.KafkaCluster {
	return &v1alpha1.KafkaCluster{Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: []string{"kafka-0.kafka:9092", "kafka-1.kafka:9092"}}}
}
