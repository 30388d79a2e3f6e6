//go:build conformance && kafka

package conformance

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/test/shim/rig"
)

//go:embed shim
var shimSources embed.FS

// done is what a client says it did through the shim.
type done struct {
	Admin              string
	Produced, Consumed int
}

// shimClient is an unmodified client and the configuration that it is used with: its own defaults, and its worst.
type shimClient struct {
	name, how string
	// strong says that the client is idempotent by itself, so that nothing is to be upgraded.
	strong bool
	run    func(t *testing.T, bootstrap, topic, how string) done
}

const shimRecords = 200

var shimClients = []shimClient{
	{"java", "defaults", true, javaThroughShim},
	{"java", "weak", false, javaThroughShim},
	{"java", "transactions", true, javaThroughShim},
	{"console-tools", "defaults", true, toolsThroughShim},
	{"librdkafka", "defaults", false, pythonThroughShim("librdkafka.py", "confluent-kafka==2.16.1")},
	{"librdkafka", "weak", false, pythonThroughShim("librdkafka.py", "confluent-kafka==2.16.1")},
	{"aiokafka", "defaults", false, pythonThroughShim("aiokafka_client.py", pythonClients)},
	{"aiokafka", "weak", false, pythonThroughShim("aiokafka_client.py", pythonClients)},
	{"kafka-python", "weak", false, pythonThroughShim("kafkapython.py", pythonClients)},
	{"kafkajs", "defaults", false, nodeThroughShim},
	{"kafkajs", "weak", false, nodeThroughShim},
	{"sarama", "defaults", false, saramaThroughShim},
	{"kafka-go", "defaults", false, kafkaGoThroughShim},
	{"franz-go", "defaults", true, franzGoThroughShim},
	{"franz-go", "weak", false, franzGoThroughShim},
}

const pythonClients = "aiokafka==0.14.0 kafka-python==3.0.12"

// shimSource writes a client's source where its interpreter finds it.
func shimSource(t *testing.T, name string) string {
	t.Helper()
	content, err := shimSources.ReadFile("shim/" + name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// have skips a client that cannot be had here, and says so.
func have(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		if isMissing(err) {
			t.Skipf("NOT ASKED: %v", err)
		}
		t.Fatal(err)
	}
}

// told runs a client's program, and reads what it says it did.
func told(t *testing.T, cmd *exec.Cmd) (d done) {
	t.Helper()
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	watchdog := time.AfterFunc(silence, func() { cmd.Process.Kill() }) //nolint:errcheck // it has ended, then
	defer watchdog.Stop()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s %s", err, out.String(), said.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &d); err != nil {
		t.Fatalf("%v: %s %s", err, out.String(), said.String())
	}
	return d
}

func javaThroughShim(t *testing.T, bootstrap, topic, how string) done {
	cmd, err := rig.Java(t.Context(), shimSource(t, "Clients.java"), bootstrap, topic, fmt.Sprint(shimRecords), how)
	have(t, err)
	return told(t, cmd)
}

func pythonThroughShim(script, requirements string) func(t *testing.T, bootstrap, topic, how string) done {
	return func(t *testing.T, bootstrap, topic, how string) done {
		python, err := rig.Python(t.Context(), strings.ReplaceAll(requirements, " ", "\n"))
		have(t, err)
		return told(t, exec.Command(python, shimSource(t, script), bootstrap, topic, fmt.Sprint(shimRecords), how))
	}
}

func nodeThroughShim(t *testing.T, bootstrap, topic, how string) done {
	node, dir, err := rig.Node(t.Context(), "kafkajs@2.2.4")
	have(t, err)
	cmd := exec.Command(node, shimSource(t, "kafkajs.js"), bootstrap, topic, fmt.Sprint(shimRecords), how)
	cmd.Dir = dir
	return told(t, cmd)
}

