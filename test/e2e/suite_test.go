//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"
	ctrl "sigs.k8s.io/controller-runtime"
)

// What BeforeSuite starts, and every spec stands on.
var (
	// dir holds everything of the suite. Its path is short, because sockets lie in it.
	dir string
	// before is the machine without us.
	before  []string
	node    *Node
	brokers *Brokers
)

func TestE2E(t *testing.T) {
	RegisterFailHandler(Fail)
	ctrl.SetLogger(logr.Discard()) // the client has nothing to say, and else prints a stack about it
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	SetDefaultConsistentlyPollingInterval(200 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	suite, reporter := GinkgoConfiguration()
	suite.Timeout = 28 * time.Minute // below `go test -timeout 30m`, so that AfterSuite still takes the node down
	RunSpecs(t, "Mooring on a node", suite, reporter)
}

// The images are built while the node starts; brokers listen where pods reach them, and so need the node's network first.
var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	dir, err = os.MkdirTemp("/tmp", "mooring-e2e-")
	Expect(err).NotTo(HaveOccurred())
	// kubectl keeps what it learns of an API server in the home folder, by its address.
	Expect(os.Setenv("KUBECACHEDIR", filepath.Join(dir, "kubectl-cache"))).To(Succeed())
	buildTools(ctx)
	before = snapshot(ctx)
	var operator string
	together(
		func() { node = StartNode(ctx) },
		func() { operator = BuildOperator(ctx) },
	)
	if node == nil || operator == "" {
		return // a failed start was recorded where it failed
	}
	together(
		func() { brokers = StartBrokers(ctx) },
		func() {
			node.Load(ctx, operator)
			node.Install(ctx)
		},
	)
}, NodeTimeout(20*time.Minute))

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

// Whatever became of the specs, the machine is as before.
var _ = AfterSuite(func(ctx SpecContext) {
	fmt.Println()
	if brokers != nil {
		brokers.Stop(ctx)
	}
	if node == nil {
		// Its start may have failed in the middle.
		run(ctx, "", tool("localkube"), "down", "--dir", nodeDir())
	} else {
		node.Stop(ctx)
	}
	var after []string
	if before != nil {
		after = snapshot(ctx)
	}
	Expect(os.RemoveAll(dir)).To(Succeed())
	Expect(differences(before, after)).To(BeEmpty(), "the machine is not as it was before the suite")
	say("nothing is left: mounts, devices, routes, packet filters, namespaces, cgroups, settings, folders and processes are as before")
}, NodeTimeout(5*time.Minute))

// differences are the lines that came or went.
func differences(before, after []string) []string {
	var all []string
	for _, line := range after {
		if !slices.Contains(before, line) {
			all = append(all, "left behind: "+line)
		}
	}
	for _, line := range before {
		if !slices.Contains(after, line) {
			all = append(all, "taken away: "+line)
		}
	}
	return all
}

// say prints a line at once: these specs wait for real machines, and silence looks like a hang. hack/tiers shows lines that
// begin like this.
func say(format string, args ...any) {
	fmt.Printf("==> %s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}

// phase says what a spec does next.
func phase(format string, args ...any) { say("    "+format, args...) }

var _ = ReportBeforeEach(func(r SpecReport) {
	if !r.State.Is(types.SpecStateSkipped) {
		fmt.Println() // ends ginkgo's row of dots, so that our lines begin a line
		say("  %s", r.FullText())
	}
})

var _ = ReportAfterEach(func(r SpecReport) {
	if r.RunTime == 0 {
		return
	}
	say("  %s in %s", r.State, r.RunTime.Round(100*time.Millisecond))
	if r.Failed() && node != nil {
		say("what the cluster looks like:\n%s", indent(node.Describe(suiteContext())))
	}
})

// A spec that did not run is counted and named with its reason: silence would pass for success.
var _ = ReportAfterSuite("summary", func(_ SpecContext, r Report) {
	var passed, total int
	for _, spec := range r.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
		total++
		switch {
		case spec.State.Is(types.SpecStatePassed):
			passed++
		case spec.State.Is(types.SpecStateSkipped | types.SpecStatePending):
			say("did not run: %s %s", spec.FullText(), spec.Failure.Message)
		}
	}
	say("tier 4: %d of %d specs passed in %s", passed, total, r.RunTime.Round(time.Second))
})

func indent(text string) string { return "      " + strings.ReplaceAll(text, "\n", "\n      ") }
