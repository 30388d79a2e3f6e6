package inject

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// BenchmarkMutate is one pod with the default formats and a shim, from the profile on.
func BenchmarkMutate(b *testing.B) {
	p := &v1alpha1.ProducerProfile{Spec: v1alpha1.ProducerProfileSpec{Shim: &v1alpha1.ProducerShim{Listeners: v1alpha1.ShimKafka}}}
	p.Namespace, p.Name = "shop", "reliable"
	k := &v1alpha1.KafkaCluster{Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: []string{"kafka:9092"}}}
	pod := plainSample(b)
	b.ReportAllocs()
	for b.Loop() {
		_, report := Mutate(&pod, Binding{Config: producer.Resolve(p, k, "shop"), By: ByAnnotation, Shim: Image{Name: "mooring:1"}, Namespace: "shop"})
		if report.Verdict == "" {
			b.Fatal("no verdict")
		}
	}
}

func plainSample(b *testing.B) corev1.Pod {
	for _, s := range samples(b) {
		if s.name == "plain" {
			return s.pod
		}
	}
	b.Fatal("testdata/pods/plain.yaml is gone")
	return corev1.Pod{}
}
