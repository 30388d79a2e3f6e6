package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/api/v1alpha1"
)

// pods is the part of the tour about producer policy where there is a node: what the others only show, runs here.
type pods struct {
	producers
	before string // the pod that ran without a policy
}

const checkoutOnNode = `apiVersion: apps/v1
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
      - name: app
        image: ` + checkoutImage + `
        imagePullPolicy: Never
        args: [--topic=orders, --acks=0, --rate=200]
        env:
        - {name: KAFKA_BOOTSTRAP_SERVERS, value: "%s"}
`

// deploy runs an application as half of the libraries configure theirs: it waits for nobody.
func (p *pods) deploy(ctx context.Context) error {
	say("An application that never asked for anything (acks=0, no idempotence) runs on the node, and writes to the brokers directly")
	if _, err := p.apply(ctx, fmt.Sprintf(checkoutOnNode, p.namespace, p.bootstrap())); err != nil {
		return err
	}
	if err := p.rolledOut(ctx); err != nil {
		return err
	}
	var err error
	if p.before, err = p.podName(ctx); err != nil {
		return err
	}
	return p.until(ctx, "its records", func() (bool, error) {
		runs, err := p.runs(ctx)
		return runs[p.before].records >= 100, err
	})
}

func (p *pods) rolledOut(ctx context.Context) error {
	return p.kubectl(ctx, "rollout", "status", "deployment/checkout", "-n", p.namespace, "--timeout=60s")
}

func (p *pods) podName(ctx context.Context) (string, error) {
	name, err := p.kubectlCommand(ctx, "get", "pods", "-n", p.namespace, "-l", "app=checkout", "--field-selector=status.phase=Running", "--sort-by=.metadata.creationTimestamp",
		"-o", "jsonpath={.items[-1:].metadata.name}").Output()
	if err != nil {
		return "", fmt.Errorf("find the pod of Deployment checkout: %w", err)
	}
	return string(name), nil
}

// annotate gives the running Deployment its policy, and shows what its next pod was given.
func (p *pods) annotate(ctx context.Context) error {
	say("One annotation on the Deployment, and its next pod carries the policy: a shim beside the app, and the app's environment points to it")
	if err := p.kubectl(ctx, "annotate", "deployment", "checkout", "-n", p.namespace, v1alpha1.AnnotationProducerProfile+"=reliable"); err != nil {
		return err
	}
	if err := p.findPod(ctx); err != nil {
		return err
	}
	if err := p.rolledOut(ctx); err != nil {
		return err
	}
	for _, show := range []string{
		`jsonpath={range .status.initContainerStatuses[*]}sidecar   {.name}: {.image}, started {.started}, restarts {.restartCount}{"\n"}{end}{range .status.containerStatuses[*]}container {.name}: {.image}, started {.started}, restarts {.restartCount}{"\n"}{end}`,
		`jsonpath={range .spec.containers[0].env[*]}  {.name}={.value}{"\n"}{end}`,
		`jsonpath=the contract, which the shim reads from a file of the pod:{"\n"}  {.metadata.annotations.kafka\.mooring\.dev/contract}{"\n"}`,
	} {
		if err := p.show(ctx, "get", "pod", p.pod, "-n", p.namespace, "-o", show); err != nil {
			return err
		}
	}
	port, err := p.kubectlCommand(ctx, "get", "pod", p.pod, "-n", p.namespace, "-o", "jsonpath={.spec.initContainers[0].ports[0].containerPort}").Output()
	p.ask = func(ctx context.Context, path string) ([]byte, error) {
		return p.kubectlCommand(ctx, "get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:%s/proxy%s", p.namespace, p.pod, port, path)).Output()
	}
	return err
}

// written is what the brokers hold of one pod.
type written struct {
	records, highest int64
	// idempotent are the records that a retry of the shim's cannot write twice.
	idempotent int64
}

