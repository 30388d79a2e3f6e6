package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
)

type eventReasons struct{ notes []string }

func (e *eventReasons) Eventf(_, _ runtime.Object, _, reason, _, _ string, _ ...any) {
	e.notes = append(e.notes, reason)
}

func deploymentOf(name string, ready int32) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name)}}
	d.Spec.Replicas = new(int32(2))
	d.Status = appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: ready}
	return d
}

func stateOf(deployment string, state inject.State) podState {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: deployment + "-h-1", UID: types.UID(deployment + "-1"), Labels: map[string]string{"pod-template-hash": "h", "app": deployment},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: deployment + "-h", Controller: new(true)}},
	}}
	return podState{pod, inject.Refreshed{State: state, Spec: "new"}}
}

func TestRestartsComeOneByOne(t *testing.T) {
	broken := deploymentOf("a", 1)
	broken.Annotations = map[string]string{v1alpha1.AnnotationRestartedFor: "new"}
	broken.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse}}
	done := deploymentOf("a", 2)
	done.Annotations = map[string]string{v1alpha1.AnnotationRestartedFor: "new"}
	paused := deploymentOf("a", 2)
	paused.Spec.Paused = true
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "a"},
		Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "a"}}}}
	need, current := inject.NeedRestart, inject.Current
	tests := map[string]struct {
		reason  string
		rollout v1alpha1.RolloutPolicy
		objects []client.Object
		a, b    inject.State
		want    []string // restarted
		event   string
	}{
		"by hand":                  {"Manual leaves it to people", v1alpha1.RolloutManual, []client.Object{deploymentOf("a", 2), deploymentOf("b", 2)}, need, need, nil, ""},
		"nobody needs it":          {"there is nothing to bring", v1alpha1.RolloutRestart, []client.Object{deploymentOf("a", 2), deploymentOf("b", 2)}, current, current, nil, ""},
		"two need it":              {"one at a time", v1alpha1.RolloutRestart, []client.Object{deploymentOf("a", 2), deploymentOf("b", 2)}, need, need, []string{"a"}, eventRestarted},
		"missed pods need it":      {"only a restart injects them", v1alpha1.RolloutRestart, []client.Object{deploymentOf("a", 2), deploymentOf("b", 2)}, current, inject.Missed, []string{"b"}, eventRestarted},
		"the first is restarting":  {"the next one waits", v1alpha1.RolloutRestart, []client.Object{deploymentOf("a", 1), deploymentOf("b", 2)}, current, need, nil, ""},
		"the first is ready again": {"then it is the next one's turn", v1alpha1.RolloutRestart, []client.Object{done, deploymentOf("b", 2)}, current, need, []string{"b"}, eventRestarted},
		"the first never is":       {"what broke one must not break the next", v1alpha1.RolloutRestart, []client.Object{broken, deploymentOf("b", 2)}, need, need, nil, eventRollout},
		"the first is paused":      {"somebody holds it", v1alpha1.RolloutRestart, []client.Object{paused, deploymentOf("b", 2)}, need, need, []string{"b"}, eventRestarted},
		"the first is gone":        {"its pods go too", v1alpha1.RolloutRestart, []client.Object{deploymentOf("b", 2)}, need, need, []string{"b"}, eventRestarted},
		"no budget for it":         {"somebody promised to keep its pods", v1alpha1.RolloutRestart, []client.Object{deploymentOf("a", 2), deploymentOf("b", 2), budget}, need, current, nil, ""},
		"restarted in vain":        {"the same restart is not tried again", v1alpha1.RolloutRestart, []client.Object{done, deploymentOf("b", 2)}, need, current, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := runtime.NewScheme()
			utilruntime.Must(clientgoscheme.AddToScheme(s))
			utilruntime.Must(v1alpha1.AddToScheme(s))
			b := fake.NewClientBuilder().WithScheme(s)
			for _, o := range tt.objects {
				b.WithObjects(o.DeepCopyObject().(client.Object))
			}
			c := b.Build()
			events := &eventReasons{}
			r := &ContractReconciler{Client: c, Live: c, Events: Events{events}, Now: func() time.Time { return time.Unix(0, 0) }}
			r.init()
			p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "reliable"}}
			p.Spec.Injection = &v1alpha1.ProducerInjection{Rollout: tt.rollout}
			if _, err := r.rollOut(t.Context(), p, []podState{stateOf("a", tt.a), stateOf("b", tt.b)}); err != nil {
				t.Fatal(err)
			}
			var restarted []string
			for _, name := range []string{"a", "b"} {
				var d appsv1.Deployment
				if err := client.IgnoreNotFound(c.Get(t.Context(), types.NamespacedName{Namespace: "shop", Name: name}, &d)); err != nil {
					t.Fatal(err)
				}
				if d.Spec.Template.Annotations[annotationRestartedAt] != "" {
					restarted = append(restarted, name)
				}
			}
			if diff := cmp.Diff(tt.want, restarted); diff != "" {
				t.Errorf("%s: restarted (-want +got):\n%s", tt.reason, diff)
			}
			if tt.event == "" && len(events.notes) > 0 || tt.event != "" && (len(events.notes) != 1 || events.notes[0] != tt.event) {
				t.Errorf("%s: Events %q, want %q", tt.reason, events.notes, tt.event)
			}
		})
	}
}

