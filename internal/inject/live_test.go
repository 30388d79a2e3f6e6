package inject

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

func TestRefresh(t *testing.T) {
	tests := map[string]struct {
		reason string
		change func(*v1alpha1.ProducerProfileSpec)
		state  State
		patch  string // in the patched contract
	}{
		"nothing":         {"it was just injected", func(*v1alpha1.ProducerProfileSpec) {}, Current, ""},
		"the shim's mode": {"the shim reads it from the file", func(s *v1alpha1.ProducerProfileSpec) { s.Shim.Mode = v1alpha1.ShimReject }, Stale, `"mode":"Reject"`},
		"the topics":      {"the shim reads them from the file", func(s *v1alpha1.ProducerProfileSpec) { s.Topics = &v1alpha1.ProducerTopics{Names: []string{"a"}} }, Stale, `"names":["a"]`},
		"linger": {"it is in the environment too; the contract is patched all the same", func(s *v1alpha1.ProducerProfileSpec) {
			s.Batching = &v1alpha1.ProducerBatching{Linger: &metav1.Duration{Duration: time.Second}}
		}, NeedRestart, `"lingerMs":1000`},
		"another listener": {"a container has to be told", func(s *v1alpha1.ProducerProfileSpec) { s.Shim.Listeners = v1alpha1.ShimAll }, NeedRestart, `"http":"127.0.0.1:8082"`},
		"a format more": {"its file is not in the volume", func(s *v1alpha1.ProducerProfileSpec) {
			s.Injection = &v1alpha1.ProducerInjection{Formats: []v1alpha1.InjectionFormat{"properties", "librdkafka", "json", "env", "connect"}}
		}, NeedRestart, ""},
		"only auditing":      {"the shim stops at once, and the next start does without", func(s *v1alpha1.ProducerProfileSpec) { s.Enforcement = v1alpha1.EnforcementAudit }, NeedRestart, `"mode":"Audit"`},
		"a profile in error": {"the pod keeps what it has", func(s *v1alpha1.ProducerProfileSpec) { s.Delivery = &v1alpha1.ProducerDelivery{Acks: "1"} }, Stale, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "reliable"}}
			p.Spec.Shim = &v1alpha1.ProducerShim{Listeners: v1alpha1.ShimKafka}
			k := &v1alpha1.KafkaCluster{Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: []string{"kafka:9092"}}}
			bind := func() Binding {
				return Binding{Config: producer.Resolve(p, k, "shop"), By: ByAnnotation, Shim: Image{Name: "mooring:1"}, Namespace: "shop"}
			}
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", GenerateName: "app-"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
			pod, report := Mutate(pod, bind())
			if report.Verdict != Injected {
				t.Fatal(report)
			}
			pod.Name = "app-x2x1" // the API server makes it afterwards
			tt.change(&p.Spec)
			b := bind()
			b.Shim.Name = "mooring:2" // a new release alone restarts nobody
			got := Refresh(&pod.ObjectMeta, b)
			if got.State != tt.state || !strings.Contains(got.Annotations[v1alpha1.AnnotationContract], tt.patch) {
				t.Fatalf("%s: %s %v\n%v", tt.reason, got.State, got.Refusal, got.Annotations)
			}
			for key, value := range got.Annotations {
				pod.Annotations[key] = value
			}
			again := Refresh(&pod.ObjectMeta, b)
			if len(again.Annotations) > 0 {
				t.Errorf("%s: what was patched is patched again: %v", tt.reason, again.Annotations)
			}
			if tt.state == Stale && got.Refusal == nil && again.State != Current {
				t.Errorf("%s: after the patch it is %s", tt.reason, again.State)
			}
			if _, _, err := Strip(pod); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAPodWithoutStatusWasMissed(t *testing.T) {
	if got := Refresh(&metav1.ObjectMeta{Namespace: "shop"}, Binding{}); got.State != Missed {
		t.Error(got)
	}
}
