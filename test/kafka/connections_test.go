//go:build kafka

package kafka

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/hack/localkafka/local"
)

// Connect makes a KafkaCluster connect in one of the ways.
type Connect func(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster)

func plaintext(context.Context, *Scene, *v1alpha1.KafkaCluster) {}

// overTLS trusts the brokers' CA.
func overTLS(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	k.Spec.BootstrapServers = s.brokers.State().Bootstrap.TLS
	trust(ctx, s, k, s.brokers.State().Certificates.CA)
}

func trust(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster, ca string) {
	secret := s.Secret(ctx, "ca", map[string][]byte{"ca.crt": read(ca)})
	k.Spec.TLS = &v1alpha1.KafkaClusterTLS{CABundleRef: &v1alpha1.SecretKeyReference{
		SecretReference: v1alpha1.SecretReference{Name: secret.Name}, Key: "ca.crt",
	}}
}

// withCertificate shows a client certificate.
func withCertificate(pair func(local.Certificates) local.KeyPair) Connect {
	return func(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
		certificates := s.brokers.State().Certificates
		trust(ctx, s, k, certificates.CA)
		secret := s.Secret(ctx, "certificate", map[string][]byte{
			"tls.crt": read(pair(certificates).Cert), "tls.key": read(pair(certificates).Key),
		})
		k.Spec.BootstrapServers = s.brokers.State().Bootstrap.MTLS
		k.Spec.TLS.ClientCertificateRef = &v1alpha1.SecretReference{Name: secret.Name}
	}
}

func adminCertificate(c local.Certificates) local.KeyPair     { return c.Admin }
func untrustedCertificate(c local.Certificates) local.KeyPair { return c.Untrusted }

// asUser logs a user in with a mechanism, over TLS.
func asUser(mechanism v1alpha1.SASLMechanism, name string) Connect {
	return func(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
		user, err := s.brokers.State().User(name)
		Expect(err).NotTo(HaveOccurred())
		data := map[string][]byte{"username": []byte(user.Name), "password": []byte(user.Password)}
		if mechanism == v1alpha1.SASLOAuthBearer {
			data = map[string][]byte{"token": []byte(local.UnsecuredToken(user.Name, time.Now(), time.Hour))}
		}
		withCredentials(mechanism, data)(ctx, s, k)
	}
}

func withCredentials(mechanism v1alpha1.SASLMechanism, data map[string][]byte) Connect {
	return func(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
		trust(ctx, s, k, s.brokers.State().Certificates.CA)
		secret := s.Secret(ctx, "credentials", data)
		k.Spec.BootstrapServers = s.brokers.State().Bootstrap.SASLSSL
		k.Spec.SASL = &v1alpha1.KafkaClusterSASL{Mechanism: mechanism, CredentialsRef: v1alpha1.SecretReference{Name: secret.Name}}
	}
}

// Connected is a scene's KafkaCluster, connecting in one of the ways.
func (s *Scene) Connected(ctx context.Context, connect Connect) *v1alpha1.KafkaCluster {
	return s.Cluster(ctx, func(k *v1alpha1.KafkaCluster) { connect(ctx, s, k) })
}

var _ = DescribeTable("A topic's life over",
	func(ctx SpecContext, connect Connect, ours bool) {
		if ours {
			needsOwnBrokers("its listeners, users and certificates are not known")
		}
		s := NewScene()
		k := s.Connected(ctx, connect)
		ExpectClusterReady(ctx, k)
		expectSameCluster(ctx, s, k)
		liveAndDie(ctx, s)
	},
	Entry("PLAINTEXT", NodeTimeout(5*time.Minute), Connect(plaintext), false),
	Entry("TLS", NodeTimeout(5*time.Minute), Connect(overTLS), true),
	Entry("mutual TLS", NodeTimeout(5*time.Minute), withCertificate(adminCertificate), true),
	Entry("SASL PLAIN", NodeTimeout(5*time.Minute), asUser(v1alpha1.SASLPlain, local.AdminUser), true),
	Entry("SCRAM-SHA-256", NodeTimeout(5*time.Minute), asUser(v1alpha1.SASLScramSHA256, local.AdminUser), true),
	Entry("SCRAM-SHA-512", NodeTimeout(5*time.Minute), asUser(v1alpha1.SASLScramSHA512, local.AdminUser), true),
	Entry("OAUTHBEARER", NodeTimeout(5*time.Minute), asUser(v1alpha1.SASLOAuthBearer, local.AdminUser), true),
)

// expectSameCluster compares status with what an independent client is told.
func expectSameCluster(ctx context.Context, s *Scene, k *v1alpha1.KafkaCluster) {
	meta, err := s.brokers.admin.BrokerMetadata(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(k.Status.ClusterID).To(Equal(meta.Cluster))
	Expect(k.Status.Brokers).To(HaveLen(len(meta.Brokers)))
	Expect(k.Status.LiveBrokers).To(HaveValue(BeEquivalentTo(len(meta.Brokers))))
	for i, b := range meta.Brokers {
		Expect(k.Status.Brokers[i].ID).To(Equal(b.NodeID))
		if b.Rack != nil {
			Expect(k.Status.Brokers[i].Rack).To(Equal(*b.Rack))
		}
	}
	Expect(k.Status.KafkaVersion).To(HavePrefix("v"))
	if s.brokers.local != nil {
		minor := strings.Join(strings.Split(s.brokers.State().KafkaVersion, ".")[:2], ".")
		Expect(k.Status.KafkaVersion).To(Equal("v" + minor))
		Expect(k.Status.Brokers[0].Rack).To(Equal("rack-a"))
		Expect(k.Status.ControllerID).To(HaveValue(Equal(s.brokers.Leader(ctx))), "the leader of the KRaft quorum, and not any broker")
	}
}

// liveAndDie takes a topic from its creation to its deletion, and asks the brokers after each step.
func liveAndDie(ctx context.Context, s *Scene) {
	replicas := s.brokers.Replicas(ctx)
	t := s.Topic(ctx, "life", config("retention.ms", "86400000"), func(spec *v1alpha1.KafkaTopicSpec) {
		spec.DeletionPolicy = v1alpha1.DeletionDelete
		spec.MinInsyncReplicas = new(max(1, replicas-1))
	})
	phase("create")
	ExpectCreated(ctx, t)
	ExpectTopicReady(ctx, t)
	id := s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, replicas, "retention.ms", "86400000")
	Expect(t.Status.TopicID).To(Equal(id))
	Expect(t.Status.MinInsyncReplicas).To(HaveValue(Equal(*t.Spec.MinInsyncReplicas)))

	phase("grow, set and change configuration")
	ExpectSpecChanged(ctx, t, config("retention.ms", "172800000", "compression.type", "lz4"), func(spec *v1alpha1.KafkaTopicSpec) {
		spec.Partitions = new(int32(5))
	})
	ExpectTopicReady(ctx, t)
	Expect(s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 5, replicas, "retention.ms", "172800000", "compression.type", "lz4")).To(Equal(id))

	phase("drop a key: it is reset")
	ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) { delete(spec.Config, "retention.ms") })
	ExpectTopicReady(ctx, t)
	s.brokers.ExpectNotSet(ctx, t.TopicName(), "retention.ms")
	Expect(s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 5, replicas, "compression.type", "lz4")).To(Equal(id))

	phase("delete")
	ExpectDeleted(ctx, t)
	ExpectGone(ctx, t)
	s.brokers.ExpectNoTopic(ctx, t.TopicName())
}