// runs reads the whole topic, and sorts it by the pod that wrote. The application's records are its run's ID, which begins with
// the pod's name, and a number from 1.
func (p *pods) runs(ctx context.Context) (map[string]written, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	reader, err := kgo.NewClient(kgo.SeedBrokers(p.servers...), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	ends, err := kadm.NewClient(reader).ListEndOffsets(ctx, "orders")
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("read topic orders: %w", err)
	}
	var left int64
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	runs := make(map[string]written)
	for left > 0 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, fmt.Errorf("read topic orders: %w", err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			left--
			id, text, _ := strings.Cut(string(r.Value), " ")
			var number int64
			if _, err := fmt.Sscan(text, &number); err != nil {
				return // another's
			}
			pod := id[:strings.LastIndexByte(id, '-')]
			one := runs[pod]
			one.records, one.highest = one.records+1, max(one.highest, number)
			if r.ProducerID >= 0 {
				one.idempotent++
			}
			runs[pod] = one
		})
	}
	return runs, nil
}

// compare shows what is on the brokers, of the same application without and with the policy.
func (p *pods) compare(ctx context.Context) error {
	say("What the brokers hold of the same application, before and after")
	var runs map[string]written
	err := p.until(ctx, "records through the shim", func() (done bool, err error) {
		runs, err = p.runs(ctx)
		return runs[p.pod].records >= 200, err
	})
	if err != nil {
		return err
	}
	for _, way := range []struct{ pod, how string }{{p.before, "directly"}, {p.pod, "through the shim"}} {
		one := runs[way.pod]
		fmt.Printf("%-27s %-16s  %5d records, of numbers up to %d; idempotent: %d\n", way.pod, way.how, one.records, one.highest, one.idempotent)
	}
	if first, second := runs[p.before], runs[p.pod]; first.idempotent != 0 || second.idempotent != second.records {
		return fmt.Errorf("the shim did not make every batch idempotent")
	}
	return nil
}

// changePolicy changes the profile, and shows that the running pod follows.
func (p *pods) changePolicy(ctx context.Context) error {
	say("The policy changes: only watch, and upgrade nothing. The running pod follows, without a restart")
	const containers = `jsonpath={range .status.initContainerStatuses[*]}{.name} {.containerID} restarts {.restartCount}{"\n"}{end}{range .status.containerStatuses[*]}{.name} {.containerID} restarts {.restartCount}{"\n"}{end}`
	before, err := p.kubectlCommand(ctx, "get", "pod", p.pod, "-n", p.namespace, "-o", containers).Output()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := p.kubectl(ctx, "patch", "producerprofile", "reliable", "-n", p.namespace, "--type=merge", "-p", `{"spec":{"shim":{"mode":"Audit"}}}`); err != nil {
		return err
	}
	var line string
	err = p.until(ctx, "the shim to say that it only audits", func() (bool, error) {
		metrics, err := p.ask(ctx, "/metrics")
		_, after, _ := strings.Cut(string(metrics), "\nmooring_shim_contract_info{")
		line, _, _ = strings.Cut(after, "\n")
		return strings.Contains(line, `mode="Audit"`), err
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s after the patch, the shim's /metrics say:\n  mooring_shim_contract_info{%s\n", time.Since(began).Round(10*time.Millisecond), line)
	after, err := p.kubectlCommand(ctx, "get", "pod", p.pod, "-n", p.namespace, "-o", containers).Output()
	if err != nil {
		return err
	}
	fmt.Print(string(after))
	if string(after) != string(before) {
		return fmt.Errorf("the pod's containers are not those from before the change:\n%s", before)
	}
	fmt.Println("these are the containers from before the change")
	if err := p.waitFor(ctx, "producerprofile/reliable", `{.status.pods.current} of {.status.pods.bound}`, "1 of 1"); err != nil {
		return err
	}
	return p.kubectl(ctx, "get", "producerprofiles", "-n", p.namespace)
}
