package arch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// floors of the house, from the ground up. A package imports from its own floor and those below it.
var floors = [][]string{
	0: {"internal/contract", "internal/kafka/coalesce", "config/crd"},
	1: {"api/v1alpha1/...", "internal/shim/..."},
	2: {"internal/topic", "internal/producer", "internal/principal", "internal/status", "internal/inject"},
	3: {"internal/kafka", "internal/kafka/*"},
	4: {"internal/outcome", "controllers", "webhook", "internal/cli/..."},
	5: {"internal/operator"},
	6: {"cmd/..."},
	7: {"hack/...", "test/...", "internal/arch/..."},
}

// pure packages decide, and do nothing.
var pure = []string{"internal/topic", "internal/producer", "internal/principal", "internal/status", "internal/inject", "internal/kafka/wirereq"}

// outside are the names under which other people's code goes in the rules.
var (
	kubernetes  = []string{"k8s.io/...", "sigs.k8s.io/..."}
	franzGo     = []string{"github.com/twmb/franz-go/..."}
	clients     = []string{"k8s.io/client-go/...", "sigs.k8s.io/controller-runtime/..."}
	apimachines = []string{"k8s.io/apimachinery/...", "sigs.k8s.io/structured-merge-diff/..."}
)

// rule is about what packages import.
type rule struct {
	packages, except []string
	// direct looks at what a package imports itself; otherwise all that it is built from counts.
	direct bool
	// forbid are packages that it may not import. The module's own go without the module's name.
	forbid []string
	// allow, when set, are the only ones outside the standard library and the module that it may import itself.
	allow []string
	why   string
}

var rules = []rule{
	{packages: floors[0], direct: true, allow: []string{}, forbid: []string{module + "/..."},
		why: "the ground floor stands on the standard library alone"},
	{packages: []string{"api/v1alpha1"}, direct: true, allow: apimachines,
		why: "a command line or another operator must be able to use the types without a Kubernetes client"},
	{packages: []string{"api/v1alpha1"}, forbid: slices.Concat(clients, franzGo),
		why: "a command line or another operator must be able to use the types without a Kubernetes client"},
	{packages: []string{"cmd/mooring-shim", "internal/shim/...", "internal/contract"}, forbid: kubernetes,
		why: "the shim runs in every pod: 8 MB without Kubernetes' packages, 22 MB and more with them"},
	{packages: []string{"internal/shim/..."}, except: []string{"internal/shim/codec"}, direct: true, allow: slices.Concat(franzGo, []string{"github.com/prometheus/...", "github.com/go-json-experiment/json/jsontext"}),
		why: "the shim is small: franz-go, jsontext for strict JSON without reflection (encoding/json/v2's, until Go has it without an experiment), and, if memory allows, the Prometheus client"},
	{packages: []string{"internal/shim/codec"}, direct: true, allow: []string{"github.com/twmb/avro", "github.com/santhosh-tekuri/jsonschema/v6", "github.com/bufbuild/protocompile", "google.golang.org/protobuf/..."},
		why: "what encodes by a schema is in one place: a library for each of the three formats"},
	{packages: []string{"cmd/mooring-shim"}, forbid: []string{"internal/shim/codec", "github.com/twmb/avro", "github.com/santhosh-tekuri/...", "github.com/bufbuild/...", "google.golang.org/protobuf/..."},
		why: "the libraries of the formats take 6 MB of memory before they do anything; they are in mooring-schemas"},
	{packages: []string{"cmd/mooring-schemas"}, forbid: slices.Concat(kubernetes, franzGo),
		why: "what encodes by schemas knows neither Kubernetes nor Kafka"},
	{packages: pure, forbid: slices.Concat(clients, []string{"github.com/twmb/franz-go/pkg/kgo", "github.com/twmb/franz-go/pkg/kadm"}),
		why: "pure code has no client"},
	{packages: pure, except: []string{"internal/kafka/wirereq"}, forbid: franzGo,
		why: "decisions are about topics and producers, and not about the protocol"},
	{packages: pure, direct: true, forbid: []string{
		"context", "log/...", "os/...", "io/fs", "net", "net/http/...", "sync/...", "math/rand/...", "crypto/rand", "github.com/go-logr/...", "k8s.io/klog/..."},
		why: "pure code takes values and returns data: no context, no log, no files, no network, no chance, and nothing shared"},
	{packages: []string{"internal/kafka", "internal/kafka/*"}, except: []string{"internal/kafka/pool"}, forbid: clients,
		why: "the Kafka layer knows no Kubernetes client; only the pool, which is a source of events, knows controller-runtime's"},
	{packages: []string{"internal/kafka/pool"}, direct: true,
		forbid: []string{"sigs.k8s.io/controller-runtime", "sigs.k8s.io/controller-runtime/pkg/client/...", "sigs.k8s.io/controller-runtime/pkg/manager/...", "k8s.io/client-go/..."},
		why:    "the pool is a source of events, and reads nothing of the API server"},
	{packages: []string{"controllers", "webhook", "internal/outcome", "internal/operator", "internal/cli/...", "cmd/mooring", "cmd/kubectl-mooring"}, forbid: []string{"internal/shim/..."},
		why: "the operator and the shim share the contract, and nothing else"},
	{packages: []string{"cmd/mooring"}, direct: true, forbid: []string{"controllers", "webhook", "internal/kafka/...", "internal/topic", "internal/producer"},
		why: "the binary is wired in internal/operator"},
	{packages: []string{"cmd/kubectl-mooring", "internal/cli/..."}, forbid: []string{"controllers", "webhook", "internal/operator", "internal/kafka/pool", "internal/outcome"},
		why: "the command line shares the decisions with the operator, and not the operator"},
	{packages: []string{"controllers", "webhook"}, direct: true, forbid: slices.Concat(franzGo, []string{"internal/kafka/franz", "internal/kafka/wirereq", "internal/kafka/coalesce"}),
		why: "a reconcile talks to the port, never to the client library"},
	{packages: []string{"cmd/...", "controllers", "webhook", "internal/operator", "internal/cli/...", "internal/kafka/franz", "internal/kafka/pool"},
		forbid: []string{"testing", "internal/kafka/kafkatest", "github.com/twmb/franz-go/pkg/kfake", "github.com/google/go-cmp/...", "github.com/onsi/..."},
		why:    "what tests use is not shipped"},
}

