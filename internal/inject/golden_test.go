package inject

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

var update = flag.Bool("update", false, "write the goldens anew")

const authority = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

// sample is testdata/pods/NAME.yaml: a Pod, a ProducerProfile and a KafkaCluster.
type sample struct {
	name    string
	pod     corev1.Pod
	profile v1alpha1.ProducerProfile
	cluster v1alpha1.KafkaCluster
}

func (s *sample) binding() Binding {
	b := Binding{
		Config: producer.Resolve(&s.profile, &s.cluster, s.pod.Namespace), By: ByAnnotation, ClusterID: "4L6g3nShT-eMCtK--X86sw",
		Shim: Image{Name: "mooring:1.0"}, Namespace: s.pod.Namespace, Seed: "seed",
	}
	if tls := s.cluster.Spec.TLS; tls != nil && tls.CABundleRef != nil {
		b.CACertificates = authority
	}
	return b
}

func samples(t testing.TB) []sample {
	t.Helper()
	files, err := filepath.Glob("testdata/pods/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	for _, file := range files {
		if strings.HasSuffix(file, ".golden.yaml") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := sample{name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
		parts := bytes.Split(data, []byte("\n---\n"))
		if len(parts) != 3 {
			t.Fatalf("%s has %d documents, want a Pod, a ProducerProfile and a KafkaCluster", file, len(parts))
		}
		for i, into := range []any{&s.pod, &s.profile, &s.cluster} {
			if err := yaml.UnmarshalStrict(parts[i], into); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		all = append(all, s)
	}
	return all
}

// print is a report and a pod, as a golden has them.
func print(t testing.TB, pod *corev1.Pod, r Report) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# verdict: %s\n# reason: %s\n", r.Verdict, r.Reason())
	if r.Refusal != nil {
		fmt.Fprintf(&b, "# refusal: %s\n", r.Refusal.Sentence())
	}
	for _, d := range r.Decisions {
		fmt.Fprintf(&b, "# %s %s %s: %s\n", d.Reason, d.Container, d.Subject, d.Message)
	}
	text, err := yaml.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(text)
	return b.String()
}

func TestGoldenPods(t *testing.T) {
	all := samples(t)
	if len(all) < 30 {
		t.Fatalf("there are %d golden pods, want at least 30", len(all))
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			pod, report := Mutate(&s.pod, s.binding())
			got := print(t, pod, report)
			path := filepath.Join("testdata", "pods", s.name+".golden.yaml")
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
				t.Errorf("-golden +got:\n%s", diff)
			}
		})
	}
}

// What a golden pod is given is taken back whole, and given again alike, however often.
func TestGoldenPodsBothWays(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			before := s.pod.DeepCopy()
			once, report := Mutate(&s.pod, s.binding())
			if diff := cmp.Diff(before, &s.pod); diff != "" {
				t.Fatalf("Mutate changed its argument:\n%s", diff)
			}
			twice, again := Mutate(once, s.binding())
			if diff := cmp.Diff(once, twice); diff != "" {
				t.Errorf("Mutate(Mutate(p)) is not Mutate(p) (-once +twice):\n%s", diff)
			}
			if diff := cmp.Diff(report, again); diff != "" {
				t.Errorf("the second report differs:\n%s", diff)
			}
			if report.Verdict == Refused {
				return
			}
			bare, _, err := Strip(once)
			if err != nil {
				t.Fatal(err)
			}
			for key := range before.Annotations {
				if isOurs(key) {
					delete(before.Annotations, key)
				}
			}
			if diff := cmp.Diff(before, bare, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Strip(Mutate(p)) is not p:\n%s", diff)
			}
		})
	}
}
