package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	jsonpatch "github.com/evanphx/json-patch/v5"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/controllers"
	"mooring.dev/mooring/internal/inject"
)

// cached is a cache with a namespace, a cluster and profiles.
func cached(t *testing.T, profiles ...*v1alpha1.ProducerProfile) client.Reader {
	t.Helper()
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	b := fake.NewClientBuilder().WithScheme(s).WithObjects(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}},
		&v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: []string{"kafka:9092"}}},
	)
	for _, p := range profiles {
		b.WithObjects(p)
	}
	return b.Build()
}

func profileNamed(name string) *v1alpha1.ProducerProfile {
	return &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
}

func injectorOn(reader client.Reader) http.Handler {
	return &crwebhook.Admission{Handler: &podInjector{source: controllers.ContractSource{Reader: reader, Namespace: "mooring-system", Shim: inject.Image{Name: "mooring:1"}}}}
}

// inNamespace adds the namespace of the request, which post does not know.
func inNamespace(next http.Handler, namespace string) http.Handler {
	hook := next.(*crwebhook.Admission)
	inner := hook.Handler
	return &crwebhook.Admission{Handler: admission.HandlerFunc(func(ctx context.Context, req admission.Request) admission.Response {
		req.Namespace, req.Kind.Kind = namespace, kindOf(req.Object.Raw)
		return inner.Handle(ctx, req)
	})}
}

func kindOf(raw []byte) string {
	var meta metav1.TypeMeta
	_ = json.Unmarshal(raw, &meta)
	return meta.Kind
}

func asking(profile string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "checkout", Annotations: map[string]string{v1alpha1.AnnotationProducerProfile: profile}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app:1"}}},
	}
}

func verdict(t *testing.T, body []byte) *admissionv1.AdmissionResponse {
	t.Helper()
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(body, &review); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return review.Response
}

// A refusal of policy is an answer; a fault of ours is an HTTP error, and failurePolicy decides about it.
func TestWhatAnInjectionAnswers(t *testing.T) {
	tests := map[string]struct {
		reason, profile string
		reader          client.Reader
		code            int
		allowed         bool
		words           string
	}{
		"ok":      {"it may start", "reliable", cached(t, profileNamed("reliable")), http.StatusOK, true, ""},
		"refused": {"the policy says no, with its mend", "relaible", cached(t, profileNamed("reliable")), http.StatusOK, false, "did you mean reliable?"},
		"fault":   {"a cache that is not there says nothing about the pod", "reliable", brokenReader{}, http.StatusInternalServerError, false, ""},
		"panic":   {"a bug of ours says nothing about the pod", "reliable", brokenReader{panics: true}, http.StatusInternalServerError, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			answer := post(t, inNamespace(injectorOn(tt.reader), "shop"), asking(tt.profile))
			if answer.Code != tt.code {
				t.Fatalf("%s: HTTP %d, want %d: %s", tt.reason, answer.Code, tt.code, answer.Body)
			}
			if tt.code != http.StatusOK {
				if strings.Contains(answer.Body.String(), "allowed") {
					t.Errorf("%s: the answer holds a verdict: %s", tt.reason, answer.Body)
				}
				return
			}
			got := verdict(t, answer.Body.Bytes())
			if got.Allowed != tt.allowed || (tt.words != "" && !strings.Contains(got.Result.Message, tt.words)) {
				t.Errorf("%s: %s", tt.reason, answer.Body)
			}
		})
	}
}

// A field that a newer API server has and we do not know must come out of admission as it went in.
func TestAFieldThatWeDoNotKnowStays(t *testing.T) {
	raw, err := json.Marshal(asking("reliable"))
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	spec := object["spec"].(map[string]any)
	spec["fieldOfTomorrow"] = map[string]any{"a": "b"}
	spec["containers"].([]any)[0].(map[string]any)["alsoNew"] = "x"
	answer := post(t, inNamespace(injectorOn(cached(t, profileNamed("reliable"))), "shop"), object)
	got := verdict(t, answer.Body.Bytes())
	if !got.Allowed {
		t.Fatalf("%s", answer.Body)
	}
	patch, err := jsonpatch.DecodePatch(got.Patch)
	if err != nil {
		t.Fatal(err)
	}
	before, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	after, err := patch.Apply(before)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{`"fieldOfTomorrow":{"a":"b"}`, `"alsoNew":"x"`, `"kafka.mooring.dev/contract"`} {
		if !strings.Contains(string(after), word) {
			t.Errorf("%s is not in the patched pod: %s", word, after)
		}
	}
}

// Nothing is patched where nothing is to be: byte for byte the pod that came.
func TestAPodThatDoesNotAskIsNotPatched(t *testing.T) {
	pod := asking("reliable")
	pod.Annotations = nil
	got := verdict(t, post(t, inNamespace(injectorOn(cached(t, profileNamed("reliable"))), "shop"), pod).Body.Bytes())
	if !got.Allowed || len(got.Patch) > 2 {
		t.Errorf("allowed %t, patch %s", got.Allowed, got.Patch)
	}
}

func TestAProfileThatOnlyAuditsRefusesNobody(t *testing.T) {
	audits := profileNamed("watching")
	audits.Spec.Enforcement = v1alpha1.EnforcementAudit
	audits.Spec.ClusterRef.Name = "nowhere"
	pod := asking("watching")
	pod.Annotations[v1alpha1.AnnotationProducerContainers] = "nobody"
	got := verdict(t, post(t, inNamespace(injectorOn(cached(t, audits)), "shop"), pod).Body.Bytes())
	if !got.Allowed || !strings.Contains(string(got.Patch), "would") && !strings.Contains(string(got.Patch), "Audited") {
		t.Errorf("allowed %t, patch %s", got.Allowed, got.Patch)
	}
	if len(got.Warnings) == 0 || !strings.Contains(got.Warnings[0], "Enforce would refuse") {
		t.Errorf("warnings %q", got.Warnings)
	}
}

// A warning is cut between two characters, and not within one.
func TestWarningsAreText(t *testing.T) {
	for shift := range 4 {
		message := strings.Repeat("a", shift) + strings.Repeat("🛟", 200)
		warnings := warningsOf(inject.Report{Verdict: inject.Injected, Decisions: []inject.Decision{{Reason: inject.ReasonOverridden, Subject: "KAFKA_ACKS", Message: message}}})
		if len(warnings) != 1 || len(warnings[0]) > maxWarning || !utf8.ValidString(warnings[0]) || !strings.HasSuffix(warnings[0], "🛟...") {
			t.Errorf("shifted by %d: %q", shift, warnings)
		}
	}
}

// The API server refuses an Event whose note has more than 1024 bytes, so nobody would read of a refusal in many characters.
func TestTheEventOfALongRefusalFits(t *testing.T) {
	events := &told{}
	pod := asking("reliable")
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "checkout-1", Controller: new(true)}}
	(&podInjector{recorder: events}).announce(pod, "shop", inject.Report{Verdict: inject.Refused, Refusal: &inject.Refusal{Message: strings.Repeat("ü", 2000)}})
	if len(events.events) != 1 || !utf8.ValidString(events.events[0]) || len(events.events[0]) > 1024+100 {
		t.Fatalf("%d Events: %q", len(events.events), events.events)
	}
}
