package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mooring.dev/mooring/api/v1alpha1"
)

const deploymentText = `apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
    kafka.mooring.dev/producer-profile: reliable
  name: checkout
spec:
  fieldOfTomorrow: 1
  selector:
    matchLabels:
      app: checkout
  template:
    metadata:
      labels:
        app: checkout
    spec:
      containers:
      - env:
        - name: KAFKA_ACKS
          value: "1"
        image: app:1
        name: app
`

const profileText = `apiVersion: kafka.mooring.dev/v1alpha1
kind: ProducerProfile
metadata: {name: reliable}
spec: {shim: {listeners: Kafka, drain: 20s}}
---
apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaCluster
metadata: {name: default}
spec: {bootstrapServers: ["kafka-0:9092", "kafka-1:9092"]}
`

func profileFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profiles.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInjectAndBack(t *testing.T) {
	w := &world{}
	profiles := profileFile(t, profileText)
	if status := w.run(t, deploymentText, "inject", "-f", "-", "-f", profiles); status != 0 {
		t.Fatalf("exit status %d: %s", status, &w.err)
	}
	injected := w.out.String()
	for _, want := range []string{"fieldOfTomorrow: 1", "name: mooring-shim", "kafka.mooring.dev/contract:", "value: 127.0.0.1:9092"} {
		if !strings.Contains(injected, want) {
			t.Errorf("%q is not in what was printed:\n%s", want, injected)
		}
	}
	if strings.Contains(injected, "kind: ProducerProfile") || !strings.Contains(w.err.String(), "Overridden app KAFKA_ACKS") {
		t.Errorf("the profile was printed, or nobody was told what was overridden: %s", &w.err)
	}
	if status := w.run(t, injected, "inject", "-f", "-", "-f", profiles); status != 0 || w.out.String() != injected {
		t.Errorf("injected again, it is another one: exit status %d\n%s", status, &w.out)
	}
	if status := w.run(t, injected, "uninject", "-f", "-"); status != 0 {
		t.Fatalf("exit status %d: %s", status, &w.err)
	}
	bare := strings.ReplaceAll(w.out.String(), "        resources: {}\n", "") // this one the types write out
	if bare != deploymentText {
		t.Errorf("uninjected:\n%s\nwant:\n%s", bare, deploymentText)
	}
}

func TestInjectRefusesInWords(t *testing.T) {
	tests := map[string]struct{ from, to, want string }{
		"a profile that is not in the files":  {"producer-profile: reliable", "producer-profile: relaible", "ProducerProfile default/relaible is not in these files"},
		"a container that is not there":       {"metadata:\n  annotations:\n", "metadata:\n  annotations:\n    kafka.mooring.dev/producer-containers: appp\n", "did you mean app?"},
		"a profile whose cluster is not said": {"", "", "there is no KafkaCluster default"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			profiles := profileText
			if tt.from == "" {
				profiles, _, _ = strings.Cut(profileText, "---\n")
			}
			status := w.run(t, strings.Replace(deploymentText, tt.from, tt.to, 1), "inject", "-f", "-", "-f", profileFile(t, profiles))
			if status != 1 || !strings.Contains(w.err.String(), tt.want) {
				t.Errorf("exit status %d: %s", status, &w.err)
			}
			if strings.Contains(w.out.String(), "mooring-shim") {
				t.Error("what was refused was injected")
			}
		})
	}
}

func TestAudit(t *testing.T) {
	pod := func(name, workload, status string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: map[string]string{v1alpha1.AnnotationProducerProfile: "reliable"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: workload, UID: "1", Controller: new(true)}}}}
		if status != "" {
			p.Annotations[v1alpha1.AnnotationProducerStatus] = status
		}
		return p
	}
	ended := pod("old-0", "old", "")
	ended.Status.Phase = corev1.PodSucceeded
	profile := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "reliable"}}
	profile.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionDurable, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonAtRisk}}
	w := &world{}
	w.withKube(t, interceptor.Funcs{},
		profile, ended, pod("good-0", "good", `{"verdict":"Injected","profile":"shop/reliable","decisions":[{"reason":"Overridden","subject":"KAFKA_ACKS"}]}`),
		pod("kept-0", "kept", `{"verdict":"Injected","profile":"shop/reliable","decisions":[{"reason":"Kept","container":"app","subject":"KAFKA_ACKS"}]}`),
		pod("audit-0", "audit", `{"verdict":"Audited","profile":"shop/reliable"}`), pod("audit-1", "audit", `{"verdict":"Audited","profile":"shop/reliable"}`),
		pod("missed-0", "missed", ""), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "other"}},
	)
	if status := w.run(t, "", "audit", "-A"); status != 2 {
		t.Errorf("exit status %d, want 2: something is not enforced: %s", status, &w.err)
	}
	var got []string
	for line := range strings.Lines(w.out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"NAMESPACE WORKLOAD PROFILE MODE PODS DURABLE REPLACED NOT ENFORCED",
		"shop audit shop/reliable Audit 2 AtRisk - -",
		"shop good shop/reliable Enforce 1 AtRisk KAFKA_ACKS -",
		"shop kept shop/reliable Enforce 1 AtRisk - Kept KAFKA_ACKS",
		"shop missed shop/reliable Missed (1 pods) 1 AtRisk - -",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
