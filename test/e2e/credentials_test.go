//go:build e2e

package e2e

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/hack/localkafka/local"
	"mooring.dev/mooring/internal/inject"
)

// scramUser is there with this password and no other, until the spec is over.
func scramUser(ctx context.Context, user, password string) {
	GinkgoHelper()
	altered, err := brokers.Admin.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: user, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: password}})
	Expect(err).NotTo(HaveOccurred())
	Expect(altered.Error()).NotTo(HaveOccurred())
}

// passwordSecret holds a user's password, until the spec is over.
func passwordSecret(ctx context.Context, namespace, name, user, password string) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		StringData: map[string]string{v1alpha1.SecretKeyUsername: user, v1alpha1.SecretKeyPassword: password},
	}
	Expect(node.Create(ctx, secret)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(node.Delete(ctx, secret))).To(Succeed()) }, NodeTimeout(time.Minute))
	return secret
}

// signIn makes a connection with a password, as nobody's shim.
func signIn(ctx context.Context, user, password string) error {
	one, err := kgo.NewClient(kgo.SeedBrokers(brokers.State().Bootstrap.SASLPlaintext...), kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha256Mechanism()))
	if err != nil {
		return err
	}
	defer one.Close()
	return one.Ping(ctx)
}

var _ = Describe("The credentials of a profile", func() {
	It("are the shim's alone, and are rotated without a restart", func(ctx SpecContext) {
		const user = "e2e-shop"
		namespace := node.NewNamespace(ctx)
		scramUser(ctx, user, "first-password")
		DeferCleanup(func(ctx SpecContext) {
			_, err := brokers.Admin.AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{{User: user, Mechanism: kadm.ScramSha256}}, nil)
			Expect(err).NotTo(HaveOccurred())
		}, NodeTimeout(time.Minute))
		secret := passwordSecret(ctx, namespace, "shop", user, "first-password")
		passwordSecret(ctx, operatorNamespace, "e2e-admin", local.AdminUser, "admin-secret")
		kafkaCluster(ctx, namespace, func(k *v1alpha1.KafkaCluster) {
			k.Spec.BootstrapServers = brokers.State().Bootstrap.SASLPlaintext
			k.Spec.SASL = &v1alpha1.KafkaClusterSASL{Mechanism: v1alpha1.SASLScramSHA256, CredentialsRef: v1alpha1.SecretReference{Name: "e2e-admin"}}
		})
		newProfile(ctx, namespace, func(p *v1alpha1.ProducerProfile) {
			p.Spec.Credentials = &v1alpha1.ProducerCredentials{SecretRef: v1alpha1.SecretReference{Name: secret.Name}, Mechanism: v1alpha1.SASLScramSHA256}
		})
		topic := newTopic(ctx, "e2e-credentials")
		pod := runningProducer(ctx, namespace, "shop", topic, "--acks=1", "--rate=200")
		for _, mount := range pod.Spec.Containers[0].VolumeMounts {
			Expect(mount.Name).NotTo(Equal(inject.VolumeCredentials))
		}
		progress(ctx, pod, 200)

		By("replacing the password on the brokers and in the Secret")
		scramUser(ctx, user, "second-password")
		Eventually(ctx, signIn).WithArguments(ctx, user, "first-password").Should(MatchError(kerr.SaslAuthenticationFailed))
		secret.StringData = map[string]string{v1alpha1.SecretKeyPassword: "second-password"}
		Expect(node.Update(ctx, secret)).To(Succeed())
		began := time.Now()
		// The kubelet looks at a pod's Secrets every minute or so, and when the pod changes.
		node.Kubectl(ctx, "-n", namespace, "annotate", "pod", pod.Name, "e2e.mooring.dev/look=now")
		// A second client makes connections of its own, which have to authenticate anew.
		line := node.Exec(ctx, pod, "app", "/producer", "--topic", topic, "--acks=1", "--count=200")
		second := parseOutcome(line)
		phase("a new connection with the new password has written 200 records %s after the Secret changed", time.Since(began).Round(10*time.Millisecond))
		Expect(account(ctx, topic, second)).To(Equal(ledger{Written: 200}))
		progress(ctx, pod, 200)

		Expect(node.Get(ctx, client.ObjectKeyFromObject(&pod), &pod)).To(Succeed())
		for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
			Expect(status.RestartCount).To(BeZero(), status.Name)
		}
		app, shim := drained(ctx, pod)
		l := account(ctx, topic, app)
		phase("the app, which knows of no password: sent=%d acknowledged=%d; shim %s; ledger: written %d, lost %d", app.Sent, app.Acknowledged, shim, l.Written, l.Lost)
		Expect(l).To(Equal(ledger{Written: app.Sent}))
	}, SpecTimeout(4*time.Minute))
})
