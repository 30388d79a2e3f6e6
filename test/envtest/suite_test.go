//go:build envtest

// Package envtest runs the controllers against a real kube-apiserver, with Kafka's protocol served by kfake.
package envtest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/go-logr/logr"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/pool"
	"mooring.dev/mooring/internal/operator"
)

const operatorNamespace = "mooring-system"

var (
	environment *envtest.Environment
	config      *rest.Config
	k8s         client.Client
	brokers     *kfake.Cluster
	admin       *kadm.Client
	running     *replica
)

func TestEnvtest(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "controllers on a real API server")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(logr.Discard())
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		Fail("KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver: run this tier with `make test-envtest`")
	}
	environment = &envtest.Environment{
		CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true,
		WebhookInstallOptions: guardedWebhooks(),
	}
	var err error
	config, err = environment.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(environment.Stop)
	k8s, err = client.New(config, client.Options{Scheme: operator.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	Expect(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}})).To(Succeed())

	brokers, err = kfake.NewCluster(kfake.NumBrokers(3))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(brokers.Close)
	direct, err := kgo.NewClient(kgo.SeedBrokers(brokers.ListenAddrs()...), kgo.MetadataMinAge(10*time.Millisecond))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(direct.Close)
	admin = kadm.NewClient(direct)
	Expect(k8s.Create(ctx, &v1alpha1.KafkaCluster{
		ObjectMeta: metav1.ObjectMeta{Name: "default"},
		Spec: v1alpha1.KafkaClusterSpec{
			BootstrapServers: brokers.ListenAddrs(),
			// Long, so that what a spec counts is what a reconcile does, and not what a look at the cluster does.
			Drift: v1alpha1.DriftSpec{Interval: &metav1.Duration{Duration: time.Hour}},
		},
	})).To(Succeed())
	running = startReplica()
	DeferCleanup(func() { running.stop() }) // the one that runs at the end, not the one of now
}, NodeTimeout(2*time.Minute))

// replica is one running operator, and counts of what it asks of Kafka and of the API server.
type replica struct {
	kafkaRequests, apiWrites, apiReads atomic.Int64

	cancel context.CancelFunc
	ended  chan error
}

func startReplica() *replica {
	r := &replica{ended: make(chan error, 1)}
	counted := rest.CopyConfig(config)
	counted.Wrap(func(next http.RoundTripper) http.RoundTripper { return &countingTransport{replica: r, next: next} })
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	options := operator.Options{
		Namespace: operatorNamespace, MetricsAddress: "0", ProbeAddress: "0", TopicWorkers: 32,
		OutageGrace: time.Minute, LogLevel: "error", LogFormat: "text", Again: true,
		WebhookAddress: webhookAddress(), WebhookCertDir: environment.WebhookInstallOptions.LocalServingCertDir,
		ShimImage: "mooring:test",
	}
	mgr, err := operator.NewManager(ctx, counted, options, func(s kafka.Settings) (pool.Conn, error) {
		c, err := franz.NewClient(s, kgo.WithHooks(r))
		if err != nil {
			return nil, err
		}
		return franz.New(c, nil), nil
	})
	Expect(err).NotTo(HaveOccurred())
	go func() { r.ended <- mgr.Start(ctx) }()
	return r
}

func (r *replica) stop() {
	r.cancel()
	Eventually(r.ended).WithTimeout(30 * time.Second).Should(Receive(BeNil()))
}

// OnBrokerWrite implements kgo.HookBrokerWrite: it counts requests that go out.
func (r *replica) OnBrokerWrite(kgo.BrokerMetadata, int16, int, time.Duration, time.Duration, error) {
	r.kafkaRequests.Add(1)
}

type countingTransport struct {
	replica *replica
	next    http.RoundTripper
}

// RoundTrip counts what matters: Events are for people and come with changes only, and discovery is the client's own.
func (t *countingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	switch {
	case strings.Contains(req.URL.Path, "/events"):
	case req.Method != http.MethodGet:
		t.replica.apiWrites.Add(1)
	case !strings.Contains(req.URL.RawQuery, "watch=") && strings.Contains(req.URL.Path, "kafka.mooring.dev"):
		t.replica.apiReads.Add(1)
	}
	return t.next.RoundTrip(req)
}

var names atomic.Int64

// fresh makes a name that no other spec has.
func fresh(prefix string) string { return fmt.Sprintf("%s-%d", prefix, names.Add(1)) }
