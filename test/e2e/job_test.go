//go:build e2e

package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// jobOf runs a container to its end, once.
func jobOf(name string, container corev1.Container) batchv1.JobSpec {
	return batchv1.JobSpec{
		BackoffLimit: new(int32(0)),
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}},
			Spec: corev1.PodSpec{
				Containers: []corev1.Container{container}, RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: new(false),
			},
		},
	}
}

var _ = Describe("An annotated Job", func() {
	It("completes although it has a shim, and its last records are on the brokers", func(ctx SpecContext) {
		namespace := node.NewNamespace(ctx)
		newProfile(ctx, namespace)
		topic := newTopic(ctx, "e2e-job")
		const count = 20000
		job := &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "export", Annotations: policy},
			Spec:       jobOf("export", producing(topic, "--acks=0", "--count=20000")),
		}
		cron := &batchv1.CronJob{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "nightly", Annotations: policy},
			Spec: batchv1.CronJobSpec{
				Schedule: "* * * * *", // which is the soonest, and has the time of the Job's run to come
				JobTemplate: batchv1.JobTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "nightly"}},
					Spec:       jobOf("nightly", producing(topic, "--acks=1", "--count=2000")),
				},
			},
		}
		began := time.Now()
		Eventually(ctx, func() error { return node.Create(ctx, job.DeepCopy()) }).Should(Succeed()) // once the webhooks know the profile
		Expect(node.Create(ctx, cron)).To(Succeed())
		completed(ctx, job)
		app, shim := ended(ctx, node.Pod(ctx, namespace, "export"))
		l := account(ctx, topic, app)
		phase("Job in %s: app sent=%d and exited at once; shim %s; ledger: written %d, lost %d, duplicated %d, reordered %d", time.Since(began).Round(10*time.Millisecond),
			app.Sent, shim, l.Written, l.Lost, l.Duplicated, l.Reordered)
		Expect(l).To(Equal(ledger{Written: count}))
		Expect(shim).To(HaveSuffix("lost=0"))

		By("waiting for the CronJob's time")
		var tonight batchv1.JobList
		Eventually(ctx, func() []batchv1.Job {
			Expect(node.List(ctx, &tonight, client.InNamespace(namespace), client.MatchingLabels{"app": "nightly"})).To(Succeed())
			return tonight.Items
		}).WithTimeout(90 * time.Second).Should(HaveLen(1))
		Expect(node.Patch(ctx, cron, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"suspend":true}}`)))).To(Succeed())
		completed(ctx, &tonight.Items[0])
		app, shim = ended(ctx, node.Pod(ctx, namespace, "nightly"))
		l = account(ctx, topic, app)
		phase("CronJob's run: app sent=%d acknowledged=%d; shim %s; ledger: written %d, lost %d, duplicated %d, reordered %d", app.Sent, app.Acknowledged, shim, l.Written, l.Lost, l.Duplicated, l.Reordered)
		Expect(l).To(Equal(ledger{Written: 2000}))
	}, SpecTimeout(4*time.Minute))
})

func completed(ctx SpecContext, job *batchv1.Job) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		g.Expect(node.Get(ctx, client.ObjectKeyFromObject(job), job)).To(Succeed())
		g.Expect(job.Status.Succeeded).To(Equal(int32(1)), "%+v", job.Status)
	}).Should(Succeed())
}
