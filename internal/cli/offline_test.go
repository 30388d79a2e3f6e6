package cli

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/producer"
)

var update = flag.Bool("update", false, "write the goldens anew")

// offline is a world without Kafka and without Kubernetes: lint, render and explain ask for neither.
func offline(t *testing.T) *world {
	t.Helper()
	w := &world{}
	w.app.Dial = func(kafka.Settings) (*kgo.Client, error) {
		t.Error("Kafka is dialled")
		return nil, errors.New("no Kafka")
	}
	w.app.Kube = func(kubeFlags) (*kube, error) {
		t.Error("Kubernetes is dialled")
		return nil, errors.New("no Kubernetes")
	}
	return w
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; look at it, and write it anew with -update (-golden +got):\n%s", path, diff)
	}
}

const (
	manifestClean   = "apiVersion: kafka.mooring.dev/v1alpha1\nkind: ProducerProfile\nmetadata: {name: a}\n"
	manifestWarning = manifestClean + "spec: {partitioner: RoundRobin}\n"
	manifestError   = manifestClean + "spec: {delivery: {acks: '1'}}\n"
	manifestAdvice  = manifestClean + "spec: {delivery: {requestTimeout: 20s}}\n"
)

func TestLintExitStatus(t *testing.T) {
	tests := map[string]struct {
		reason, stdin string
		args          []string
		status        int
		out, err      string // parts
	}{
		"nothing is wrong":          {"silence is success, but for the numbers", manifestClean, nil, 0, "1 object in 1 file: 0 errors, 0 warnings, 0 advice\n", ""},
		"a warning":                 {"it works", manifestWarning, nil, 0, "standard input:4:8: warning: ProducerProfile default/a: spec.partitioner: RoundRobin", ""},
		"a warning that is strict":  {"asked for", manifestWarning, []string{"--strict"}, 1, "warning:", ""},
		"advice that is strict":     {"advice is never an error", manifestAdvice, []string{"--strict"}, 0, "advice:", ""},
		"an error":                  {"it would be refused", manifestError, nil, 1, "standard input:4:19: error: ProducerProfile default/a: spec.delivery.acks: ", ""},
		"an error, for GitHub":      {"annotations go to the standard output, the summary beside it", manifestError, []string{"-o", "github"}, 1, "::error file=standard input,line=4,col=19", "note: 1 object in 1 file: 1 error"},
		"an error, as JSON":         {"for programs", manifestError, []string{"-o", "json"}, 1, `"rule": "acks-below-guarantee"`, ""},
		"an error, as SARIF":        {"for code scanning", manifestError, []string{"-o", "sarif"}, 1, `"uri": "stdin"`, ""},
		"an output that is unknown": {"the words are named", "", []string{"-o", "xml"}, 1, "", "error: --output xml: want one of text, json, sarif, github\n"},
		"another namespace":         {"manifests that name none", manifestWarning, []string{"-n", "shop"}, 0, "ProducerProfile shop/a", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := offline(t)
			status := w.run(t, tt.stdin, append([]string{"lint", "-f", "-"}, tt.args...)...)
			if status != tt.status || !strings.Contains(w.out.String(), tt.out) || !strings.Contains(w.err.String(), tt.err) {
				t.Errorf("%s: exit %d, want %d\nout: %s\nerr: %s", tt.reason, status, tt.status, &w.out, &w.err)
			}
		})
	}
	w := offline(t)
	if status := w.run(t, "", "lint"); status != 1 || !strings.Contains(w.err.String(), "which manifests? name them with -f FILE") {
		t.Errorf("without files: exit %d: %s", status, &w.err)
	}
}

func TestWhatIsMistypedIsNamed(t *testing.T) {
	for _, tt := range []struct{ reason, args, want string }{
		{"a near miss", "lnt", `error: there is no command "lnt"; did you mean lint?`},
		{"nothing near", "topics", `error: there is no command "topics"; --help lists them`},
		{"a file without its flag", "lint topic.yaml", `error: "topic.yaml" is no flag; name manifests with -f topic.yaml`},
		{"the same for another command", "render topic.yaml", "name manifests with -f topic.yaml"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			w := offline(t)
			if status := w.run(t, "", strings.Fields(tt.args)...); status != 1 || !strings.Contains(w.err.String(), tt.want) {
				t.Errorf("status %d, %q; want 1, %q", status, w.err.String(), tt.want)
			}
		})
	}
}

func TestLintReadsAFolder(t *testing.T) {
	w := offline(t)
	if status := w.run(t, "", "lint", "-f", filepath.Join("lint", "testdata", "wrong")); status != 1 {
		t.Errorf("exit %d", status)
	}
	if !strings.Contains(w.out.String(), "objects in 20 files") {
		t.Errorf("not all 20 files: %s", &w.out)
	}
}

const samples = "../../config/samples"

func TestRenderAllClientsOfTheSamples(t *testing.T) {
	w := offline(t)
	if status := w.run(t, "", "render", "-f", samples, "--client", "all"); status != 0 {
		t.Fatalf("exit %d: %s", status, &w.err)
	}
	golden(t, "render-samples.txt", w.out.String())
}

