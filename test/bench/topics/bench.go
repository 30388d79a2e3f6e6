package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/twmb/franz-go/pkg/kgo"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/operator"
)

// interval between two looks at the cluster; short enough for the sweep phase to see one.
const interval = 5 * time.Second

// bench is one run: what it runs on and what it has measured.
type bench struct {
	n           int
	dir, bin    string
	kafka       string
	replication int16
	servers     []string
	kubeconfig  string
	k8s         client.Client
	// seen is a cache of the KafkaTopics: a watch costs the API server little, and a list of them all many times a second would be
	// most of what it does.
	seen   client.Reader
	direct *kgo.Client

	operator *exec.Cmd
	ended    chan struct{}
	metrics  string
	// profiles is the folder that profiles of the operator go to, or "" for a run that measures.
	profiles, pprof string

	undo   []func() error
	floors floors
	result results
}

type floors struct{ create, change, remove time.Duration }

type results struct {
	create, change, remove  time.Duration
	requests                map[string]float64
	apiReads, apiWrites     float64
	sweepRequests           float64
	sweepReads, sweepWrites float64
	restartWrites           int
	cpu                     struct{ create, change, remove time.Duration }
	rss                     int64
}

func newBench(n int) (*bench, error) {
	ctrl.SetLogger(logr.Discard())
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mooring-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{n: n, dir: dir, bin: filepath.Dir(self), kafka: os.Getenv("KAFKA"), replication: 3, profiles: os.Getenv("PROFILE")}
	if b.kafka == "" {
		b.kafka = "embedded"
	}
	b.undo = append(b.undo, func() error { return os.RemoveAll(dir) })
	return b, nil
}

func (b *bench) close() error {
	var errs []error
	for i := len(b.undo) - 1; i >= 0; i-- {
		errs = append(errs, b.undo[i]())
	}
	return errors.Join(errs...)
}

// start brings up the API server and Kafka, and the CRDs.
func (b *bench) start(ctx context.Context) error {
	kube, kafka := filepath.Join(b.dir, "kube"), filepath.Join(b.dir, "kafka")
	b.undo = append(b.undo, func() error { return b.tool(context.Background(), "localkube", "down", "--dir", kube) })
	if err := b.tool(ctx, "localkube", "up", "--dir", kube, "--components", "etcd,kube-apiserver,kubectl"); err != nil {
		return err
	}
	args := []string{"up", "--dir", kafka}
	switch b.kafka {
	case "embedded":
		args = append(args, "--embedded")
	case "apache":
	default:
		return fmt.Errorf("KAFKA is %q: it must be embedded or apache", b.kafka)
	}
	b.undo = append(b.undo, func() error { return b.tool(context.Background(), "localkafka", "down", "--dir", kafka) })
	if err := b.tool(ctx, "localkafka", args...); err != nil {
		return err
	}
	return b.connect(ctx, kube, kafka)
}

func (b *bench) connect(ctx context.Context, kube, kafka string) error {
	var kafkaState struct{ Bootstrap struct{ Plaintext []string } }
	if err := readJSON(filepath.Join(kafka, "state.json"), &kafkaState); err != nil {
		return err
	}
	var kubeState struct{ Kubeconfig, BinaryDir string }
	if err := readJSON(filepath.Join(kube, "state.json"), &kubeState); err != nil {
		return err
	}
	b.servers, b.kubeconfig = kafkaState.Bootstrap.Plaintext, kubeState.Kubeconfig
	kubectl := exec.CommandContext(ctx, filepath.Join(kubeState.BinaryDir, "kubectl"), "--kubeconfig", b.kubeconfig, "apply", "--server-side", "-f", "config/crd/bases")
	if output, err := kubectl.CombinedOutput(); err != nil {
		return fmt.Errorf("install the CRDs: %w\n%s", err, output)
	}
	config, err := clientcmd.BuildConfigFromFlags("", b.kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	if b.k8s, err = client.New(config, client.Options{Scheme: operator.Scheme()}); err != nil {
		return err
	}
	if err := b.watch(ctx, config); err != nil {
		return err
	}
	if b.direct, err = kgo.NewClient(kgo.SeedBrokers(b.servers...), kgo.MetadataMinAge(10*time.Millisecond)); err != nil {
		return err
	}
	b.undo = append(b.undo, func() error { b.direct.Close(); return nil })
	return b.k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mooring-system"}})
}

// watch fills b.seen for as long as the run lasts.
func (b *bench) watch(ctx context.Context, config *rest.Config) error {
	objects, err := cache.New(config, cache.Options{Scheme: operator.Scheme(), DefaultTransform: cache.TransformStripManagedFields()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- objects.Start(ctx) }()
	b.undo = append(b.undo, func() error { cancel(); return <-ended })
	if _, err := objects.GetInformer(ctx, &v1alpha1.KafkaTopic{}); err != nil {
		return fmt.Errorf("watch KafkaTopics: %w", err)
	}
	b.seen = objects
	return nil
}

// startOperator runs bin/mooring as a process of its own, so that its memory and CPU are its own.
func (b *bench) startOperator(ctx context.Context) error {
	err := b.k8s.Create(ctx, &v1alpha1.KafkaCluster{
		ObjectMeta: metav1.ObjectMeta{Name: "default"},
		Spec:       v1alpha1.KafkaClusterSpec{BootstrapServers: b.servers, Drift: v1alpha1.DriftSpec{Interval: &metav1.Duration{Duration: interval}}},
	})
	if err != nil {
		return err
	}
	if err := b.launch(); err != nil {
		return err
	}
	return b.until(ctx, "the operator to connect", func() (bool, error) {
		var k v1alpha1.KafkaCluster
		err := b.k8s.Get(ctx, client.ObjectKey{Name: "default"}, &k)
		return k.Status.ClusterID != "", err
	})
}

func (b *bench) launch() error {
	var err error
	if b.metrics, err = freeAddress(); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(b.dir, "operator.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(b.bin, "mooring"), "--metrics-bind-address="+b.metrics, "--health-probe-bind-address=0")
	if b.profiles != "" {
		if b.pprof, err = freeAddress(); err != nil {
			return err
		}
		cmd.Args = append(cmd.Args, "--pprof-bind-address="+b.pprof)
	}
	cmd.Env = append(os.Environ(), "KUBECONFIG="+b.kubeconfig)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	b.operator, b.ended = cmd, ended
	b.undo = append(b.undo, func() error { b.stopOperator(); return nil })
	return nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (b *bench) stopOperator() {
	_ = b.operator.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-b.ended:
	case <-time.After(40 * time.Second):
		_ = b.operator.Process.Kill()
		<-b.ended
	}
}

// until polls a condition, with a bound that only a broken run reaches.
func (b *bench) until(ctx context.Context, what string, is func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := is()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-b.ended:
			return fmt.Errorf("the operator ended while waiting for %s; see %s", what, filepath.Join(b.dir, "operator.log"))
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting for %s: %w", what, ctx.Err())
		}
	}
}

func (b *bench) tool(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(b.bin, name), args...)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
