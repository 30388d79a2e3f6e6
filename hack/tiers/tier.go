package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// tier is one set of tests and what it runs on.
type tier struct {
	name, what, parts string
	// prepare brings the real parts and returns what the tests need in their environment; the error says what is missing
	// and how to have it.
	prepare func(ctx context.Context) (env []string, err error)
	// optional is a tier that not every CI can run: that it did not run is printed and counted, and fails nothing.
	optional bool
	suites   []suite
}

// suite is one go test command.
type suite struct {
	dir  string // of the module; empty is this one
	args []string
	// cluster has three brokers run for the time of the suite, and named to it in KAFKA_BOOTSTRAP_SERVERS.
	cluster bool
}

var tiers = []tier{
	{
		name:  "unit",
		what:  "pure packages, CEL of the CRDs, the Kafka protocol on kfake, import rules",
		parts: "the Kafka protocol (kfake)",
		suites: []suite{
			{args: []string{"./..."}},
			{dir: "hack/localkube", args: []string{"./..."}},
			{dir: "hack/image", args: []string{"./..."}},
		},
	},
	{
		name:    "envtest",
		what:    "controllers and CRDs",
		parts:   "etcd, kube-apiserver",
		prepare: kubernetesAssets,
		suites:  []suite{{args: []string{"-tags", "envtest", "-timeout", "15m", "./test/envtest/..."}}},
	},
	{
		name:    "fleet",
		what:    "two operators at admission and real roll-outs: a replica killed, refusals, restarts",
		parts:   "etcd, kube-apiserver, kube-controller-manager",
		prepare: controllerManager,
		suites:  []suite{{args: []string{"-tags", "fleet", "-count=1", "-timeout", "10m", "./test/fleet/..."}}},
	},
	{
		name:    "kafka",
		what:    "the operator on three brokers: connections, refusals, faults",
		parts:   "Apache Kafka (3 brokers, 3 racks, KRaft), etcd, kube-apiserver",
		prepare: kafkaAndKubernetes,
		suites: []suite{
			{args: []string{"-tags", "kafka", "-timeout", "15m", "./hack/localkafka/local/"}},
			{args: []string{"-tags", "kafka", "-timeout", "10m", "./internal/kafka/kafkatest/"}, cluster: true},
			{args: []string{"-tags", "kafka", "-timeout", "10m", "./internal/cli/"}},
			// Brokers that are killed on a busy machine may outlast a spec's patience: each may be tried twice, and the suite names
			// those that were.
			{args: []string{"-tags", "kafka", "-timeout", "35m", "./test/kafka/...", "-ginkgo.flake-attempts=2"}},
		},
	},
	{
		name:    "conformance",
		what:    "producer configurations, judged by Mooring and by the clients themselves",
		parts:   "kafka-clients 4 and 3.9, librdkafka, sarama, franz-go, Spring, Quarkus, Kafka",
		prepare: clientsAndKafka,
		suites: []suite{
			{dir: "test/conformance", args: []string{"-tags", "conformance", "-count=1", "-timeout", "20m", "."}},
			{dir: "test/conformance", args: []string{"-tags", "conformance,kafka", "-count=1", "-timeout", "10m", "-run", "TestProduce", "."}, cluster: true},
		},
	},
	{
		name:    "shim",
		what:    "any client through the shim, over Kafka or HTTP, keeps the guarantee; the ledgers of what they were told",
		parts:   "mooring-shim, Kafka, Apicurio Registry, kafka-clients, librdkafka, kafkajs and eight more, curl",
		prepare: clientsAndKafka,
		suites: []suite{
			{dir: "test/conformance", args: []string{"-tags", "conformance,kafka", "-count=1", "-timeout", "15m", "-run", "TestShim$|TestHTTP", "."}},
			{dir: "test/ledger", args: []string{"-tags", "kafka", "-count=1", "-timeout", "10m", "."}},
		},
	},
	{
		name:     "e2e",
		what:     "the operator as users install it, on a node, with three brokers beside it",
		parts:    "kubelet, containerd, kube-proxy, the control plane, Apache Kafka",
		prepare:  nodeAndKafka,
		optional: true,
		suites: []suite{
			{dir: "hack/localkube", args: []string{"-tags", "e2e", "-count=1", "-timeout", "15m", "-run", "TestControlPlane|TestNode", "."}},
			{args: []string{"-tags", "e2e", "-count=1", "-timeout", "30m", "./test/e2e/..."}},
		},
	},
}

