//go:build fleet

package fleet

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kfake"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"mooring.dev/mooring/api/v1alpha1"
)

const operatorNamespace = "mooring-system"

// What BeforeSuite starts, and every spec stands on.
var (
	dir      string
	kube     *Kube
	service  *Service
	replicas [2]*Replica
)

func TestFleet(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyPollingInterval(100 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	suite, reporter := GinkgoConfiguration()
	suite.Timeout = 9 * time.Minute // below `go test -timeout 10m`, so that AfterSuite still ends what was started
	RunSpecs(t, "two operators and a controller manager", suite, reporter)
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(logr.Discard())
	var err error
	dir, err = os.MkdirTemp("", "mooring-fleet-")
	Expect(err).NotTo(HaveOccurred())
	buildPrograms(ctx)
	StartKube(ctx)

	brokers, err := kfake.NewCluster(kfake.NumBrokers(1))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(brokers.Close)
	expectCreated(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}})
	expectCreated(ctx, &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default"},
		Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: brokers.ListenAddrs()}})

	hooks := prepareWebhooks()
	for i := range replicas {
		replicas[i] = NewReplica(fmt.Sprintf("replica-%d", i), hooks.LocalServingCertDir)
		replicas[i].Start(ctx)
	}
	service = StartService(hooks, replicas[0].webhooks, replicas[1].webhooks)
	installWebhooks(ctx, hooks)
}, NodeTimeout(5*time.Minute))

// What was started ends, each process by its own id, whatever became of the specs.
var _ = AfterSuite(func(ctx SpecContext) {
	for _, r := range replicas {
		if r != nil {
			r.Stop(ctx)
		}
	}
	if service != nil {
		service.Stop()
	}
	if kube != nil {
		kube.Stop(ctx)
	}
	if failed.Load() {
		say("the logs are in %s", dir)
		return
	}
	Expect(os.RemoveAll(dir)).To(Succeed())
}, NodeTimeout(2*time.Minute))

// say prints a line at once: these specs wait for real programs, and silence looks like a hang. hack/tiers shows lines that
// begin like this.
func say(format string, args ...any) {
	fmt.Printf("\n==> %s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}

// failed keeps the logs.
var failed atomic.Bool

var _ = ReportAfterEach(func(r SpecReport) {
	if r.Failed() {
		failed.Store(true)
	}
	if !r.State.Is(types.SpecStateSkipped) {
		say("  %s %s in %s", r.FullText(), r.State, r.RunTime.Round(100*time.Millisecond))
	}
})

var names atomic.Int64

// fresh makes a name that no other spec has.
func fresh(prefix string) string { return fmt.Sprintf("%s-%d", prefix, names.Add(1)) }
