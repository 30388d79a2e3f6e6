//go:build kafka

package kafka

import (
	"context"
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/hack/localkafka/local"
)

func wrongPassword(mechanism v1alpha1.SASLMechanism) Connect {
	return withCredentials(mechanism, map[string][]byte{"username": []byte(local.AdminUser), "password": []byte("wrong")})
}

// trustingStrangers trusts a CA that signed nothing the brokers have.
func trustingStrangers(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	k.Spec.BootstrapServers = s.brokers.State().Bootstrap.TLS
	trust(ctx, s, k, s.brokers.State().Certificates.UntrustedCA)
}

func wrongName(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	overTLS(ctx, s, k)
	k.Spec.BootstrapServers = s.brokers.State().Bootstrap.TLSWrongName
}

// wrongNameExpected says in the manifest which name the certificate has: it is then right.
func wrongNameExpected(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	wrongName(ctx, s, k)
	k.Spec.TLS.ServerName = local.WrongName
}

func noCertificate(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	overTLS(ctx, s, k)
	k.Spec.BootstrapServers = s.brokers.State().Bootstrap.MTLS
}

func tlsToPlaintext(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	overTLS(ctx, s, k)
	k.Spec.BootstrapServers = s.brokers.State().Bootstrap.Plaintext
}

func plaintextToTLS(_ context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	k.Spec.BootstrapServers = s.brokers.State().Bootstrap.TLS
}

func expiredToken(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	token := local.UnsecuredToken(local.AdminUser, time.Now().Add(-time.Hour), time.Minute)
	withCredentials(v1alpha1.SASLOAuthBearer, map[string][]byte{"token": []byte(token)})(ctx, s, k)
}

// closedPort is an address where nobody listens.
func closedPort(_ context.Context, _ *Scene, k *v1alpha1.KafkaCluster) {
	k.Spec.BootstrapServers = []string{freeAddress()}
}

// deafPort is an address that takes connections and never answers.
func deafPort(_ context.Context, _ *Scene, k *v1alpha1.KafkaCluster) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(l.Close)
	k.Spec.BootstrapServers = []string{l.Addr().String()}
}

func missingSecret(_ context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	k.Spec.SASL = &v1alpha1.KafkaClusterSASL{
		Mechanism: v1alpha1.SASLScramSHA512, CredentialsRef: v1alpha1.SecretReference{Name: s.Named("nowhere")},
	}
}

func missingKey(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	withCredentials(v1alpha1.SASLScramSHA512, map[string][]byte{"username": []byte(local.AdminUser)})(ctx, s, k)
}

func notACertificate(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	overTLS(ctx, s, k)
	secret := s.Secret(ctx, "text", map[string][]byte{"ca.crt": []byte("not PEM")})
	k.Spec.TLS.CABundleRef.Name = secret.Name
}

// otherKey is a certificate and the private key of another one.
func otherKey(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	certificates := s.brokers.State().Certificates
	withCertificate(func(c local.Certificates) local.KeyPair {
		return local.KeyPair{Cert: certificates.Admin.Cert, Key: certificates.Limited.Key}
	})(ctx, s, k)
}

var _ = DescribeTable("A connection is refused, and says why:",
	func(ctx SpecContext, connect Connect, reason string, words ...string) {
		needsOwnBrokers("its listeners, users and certificates are not known")
		s := NewScene()
		k := s.Connected(ctx, connect)
		ExpectClusterNotReady(ctx, k, reason, words...)
		phase("%s", k.Status.Conditions[0].Message)
		t := s.Topic(ctx, "waits")
		ExpectCreated(ctx, t)
		ExpectTopicNotReady(ctx, t, reasonOfTopic(reason))
		s.brokers.ExpectNoTopic(ctx, t.TopicName())
	},
	Entry("a wrong password, PLAIN", NodeTimeout(3*time.Minute), wrongPassword(v1alpha1.SASLPlain), v1alpha1.ReasonAuthenticationFailed, "SASL_AUTHENTICATION_FAILED", "Invalid username or password"),
	Entry("a wrong password, SCRAM-SHA-256", NodeTimeout(3*time.Minute), wrongPassword(v1alpha1.SASLScramSHA256), v1alpha1.ReasonAuthenticationFailed, "SASL_AUTHENTICATION_FAILED", "invalid credentials"),
	Entry("a wrong password, SCRAM-SHA-512", NodeTimeout(3*time.Minute), wrongPassword(v1alpha1.SASLScramSHA512), v1alpha1.ReasonAuthenticationFailed, "SASL_AUTHENTICATION_FAILED", "invalid credentials"),
	Entry("an expired token", NodeTimeout(3*time.Minute), Connect(expiredToken), v1alpha1.ReasonAuthenticationFailed, "SASL_AUTHENTICATION_FAILED", "invalid_token"),
	Entry("a client certificate of another CA", NodeTimeout(3*time.Minute), withCertificate(untrustedCertificate), v1alpha1.ReasonTLSVerificationFailed, "certificate"),
	Entry("no client certificate", NodeTimeout(3*time.Minute), Connect(noCertificate), v1alpha1.ReasonTLSVerificationFailed, "certificate"),
	Entry("a CA that did not sign", NodeTimeout(3*time.Minute), Connect(trustingStrangers), v1alpha1.ReasonTLSVerificationFailed, "unknown authority"),
	Entry("a certificate for another name", NodeTimeout(3*time.Minute), Connect(wrongName), v1alpha1.ReasonTLSVerificationFailed, "127.0.0.1"),
	Entry("a Secret that is not there", NodeTimeout(3*time.Minute), Connect(missingSecret), v1alpha1.ReasonSecretInvalid, operatorNamespace, "-nowhere", `"username"`, "spec.sasl.credentialsRef"),
	Entry("a Secret without the key", NodeTimeout(3*time.Minute), Connect(missingKey), v1alpha1.ReasonSecretInvalid, operatorNamespace, "-credentials", `"password"`),
	Entry("a CA bundle that is none", NodeTimeout(3*time.Minute), Connect(notACertificate), v1alpha1.ReasonSecretInvalid, "-text", "ca.crt", "PEM"),
	Entry("a client certificate without its key", NodeTimeout(3*time.Minute), Connect(otherKey), v1alpha1.ReasonSecretInvalid, "-certificate", "tls.key"),
	Entry("a port where nobody listens", NodeTimeout(3*time.Minute), Connect(closedPort), v1alpha1.ReasonClusterUnreachable, "refused"),
	Entry("a port that never answers", NodeTimeout(3*time.Minute), Connect(deafPort), v1alpha1.ReasonClusterUnreachable),
	Entry("TLS to a plaintext port", NodeTimeout(3*time.Minute), Connect(tlsToPlaintext), v1alpha1.ReasonClusterUnreachable, "TLS"),
	Entry("plaintext to a TLS port", NodeTimeout(3*time.Minute), Connect(plaintextToTLS), v1alpha1.ReasonClusterUnreachable, "TLS"),
)

