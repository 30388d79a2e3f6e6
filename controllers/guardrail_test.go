package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mooring.dev/mooring/api/v1alpha1"
)

// errListed is what a list says that nobody may ask for.
var errListed = errors.New("something was listed")

// unlisted is an API server with namespace shop, where no list works.
func unlisted() client.Client {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return fake.NewClientBuilder().WithScheme(scheme).
		WithObjects(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}).
		WithInterceptorFuncs(interceptor.Funcs{
			List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
				return errListed
			},
		}).Build()
}

func TestGuard(t *testing.T) {
	narrow := v1alpha1.TopicPolicy{Partitions: &v1alpha1.Int32Range{Max: new(int32(4))}}
	quota := v1alpha1.TopicPolicy{Quota: &v1alpha1.TopicQuota{Topics: new(int32(200))}}
	elsewhere := v1alpha1.TopicPolicy{Namespaces: metav1.LabelSelector{MatchLabels: map[string]string{"tier": "prod"}}, Quota: quota.Quota}
	broken := v1alpha1.TopicPolicy{Namespaces: metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Near"}}}}
	tests := map[string]struct {
		reason   string
		policies []v1alpha1.TopicPolicy
		moving   bool
		want     string // part of the sentence; empty: taken
		lists    bool
	}{
		"no policy":               {reason: "it costs nothing"},
		"a policy without quota":  {reason: "it is judged without a list", policies: []v1alpha1.TopicPolicy{narrow}, want: "set spec.partitions to at most 4"},
		"a quota":                 {reason: "who counts must list", policies: []v1alpha1.TopicPolicy{quota}, lists: true},
		"a quota of others":       {reason: "it is no reason to list", policies: []v1alpha1.TopicPolicy{elsewhere, narrow}, want: "spec.topicPolicies[1]"},
		"replicas on their way":   {reason: "the throttle must come off the brokers", policies: []v1alpha1.TopicPolicy{narrow}, moving: true},
		"a selector that is none": {reason: "nobody can tell whom it means", policies: []v1alpha1.TopicPolicy{broken, narrow}, want: "spec.topicPolicies[0].namespaces of KafkaCluster default is not a selector"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			kt := &v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Name: "orders", Namespace: "shop"}}
			kt.Spec.Partitions = new(int32(5))
			if tt.moving {
				kt.Status.Reassignment = &v1alpha1.ReassignmentStatus{Total: 5}
			}
			cluster := &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: v1alpha1.KafkaClusterSpec{TopicPolicies: tt.policies}}
			refused, err := (&TopicReconciler{Client: unlisted()}).guard(t.Context(), kt, cluster)
			if errors.Is(err, errListed) != tt.lists {
				t.Fatalf("%s: %v", tt.reason, err)
			}
			got := ""
			if refused != nil {
				got = refused.verdict.Message
			}
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
			}
			if refused != nil && refused.verdict.Reason != v1alpha1.ReasonPolicyViolation {
				t.Errorf("reason %s", refused.verdict.Reason)
			}
		})
	}
}