// toolsThroughShim are Apache Kafka's own console tools.
func toolsThroughShim(t *testing.T, bootstrap, topic, _ string) (d done) {
	tool := func(input, name string, args ...string) string {
		cmd, err := shimBrokers(t).Tool(t.Context(), name, append(args, "--bootstrap-server", bootstrap)...)
		have(t, err)
		cmd.Stdin = strings.NewReader(input)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v: %s %s", name, args, err, out, said.String())
		}
		return string(out)
	}
	var input strings.Builder
	for i := range shimRecords {
		fmt.Fprintf(&input, "record-%d\n", i)
	}
	tool(input.String(), "kafka-console-producer", "--topic", topic)
	d.Produced = shimRecords
	out := tool("", "kafka-console-consumer", "--topic", topic, "--group", topic, "--from-beginning", "--max-messages", fmt.Sprint(shimRecords), "--timeout-ms", "60000")
	d.Consumed = strings.Count(out, "record-")
	for _, call := range []struct {
		want string
		args []string
	}{
		{"PartitionCount: 3", []string{"kafka-topics", "--describe", "--topic", topic}},
		{topic, []string{"kafka-consumer-groups", "--describe", "--group", topic}},
		{topic + ":0:", []string{"kafka-get-offsets", "--topic", topic}},
	} {
		if out := tool("", call.args[0], call.args[1:]...); !strings.Contains(out, call.want) {
			t.Errorf("%s says nothing of %q: %s", call.args, call.want, out)
		}
	}
	d.Admin = "kafka-topics, kafka-consumer-groups, kafka-get-offsets"
	return d
}

func saramaThroughShim(t *testing.T, bootstrap, topic, _ string) (d done) {
	config := sarama.NewConfig()
	config.Producer.Return.Successes = true // a SyncProducer wants it
	admin, err := sarama.NewClusterAdmin([]string{bootstrap}, config)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	brokers, _, err := admin.DescribeCluster()
	if err != nil {
		t.Fatal(err)
	}
	d.Admin = adminBy(t, len(brokers), func() error {
		return admin.CreateTopic(topic+"-admin", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 3}, false)
	}, func() error { return admin.DeleteTopic(topic + "-admin") })
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, config)
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	for i := range shimRecords {
		m := &sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder(fmt.Sprint("key-", i)), Value: sarama.StringEncoder(fmt.Sprint("record-", i))}
		if _, _, err := producer.SendMessage(m); err != nil {
			t.Fatal(err)
		}
		d.Produced++
	}
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	group, err := sarama.NewConsumerGroup([]string{bootstrap}, topic, config)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	h := &counting{want: shimRecords, enough: cancel}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{topic}, h); err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
	}
	d.Consumed = int(h.have.Load())
	return d
}

func kafkaGoThroughShim(t *testing.T, bootstrap, topic, _ string) (d done) {
	transport := &kafka.Transport{} // the default one is shared, and keeps what it knows of other brokers
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(bootstrap), Transport: transport}
	meta, err := client.Metadata(t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	d.Admin = adminBy(t, len(meta.Brokers), func() error {
		_, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic + "-admin", NumPartitions: 1, ReplicationFactor: 3}}})
		return err
	}, func() error {
		_, err := client.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{topic + "-admin"}})
		return err
	})
	writer := &kafka.Writer{Addr: kafka.TCP(bootstrap), Topic: topic, Transport: transport} // acks=0
	var messages []kafka.Message
	for i := range shimRecords {
		messages = append(messages, kafka.Message{Key: fmt.Append(nil, "key-", i), Value: fmt.Append(nil, "record-", i)})
	}
	if err := writer.WriteMessages(t.Context(), messages...); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	d.Produced = shimRecords
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, GroupID: topic, Topic: topic, StartOffset: kafka.FirstOffset, MaxWait: 200 * time.Millisecond})
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for d.Consumed < shimRecords {
		if _, err := reader.ReadMessage(ctx); err != nil {
			t.Fatalf("%v after %d records", err, d.Consumed)
		}
		d.Consumed++
	}
	return d
}

func franzGoThroughShim(t *testing.T, bootstrap, topic, how string) (d done) {
	opts := []kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.ClientID("franz-go-" + how), kgo.DefaultProduceTopic(topic),
		kgo.ConsumeTopics(topic), kgo.ConsumerGroup(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
	if how == "weak" {
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.NoAck()))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	nodes, err := admin.ListBrokers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.Admin = adminBy(t, len(nodes), func() error {
		_, err := admin.CreateTopic(t.Context(), 1, 3, nil, topic+"-admin")
		return err
	}, func() error {
		_, err := admin.DeleteTopic(t.Context(), topic+"-admin")
		return err
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range shimRecords {
		client.Produce(ctx, &kgo.Record{Key: fmt.Append(nil, "key-", i), Value: fmt.Append(nil, "record-", i)}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	d.Produced = shimRecords
	for d.Consumed < shimRecords && ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		d.Consumed += fetches.NumRecords()
	}
	return d
}

func adminBy(t *testing.T, nodes int, create, remove func() error) string {
	t.Helper()
	if err := create(); err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d nodes, topic created and deleted", nodes)
}