func TestOnlyCertificatesTravelInAContract(t *testing.T) {
	const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	const key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
	if got := onlyCertificates([]byte("text\n" + key + certificate + key + certificate)); got != certificate+certificate {
		t.Errorf("%q", got)
	}
	if got := onlyCertificates([]byte("nonsense")); got != "" {
		t.Errorf("%q", got)
	}
}

// The certificates of the brokers and of the schema registry are two bundles, and a Secret without any says for which.
func TestAuthoritiesOfAKafkaCluster(t *testing.T) {
	certificate := func(content string) string {
		return "-----BEGIN CERTIFICATE-----\n" + content + "\n-----END CERTIFICATE-----\n"
	}
	secret := func(name, key, content string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "mooring-system", Name: name}, Data: map[string][]byte{key: []byte(content)}}
	}
	cluster := &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: v1alpha1.KafkaClusterSpec{
		TLS:            &v1alpha1.KafkaClusterTLS{CABundleRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "kafka-ca"}}},
		SchemaRegistry: &v1alpha1.SchemaRegistry{URL: "https://registry", CABundleRef: &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "registry-ca"}, Key: "root.pem"}},
	}}
	for name, tt := range map[string]struct{ brokers, registry, refused string }{
		"both":             {certificate("AAAA"), certificate("BBBB"), ""},
		"no brokers'":      {"none", certificate("BBBB"), "spec.tls.caBundleRef: Secret mooring-system/kafka-ca"},
		"not the registry": {certificate("AAAA"), "none", "spec.schemaRegistry.caBundleRef: Secret mooring-system/registry-ca"},
	} {
		t.Run(name, func(t *testing.T) {
			source := ContractSource{Namespace: "mooring-system", Reader: fake.NewClientBuilder().WithObjects(secret("kafka-ca", "ca.crt", tt.brokers), secret("registry-ca", "root.pem", tt.registry)).Build()}
			var b inject.Binding
			refusal, err := source.authorities(t.Context(), cluster, &b)
			if err != nil {
				t.Fatal(err)
			}
			if tt.refused != "" {
				if refusal == nil || !strings.Contains(refusal.Message, tt.refused) {
					t.Errorf("%+v, want %q", refusal, tt.refused)
				}
				return
			}
			if refusal != nil || b.CACertificates != tt.brokers || b.RegistryCACertificates != tt.registry {
				t.Errorf("%+v %q %q", refusal, b.CACertificates, b.RegistryCACertificates)
			}
		})
	}
}

func TestAPodOfTheCacheIsLight(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "a", Labels: map[string]string{"app": "a"}, Annotations: map[string]string{
		v1alpha1.AnnotationContract: "{}", inject.AnnotationFilePrefix + "x": "y", "kubectl.kubernetes.io/last-applied-configuration": "long",
	}}}
	pod.Spec.Containers = []corev1.Container{{Name: "app"}}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, Message: "long"}
	got, err := LightPod(pod)
	if err != nil {
		t.Fatal(err)
	}
	light := got.(*corev1.Pod)
	if len(light.Spec.Containers) > 0 || light.Status.Message != "" || len(light.Annotations) != 2 || light.Labels["app"] != "a" || light.Status.Phase != corev1.PodRunning {
		t.Errorf("%+v", light)
	}
	if len(pod.Spec.Containers) != 1 || len(pod.Annotations) != 3 {
		t.Error("the transform changed its argument")
	}
}

