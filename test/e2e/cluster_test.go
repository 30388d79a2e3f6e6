//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var _ = Describe("The node", func() {
	It("runs programs of ours that find each other by name", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		image := node.Program(ctx, "probe", filepath.Join(root, "hack", "image"), "./probe")
		service := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "server"},
			Spec: corev1.ServiceSpec{
				Selector: map[string]string{"app": "server"},
				Ports:    []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
			},
		}
		Expect(node.Create(ctx, service)).To(Succeed())
		node.Deploy(ctx, Deployment(namespace, "server", Container("probe", image)))
		node.Deploy(ctx, Deployment(namespace, "client", Container("probe", image)))

		server := node.Pod(ctx, namespace, "server")
		// kube-proxy learns of a pod a moment after it is ready.
		Eventually(ctx, func() (string, error) {
			return node.TryKubectl(ctx, "", "-n", namespace, "exec", "deployment/client", "--", "/probe", "get", "http://server/hello")
		}).Should(ContainSubstring(server.Name + " answers GET /hello"))
		Expect(node.Logs(ctx, server, "probe")).To(ContainSubstring("listening"))

		By("refusing a pod that PodSecurity does not take")
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "root"}}
		pod.Spec.Containers = []corev1.Container{{Name: "main", Image: image}}
		Expect(node.Create(ctx, pod)).To(MatchError(ContainSubstring("violates PodSecurity")))
	}, SpecTimeout(3*time.Minute))

	It("lets pods reach what listens on this machine's end of its network", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		image := node.Program(ctx, "probe", filepath.Join(root, "hack", "image"), "./probe")
		node.Deploy(ctx, Deployment(namespace, "client", Container("probe", image)))
		// A broker that is asked in HTTP hangs up, which is more than nobody does.
		_, err := node.TryKubectl(ctx, "", "-n", namespace, "exec", "deployment/client", "--", "/probe", "get", "http://"+brokers.Seeds[0]+"/")
		Expect(err).To(MatchError(Or(ContainSubstring("EOF"), ContainSubstring("reset"), ContainSubstring("malformed"))))
		Expect(err.Error()).NotTo(Or(ContainSubstring("refused"), ContainSubstring("deadline")), strings.Join(brokers.Seeds, ","))
	}, SpecTimeout(2*time.Minute))
})
