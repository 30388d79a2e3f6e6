//go:build kafka

package kafka

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/hack/localkafka/local"
	"mooring.dev/mooring/internal/status"
)

// Profile is a ProducerProfile of a scene, and whatever change makes of it. It is not created yet, and gone before the
// scene is.
func (s *Scene) Profile(word string, change ...func(*v1alpha1.ProducerProfileSpec)) *v1alpha1.ProducerProfile {
	p := &v1alpha1.ProducerProfile{ObjectMeta: s.meta(topicNamespace, s.Named(word))}
	p.Spec.ClusterRef.Name = s.Name
	for _, c := range change {
		c(&p.Spec)
	}
	DeferCleanup(func(ctx context.Context) {
		err := kube.Delete(ctx, p)
		Expect(client.IgnoreNotFound(err)).To(Succeed())
		ExpectGone(ctx, p)
	}, NodeTimeout(2*time.Minute))
	return p
}

func writing(names ...string) func(*v1alpha1.ProducerProfileSpec) {
	return func(s *v1alpha1.ProducerProfileSpec) { s.Topics = &v1alpha1.ProducerTopics{Names: names} }
}

func managing(principal string) func(*v1alpha1.ProducerProfileSpec) {
	return func(s *v1alpha1.ProducerProfileSpec) {
		s.Authorization = &v1alpha1.ProducerAuthorization{Mode: v1alpha1.AuthorizationManage, Principal: principal}
	}
}

// ExpectProfile waits for a condition of a ProducerProfile at its generation, and reads it.
func ExpectProfile(ctx context.Context, p *v1alpha1.ProducerProfile, within time.Duration, kind string, want metav1.ConditionStatus, reason string, words ...string) {
	Eventually(ctx, func(g Gomega) {
		fresh := &v1alpha1.ProducerProfile{}
		g.Expect(kube.Get(ctx, client.ObjectKeyFromObject(p), fresh)).To(Succeed())
		fresh.DeepCopyInto(p)
		g.Expect(p.Status.ObservedGeneration).To(Equal(p.Generation))
		c := meta.FindStatusCondition(p.Status.Conditions, kind)
		g.Expect(c).NotTo(BeNil(), "no condition "+kind+" yet")
		g.Expect(string(c.Status)+" "+c.Reason).To(Equal(string(want)+" "+reason), c.Message)
		for _, word := range words {
			g.Expect(c.Message).To(ContainSubstring(word))
		}
	}).WithTimeout(within).WithPolling(20*time.Millisecond).Should(Succeed(), "ProducerProfile %s", p.Name)
	Expect(status.CheckKstatus(p.Generation, p.Status.ObservedGeneration, p.Status.Conditions)).To(BeEmpty())
}

