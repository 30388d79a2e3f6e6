package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const ready = `{.status.conditions[?(@.type=="Ready")].status}`

// tour is what the demo shows.
type tour struct{ *stage }

func (t tour) all(ctx context.Context) error {
	parts := []func(context.Context) error{t.connect, t.create, t.change, t.brokersView, t.wrong, t.remove}
	p := pods{producers: producers{tour: t}}
	switch {
	case !t.ownCluster:
		parts = append(parts, t.noProducers)
	case t.noNode == "":
		parts = append(parts, p.profile, p.deploy, p.annotate, p.compare, p.audit, p.changePolicy)
	default:
		p := p.producers
		parts = append(parts, p.profile, p.annotate, p.startShim, p.produce, p.audit, p.changePolicy)
	}
	for _, part := range parts {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t tour) connect(ctx context.Context) error {
	say("A KafkaCluster says how to reach Kafka")
	if t.namespace != "default" {
		if err := t.quietKubectl(ctx, "create", "namespace", t.namespace); err != nil {
			return err
		}
		t.undo = append(t.undo, func() error {
			return t.quietKubectl(context.Background(), "delete", "namespace", t.namespace, "--wait=false")
		})
	}
	quoted := make([]string, len(t.servers))
	for i, server := range t.servers {
		quoted[i] = fmt.Sprintf("%q", server)
	}
	_, err := t.apply(ctx, fmt.Sprintf(`apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaCluster
metadata: {name: default}
spec: {bootstrapServers: [%s]}
`, strings.Join(quoted, ", ")))
	if err != nil {
		return err
	}
	if err := t.waitFor(ctx, "kafkacluster/default", ready, "True"); err != nil {
		return err
	}
	return t.kubectl(ctx, "get", "kafkaclusters")
}

func (t tour) create(ctx context.Context) error {
	say("A KafkaTopic becomes a topic")
	manifest, err := os.ReadFile("config/samples/topic.yaml")
	if err != nil {
		return err
	}
	fmt.Print(string(manifest))
	if err := t.kubectl(ctx, "apply", "-n", t.namespace, "-f", "config/samples/topic.yaml"); err != nil {
		return err
	}
	if err := t.waitFor(ctx, "kafkatopic/orders", ready, "True"); err != nil {
		return err
	}
	return t.kubectl(ctx, "get", "kafkatopics", "-n", t.namespace)
}

func (t tour) change(ctx context.Context) error {
	say("Change the manifest, and the topic follows: more partitions, larger messages")
	if err := t.kubectl(ctx, "patch", "kafkatopic", "orders", "-n", t.namespace, "--type=merge", "-p",
		`{"spec":{"partitions":12,"config":{"max.message.bytes":2097152}}}`); err != nil {
		return err
	}
	if err := t.waitFor(ctx, "kafkatopic/orders", `{.status.partitions} {.status.managedConfig.max\.message\.bytes}`, "12 2097152"); err != nil {
		return err
	}
	if err := t.kubectl(ctx, "get", "kafkatopics", "-n", t.namespace); err != nil {
		return err
	}
	return t.kubectl(ctx, "events", "-n", t.namespace, "--for", "kafkatopic/orders")
}

// brokersView asks the brokers, not us, with Apache Kafka's own tool where it runs.
func (t tour) brokersView(ctx context.Context) error {
	say("What the brokers themselves say of it")
	if t.apache {
		args := []string{"tool", "--dir", t.kafkaDir, "kafka-topics", "--describe", "--topic", "orders"}
		fmt.Println("$ kafka-topics --describe --topic orders")
		cmd := exec.CommandContext(ctx, filepath.Join(t.bin, "localkafka"), args...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd.Run()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(t.servers...))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx, "orders")
	if err != nil {
		return err
	}
	orders := topics["orders"]
	fmt.Printf("topic %s, topic ID %s: %d partitions\n", orders.Topic, orders.ID, len(orders.Partitions))
	for _, p := range orders.Partitions.Sorted()[:3] {
		fmt.Printf("  partition %d: leader %d, replicas %v, in sync %v\n", p.Partition, p.Leader, p.Replicas, p.ISR)
	}
	fmt.Println("  ...")
	configs, err := admin.DescribeTopicConfigs(ctx, "orders")
	if err != nil {
		return err
	}
	for _, c := range configs[0].Configs {
		if c.Source.String() == "DYNAMIC_TOPIC_CONFIG" {
			fmt.Printf("  %s=%s\n", c.Key, c.MaybeValue())
		}
	}
	return nil
}

func (t tour) wrong(ctx context.Context) error {
	say("A manifest that cannot be right is refused at once, with the field and the mend")
	refusal, err := t.apply(ctx, `apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata: {name: payments, namespace: `+t.namespace+`}
spec: {partitions: 6, replicationFactor: 2, minInsyncReplicas: 3}
`)
	if err != nil {
		return err
	}
	if !strings.Contains(refusal, "spec.minInsyncReplicas") {
		return fmt.Errorf("the API server did not refuse minInsyncReplicas above replicationFactor")
	}
	say("One that only the brokers can judge gets its answer in a condition")
	if _, err := t.apply(ctx, `apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata: {name: payments, namespace: `+t.namespace+`}
spec: {partitions: 6, replicationFactor: 7}
`); err != nil {
		return err
	}
	if err := t.waitFor(ctx, "kafkatopic/payments", `{.status.conditions[?(@.type=="Ready")].reason}`, "ReplicationFactorTooLarge"); err != nil {
		return err
	}
	return t.kubectl(ctx, "get", "kafkatopics", "-n", t.namespace, "-o", "wide")
}

func (t tour) remove(ctx context.Context) error {
	say("Deleting a KafkaTopic keeps the topic and its records, unless deletionPolicy says otherwise")
	if err := t.kubectl(ctx, "delete", "kafkatopic", "payments", "orders", "-n", t.namespace, "--timeout=30s"); err != nil {
		return err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(t.servers...))
	if err != nil {
		return err
	}
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("topics on the brokers: %s\n", strings.Join(topics.Names(), ", "))
	if !topics.Has("orders") {
		return fmt.Errorf("topic orders is gone, and deletionPolicy is Retain")
	}
	say("The old manifest comes back. The topic has grown since: nothing is written until a person says what is right")
	if err := t.quietKubectl(ctx, "apply", "-n", t.namespace, "-f", "config/samples/topic.yaml"); err != nil {
		return err
	}
	if err := t.waitFor(ctx, "kafkatopic/orders", `{.status.conditions[?(@.type=="Ready")].reason}`, "PartitionsShrink"); err != nil {
		return err
	}
	if err := t.kubectl(ctx, "get", "kafkatopic", "orders", "-n", t.namespace, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].message}{"\n"}`); err != nil {
		return err
	}
	if err := t.kubectl(ctx, "patch", "kafkatopic", "orders", "-n", t.namespace, "--type=merge", "-p", `{"spec":{"partitions":12,"config":{"max.message.bytes":2097152}}}`); err != nil {
		return err
	}
	if err := t.waitFor(ctx, "kafkatopic/orders", ready, "True"); err != nil {
		return err
	}
	return t.kubectl(ctx, "get", "kafkatopics", "-n", t.namespace)
}

func (t tour) noProducers(context.Context) error {
	say("Producers are not shown on a cluster that was there: their webhooks come with config/default (docs/tasks/annotate-a-workload.md)")
	return nil
}
