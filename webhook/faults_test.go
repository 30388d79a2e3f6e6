package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"mooring.dev/mooring/api/v1alpha1"
)

// brokenReader is a cache that is not there.
type brokenReader struct{ panics bool }

func (r brokenReader) fail() error {
	if r.panics {
		panic("a bug")
	}
	return errors.New("the cache is not started")
}

func (r brokenReader) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return r.fail()
}

func (r brokenReader) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return r.fail()
}

func scheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

// post asks a handler about the creation of an object.
func post(t *testing.T, handler http.Handler, o any) *httptest.ResponseRecorder {
	t.Helper()
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	review, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request:  &admissionv1.AdmissionRequest{UID: "1", Operation: admissionv1.Create, Object: runtime.RawExtension{Raw: raw}},
	})
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(review))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	withFaults("/", handler).ServeHTTP(answer, request)
	return answer
}

func TestAFaultIsNoRefusal(t *testing.T) {
	tests := map[string]struct {
		reason string
		reader brokenReader
	}{
		"a cache that is not there": {"it says nothing about the object", brokenReader{}},
		"a panic":                   {"a bug of ours says nothing about the object", brokenReader{panics: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			handler := admission.WithValidator(scheme(t), &topicValidator{reader: tt.reader})
			answer := post(t, handler, &v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Name: "orders", Namespace: "shop"}})
			if answer.Code != http.StatusInternalServerError {
				t.Errorf("%s: HTTP %d, want 500, so that failurePolicy decides: %s", tt.reason, answer.Code, answer.Body)
			}
			if strings.Contains(answer.Body.String(), "allowed") {
				t.Errorf("%s: the answer holds a verdict: %s", tt.reason, answer.Body)
			}
		})
	}
}

func TestARefusalIsOne(t *testing.T) {
	handler := admission.WithValidator(scheme(t), clusterValidator{})
	k := &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	k.Spec.BootstrapServers = []string{"kafka:9092"}
	for _, tt := range []struct {
		reason, pattern string
		allowed         bool
	}{
		{"a policy that cannot be read is refused", "(", false},
		{"one that can is not", "shop", true},
	} {
		k.Spec.TopicPolicies = []v1alpha1.TopicPolicy{{NamePattern: tt.pattern}}
		answer := post(t, handler, k)
		var review admissionv1.AdmissionReview
		if err := json.Unmarshal(answer.Body.Bytes(), &review); err != nil || answer.Code != http.StatusOK {
			t.Fatalf("%s: HTTP %d: %s", tt.reason, answer.Code, answer.Body)
		}
		if review.Response.Allowed != tt.allowed || len(review.Response.Warnings) != 1 {
			t.Errorf("%s: %s", tt.reason, answer.Body)
		}
	}
}
