package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/health"
)

// producers is the part of the tour about producer policy.
type producers struct {
	tour
	pod      string // of the annotated Deployment
	contract string // file with the pod's contract
	kafka    string // the shim's Kafka listener
	status   string // the shim's status listener
	ask      func(ctx context.Context, path string) ([]byte, error)
}

const checkout = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
  namespace: %s
spec:
  replicas: 1
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec:
      containers:
      - {name: app, image: "example.com/checkout:1"}
`

func (p *producers) profile(ctx context.Context) error {
	say("A ProducerProfile says what producers promise, and whether the topics they write make it true")
	manifest, err := os.ReadFile("config/samples/profile.yaml")
	if err != nil {
		return err
	}
	fmt.Print(string(manifest))
	if err := p.kubectl(ctx, "apply", "-n", p.namespace, "-f", "config/samples/profile.yaml"); err != nil {
		return err
	}
	if err := p.kubectl(ctx, "patch", "producerprofile", "reliable", "-n", p.namespace, "--type=merge", "-p", `{"spec":{"topics":{"names":["orders"]},"shim":{"listeners":"Kafka"}}}`); err != nil {
		return err
	}
	if err := p.waitFor(ctx, "producerprofile/reliable", `{.status.conditions[?(@.type=="Durable")].status}`, "True"); err != nil {
		return err
	}
	if err := p.kubectl(ctx, "get", "producerprofiles", "-n", p.namespace); err != nil {
		return err
	}
	return p.kubectl(ctx, "get", "producerprofile", "reliable", "-n", p.namespace, "-o", `jsonpath={range .status.topics[*]}{.name}: {.durability}: {.message}{"\n"}{end}`)
}

func (p *producers) annotate(ctx context.Context) error {
	say("One annotation on a Deployment, and its pods carry the policy")
	if err := p.installWebhooks(ctx); err != nil {
		return err
	}
	if _, err := p.apply(ctx, fmt.Sprintf(checkout, p.namespace)); err != nil {
		return err
	}
	if err := p.kubectl(ctx, "annotate", "deployment", "checkout", "-n", p.namespace, v1alpha1.AnnotationProducerProfile+"=reliable"); err != nil {
		return err
	}
	if err := p.findPod(ctx); err != nil {
		return err
	}
	for _, show := range []string{
		`jsonpath={range .spec.initContainers[*]}sidecar {.name}: {.image}, restartPolicy {.restartPolicy}{"\n"}{end}{range .spec.containers[*]}container {.name}: {.image}{"\n"}{end}`,
		`jsonpath={range .spec.containers[0].env[*]}  {.name}={.value}{"\n"}{end}`,
	} {
		if err := p.show(ctx, "get", "pod", p.pod, "-n", p.namespace, "-o", show); err != nil {
			return err
		}
	}
	return nil
}

// findPod waits for the pod of the annotated template.
func (p *producers) findPod(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		output, err := p.kubectlCommand(ctx, "get", "pods", "-n", p.namespace, "-l", "app=checkout", "-o",
			`jsonpath={range .items[*]}{.metadata.name} {.metadata.annotations.kafka\.mooring\.dev/contract}{"\n"}{end}`).Output()
		if err == nil {
			for line := range strings.Lines(string(output)) {
				name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
				if text != "" {
					p.pod = name
					return nil
				}
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("no pod of Deployment checkout carries a contract; the operator's log is %s", p.operatorLog)
		}
		<-time.After(200 * time.Millisecond)
	}
}

// startShim runs the shim on the pod's own contract. There is no node here, so this process is what the kubelet and the
// sidecar are in a cluster.
func (p *producers) startShim(ctx context.Context) error {
	say("There is no node here (%s): the pod's shim runs as a process, on the pod's own contract", p.noNode)
	p.contract = filepath.Join(p.dir, "contract.json")
	if _, err := p.projectContract(ctx); err != nil {
		return err
	}
	var err error
	if p.kafka, err = freeAddress(); err != nil {
		return err
	}
	if p.status, err = freeAddress(); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(p.dir, "shim.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(p.bin, "mooring-shim"), "--contract", p.contract, "--kafka-listen", p.kafka, "--status-listen", p.status)
	cmd.Stdout, cmd.Stderr = log, log
	fmt.Printf("$ bin/mooring-shim --contract %s --kafka-listen %s &\n", p.contract, p.kafka)
	if err := p.background(cmd, make(chan error, 1)); err != nil {
		return err
	}
	p.ask = p.get
	return p.until(ctx, "the shim to be ready", func() (bool, error) {
		_, err := p.ask(ctx, "/readyz")
		return err == nil, nil
	})
}

// projectContract writes the pod's annotation into the file that the shim reads, as the kubelet does, and returns its revision.
func (p *producers) projectContract(ctx context.Context) (int64, error) {
	text, err := p.kubectlCommand(ctx, "get", "pod", p.pod, "-n", p.namespace, "-o", `jsonpath={.metadata.annotations.kafka\.mooring\.dev/contract}`).Output()
	if err != nil {
		return 0, fmt.Errorf("read the contract of pod %s: %w", p.pod, err)
	}
	c, err := contract.Decode(text)
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(p.contract+".new", text, 0o600); err != nil {
		return 0, err
	}
	return c.Profile.Revision, os.Rename(p.contract+".new", p.contract)
}

// careless is a client as half of the libraries configure it: it does not wait for anybody.
func careless(server string) (*kgo.Client, error) {
	return kgo.NewClient(kgo.SeedBrokers(server), kgo.ClientID("careless"), kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite(),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RecordRetries(0))
}

// produce writes with the worst defaults, beside the shim and through it, and reads what the brokers hold.
func (p *producers) produce(ctx context.Context) error {
	say("A client that never asked for anything (acks=0, no idempotence) writes, first directly, then through the shim")
	for _, way := range []struct{ name, server string }{{"directly", p.servers[0]}, {"through the shim", p.kafka}} {
		c, err := careless(way.server)
		if err != nil {
			return err
		}
		err = c.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte(way.name)}).FirstErr()
		c.Close()
		if err != nil {
			return fmt.Errorf("produce %s: %w", way.name, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	reader, err := kgo.NewClient(kgo.SeedBrokers(p.servers...), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer reader.Close()
	ids := make(map[string]int64)
	for len(ids) < 2 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("read topic orders: %w", err)
		}
		fetches.EachRecord(func(r *kgo.Record) { ids[string(r.Value)] = r.ProducerID })
	}
	for _, way := range []string{"directly", "through the shim"} {
		fmt.Printf("on the brokers, written %-17s producer ID %d%s\n", way+":", ids[way], map[bool]string{true: " (none: a retry would write it twice)", false: " (idempotent)"}[ids[way] < 0])
	}
	if ids["directly"] >= 0 || ids["through the shim"] < 0 {
		return errors.New("the shim did not make the batch idempotent")
	}
	return nil
}

func (p *producers) audit(ctx context.Context) error {
	say("The audit view names the client and what it does, without being told")
	if p.status != "" {
		fmt.Printf("$ curl http://%s/audit\n", p.status)
	} else {
		fmt.Printf("$ curl http://POD-IP:9099/audit   # of pod %s\n", p.pod)
	}
	text, err := p.ask(ctx, "/audit")
	if err != nil {
		return err
	}
	var view health.View
	if err := json.Unmarshal(text, &view); err != nil {
		return err
	}
	for _, c := range view.Clients {
		for _, finding := range c.Findings {
			fmt.Printf("  %s: %s\n", c.ClientID, finding)
		}
		fmt.Printf("  %s (%s): %d records acknowledged by the brokers; acks upgraded in %d requests, %d batches made idempotent\n", c.ClientID, c.Library,
			c.Done.Acknowledged, c.Done.UpgradedAcks, c.Done.UpgradedBatches)
	}
	return nil
}

// changePolicy changes the profile, and shows that the running shim follows.
func (p *producers) changePolicy(ctx context.Context) error {
	say("The policy changes: refuse instead of upgrade. The running pod follows, without a restart")
	before, err := p.projectContract(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := p.kubectl(ctx, "patch", "producerprofile", "reliable", "-n", p.namespace, "--type=merge", "-p", `{"spec":{"shim":{"mode":"Reject"}}}`); err != nil {
		return err
	}
	err = p.until(ctx, "the pod's contract to change", func() (bool, error) {
		revision, err := p.projectContract(ctx)
		return revision > before, err
	})
	if err != nil {
		return err
	}
	err = p.until(ctx, "the shim to refuse", func() (bool, error) { return p.refuses(ctx) })
	if err != nil {
		return err
	}
	fmt.Printf("a weak write is answered with POLICY_VIOLATION %s after the patch\n", time.Since(began).Round(10*time.Millisecond))
	if err := p.waitFor(ctx, "producerprofile/reliable", `{.status.pods.current} of {.status.pods.bound}`, "1 of 1"); err != nil {
		return err
	}
	return p.kubectl(ctx, "get", "producerprofiles", "-n", p.namespace)
}

// refuses says whether a write with acks=1 is refused by policy.
func (p *producers) refuses(ctx context.Context) (bool, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(p.kafka), kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite(), kgo.RecordRetries(0))
	if err != nil {
		return false, err
	}
	defer c.Close()
	err = c.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("weak")}).FirstErr()
	return errors.Is(err, kerr.PolicyViolation), nil
}