func TestRenderWritesAFolder(t *testing.T) {
	w := offline(t)
	dir := t.TempDir()
	args := []string{"render", "-f", samples + "/profile.yaml", "--cluster", samples + "/cluster.yaml", "--out", dir}
	if status := w.run(t, "", args...); status != 0 {
		t.Fatalf("exit %d: %s", status, &w.err)
	}
	for path, want := range map[string]string{
		"default/reliable/java/producer.properties":           "bootstrap.servers=kafka-0.kafka:9092,kafka-1.kafka:9092,kafka-2.kafka:9092\n",
		"default/reliable/librdkafka/librdkafka.conf":         "enable.idempotence=true\n",
		"default/reliable/spring/env":                         "SPRING_KAFKA_PRODUCER_ACKS=all\n",
		"default/reliable/servicebinding/bindings/kafka/type": "kafka",
		"default/reliable/env/notes":                          "no client reads these by itself",
	} {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %v, %q lacks %q", path, err, data, want)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	tests := map[string]struct {
		reason, stdin string
		args          []string
		want          string
	}{
		"a profile with errors":     {"what has errors is not rendered", manifestError, nil, "spec.delivery.acks: guarantees other than"},
		"a client that is misspelt": {"the nearest name helps", manifestClean, []string{"--client", "sprnig"}, "error: --client sprnig: there is no such client; did you mean spring?"},
		"a framework for a client":  {"people know it by that name", manifestClean, []string{"--client", "quarkus"}, "did you mean microprofile?"},
		"a client that is nowhere":  {"the names are listed", manifestClean, []string{"--client", "cobol"}, "there is no such client (there are all, java, librdkafka"},
		"files without a profile":   {"nothing is nothing", "apiVersion: v1\nkind: Secret\n", nil, "error: no ProducerProfile is in these files"},
		"no files":                  {"-f is needed", "", []string{"-f", ""}, "which profiles?"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := offline(t)
			args := append([]string{"render", "-f", "-"}, tt.args...)
			if name == "no files" {
				args = []string{"render"}
			}
			if status := w.run(t, tt.stdin, args...); status != 1 || !strings.Contains(w.err.String(), tt.want) || w.out.Len() > 0 {
				t.Errorf("%s: exit %d, out %q, err %q lacks %q", tt.reason, status, &w.out, &w.err, tt.want)
			}
		})
	}
}

func TestRenderNotesAClusterThatIsMissing(t *testing.T) {
	w := offline(t)
	status := w.run(t, manifestClean, "render", "-f", "-", "--client", "java")
	if status != 0 || !strings.Contains(w.err.String(), "note: ProducerProfile default/a: KafkaCluster default is not in these files") || strings.Contains(w.out.String(), "bootstrap") {
		t.Errorf("exit %d\n%s\n%s", status, &w.out, &w.err)
	}
}

func TestExplain(t *testing.T) {
	tests := map[string]struct {
		reason, name string
		status       int
		want         []string
	}{
		"a producer rule":         {"what, mend and source", "transactional-id-shared", 0, []string{"(error)", "What    without {pod} or {ordinal}", "Mend    add {ordinal}", "Source  KIP-98", "Fields  spec.transactions.idTemplate"}},
		"a client's rule":         {"whose it is", "sarama-idempotent-acks", 0, []string{"of the client sarama", "Mend    set it"}},
		"a rule of lint":          {"those too", "topic-twice", 0, []string{"two KafkaTopics are for one topic", "Mend    remove one of them"}},
		"a property with a field": {"where it is set", "linger.ms", 0, []string{"Default 5", "Set by  spec.batching.linger"}},
		"a property of clusters":  {"not in a profile", "bootstrap.servers", 0, []string{"Set by  KafkaCluster spec.bootstrapServers", "Since   Apache Kafka"}},
		"any other property":      {"by its name", "max.block.ms", 0, []string{"Set by  spec.properties[max.block.ms]"}},
		"a client":                {"what it is told", "spring", 0, []string{"Spring Boot and the Spring Cloud Stream binder", "--client spring"}},
		"a slip of the finger":    {"the nearest name", "enable.idempotance", 1, []string{`error: "enable.idempotance" is no rule, property or client; did you mean enable.idempotence?`}},
		"a framework":             {"people know a client by it", "quarkus", 1, []string{"did you mean microprofile?"}},
		"nothing of the kind":     {"how to go on", "qqqqqqqq", 1, []string{"without an argument, explain lists them"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := offline(t)
			status := w.run(t, "", "explain", tt.name)
			text := w.out.String() + w.err.String()
			for _, want := range tt.want {
				if status != tt.status || !strings.Contains(text, want) {
					t.Errorf("%s: exit %d, %q lacks %q", tt.reason, status, text, want)
				}
			}
		})
	}
}

// Everything that explain lists it can explain.
func TestExplainListsAll(t *testing.T) {
	w := offline(t)
	if status := w.run(t, "", "explain"); status != 0 {
		t.Fatalf("exit %d", status)
	}
	list := w.out.String()
	names := explainable()
	if len(names) < len(producer.Rules())+len(producer.Properties()) {
		t.Errorf("only %d names", len(names))
	}
	for _, name := range names {
		if !strings.Contains(list, "  "+name+" ") {
			t.Errorf("%s is not listed", name)
		}
		if status := w.run(t, "", "explain", name); status != 0 {
			t.Errorf("%s is listed and not explained: %s", name, &w.err)
		}
	}
}