// breaks are the ways in which a graph breaks a rule, each with the import path that does it.
func (r rule) breaks(g graph) []string {
	var found []string
	forbidden := func(name string) bool {
		return matches(strings.TrimPrefix(name, module+"/"), r.forbid) || matches(name, r.forbid)
	}
	for _, short := range g.ours() {
		if !matches(short, r.packages) || matches(short, r.except) {
			continue
		}
		name := module + "/" + short
		if r.direct {
			for _, imported := range g[name].Imports {
				outside := !standard(g, imported) && !strings.HasPrefix(imported, module+"/")
				if forbidden(imported) || (outside && r.allow != nil && !matches(imported, r.allow)) {
					found = append(found, fmt.Sprintf("%s imports %s: %s", short, imported, r.why))
				}
			}
			continue
		}
		if way := g.chain(name, forbidden); way != nil {
			found = append(found, fmt.Sprintf("%s is built from %s: %s\n\t%s", short, way[len(way)-1], r.why, strings.Join(way, "\n\t→ ")))
		}
	}
	return found
}

func standard(g graph, name string) bool {
	n := g[name]
	return name == "C" || (n != nil && n.Standard)
}

func floorOf(short string) int {
	// The lowest floor that names it: internal/kafka/coalesce is on the ground, below the rest of internal/kafka.
	for floor, patterns := range floors {
		if matches(short, patterns) {
			return floor
		}
	}
	return -1
}

// upward are the imports from a floor to one above it, and the packages that have no floor.
func upward(g graph) []string {
	var found []string
	for _, short := range g.ours() {
		floor := floorOf(short)
		if floor < 0 {
			found = append(found, short+" has no floor: give it one in internal/arch, and in docs/architecture.md")
			continue
		}
		for _, imported := range g[module+"/"+short].Imports {
			below, ok := strings.CutPrefix(imported, module+"/")
			if ok && floorOf(below) > floor {
				found = append(found, fmt.Sprintf("%s (floor %d) imports %s (floor %d): no import runs upward", short, floor, below, floorOf(below)))
			}
		}
	}
	return found
}

func TestNoImportRunsUpward(t *testing.T) {
	for _, fault := range upward(loaded(t)) {
		t.Error(fault)
	}
}

func TestRules(t *testing.T) {
	g := loaded(t)
	for _, r := range rules {
		for _, fault := range r.breaks(g) {
			t.Error(fault)
		}
	}
}

