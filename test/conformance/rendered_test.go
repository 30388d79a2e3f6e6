//go:build conformance

package conformance

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// guarantees and tunings make the profiles below: each guarantee with each tuning.
var (
	guarantees = []string{
		"guarantee: AtMostOnce", "guarantee: AtLeastOnce", "{guarantee: AtLeastOnce, ordering: Strict}", "guarantee: Idempotent",
		"{guarantee: Transactional, transactions: {idTemplate: '{namespace}-{pod}'}}",
		"{guarantee: Transactional, transactions: {idTemplate: '{pod}', timeout: 1s}}",
		"{guarantee: Transactional, transactions: {idTemplate: '{pod}', timeout: 1ms}}",
	}
	tunings = []string{
		"{}",
		"delivery: {maxInFlightRequests: 1, retryBackoff: 0s}",
		"delivery: {requestTimeout: 1ms, deliveryTimeout: 10ms, retryBackoff: 10m}",
		"delivery: {requestTimeout: 500h}",
		"batching: {linger: 0s, batchSize: 0, compression: gzip}",
		"batching: {linger: 1h, batchSize: 1Mi, bufferMemory: 1Mi, maxRequestSize: 1, compression: zstd}",
		"batching: {bufferMemory: 8Ei, batchSize: 2147483647, maxRequestSize: 2147483647, compression: lz4}",
		"{batching: {batchSize: 0, bufferMemory: 1, compression: snappy}, partitioner: RoundRobin}",
		"connections: {metadataMaxAge: 1ms, idleTimeout: 1ms}",
		"connections: {metadataMaxAge: 500h, idleTimeout: 500h}",
		"properties: {reconnect.backoff.ms: 20000, client.id: 'a, b', max.block.ms: 0, compression.gzip.level: 9}",
		"properties: {reconnect.backoff.max.ms: 10, send.buffer.bytes: -1, socket.connection.setup.timeout.ms: 1, retry.backoff.max.ms: 0}",
		"properties: {metadata.recovery.strategy: NONE, enable.metrics.push: 'FALSE', client.dns.lookup: use_all_dns_ips}",
	}
)

// renderedProfiles are configurations that Validate finds no error in.
func renderedProfiles(t *testing.T, servers ...string) []producer.Config {
	t.Helper()
	cluster := &v1alpha1.KafkaCluster{Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: servers}}
	var configs []producer.Config
	for _, guarantee := range guarantees {
		for _, tuning := range tunings {
			var p v1alpha1.ProducerProfile
			for _, text := range []string{tuning, guarantee} {
				if err := yaml.UnmarshalStrict([]byte(text), &p.Spec); err != nil {
					t.Fatal(err)
				}
			}
			c := producer.Resolve(&p, cluster, "shop")
			if !producer.HasErrors(producer.Validate(c)) {
				configs = append(configs, c.WithTransactionalID(fmt.Sprintf("shop-%d", len(configs))))
			}
		}
	}
	if len(configs) < 50 {
		t.Fatalf("only %d of the profiles are valid: the test says too little", len(configs))
	}
	return configs
}

// What Render writes for a profile without errors, the client starts with, and with idempotence where that is the guarantee.
func TestRenderedStartsTheClients(t *testing.T) {
	configs := renderedProfiles(t, "127.0.0.1:9092")
	of := func(client producer.Client) []map[string]string {
		var all []map[string]string
		for _, c := range configs {
			all = append(all, producer.Settings(c, client))
		}
		return all
	}
	check := func(name string, cases []testCase, begin time.Time) {
		refused := 0
		for _, c := range cases {
			if c.Outcome != producer.Accepted {
				refused++
				t.Errorf("%s: %s %s\n\tof %s", name, c.Outcome, c.Message, show(c.Settings))
			}
		}
		say("conformance rendered for %s: %d profiles, %d refused, %.1f s", name, len(cases), refused, time.Since(begin).Seconds())
	}
	for _, version := range []string{"4.3.1", "3.9.2"} {
		run := javaRunner(t, version)
		begin := time.Now()
		check("java "+version, askProcess(t, run(), of(producer.ClientJava)), begin)
	}
	run := pythonRunner(t)
	begin := time.Now()
	check("librdkafka 2.16.0", askProcess(t, run(), of(producer.ClientLibrdkafka)), begin)
	begin = time.Now()
	var cases []testCase
	for _, settings := range of(producer.ClientSarama) {
		delete(settings, "Brokers") // an argument of NewClient
		config, err := saramaConfig(settings)
		if err == nil {
			err = config.Validate()
		}
		cases = append(cases, verdictOf(settings, err))
	}
	check("sarama 1.61.1", cases, begin)
	begin, cases = time.Now(), nil
	for _, settings := range of(producer.ClientFranzGo) {
		opts, err := franzOptions(settings)
		if err == nil {
			var client *kgo.Client
			if client, err = kgo.NewClient(opts...); err == nil {
				client.Close()
			}
		}
		cases = append(cases, verdictOf(settings, err))
	}
	check("franz-go 1.22.2", cases, begin)
}
