//go:build envtest

package envtest

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/operator"
)

// guardedLabel is on the namespaces whose KafkaTopics go through the webhook. Specs of other namespaces make what it would
// refuse, to see what the reconcile does with it.
const guardedLabel = "guarded"

// installedWebhooks are the validating ones of config/webhook.
func installedWebhooks() *admissionregistrationv1.ValidatingWebhookConfiguration {
	GinkgoHelper()
	var c admissionregistrationv1.ValidatingWebhookConfiguration
	readManifest("../../config/webhook/manifests.yaml", "ValidatingWebhookConfiguration", &c)
	return &c
}

// readManifest reads the object of a kind out of a file with several.
func readManifest(path, kind string, into any) {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	for _, document := range strings.Split(string(text), "\n---\n") {
		if strings.Contains(document, "\nkind: "+kind+"\n") {
			Expect(yaml.UnmarshalStrict([]byte(document), into)).To(Succeed())
			return
		}
	}
	Fail(path + " has no " + kind)
}

// guardedWebhooks are those of config/webhook, for namespaces with guardedLabel.
func guardedWebhooks() envtest.WebhookInstallOptions {
	GinkgoHelper()
	c := installedWebhooks()
	c.Name = "guarded"
	for i := range c.Webhooks {
		Expect(*c.Webhooks[i].FailurePolicy).To(Equal(admissionregistrationv1.Ignore))
		if selector := c.Webhooks[i].NamespaceSelector; selector != nil {
			selector.MatchLabels = map[string]string{guardedLabel: "true"}
		}
	}
	return envtest.WebhookInstallOptions{
		ValidatingWebhooks: []*admissionregistrationv1.ValidatingWebhookConfiguration{c},
		MutatingWebhooks:   []*admissionregistrationv1.MutatingWebhookConfiguration{injectionWebhooks()},
	}
}

func webhookAddress() string {
	o := environment.WebhookInstallOptions
	return net.JoinHostPort(o.LocalServingHost, strconv.Itoa(o.LocalServingPort))
}

// namespaceNamed makes a namespace, guarded by the webhook or not.
func namespaceNamed(ctx context.Context, name string, guarded bool) {
	GinkgoHelper()
	expectCreated(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		guardedLabel: strconv.FormatBool(guarded), "team": name,
	}}})
}

// guardedCluster makes a KafkaCluster with one topic policy.
func guardedCluster(ctx SpecContext, policy v1alpha1.TopicPolicy) *v1alpha1.KafkaCluster {
	GinkgoHelper()
	k := clusterNamed(fresh("guarded"), brokers.ListenAddrs()...)
	k.Spec.TopicPolicies = []v1alpha1.TopicPolicy{policy}
	expectCreated(ctx, k)
	expectClusterReason(ctx, k, v1alpha1.ReasonReady)
	return k
}

func in(namespace string, t *v1alpha1.KafkaTopic) *v1alpha1.KafkaTopic {
	t.Namespace = namespace
	return t
}

// expectRefused wants a refusal at admission that names these fields, and the words of the mend. The webhook reads a
// cache, which may be a moment late, so a dry run asks until it has caught up.
func expectRefused(ctx context.Context, write func(...client.CreateOption) error, words ...any) *metav1.Status {
	GinkgoHelper()
	Eventually(func() error { return write(client.DryRunAll) }).ShouldNot(Succeed())
	err := write()
	Expect(err).To(HaveOccurred())
	Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
	for _, w := range words {
		Expect(err.Error()).To(ContainSubstring(w.(string)))
	}
	status := apierrors.APIStatus(err.(*apierrors.StatusError)).Status()
	return &status
}

func fieldsOf(s *metav1.Status) []string {
	var fields []string
	for _, cause := range s.Details.Causes {
		fields = append(fields, cause.Field)
	}
	return fields
}

func creating(ctx context.Context, o client.Object) func(...client.CreateOption) error {
	return func(options ...client.CreateOption) error {
		return k8s.Create(ctx, o.DeepCopyObject().(client.Object), options...)
	}
}

// heard keeps the warnings that a client shows to its user.
type heard struct {
	mu   sync.Mutex
	text []string
}

func (h *heard) HandleWarningHeader(_ int, _ string, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, text)
}

// take returns what was heard since the last time.
func (h *heard) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := h.text
	h.text = nil
	return text
}

