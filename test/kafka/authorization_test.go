//go:build kafka

package kafka

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"k8s.io/apimachinery/pkg/api/meta"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/hack/localkafka/local"
)

// An answer of TOPIC_AUTHORIZATION_FAILED, and a topic that a broker leaves out because we may not see it, look much like
// a topic that is gone. Taking one for the other would recreate topics.
var _ = Describe("A user without ACLs", func() {
	BeforeEach(func() { needsOwnBrokers("its authorizer is not known") })

	It("is told of the missing authorization, and not of a missing topic", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Connected(ctx, asUser(v1alpha1.SASLScramSHA512, local.LimitedUser)))
		there := s.Topic(ctx, "there")
		s.brokers.Make(ctx, there.TopicName(), 2, 3)
		ExpectCreated(ctx, there)
		ExpectTopicNotReady(ctx, there, v1alpha1.ReasonAuthorizationFailed, "TOPIC_AUTHORIZATION_FAILED")
		fresh := s.Topic(ctx, "new")
		ExpectCreated(ctx, fresh)
		ExpectTopicNotReady(ctx, fresh, v1alpha1.ReasonAuthorizationFailed, "TOPIC_AUTHORIZATION_FAILED")
		s.brokers.ExpectNoTopic(ctx, fresh.TopicName())
	}, NodeTimeout(3*time.Minute))

	It("loses a topic from sight when its ACLs go, and takes it for neither missing nor replaced", func(ctx SpecContext) {
		s := NewScene()
		s.brokers.Allow(ctx, local.LimitedUser, s.Name)
		ExpectClusterReady(ctx, s.Connected(ctx, asUser(v1alpha1.SASLScramSHA512, local.LimitedUser)))
		t := s.Topic(ctx, "seen", func(spec *v1alpha1.KafkaTopicSpec) { spec.OnMissing = v1alpha1.MissingRecreate })
		ExpectCreated(ctx, t)
		ExpectTopicReady(ctx, t)
		id := t.Status.TopicID

		phase("the ACLs go")
		s.brokers.Deny(ctx, local.LimitedUser, s.Name)
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonAuthorizationFailed, "TOPIC_AUTHORIZATION_FAILED")
		Expect(t.Status.TopicID).To(Equal(id))
		Expect(meta.IsStatusConditionTrue(t.Status.Conditions, v1alpha1.ConditionStalled)).To(BeTrue())

		phase("the ACLs come back")
		s.brokers.Allow(ctx, local.LimitedUser, s.Name)
		ExpectTopicReady(ctx, t)
		Expect(s.brokers.ExpectOnBrokers(ctx, t.TopicName(), 2, 3)).To(Equal(id))
	}, NodeTimeout(4*time.Minute))
})

func aclsOf(user, prefix string) *kadm.ACLBuilder {
	return kadm.NewACLs().Allow("User:"+user).AllowHosts().ResourcePatternType(kadm.ACLPatternPrefixed).Topics(prefix).
		Operations(kadm.OpCreate, kadm.OpDescribe, kadm.OpDescribeConfigs, kadm.OpAlter, kadm.OpAlterConfigs, kadm.OpDelete)
}

// Allow lets a user manage the topics with a prefix, until the spec ends.
func (b *Brokers) Allow(ctx context.Context, user, prefix string) {
	results, err := b.admin.CreateACLs(ctx, aclsOf(user, prefix))
	Expect(err).NotTo(HaveOccurred())
	for _, r := range results {
		Expect(r.Err).NotTo(HaveOccurred())
	}
	DeferCleanup(func(ctx context.Context) { b.Deny(ctx, user, prefix) }, NodeTimeout(time.Minute))
}

// Deny takes back what Allow gave.
func (b *Brokers) Deny(ctx context.Context, user, prefix string) {
	_, err := b.admin.DeleteACLs(ctx, aclsOf(user, prefix))
	Expect(err).NotTo(HaveOccurred())
}