// A pod that is gone needs nothing. One that somebody else wrote at the same moment does, and no event of it need follow.
func TestAPatchThatFails(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	for name, tt := range map[string]struct {
		answer error
		again  bool
	}{
		"written":          {nil, false},
		"gone":             {apierrors.NewNotFound(pods, "a"), false},
		"conflict":         {apierrors.NewConflict(pods, "a", errors.New("uid")), true},
		"API server fails": {apierrors.NewInternalError(errors.New("etcd")), true},
	} {
		t.Run(name, func(t *testing.T) {
			c := fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
				Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
					return tt.answer
				},
			}).Build()
			r := &ContractReconciler{Client: c, Now: time.Now}
			r.init()
			state := stateOf("a", inject.Stale)
			state.Annotations = map[string]string{v1alpha1.AnnotationContract: "{}"}
			states := []podState{state}
			if err := r.patch(t.Context(), states); (err != nil) != tt.again {
				t.Errorf("%v, want an error: %t", err, tt.again)
			}
			if current := states[0].State == inject.Current; current != (tt.answer == nil) {
				t.Errorf("the pod counts as %s", states[0].State)
			}
		})
	}
}

// A pod whose contract was patched is touched once more a while later, so that a kubelet that was busy looks again; not before, and
// not twice.
func TestAPodIsTouchedAfterItsContractChanged(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	for name, tt := range map[string]struct {
		answer error // to the touch
		again  bool  // it stays due
	}{
		"touched":          {nil, false},
		"gone":             {apierrors.NewNotFound(pods, "a"), false},
		"API server fails": {apierrors.NewInternalError(errors.New("etcd")), true},
	} {
		t.Run(name, func(t *testing.T) {
			var patches []string
			var answer error
			c := fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
				Patch: func(_ context.Context, _ client.WithWatch, o client.Object, p client.Patch, _ ...client.PatchOption) error {
					data, err := p.Data(o)
					if err != nil {
						t.Error(err)
					}
					patches = append(patches, string(data))
					return answer
				},
			}).Build()
			now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
			r := &ContractReconciler{Client: c, Now: func() time.Time { return now }}
			r.init()
			state := stateOf("a", inject.Stale)
			state.Annotations = map[string]string{v1alpha1.AnnotationContract: "{}"}
			if err := r.patch(t.Context(), []podState{state}); err != nil {
				t.Fatal(err)
			}
			current := []podState{stateOf("a", inject.Current), stateOf("b", inject.Current)} // nothing was written to b
			now = now.Add(time.Second)
			if next, err := r.touch(t.Context(), current); err != nil || next != lookAgainAfter-time.Second || len(patches) != 1 {
				t.Fatalf("a second after the patch: next %s, %v, patches %q", next, err, patches)
			}
			now, answer = now.Add(lookAgainAfter), tt.answer
			next, err := r.touch(t.Context(), current)
			if (err != nil) != tt.again || next != 0 || len(patches) != 2 || !strings.Contains(patches[1], `"kafka.mooring.dev/contract-touched":"2026-11-22T03:00:04Z"`) || !strings.Contains(patches[1], string(current[0].pod.UID)) {
				t.Fatalf("when it is due: next %s, %v, patches %q", next, err, patches)
			}
			answer = nil
			if _, err := r.touch(t.Context(), current); err != nil || (len(patches) == 3) != tt.again {
				t.Errorf("after that: %v, patches %q", err, patches)
			}
		})
	}
}

func TestAChangeDoesNotWaitForManyTouches(t *testing.T) {
	var mu sync.Mutex
	patches := 0
	c := fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
		Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
			mu.Lock()
			defer mu.Unlock()
			patches++
			return nil
		},
	}).Build()
	now := time.Now()
	r := &ContractReconciler{Client: c, Now: func() time.Time { return now }}
	r.init()
	var states []podState
	for i := range touchedAtOnce + 1 {
		state := stateOf(fmt.Sprint("d", i), inject.Current)
		r.untouched.note(state.pod.UID, now)
		states = append(states, state)
	}
	now = now.Add(lookAgainAfter)
	if next, err := r.touch(t.Context(), states); err != nil || next != time.Millisecond || patches != touchedAtOnce {
		t.Errorf("the first look: next %s, %v, %d patches", next, err, patches)
	}
	if next, err := r.touch(t.Context(), states); err != nil || next != 0 || patches != touchedAtOnce+1 {
		t.Errorf("the second look: next %s, %v, %d patches", next, err, patches)
	}
}