// The rules find what they are there for: each row is an import that somebody might write.
func TestTheRulesBite(t *testing.T) {
	real := loaded(t)
	tests := []struct{ pkg, imported string }{
		{"internal/contract", "k8s.io/apimachinery/pkg/types"},
		{"internal/contract", "github.com/google/uuid"},
		{"internal/kafka/coalesce", "mooring.dev/mooring/internal/topic"},
		{"internal/kafka/coalesce", "github.com/twmb/franz-go/pkg/kmsg"},
		{"api/v1alpha1", "k8s.io/api/core/v1"},
		{"api/v1alpha1", "sigs.k8s.io/controller-runtime/pkg/scheme"},
		{"internal/topic", "context"},
		{"internal/topic", "log/slog"},
		{"internal/topic", "log"},
		{"internal/topic", "os"},
		{"internal/topic", "net"},
		{"internal/topic", "sync"},
		{"internal/topic", "math/rand/v2"},
		{"internal/topic", "github.com/go-logr/logr"},
		{"internal/topic", "github.com/twmb/franz-go/pkg/kerr"},
		{"internal/topic", "mooring.dev/mooring/internal/kafka"},
		{"internal/topic", "k8s.io/client-go/rest"},
		{"internal/status", "sigs.k8s.io/controller-runtime/pkg/client"},
		{"internal/kafka/wirereq", "context"},
		{"internal/kafka/wirereq", "github.com/twmb/franz-go/pkg/kgo"},
		{"internal/kafka/franz", "sigs.k8s.io/controller-runtime/pkg/event"},
		{"internal/kafka/franz", "mooring.dev/mooring/internal/kafka/kafkatest"},
		{"internal/kafka/pool", "sigs.k8s.io/controller-runtime/pkg/client"},
		{"internal/kafka", "mooring.dev/mooring/controllers"},
		{"controllers", "github.com/twmb/franz-go/pkg/kerr"},
		{"controllers", "mooring.dev/mooring/internal/kafka/franz"},
		{"controllers", "mooring.dev/mooring/internal/operator"},
		{"internal/operator", "mooring.dev/mooring/internal/shim/proxy"},
		{"internal/operator", "testing"},
		{"cmd/mooring", "mooring.dev/mooring/controllers"},
		{"cmd/mooring", "github.com/twmb/franz-go/pkg/kfake"},
		{"cmd/kubectl-mooring", "mooring.dev/mooring/internal/operator"},
		{"cmd/mooring-shim", "k8s.io/apimachinery/pkg/types"},
		{"cmd/mooring-shim", "mooring.dev/mooring/api/v1alpha1"},
		{"internal/shim/wire", "mooring.dev/mooring/api/v1alpha1"},
		{"internal/shim/wire", "github.com/spf13/cobra"},
		{"internal/somewhere", "fmt"},
	}
	for _, tt := range tests {
		name := module + "/" + tt.pkg
		changed := make(graph, len(real)+1)
		for n, p := range real {
			changed[n] = p
		}
		changed[name] = &node{ImportPath: name, Imports: []string{tt.imported}}
		if was := real[name]; was != nil {
			changed[name].Imports = append(slices.Clone(was.Imports), tt.imported)
		}
		if changed[tt.imported] == nil {
			changed[tt.imported] = &node{ImportPath: tt.imported}
		}
		faults := upward(changed)
		for _, r := range rules {
			faults = append(faults, r.breaks(changed)...)
		}
		if !slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, tt.pkg+" ") }) {
			t.Errorf("%s may import %s, say the rules: %q", tt.pkg, tt.imported, faults)
		}
	}
}

// A fault names the way from the package to what it must not be built from.
func TestAFaultShowsTheWay(t *testing.T) {
	g := graph{
		module + "/cmd/mooring-shim": {Imports: []string{"fmt", "example.org/a"}},
		"example.org/a":              {Imports: []string{"example.org/b", "example.org/c"}},
		"example.org/b":              {Imports: []string{"example.org/c"}},
		"example.org/c":              {Imports: []string{"k8s.io/client-go/rest"}},
	}
	var faults []string
	for _, r := range rules {
		faults = append(faults, r.breaks(g)...)
	}
	want := "mooring.dev/mooring/cmd/mooring-shim\n\t→ example.org/a\n\t→ example.org/c\n\t→ k8s.io/client-go/rest"
	if len(faults) != 1 || !strings.Contains(faults[0], want) {
		t.Errorf("%q, want the shortest way:\n%s", faults, want)
	}
}
