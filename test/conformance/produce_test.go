//go:build conformance && kafka

package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
	"mooring.dev/mooring/test/shim/rig"
)

// writers write one record to a topic, each with its client's rendered configuration.
var writers = map[producer.Client]func(t *testing.T, c producer.Config, topic string){
	producer.ClientJava:       writeJava,
	producer.ClientLibrdkafka: writeLibrdkafka,
	producer.ClientSarama:     writeSarama,
	producer.ClientFranzGo:    writeFranzGo,
	producer.ClientKafkaGo:    writeKafkaGo,
}

// With its rendered configuration each client writes a record, and the batch on the broker shows the guarantee: a producer
// ID where the guarantee is Idempotent or Transactional and the client can do it, none otherwise.
func TestProduce(t *testing.T) {
	servers := os.Getenv("KAFKA_BOOTSTRAP_SERVERS")
	if servers == "" {
		t.Fatal(`no brokers to write to: set KAFKA_BOOTSTRAP_SERVERS, or run eval "$(bin/localkafka up)"`)
	}
	begin, written := time.Now(), 0
	for _, guarantee := range []string{
		"guarantee: AtMostOnce", "guarantee: AtLeastOnce", "guarantee: Idempotent",
		"{guarantee: Transactional, transactions: {idTemplate: '{pod}'}}",
	} {
		for _, client := range producer.Clients() {
			write := writers[client]
			if write == nil {
				continue // rendered for the same libraries, or with no library of its own
			}
			c := configOf(t, guarantee, strings.Split(servers, ","))
			t.Run(string(c.Guarantee)+"/"+string(client), func(t *testing.T) {
				topic := fmt.Sprintf("conformance-%s-%s-%d", strings.ToLower(string(c.Guarantee)), client, time.Now().UnixNano())
				makeTopic(t, c.Bootstrap(), topic)
				write(t, c.WithTransactionalID(topic), topic)
				r := readBack(t, c.Bootstrap(), topic)
				able := client != producer.ClientKafkaGo
				idempotent := able && (c.Guarantee == v1alpha1.Idempotent || c.Guarantee == v1alpha1.Transactional)
				if got := r.ProducerID >= 0; got != idempotent {
					t.Errorf("the batch has producer ID %d, epoch %d", r.ProducerID, r.ProducerEpoch)
				}
				if got := r.Attrs.IsTransactional(); got != (able && c.Guarantee == v1alpha1.Transactional) {
					t.Errorf("the batch is transactional: %t", got)
				}
				say("produced with %s, %s: producer ID %d", client, c.Guarantee, r.ProducerID)
				written++
			})
		}
	}
	say("conformance produce: %d records written and read back, %.1f s", written, time.Since(begin).Seconds())
}

func configOf(t *testing.T, guarantee string, servers []string) producer.Config {
	t.Helper()
	var p v1alpha1.ProducerProfile
	if err := yaml.UnmarshalStrict([]byte(guarantee), &p.Spec); err != nil {
		t.Fatal(err)
	}
	cluster := &v1alpha1.KafkaCluster{Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: servers}}
	return producer.Resolve(&p, cluster, "shop")
}

// makeTopic makes a topic of one partition, and removes it when the test is over.
func makeTopic(t *testing.T, servers []string, topic string) {
	t.Helper()
	if err := rig.MakeTopic(t.Context(), servers, 1, -1, topic); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		admin, err := kadm.NewOptClient(kgo.SeedBrokers(servers...))
		if err != nil {
			t.Fatal(err)
		}
		defer admin.Close()
		if _, err := admin.DeleteTopic(context.WithoutCancel(t.Context()), topic); err != nil {
			t.Error(err)
		}
	})
}

func readBack(t *testing.T, servers []string, topic string) *kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(servers...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	fetches := client.PollRecords(ctx, 1)
	if err := fetches.Err(); err != nil || fetches.NumRecords() != 1 {
		t.Fatalf("%d records were read back: %v", fetches.NumRecords(), err)
	}
	return fetches.Records()[0]
}

func runOnce(t *testing.T, cmd *exec.Cmd, settings map[string]string) {
	t.Helper()
	line, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = strings.NewReader(string(line) + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func writeJava(t *testing.T, c producer.Config, topic string) {
	runOnce(t, javaRunner(t, "4.3.1")("produce", topic), producer.Settings(c, producer.ClientJava))
}

func writeLibrdkafka(t *testing.T, c producer.Config, topic string) {
	runOnce(t, pythonRunner(t)("produce", topic), producer.Settings(c, producer.ClientLibrdkafka))
}

func writeSarama(t *testing.T, c producer.Config, topic string) {
	settings := producer.Settings(c, producer.ClientSarama)
	servers := strings.Split(settings["Brokers"], ",")
	config, err := saramaConfig(settings)
	if err != nil {
		t.Fatal(err)
	}
	p, err := sarama.NewSyncProducer(servers, config)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.IsTransactional() {
		if err := p.BeginTxn(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder("key"), Value: sarama.StringEncoder("sarama")}); err != nil {
		t.Fatal(err)
	}
	if p.IsTransactional() {
		if err := p.CommitTxn(); err != nil {
			t.Fatal(err)
		}
	}
}

func writeFranzGo(t *testing.T, c producer.Config, topic string) {
	opts, err := franzOptions(producer.Settings(c, producer.ClientFranzGo))
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	transactional := c.Guarantee == v1alpha1.Transactional
	if transactional {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
	}
	record := &kgo.Record{Topic: topic, Key: []byte("key"), Value: []byte("franz-go")}
	if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if transactional {
		if err := client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
	}
}

func writeKafkaGo(t *testing.T, c producer.Config, topic string) {
	s := &settingsOf{values: producer.Settings(c, producer.ClientKafkaGo)}
	// The default transport keeps the metadata of earlier writers, and does not know the topic that was just made.
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	w := &kafka.Writer{Topic: topic, Balancer: kafka.Murmur2Balancer{}, Transport: transport}
	s.text("Addr", func(v string) { w.Addr = kafka.TCP(strings.Split(v, ",")...) })
	s.text("RequiredAcks", func(v string) { s.keep("RequiredAcks", w.RequiredAcks.UnmarshalText([]byte(v))) })
	s.int("MaxAttempts", &w.MaxAttempts)
	s.into("BatchTimeout", &w.BatchTimeout)
	if s.err != nil {
		t.Fatal(s.err)
	}
	defer w.Close()
	if err := w.WriteMessages(t.Context(), kafka.Message{Key: []byte("key"), Value: []byte("kafka-go")}); err != nil {
		t.Fatal(err)
	}
}