// reasonOfTopic is what a topic says of a cluster that cannot be asked: a Secret is the cluster's business alone.
func reasonOfTopic(reason string) string {
	if reason == v1alpha1.ReasonSecretInvalid {
		return v1alpha1.ReasonClusterNotReady
	}
	return reason
}

var _ = Describe("A connection", func() {
	BeforeEach(func() { needsOwnBrokers("its listeners, users and certificates are not known") })

	It("takes a certificate for another name when spec.tls.serverName names it", func(ctx SpecContext) {
		ExpectClusterReady(ctx, NewScene().Connected(ctx, wrongNameExpected))
	}, NodeTimeout(3*time.Minute))

	It("stands once the missing Secret is there", func(ctx SpecContext) {
		s := NewScene()
		k := s.Connected(ctx, asUser(v1alpha1.SASLScramSHA512, local.AdminUser))
		ExpectClusterReady(ctx, k)
		secret := &corev1.Secret{}
		Expect(kube.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: s.Named("credentials")}, secret)).To(Succeed())
		t := s.Topic(ctx, "served")
		ExpectDeleted(ctx, secret)
		ExpectClusterNotReady(ctx, k, v1alpha1.ReasonSecretInvalid, secret.Name, `"username"`)
		phase("the connection goes on serving without it")
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		s.Secret(ctx, "credentials", secret.Data)
		ExpectClusterReady(ctx, k)
	}, NodeTimeout(3*time.Minute))

	It("serves with the old password while a new one is wrong", func(ctx SpecContext) {
		s := NewScene()
		k := s.Connected(ctx, asUser(v1alpha1.SASLScramSHA256, local.AdminUser))
		ExpectClusterReady(ctx, k)
		secret := &corev1.Secret{}
		Expect(kube.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: s.Named("credentials")}, secret)).To(Succeed())
		right := secret.Data["password"]

		ExpectSecretChanged(ctx, secret, "password", []byte("wrong"))
		ExpectClusterNotReady(ctx, k, v1alpha1.ReasonAuthenticationFailed, "the ones before still serve", "SASL_AUTHENTICATION_FAILED")
		t := s.Topic(ctx, "served")
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, 3)

		ExpectSecretChanged(ctx, secret, "password", right)
		ExpectClusterReady(ctx, k)
	}, NodeTimeout(3*time.Minute))

	It("moves to another user when the Secret does", func(ctx SpecContext) {
		s := NewScene()
		k := s.Connected(ctx, asUser(v1alpha1.SASLPlain, local.LimitedUser))
		ExpectClusterReady(ctx, k)
		t := s.Topic(ctx, "denied")
		ExpectCreated(ctx, t)
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonAuthorizationFailed)

		admin, err := s.brokers.State().User(local.AdminUser)
		Expect(err).NotTo(HaveOccurred())
		secret := &corev1.Secret{}
		Expect(kube.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: s.Named("credentials")}, secret)).To(Succeed())
		secret.Data["username"] = []byte(admin.Name)
		ExpectSecretChanged(ctx, secret, "password", []byte(admin.Password))
		ExpectTopicReady(ctx, t)
		ExpectClusterReady(ctx, k)
	}, NodeTimeout(3*time.Minute))
})

// ExpectSecretChanged writes one key of a Secret.
func ExpectSecretChanged(ctx context.Context, secret *corev1.Secret, key string, value []byte) {
	secret.Data[key] = value
	Expect(kube.Update(ctx, secret)).To(Succeed())
}