var _ = Describe("A ProducerProfile", func() {
	It("says within a second that its topic keeps what it promises", func(ctx SpecContext) {
		needsOwnBrokers("a topic needs three replicas")
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.Topic(ctx, "orders", func(spec *v1alpha1.KafkaTopicSpec) { spec.MinInsyncReplicas = new(int32(1)) })
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		p := s.Profile("reliable", writing(t.TopicName()))
		ExpectCreated(ctx, p)
		ExpectProfile(ctx, p, patience, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonAtRisk,
			t.TopicName()+": min.insync.replicas is 1: acks=all is acks=1 by another name")
		ExpectProfile(ctx, p, patience, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)

		phase("raise min.insync.replicas through the KafkaTopic")
		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) { spec.MinInsyncReplicas = new(int32(2)) })
		begin := time.Now()
		ExpectProfile(ctx, p, time.Second, v1alpha1.ConditionDurable, metav1.ConditionTrue, v1alpha1.ReasonDurable)
		phase("Durable after %s", time.Since(begin).Round(time.Millisecond))

		phase("a topic that no KafkaTopic describes, changed behind the operator's back")
		s.brokers.Make(ctx, s.Named("live"), 1, 3, "min.insync.replicas", "1")
		before := p.DeepCopy()
		p.Spec.Topics.Names = append(p.Spec.Topics.Names, s.Named("live"))
		Expect(kube.Patch(ctx, p, client.MergeFrom(before))).To(Succeed())
		ExpectProfile(ctx, p, patience, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonAtRisk, s.Named("live"))
		s.brokers.Set(ctx, s.Named("live"), "min.insync.replicas", "2")
		ExpectProfile(ctx, p, patience, v1alpha1.ConditionDurable, metav1.ConditionTrue, v1alpha1.ReasonDurable)
	}, NodeTimeout(4*time.Minute))

	It("lets a principal write its topics for as long as it is there, and touches nobody else's ACLs", func(ctx SpecContext) {
		needsOwnBrokers("its users are not known")
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		name, other := s.Named("granted"), s.Named("foreign")
		s.brokers.Make(ctx, name, 1, 3)
		s.brokers.Make(ctx, other, 1, 3)
		s.brokers.Allow(ctx, local.LimitedUser, other) // somebody else's, for the same principal
		foreign := s.brokers.aclsOf(ctx, "User:"+local.LimitedUser)
		Expect(foreign).NotTo(BeEmpty())
		Expect(s.brokers.writeAs(ctx, local.LimitedUser, name)).To(MatchError(kerr.TopicAuthorizationFailed))

		p := s.Profile("granted", writing(name), managing("User:"+local.LimitedUser))
		ExpectCreated(ctx, p)
		ExpectProfile(ctx, p, patience, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(ctx, func() error { return s.brokers.writeAs(ctx, local.LimitedUser, name) }).Should(Succeed())
		Expect(s.brokers.writeAs(ctx, local.LimitedUser, other)).To(MatchError(kerr.TopicAuthorizationFailed), "it is for exactly its topics")

		phase("somebody takes an ACL away")
		_, err := s.brokers.admin.DeleteACLs(ctx, kadm.NewACLs().Allow("User:"+local.LimitedUser).AllowHosts("*").
			ResourcePatternType(kadm.ACLPatternLiteral).Topics(name).Operations(kadm.OpWrite))
		Expect(err).NotTo(HaveOccurred())
		ExpectEvent(ctx, p, "AccessDrifted")
		Eventually(ctx, func() error { return s.brokers.writeAs(ctx, local.LimitedUser, name) }).Should(Succeed())

		phase("the profile goes")
		ExpectDeleted(ctx, p)
		ExpectGone(ctx, p)
		Eventually(ctx, func() error { return s.brokers.writeAs(ctx, local.LimitedUser, name) }).Should(MatchError(kerr.TopicAuthorizationFailed))
		Expect(s.brokers.aclsOf(ctx, "User:"+local.LimitedUser)).To(ConsistOf(foreign))
	}, NodeTimeout(4*time.Minute))

	It("lets a principal write in transactions", func(ctx SpecContext) {
		needsOwnBrokers("its users are not known")
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		name := s.Named("ledger")
		s.brokers.Make(ctx, name, 1, 3)
		id := s.Named("tx") + "-0"
		Expect(s.brokers.transactAs(ctx, local.LimitedUser, id, name)).To(MatchError(kerr.TransactionalIDAuthorizationFailed))
		p := s.Profile("ledger", writing(name), managing("User:"+local.LimitedUser), func(spec *v1alpha1.ProducerProfileSpec) {
			spec.Guarantee = v1alpha1.Transactional
			spec.Transactions = &v1alpha1.ProducerTransactions{IDTemplate: s.Named("tx") + "-{ordinal}"}
		})
		ExpectCreated(ctx, p)
		ExpectProfile(ctx, p, patience, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(ctx, func() error { return s.brokers.transactAs(ctx, local.LimitedUser, id, name) }).Should(Succeed())
	}, NodeTimeout(4*time.Minute))

	It("keeps a client quota, puts it back, and takes it away with it", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		user := s.Named("user")
		p := s.Profile("bounded", func(spec *v1alpha1.ProducerProfileSpec) {
			spec.Quota = &v1alpha1.ProducerQuota{User: user, ProducerByteRate: new(resource.MustParse("1Mi"))}
		})
		ExpectCreated(ctx, p)
		ExpectProfile(ctx, p, patience, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(ctx, func() map[string]float64 { return s.brokers.quotaOf(ctx, user) }).Should(Equal(map[string]float64{"producer_byte_rate": 1 << 20}))
		s.brokers.setQuota(ctx, user, "producer_byte_rate", 5)
		s.brokers.setQuota(ctx, user, "consumer_byte_rate", 7)
		ExpectEvent(ctx, p, "AccessDrifted")
		Eventually(ctx, func() map[string]float64 { return s.brokers.quotaOf(ctx, user) }).Should(
			Equal(map[string]float64{"producer_byte_rate": 1 << 20, "consumer_byte_rate": 7}))
		ExpectDeleted(ctx, p)
		ExpectGone(ctx, p)
		Eventually(ctx, func() map[string]float64 { return s.brokers.quotaOf(ctx, user) }).Should(Equal(map[string]float64{"consumer_byte_rate": 7}))
	}, NodeTimeout(4*time.Minute))

	It("says where brokers have no authorizer", func(ctx SpecContext) {
		needsOwnBrokers("the authorizer is a setting of the brokers")
		open := StartLocalBrokers(ctx, "open", local.Settings{Brokers: 1, FastJVM: true})
		DeferCleanup(func(ctx context.Context) { open.Stop(ctx) }, NodeTimeout(2*time.Minute))
		s := NewSceneOn(open)
		ExpectClusterReady(ctx, s.Cluster(ctx))
		user := s.Named("user")
		p := s.Profile("nobody", writing(s.Named("any")), managing("User:"+user), func(spec *v1alpha1.ProducerProfileSpec) {
			spec.Quota = &v1alpha1.ProducerQuota{User: user, ProducerByteRate: new(resource.MustParse("1Mi"))}
		})
		ExpectCreated(ctx, p)
		ExpectProfile(ctx, p, patience, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonUnsupported, "have no authorizer")
		Eventually(ctx, func() map[string]float64 { return open.quotaOf(ctx, user) }).Should(Equal(map[string]float64{"producer_byte_rate": 1 << 20}))
		ExpectDeleted(ctx, p)
		ExpectGone(ctx, p)
	}, NodeTimeout(6*time.Minute))
})

