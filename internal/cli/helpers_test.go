package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/kafkatest"
)

// world is what a test gives the program, and what the program says.
type world struct {
	app      App
	out, err bytes.Buffer
}

// run runs a command line and returns its exit status.
func (w *world) run(t *testing.T, stdin string, args ...string) int {
	t.Helper()
	w.out.Reset()
	w.err.Reset()
	w.app.In, w.app.Out, w.app.Err = strings.NewReader(stdin), &w.out, &w.err
	return w.app.Run(t.Context(), args)
}

// newWorld is one with a Kafka cluster and without Kubernetes.
func newWorld(t *testing.T, c *kafkatest.Cluster) *world {
	// Nobody's kubeconfig is a test's business.
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	w := &world{}
	w.app.Dial = func(s kafka.Settings) (*kgo.Client, error) { return franz.NewClient(s, c.Options()...) }
	w.app.Kube = func(kubeFlags) (*kube, error) { return nil, errors.New("no Kubernetes cluster in this test") }
	return w
}

// withKube adds a Kubernetes cluster with these objects.
func (w *world) withKube(t *testing.T, funcs interceptor.Funcs, objects ...client.Object) {
	t.Helper()
	scheme, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(funcs).Build()
	w.app.Kube = func(kubeFlags) (*kube, error) { return &kube{reader: reader}, nil }
}

// create makes a topic on the cluster.
func create(t *testing.T, c *kafkatest.Cluster, name string, partitions int32, replicas int16, config map[string]string) {
	t.Helper()
	values := make(map[string]*string, len(config))
	for key, value := range config {
		values[key] = new(value)
	}
	if _, err := kadm.NewClient(c.Client(t)).CreateTopic(t.Context(), partitions, replicas, values, name); err != nil {
		t.Fatalf("create topic %s: %v", name, err)
	}
}

// manifestOf is a KafkaTopic with this spec, as lines of YAML.
func manifestOf(name string, spec ...string) string {
	text := "apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaTopic\nmetadata: {name: " + name + ", namespace: shop}\n"
	if len(spec) > 0 {
		text += "spec:\n  " + strings.Join(spec, "\n  ") + "\n"
	}
	return text + "---\n"
}

func servers(c *kafkatest.Cluster) string { return strings.Join(c.ListenAddrs(), ",") }

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// same fails unless the texts are the same.
func same(t *testing.T, reason, want, got string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(got)); diff != "" {
		t.Errorf("%s\n(-want +got)\n%s", reason, diff)
	}
}
