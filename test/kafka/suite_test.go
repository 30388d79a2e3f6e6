//go:build kafka

package kafka

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"
)

// What BeforeSuite starts, and every spec stands on.
var (
	brokers  *Brokers
	kube     *Kube
	operator *Operator
)

func TestKafka(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	SetDefaultConsistentlyPollingInterval(200 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	suite, reporter := GinkgoConfiguration()
	suite.Timeout = 19 * time.Minute // below `go test -timeout 20m`, so that AfterSuite still ends what was started
	RunSpecs(t, "Mooring on Apache Kafka", suite, reporter)
}

// The three parts start at once: each of them mostly waits.
var _ = BeforeSuite(func(ctx SpecContext) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		Fail("KUBEBUILDER_ASSETS is not set, so there is no API server to run on: run `make test-kafka`, which finds or builds one")
	}
	var binary string
	together(
		func() { brokers = StartBrokers(ctx) },
		func() { kube = StartKube(assets) },
		func() { binary = BuildOperator(ctx) },
	)
	if brokers == nil || kube == nil || binary == "" {
		return // a failed start was recorded where it failed
	}
	operator = NewOperator(binary, kube.Kubeconfig())
	operator.Start(ctx)
}, NodeTimeout(10*time.Minute))

func together(starts ...func()) {
	var group sync.WaitGroup
	for _, start := range starts {
		group.Go(func() {
			defer GinkgoRecover()
			start()
		})
	}
	group.Wait()
}

// What was started ends, each process by its own id, whatever became of the specs.
var _ = AfterSuite(func(ctx SpecContext) {
	if operator != nil {
		operator.Stop(ctx)
	}
	if kube != nil {
		kube.Stop()
	}
	if brokers != nil {
		brokers.Stop(ctx)
	}
}, NodeTimeout(3*time.Minute))

// say prints a line at once: these specs wait for real machines, and silence looks like a hang.
func say(format string, args ...any) {
	fmt.Printf("%s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}

// phase says what a spec does next.
func phase(format string, args ...any) { say("    "+format, args...) }

var _ = ReportBeforeEach(func(r SpecReport) {
	if r.State.Is(types.SpecStateSkipped) {
		return // the command line did not ask for it
	}
	say("  %s", r.FullText())
	if operator != nil {
		operator.MarkLog()
	}
})

var _ = ReportAfterEach(func(r SpecReport) {
	if r.RunTime == 0 {
		return
	}
	say("  %s in %s", r.State, r.RunTime.Round(100*time.Millisecond))
	if r.Failed() && operator != nil {
		say("what the operator said meanwhile:\n%s", operator.LogSinceMark(60))
	}
})

// A spec that did not run is counted and named with its reason: silence would pass for success.
var _ = ReportAfterSuite("summary", func(_ SpecContext, r Report) {
	var passed, total, unasked int
	var skipped []SpecReport
	for _, spec := range r.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
		total++
		switch {
		case spec.State.Is(types.SpecStatePassed):
			passed++
		case spec.State.Is(types.SpecStateSkipped) && spec.Failure.Message == "":
			unasked++
		case spec.State.Is(types.SpecStateSkipped | types.SpecStatePending):
			skipped = append(skipped, spec)
		}
	}
	say("tier 3: %d of %d specs passed in %s, on %s", passed, total, r.RunTime.Round(time.Second), partsUsed())
	if unasked > 0 {
		say("%d specs did not run because the command line asked for others, or because a part did not start", unasked)
	}
	if len(skipped) > 0 {
		say("%d specs could not run:", len(skipped))
	}
	for _, spec := range skipped {
		say("  %s: %s", spec.FullText(), spec.Failure.Message)
	}
})

func partsUsed() string {
	if brokers == nil {
		return "nothing: it did not start"
	}
	return brokers.Describe() + ", kube-apiserver and etcd"
}