// aclsOf are the ACLs of a principal, one line each.
func (b *Brokers) aclsOf(ctx context.Context, principal string) []string {
	results, err := b.admin.DescribeACLs(ctx, kadm.NewACLs().AnyResource().Allow(principal).AllowHosts().Operations().ResourcePatternType(kadm.ACLPatternAny))
	Expect(err).NotTo(HaveOccurred())
	seen := make(map[string]bool)
	var lines []string
	for _, r := range results {
		Expect(r.Err).NotTo(HaveOccurred())
		for _, a := range r.Described {
			if line := a.Type.String() + " " + a.Name + " " + a.Operation.String(); !seen[line] {
				seen[line] = true
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func (b *Brokers) as(name string, opts ...kgo.Opt) *kgo.Client {
	user, err := b.State().User(name)
	Expect(err).NotTo(HaveOccurred())
	c, err := kgo.NewClient(append(opts,
		kgo.SeedBrokers(b.State().Bootstrap.SASLPlaintext...), kgo.SASL(scram.Auth{User: user.Name, Pass: user.Password}.AsSha512Mechanism()),
		kgo.MetadataMinAge(10*time.Millisecond), kgo.RecordDeliveryTimeout(15*time.Second),
	)...)
	Expect(err).NotTo(HaveOccurred())
	return c
}

// writeAs writes one record, idempotently, as a user.
func (b *Brokers) writeAs(ctx context.Context, user, topic string) error {
	c := b.as(user)
	defer c.Close()
	return c.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("allowed")}).FirstErr()
}

// transactAs writes one record in a transaction as a user.
func (b *Brokers) transactAs(ctx context.Context, user, id, topic string) error {
	c := b.as(user, kgo.TransactionalID(id))
	defer c.Close()
	if err := c.BeginTransaction(); err != nil {
		return err
	}
	err := c.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("allowed")}).FirstErr()
	if err != nil {
		return errors.Join(err, c.EndTransaction(ctx, kgo.TryAbort))
	}
	return c.EndTransaction(ctx, kgo.TryCommit)
}

// quotaOf is the quota of a user.
func (b *Brokers) quotaOf(ctx context.Context, user string) map[string]float64 {
	described, err := b.admin.DescribeClientQuotas(ctx, true, []kadm.DescribeClientQuotaComponent{{Type: "user", MatchName: &user}})
	Expect(err).NotTo(HaveOccurred())
	values := make(map[string]float64)
	for _, d := range described {
		for _, v := range d.Values {
			values[v.Key] = v.Value
		}
	}
	return values
}

// setQuota changes the quota of a user behind the operator's back, until the spec ends.
func (b *Brokers) setQuota(ctx context.Context, user, key string, value float64) {
	alter := func(ctx context.Context, op kadm.AlterClientQuotaOp) {
		altered, err := b.admin.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{
			Entity: kadm.ClientQuotaEntity{{Type: "user", Name: &user}}, Ops: []kadm.AlterClientQuotaOp{op},
		}})
		Expect(err).NotTo(HaveOccurred())
		Expect(altered[0].Err).NotTo(HaveOccurred())
	}
	alter(ctx, kadm.AlterClientQuotaOp{Key: key, Value: value})
	DeferCleanup(func(ctx context.Context) { alter(ctx, kadm.AlterClientQuotaOp{Key: key, Remove: true}) }, NodeTimeout(time.Minute))
}