// listening is a client that hears warnings.
func listening() (client.Client, *heard) {
	GinkgoHelper()
	h := &heard{}
	c := rest.CopyConfig(config)
	c.WarningHandler = h
	k, err := client.New(c, client.Options{Scheme: operator.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return k, h
}

var _ = Describe("admission of a KafkaTopic", func() {
	It("refuses everything that the policy has against it at once, each with its field and its mend", func(ctx SpecContext) {
		namespace := fresh("shop")
		namespaceNamed(ctx, namespace, true)
		k := guardedCluster(ctx, v1alpha1.TopicPolicy{
			Namespaces: metav1.LabelSelector{MatchLabels: map[string]string{"team": namespace}}, NamePattern: `^{{ .Namespace }}\.[a-z]+$`,
			Partitions: &v1alpha1.Int32Range{Max: new(int32(4))}, ReplicationFactor: &v1alpha1.Int32Range{Min: new(int32(3))},
			MinInsyncReplicas: &v1alpha1.Int32Range{Min: new(int32(2))},
			Config: &v1alpha1.TopicConfigPolicy{
				Allowed: []string{"retention.*"}, Bounds: map[string]v1alpha1.ConfigBounds{"retention.ms": {Max: "1000"}},
			},
		})
		bad := in(namespace, topicNamed("orders", on(k.Name), func(s *v1alpha1.KafkaTopicSpec) {
			s.Partitions, s.MinInsyncReplicas = new(int32(5)), new(int32(1))
			s.Config = map[string]v1alpha1.ConfigValue{"segment.ms": v1alpha1.MakeConfigValue("1"), "retention.ms": v1alpha1.MakeConfigValue("-1")}
		}))
		status := expectRefused(ctx, creating(ctx, bad),
			"give spec.topicName such a name", "set spec.partitions to at most 4", "set spec.replicationFactor to at least 3",
			"set spec.minInsyncReplicas to at least 2", "take the key out", "a negative value means unlimited; lower it",
			"KafkaCluster "+k.Name, "spec.topicPolicies[0]")
		Expect(fieldsOf(status)).To(ConsistOf("metadata.name", "spec.partitions", "spec.replicationFactor", "spec.minInsyncReplicas",
			"spec.config[segment.ms]", "spec.config[retention.ms]"))

		By("taking one that keeps to it")
		good := in(namespace, topicNamed("payments", on(k.Name), safe, func(s *v1alpha1.KafkaTopicSpec) { s.TopicName = namespace + ".payments" }))
		expectCreated(ctx, good)
		expectReason(ctx, good, v1alpha1.ReasonReady)

		By("judging an update")
		before := good.DeepCopy()
		good.Spec.Partitions = new(int32(9))
		err := k8s.Patch(ctx, good, client.MergeFrom(before))
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
		Expect(err.Error()).To(ContainSubstring("set spec.partitions to at most 4"))
	})

	It("refuses a namespace that the cluster does not take", func(ctx SpecContext) {
		namespace := fresh("stranger")
		namespaceNamed(ctx, namespace, true)
		k := clusterNamed(fresh("choosy"), brokers.ListenAddrs()...)
		k.Spec.AllowedNamespaces = &v1alpha1.NamespaceConsent{Selector: metav1.LabelSelector{MatchLabels: map[string]string{"team": "others"}}}
		expectCreated(ctx, k)
		status := expectRefused(ctx, creating(ctx, in(namespace, topicNamed("orders", on(k.Name), safe))), "labelled team=others only", "ask for the label")
		Expect(fieldsOf(status)).To(ConsistOf("spec.clusterRef.name"))
	})

	It("refuses a topic that another KafkaTopic owns, and names it", func(ctx SpecContext) {
		namespace, name := fresh("second"), fresh("owned")
		namespaceNamed(ctx, namespace, true)
		expectCreated(ctx, topicNamed(name, safe))
		status := expectRefused(ctx, creating(ctx, in(namespace, topicNamed(name, safe))), "KafkaTopic default/"+name+" owns this topic")
		Expect(fieldsOf(status)).To(ConsistOf("metadata.name"))
		status = expectRefused(ctx, creating(ctx, in(namespace, topicNamed("other", safe, func(s *v1alpha1.KafkaTopicSpec) { s.TopicName = name }))))
		Expect(fieldsOf(status)).To(ConsistOf("spec.topicName"))
	})

	It("holds the quota against what the whole namespace has", func(ctx SpecContext) {
		namespace := fresh("quota")
		namespaceNamed(ctx, namespace, true)
		k := guardedCluster(ctx, v1alpha1.TopicPolicy{Quota: &v1alpha1.TopicQuota{Topics: new(int32(2)), Partitions: new(int32(8))}})
		first := in(namespace, topicNamed(fresh("first"), on(k.Name), safe))
		expectCreated(ctx, first)
		wide := in(namespace, topicNamed(fresh("wide"), on(k.Name), safe, func(s *v1alpha1.KafkaTopicSpec) { s.Partitions = new(int32(6)) }))
		status := expectRefused(ctx, creating(ctx, wide), "set spec.partitions to at most 5")
		Expect(fieldsOf(status)).To(ConsistOf("spec.partitions"))
		second := in(namespace, topicNamed(fresh("second"), on(k.Name), safe))
		expectCreated(ctx, second)
		expectRefused(ctx, creating(ctx, in(namespace, topicNamed(fresh("third"), on(k.Name)))), "may have 2 (spec.topicPolicies[0].quota.topics)")

		By("refusing an old topic that would grow at the cost of a younger one")
		expectReason(ctx, first, v1alpha1.ReasonReady)
		err := change(ctx, first, func(t *v1alpha1.KafkaTopic) { t.Spec.Partitions = new(int32(6)) })
		Expect(err).To(MatchError(ContainSubstring("set spec.partitions to at most 5")))
	})

	It("warns of what works and will surprise somebody", func(ctx SpecContext) {
		namespace := fresh("warned")
		namespaceNamed(ctx, namespace, true)
		k, warnings := listening()
		dotted := fresh("a.b")
		expectCreated(ctx, topicNamed(dotted))
		collides := in(namespace, topicNamed("x", func(s *v1alpha1.KafkaTopicSpec) { s.TopicName = "a_b" + dotted[3:] }))
		Eventually(func(g Gomega) {
			g.Expect(k.Create(ctx, collides.DeepCopy(), client.DryRunAll)).To(Succeed())
			g.Expect(warnings.take()).To(ConsistOf(ContainSubstring("the same name in Kafka's metrics as topic " + dotted + " of KafkaTopic default/" + dotted)))
		}).Should(Succeed())

		tight := in(namespace, topicNamed(fresh("tight"), func(s *v1alpha1.KafkaTopicSpec) {
			s.ReplicationFactor, s.MinInsyncReplicas = new(int32(3)), new(int32(3))
		}))
		Expect(k.Create(ctx, tight)).To(Succeed())
		Expect(warnings.take()).To(ConsistOf(ContainSubstring("producers with acks=all cannot write; lower spec.minInsyncReplicas to 2")))

		early := in(namespace, topicNamed(fresh("early"), on(fresh("none"))))
		Expect(k.Create(ctx, early, client.DryRunAll)).To(Succeed())
		Expect(warnings.take()).To(ConsistOf(ContainSubstring("there is no KafkaCluster " + early.Spec.ClusterRef.Name + " yet")))

		Expect(k.Create(ctx, clusterNamed(fresh("lonely"), brokers.ListenAddrs()[0]))).To(Succeed())
		Expect(warnings.take()).To(ConsistOf(ContainSubstring("spec.bootstrapServers has one entry")))
	})
})

var _ = Describe("admission of a KafkaCluster", func() {
	It("refuses policies that no topic could be judged by", func(ctx SpecContext) {
		k := clusterNamed(fresh("broken"), brokers.ListenAddrs()...)
		k.Spec.AllowedNamespaces = &v1alpha1.NamespaceConsent{Selector: metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}}
		k.Spec.TopicPolicies = []v1alpha1.TopicPolicy{
			{NamePattern: "shop.("},
			{Config: &v1alpha1.TopicConfigPolicy{Bounds: map[string]v1alpha1.ConfigBounds{"retention.ms": {Min: "2", Max: "1"}}}},
		}
		status := expectRefused(ctx, creating(ctx, k), "is not a regular expression (RE2)", "min 2 above max 1", "not a selector")
		Expect(fieldsOf(status)).To(ConsistOf("spec.allowedNamespaces.selector", "spec.topicPolicies[0].namePattern",
			"spec.topicPolicies[1].config.bounds[retention.ms]"))
	})
})
