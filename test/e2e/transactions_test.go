//go:build e2e

package e2e

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"mooring.dev/mooring/api/v1alpha1"
)

var _ = Describe("An annotated StatefulSet", func() {
	It("has a transactional ID for each replica, which the next pod of the replica has too", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		newProfile(ctx, namespace, func(p *v1alpha1.ProducerProfile) {
			p.Spec.Guarantee = v1alpha1.Transactional
			p.Spec.Transactions = &v1alpha1.ProducerTransactions{IDTemplate: "{namespace}-{workload}-{ordinal}"}
		})
		topic := newTopic(ctx, "e2e-transactions")
		labels := map[string]string{"app": "books"}
		set := &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "books", Annotations: policy},
			Spec: appsv1.StatefulSetSpec{
				Replicas: new(int32(2)), PodManagementPolicy: appsv1.ParallelPodManagement, Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: labels},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{producing(topic, "--rate=400")}, AutomountServiceAccountToken: new(false)},
				},
			},
		}
		Eventually(ctx, func() error { return node.Create(ctx, set.DeepCopy()) }).Should(Succeed()) // once the webhooks know the profile
		replica := func(ordinal int, other types.UID) (pod corev1.Pod) {
			Eventually(ctx, func(g Gomega) {
				g.Expect(node.Get(ctx, types.NamespacedName{Namespace: namespace, Name: fmt.Sprintf("books-%d", ordinal)}, &pod)).To(Succeed())
				g.Expect(pod.UID).NotTo(Equal(other))
				g.Expect(containerStatus(pod, "app").Ready).To(BeTrue())
			}).Should(Succeed())
			Expect(node.Exec(ctx, pod, "app", "/producer", "env", "KAFKA_TRANSACTIONAL_ID")).To(Equal(fmt.Sprintf("%s-books-%d\n", namespace, ordinal)))
			progress(ctx, pod, 200)
			return pod
		}
		pods := []corev1.Pod{replica(0, ""), replica(1, "")}
		first, shim := drained(ctx, pods[0])
		pods[0] = replica(0, pods[0].UID)
		phase("books-0 was drained: sent=%d acknowledged=%d; shim %s", first.Sent, first.Acknowledged, shim)

		runs := []outcome{first}
		began := time.Now()
		for _, pod := range pods {
			run, _ := drained(ctx, pod)
			runs = append(runs, run)
		}
		phase("two more in %s", time.Since(began).Round(10*time.Millisecond))
		for _, run := range runs {
			l := account(ctx, topic, run)
			phase("%s: committed %d; ledger: written %d, lost %d, duplicated %d, reordered %d", run.ID, run.Acknowledged, l.Written, l.Lost, l.Duplicated, l.Reordered)
			Expect(l).To(Equal(ledger{Written: run.Sent}))
		}
	}, SpecTimeout(3*time.Minute))
})
