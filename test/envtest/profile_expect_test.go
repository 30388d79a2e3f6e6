//go:build envtest

package envtest

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/twmb/franz-go/pkg/kadm"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/status"
)

type profileChange = func(*v1alpha1.ProducerProfileSpec)

// profileNamed builds a ProducerProfile in the namespace default.
func profileNamed(name string, change ...profileChange) *v1alpha1.ProducerProfile {
	p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}}
	for _, c := range change {
		c(&p.Spec)
	}
	return p
}

func writing(names ...string) profileChange {
	return func(s *v1alpha1.ProducerProfileSpec) { s.Topics = &v1alpha1.ProducerTopics{Names: names} }
}

func writingPrefix(prefix string) profileChange {
	return func(s *v1alpha1.ProducerProfileSpec) { s.Topics = &v1alpha1.ProducerTopics{Prefixes: []string{prefix}} }
}

func onCluster(name string) profileChange {
	return func(s *v1alpha1.ProducerProfileSpec) { s.ClusterRef.Name = name }
}

func managingFor(principal string) profileChange {
	return func(s *v1alpha1.ProducerProfileSpec) {
		s.Authorization = &v1alpha1.ProducerAuthorization{Mode: v1alpha1.AuthorizationManage, Principal: principal}
	}
}

// expectProfileCondition waits until a condition has a status and a reason at the present generation, and checks that
// kstatus reads the profile right.
func expectProfileCondition(ctx context.Context, p *v1alpha1.ProducerProfile, kind string, want metav1.ConditionStatus, reason string) *metav1.Condition {
	GinkgoHelper()
	return expectProfileConditionWithin(ctx, 20*time.Second, p, kind, want, reason)
}

func expectProfileConditionWithin(ctx context.Context, d time.Duration, p *v1alpha1.ProducerProfile, kind string, want metav1.ConditionStatus, reason string) *metav1.Condition {
	GinkgoHelper()
	var c *metav1.Condition
	Eventually(func(g Gomega) {
		fresh := &v1alpha1.ProducerProfile{}
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(p), fresh)).To(Succeed())
		fresh.DeepCopyInto(p)
		c = meta.FindStatusCondition(p.Status.Conditions, kind)
		g.Expect(c).NotTo(BeNil(), "there is no condition "+kind)
		g.Expect(p.Status.ObservedGeneration).To(Equal(p.Generation))
		g.Expect(string(c.Status)+" "+c.Reason).To(Equal(string(want)+" "+reason), c.Message)
	}).WithTimeout(d).WithPolling(20 * time.Millisecond).Should(Succeed())
	Expect(status.CheckKstatus(p.Generation, p.Status.ObservedGeneration, p.Status.Conditions)).To(BeEmpty())
	return c
}

func expectProfileReady(ctx context.Context, p *v1alpha1.ProducerProfile) {
	GinkgoHelper()
	expectProfileCondition(ctx, p, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
}

// changeProfile patches a ProducerProfile as kubectl would.
func changeProfile(ctx context.Context, p *v1alpha1.ProducerProfile, edit func(*v1alpha1.ProducerProfile)) {
	GinkgoHelper()
	before := p.DeepCopy()
	edit(p)
	Expect(k8s.Patch(ctx, p, client.MergeFrom(before))).To(Succeed())
}

// makeTopic creates a topic behind our back.
func makeTopic(ctx context.Context, name string, replicas int16, minISR string) {
	GinkgoHelper()
	resp, err := admin.CreateTopic(ctx, 1, replicas, map[string]*string{"min.insync.replicas": &minISR}, name)
	Expect(err).NotTo(HaveOccurred())
	Expect(resp.Err).NotTo(HaveOccurred())
}

// aclsOf are the ACLs of a principal on the brokers, one line each.
func aclsOf(ctx context.Context, principal string) []string {
	GinkgoHelper()
	all, err := admin.DescribeACLs(ctx, kadm.NewACLs().AnyResource().Allow(principal).AllowHosts().Deny(principal).DenyHosts().
		Operations().ResourcePatternType(kadm.ACLPatternAny))
	Expect(err).NotTo(HaveOccurred())
	seen := make(map[string]bool)
	lines := []string{}
	for _, result := range all {
		Expect(result.Err).NotTo(HaveOccurred())
		for _, a := range result.Described {
			line := a.Type.String() + " " + a.Name + " " + a.Operation.String()
			if !seen[line] {
				seen[line] = true
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// quotaOf is the quota of a user on the brokers.
func quotaOf(ctx context.Context, user string) map[string]float64 {
	GinkgoHelper()
	described, err := admin.DescribeClientQuotas(ctx, true, []kadm.DescribeClientQuotaComponent{{Type: "user", MatchName: &user}})
	Expect(err).NotTo(HaveOccurred())
	values := make(map[string]float64)
	for _, d := range described {
		for _, v := range d.Values {
			values[v.Key] = v.Value
		}
	}
	return values
}

// setQuota changes the quota of a user behind our back.
func setQuota(ctx context.Context, user, key string, value float64) {
	GinkgoHelper()
	altered, err := admin.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{
		Entity: kadm.ClientQuotaEntity{{Type: "user", Name: &user}}, Ops: []kadm.AlterClientQuotaOp{{Key: key, Value: value}},
	}})
	Expect(err).NotTo(HaveOccurred())
	Expect(altered[0].Err).NotTo(HaveOccurred())
}
