//go:build envtest

package envtest

import (
	"context"
	"encoding/json"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
)

// injectionWebhooks are the mutating ones of config/webhook, under a name that nobody else gives an authority to.
func injectionWebhooks() *admissionregistrationv1.MutatingWebhookConfiguration {
	GinkgoHelper()
	var c admissionregistrationv1.MutatingWebhookConfiguration
	readManifest("../../config/webhook/manifests.yaml", "MutatingWebhookConfiguration", &c)
	c.Name = "suite-injection"
	for _, w := range c.Webhooks {
		Expect(*w.FailurePolicy).To(Equal(admissionregistrationv1.Fail))
		Expect(w.MatchConditions).NotTo(BeEmpty(), "%s is asked about everybody", w.Name)
	}
	return &c
}

// restricted is what the Pod Security Standard of that name asks of a container.
func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), RunAsNonRoot: new(true), RunAsUser: new(int64(1000)),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

func podSpec(env ...corev1.EnvVar) corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1", Env: env, SecurityContext: restricted()}}}
}

func podIn(namespace, profile string, env ...corev1.EnvVar) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fresh("pod")}, Spec: podSpec(env...)}
	if profile != "" {
		pod.Annotations = map[string]string{v1alpha1.AnnotationProducerProfile: profile}
	}
	return pod
}

// profileIn makes a profile on the KafkaCluster default. Its drain fits the default grace period.
func profileIn(ctx context.Context, namespace, name string, change ...func(*v1alpha1.ProducerProfileSpec)) *v1alpha1.ProducerProfile {
	GinkgoHelper()
	p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	p.Spec.Shim = &v1alpha1.ProducerShim{Listeners: v1alpha1.ShimKafka, Drain: &metav1.Duration{Duration: 20e9}}
	for _, c := range change {
		c(&p.Spec)
	}
	expectCreated(ctx, p)
	return p
}

// injectionNamespace makes a namespace that enforces the Pod Security Standard restricted.
func injectionNamespace(ctx context.Context, labels map[string]string) string {
	GinkgoHelper()
	name := fresh("inject")
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	for key, value := range labels {
		n.Labels[key] = value
	}
	expectCreated(ctx, n)
	// Nothing makes ServiceAccounts here, and no pod is admitted without one.
	expectCreated(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "default"}})
	return name
}

// expectInjected creates a pod as soon as the webhook's cache has what it needs.
func expectInjected(ctx context.Context, pod *corev1.Pod) inject.Status {
	GinkgoHelper()
	Eventually(func() error { return k8s.Create(ctx, pod.DeepCopy(), client.DryRunAll) }).Should(Succeed())
	expectCreated(ctx, pod)
	return statusOf(pod)
}

func statusOf(pod *corev1.Pod) inject.Status {
	GinkgoHelper()
	status, there, err := inject.StatusOf(pod.Annotations)
	Expect(err).NotTo(HaveOccurred())
	Expect(there).To(BeTrue(), "the pod has no status annotation")
	return status
}

func envNamed(pod *corev1.Pod, name string) *corev1.EnvVar {
	for _, c := range pod.Spec.Containers {
		if i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name }); i >= 0 {
			return &c.Env[i]
		}
	}
	return nil
}

func contractOf(pod *corev1.Pod) map[string]any {
	GinkgoHelper()
	var c map[string]any
	Expect(json.Unmarshal([]byte(pod.Annotations[v1alpha1.AnnotationContract]), &c)).To(Succeed())
	return c
}
