//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var namespaces atomic.Int32

// NewNamespace makes a namespace of a spec's own, in which pods must be as restricted as PodSecurity knows, and removes it
// when the spec is over.
func (n *Node) NewNamespace(ctx context.Context, labels ...string) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:   fmt.Sprintf("team-%d", namespaces.Add(1)),
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	for i := 0; i+1 < len(labels); i += 2 {
		namespace.Labels[labels[i]] = labels[i+1]
	}
	Expect(n.Create(ctx, namespace)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(n.Delete(ctx, namespace))).To(Succeed())
	}, NodeTimeout(time.Minute))
	return namespace.Name
}

// Container is a container that PodSecurity "restricted" admits.
func Container(name, image string, args ...string) corev1.Container {
	return corev1.Container{
		Name: name, Image: image, ImagePullPolicy: corev1.PullNever, Args: args,
		SecurityContext: &corev1.SecurityContext{
			RunAsNonRoot: new(true), AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
			Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}

// Deployment is one replica of a container, labelled app=NAME. It is not created yet.
func Deployment(namespace, name string, container corev1.Container) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers:                    []corev1.Container{container},
					AutomountServiceAccountToken:  new(false),
					TerminationGracePeriodSeconds: new(int64(5)),
				},
			},
		},
	}
}

// Deploy creates a Deployment and waits until all of its replicas are available.
func (n *Node) Deploy(ctx context.Context, d *appsv1.Deployment) {
	GinkgoHelper()
	Expect(n.Create(ctx, d)).To(Succeed())
	n.WaitAvailable(ctx, d)
}

// WaitAvailable waits until all replicas of the present template are available.
func (n *Node) WaitAvailable(ctx context.Context, d *appsv1.Deployment) {
	GinkgoHelper()
	n.waitAvailable(ctx, d, 90*time.Second)
}

func (n *Node) waitAvailable(ctx context.Context, d *appsv1.Deployment, limit time.Duration) {
	GinkgoHelper()
	n.Kubectl(ctx, "-n", d.Namespace, "rollout", "status", "deployment/"+d.Name, "--timeout="+limit.String())
}

// allPods are those of a namespace that there still are.
func (n *Node) allPods(ctx context.Context, namespace string, options ...client.ListOption) []corev1.Pod {
	GinkgoHelper()
	var list corev1.PodList
	Expect(n.List(ctx, &list, append(options, client.InNamespace(namespace))...)).To(Succeed())
	return list.Items
}

// Pods are those with the label app=NAME that are not on their way out.
func (n *Node) Pods(ctx context.Context, namespace, app string) []corev1.Pod {
	GinkgoHelper()
	var pods []corev1.Pod
	for _, pod := range n.allPods(ctx, namespace, client.MatchingLabels{"app": app}) {
		if pod.DeletionTimestamp.IsZero() {
			pods = append(pods, pod)
		}
	}
	return pods
}

// Pod is the one pod with the label app=NAME.
func (n *Node) Pod(ctx context.Context, namespace, app string) corev1.Pod {
	GinkgoHelper()
	pods := n.Pods(ctx, namespace, app)
	Expect(pods).To(HaveLen(1))
	return pods[0]
}

// Exec runs a command in a container and returns its standard output.
func (n *Node) Exec(ctx context.Context, pod corev1.Pod, container string, command ...string) string {
	GinkgoHelper()
	return n.Kubectl(ctx, append([]string{"-n", pod.Namespace, "exec", pod.Name, "-c", container, "--"}, command...)...)
}

// Logs are all that a container wrote.
func (n *Node) Logs(ctx context.Context, pod corev1.Pod, container string) string {
	GinkgoHelper()
	return n.Kubectl(ctx, "-n", pod.Namespace, "logs", pod.Name, "-c", container)
}
