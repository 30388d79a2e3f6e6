package webhook

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

func TestUpdatesThatAreNotJudged(t *testing.T) {
	now := metav1.Now()
	old := &v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Name: "orders", Namespace: "shop"}}
	tests := map[string]struct {
		reason string
		edit   func(*v1alpha1.KafkaTopic)
	}{
		"a finalizer":   {"it says nothing of the topic", func(t *v1alpha1.KafkaTopic) { t.Finalizers = []string{v1alpha1.Finalizer} }},
		"an annotation": {"it says nothing of the topic", func(t *v1alpha1.KafkaTopic) { t.Annotations = map[string]string{v1alpha1.AnnotationOrphan: "true"} }},
		"a deletion": {"nothing may get stuck on its way out", func(t *v1alpha1.KafkaTopic) {
			t.DeletionTimestamp, t.Spec.Partitions = &now, new(int32(9))
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changed := old.DeepCopy()
			tt.edit(changed)
			v := &topicValidator{reader: brokenReader{panics: true}} // it reads nothing
			if warnings, err := v.ValidateUpdate(t.Context(), old, changed); err != nil || warnings != nil {
				t.Errorf("%s: %v, %v", tt.reason, warnings, err)
			}
			if warnings, err := v.ValidateDelete(t.Context(), changed); err != nil || warnings != nil {
				t.Errorf("a delete: %v, %v", warnings, err)
			}
		})
	}
}

func TestWarnMinISR(t *testing.T) {
	tests := map[string]struct {
		reason   string
		rf, isr  *int32
		wantWarn bool
	}{
		"equal":                {"one broker down stops producers", new(int32(3)), new(int32(3)), true},
		"one copy":             {"the only broker down stops producers", new(int32(1)), new(int32(1)), true},
		"one less":             {"one broker may be down", new(int32(3)), new(int32(2)), false},
		"left to the brokers":  {"nobody knows", nil, new(int32(2)), false},
		"the other one absent": {"nobody knows", new(int32(3)), nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := warnMinISR(&v1alpha1.KafkaTopicSpec{ReplicationFactor: tt.rf, MinInsyncReplicas: tt.isr})
			if (got != "") != tt.wantWarn {
				t.Errorf("%s: %q", tt.reason, got)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	tests := map[string]struct {
		reason, address string
		valid, serves   bool
	}{
		"off":         {"the default outside of a cluster", "0", true, false},
		"empty":       {"the zero value serves nothing", "", true, false},
		"a port":      {"all addresses", ":9443", true, true},
		"an address":  {"one address", "127.0.0.1:9443", true, true},
		"no port":     {"it would be a guess", "127.0.0.1", false, false},
		"a word":      {"a port is a number", ":https", false, false},
		"out of TCP":  {"there is no such port", ":65536", false, false},
		"any port":    {"the Service could not find it", ":0", false, false},
		"only digits": {"it reads like a port, and is an address", "9443", false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := Options{Address: tt.address}
			if err := o.Validate(); (err == nil) != tt.valid {
				t.Errorf("%s: %v", tt.reason, err)
			}
			if serves := New(o).Server() != nil; serves != tt.serves {
				t.Errorf("%s: serves = %t, want %t", tt.reason, serves, tt.serves)
			}
		})
	}
}