// nodeAndKafka says why a node cannot run here, and otherwise has its binaries built and Apache Kafka's jars fetched.
func nodeAndKafka(ctx context.Context) ([]string, error) {
	if output, err := exec.CommandContext(ctx, bin("localkube"), "check-node", "--install").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s", strings.TrimSpace(string(output)))
	}
	cmd := exec.CommandContext(ctx, bin("localkube"), "build", "--components", "all")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the node's binaries cannot be had (see above): %w", err)
	}
	return nil, fetchKafka(ctx)
}

func (t tier) run(ctx context.Context) report {
	var env []string
	if t.prepare != nil {
		var err error
		if env, err = t.prepare(ctx); err != nil {
			return report{missing: err.Error()}
		}
	}
	var r report
	for _, s := range t.suites {
		c, err := s.runOn(ctx, env)
		r.counts.add(c)
		if err != nil && r.err == nil {
			r.err = err
		}
	}
	return r
}

// runOn runs a suite, on brokers of its own if it wants them.
func (s suite) runOn(ctx context.Context, env []string) (counts, error) {
	if !s.cluster {
		return s.run(ctx, env)
	}
	dir, err := os.MkdirTemp("", "mooring-tiers-")
	if err != nil {
		return counts{}, err
	}
	defer os.RemoveAll(dir)
	cluster := filepath.Join(dir, "kafka")
	defer func() {
		// The context may be over, and the brokers have to go all the same.
		if output, err := exec.Command(bin("localkafka"), "down", "--dir", cluster).CombinedOutput(); err != nil {
			fmt.Printf("  the brokers did not go: %v\n%s", err, output)
		}
	}()
	cmd := exec.CommandContext(ctx, bin("localkafka"), "up", "--dir", cluster)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return counts{}, fmt.Errorf("start three brokers: %w", err)
	}
	servers := strings.TrimPrefix(strings.TrimSpace(string(output)), "export ")
	return s.run(ctx, append(slices.Clone(env), servers))
}

// kubernetesAssets has etcd, kube-apiserver and kubectl built or found.
func kubernetesAssets(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, bin("localkube"), "assets")
	cmd.Stderr = os.Stderr
	var output bytes.Buffer
	cmd.Stdout = &output
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the control plane's binaries cannot be had (see above): %w", err)
	}
	return []string{"KUBEBUILDER_ASSETS=" + strings.TrimSpace(output.String())}, nil
}

// controllerManager has the control plane built, controllers too, so that the suite's own start of it is quick.
func controllerManager(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, bin("localkube"), "build", "--components", "etcd,kube-apiserver,kube-controller-manager")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the control plane's binaries cannot be had (see above): %w", err)
	}
	return nil, nil
}

// clientsAndKafka has what builds and runs the clients installed, and Apache Kafka's jars fetched. What the clients are made of
// the suites fetch themselves.
func clientsAndKafka(ctx context.Context) ([]string, error) {
	if err := haveTools(ctx); err != nil {
		return nil, err
	}
	return nil, fetchKafka(ctx)
}

// kafkaAndKubernetes has Apache Kafka's jars fetched too, and Java installed where that is possible.
func kafkaAndKubernetes(ctx context.Context) ([]string, error) {
	env, err := kubernetesAssets(ctx)
	if err != nil {
		return nil, err
	}
	return env, fetchKafka(ctx)
}

func fetchKafka(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, bin("localkafka"), "fetch")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("Apache Kafka cannot be had (see above): %w", err)
	}
	return nil
}

func bin(name string) string {
	self, err := os.Executable()
	if err != nil {
		return filepath.Join("bin", name)
	}
	return filepath.Join(filepath.Dir(self), name)
}
