//go:build envtest

package envtest

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
)

var _ = Describe("injection of a pod", func() {
	It("gives an annotated pod its contract, and leaves the others as they are", func(ctx SpecContext) {
		namespace := injectionNamespace(ctx, nil)
		profileIn(ctx, namespace, "reliable")
		pod := podIn(namespace, "reliable", corev1.EnvVar{Name: "KAFKA_ACKS", Value: "1"})
		status := expectInjected(ctx, pod)
		Expect(status.Verdict).To(Equal(inject.Injected))
		Expect(status.Decisions).To(ContainElement(HaveField("Reason", inject.ReasonOverridden)))
		Expect(envNamed(pod, "KAFKA_ACKS").Value).To(Equal("all"))
		Expect(envNamed(pod, "KAFKA_BOOTSTRAP_SERVERS").Value).To(Equal("127.0.0.1:9092"))
		Expect(pod.Spec.InitContainers).To(HaveLen(1))
		Expect(pod.Spec.InitContainers[0].Image).To(Equal("mooring:test"))
		Expect(contractOf(pod)).To(HaveKeyWithValue("guarantee", "Idempotent"))

		other := podIn(namespace, "")
		expectCreated(ctx, other)
		Expect(other.Annotations).To(BeEmpty())
		Expect(other.Spec.InitContainers).To(BeEmpty())
	})

	It("refuses what is misspelt, and starts no pod without what was asked for", func(ctx SpecContext) {
		namespace := injectionNamespace(ctx, nil)
		profileIn(ctx, namespace, "reliable")
		for annotation, sentence := range map[string]string{
			"kafka.mooring.dev/producer-profil": "there is no such annotation, did you mean kafka.mooring.dev/producer-profile?",
			"kafka.mooring.dev/profile":         "there is no such annotation",
			"kafka.mooring.dev/producer-inject": `write "false" to leave the pod alone`,
		} {
			pod := podIn(namespace, "")
			pod.Annotations = map[string]string{annotation: "reliable"}
			Expect(k8s.Create(ctx, pod)).To(MatchError(And(ContainSubstring("metadata.annotations["+annotation+"]"), ContainSubstring(sentence))))
		}
	})

	It("strips and gives anew when a pod comes with the contract of another", func(ctx SpecContext) {
		namespace := injectionNamespace(ctx, nil)
		profileIn(ctx, namespace, "reliable")
		pod := podIn(namespace, "reliable", corev1.EnvVar{Name: "A", Value: "a"})
		expectInjected(ctx, pod)
		again := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fresh("copy"), Annotations: pod.Annotations}, Spec: *pod.Spec.DeepCopy()}
		expectCreated(ctx, again)
		Expect(again.Spec).To(Equal(pod.Spec))

		By("taking it back where nobody asks any more")
		bare := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fresh("bare"), Annotations: map[string]string{}}, Spec: *pod.Spec.DeepCopy()}
		for key, value := range pod.Annotations {
			if key != v1alpha1.AnnotationProducerProfile {
				bare.Annotations[key] = value
			}
		}
		expectCreated(ctx, bare)
		Expect(bare.Annotations).To(BeEmpty())
		Expect(bare.Spec.Containers[0].Env).To(Equal([]corev1.EnvVar{{Name: "A", Value: "a"}}))
	})

	It("admits everything under enforcement Audit, and writes what it would have done", func(ctx SpecContext) {
		namespace := injectionNamespace(ctx, nil)
		profileIn(ctx, namespace, "watching", func(s *v1alpha1.ProducerProfileSpec) { s.Enforcement = v1alpha1.EnforcementAudit })
		pod := podIn(namespace, "watching", corev1.EnvVar{Name: "KAFKA_ACKS", Value: "1"})
		pod.Annotations[v1alpha1.AnnotationProducerContainers] = "ap"
		status := expectInjected(ctx, pod)
		Expect(status.Verdict).To(Equal(inject.Audited))
		Expect(status.Refusal).To(ContainSubstring("the pod has no container"))
		Expect(envNamed(pod, "KAFKA_ACKS").Value).To(Equal("1"))
		Expect(pod.Spec.Volumes).To(BeEmpty())
	})

	DescribeTable("refuses in words", func(ctx SpecContext, edit func(namespace string, pod *corev1.Pod, p *v1alpha1.ProducerProfileSpec), words string) {
		namespace := injectionNamespace(ctx, nil)
		pod := podIn(namespace, "reliable", corev1.EnvVar{Name: "KAFKA_ACKS", Value: "1"})
		profileIn(ctx, namespace, "reliable", func(s *v1alpha1.ProducerProfileSpec) { edit(namespace, pod, s) })
		Eventually(func() error { return k8s.Create(ctx, pod.DeepCopy(), client.DryRunAll) }).Should(And(
			Satisfy(apierrors.IsForbidden), MatchError(ContainSubstring(words))))
	},
		Entry("a profile that is not there", func(_ string, pod *corev1.Pod, _ *v1alpha1.ProducerProfileSpec) {
			pod.Annotations[v1alpha1.AnnotationProducerProfile] = "relaible"
		}, "did you mean reliable?"),
		Entry("a profile of another namespace without consent", func(_ string, pod *corev1.Pod, _ *v1alpha1.ProducerProfileSpec) {
			pod.Annotations[v1alpha1.AnnotationProducerProfile] = "default/nobody"
		}, "there is no ProducerProfile nobody in namespace default"),
		Entry("a cluster that is not there", func(_ string, _ *corev1.Pod, p *v1alpha1.ProducerProfileSpec) {
			p.ClusterRef.Name = "nowhere"
		}, "there is no KafkaCluster nowhere"),
		Entry("a container that is not there", func(_ string, pod *corev1.Pod, _ *v1alpha1.ProducerProfileSpec) {
			pod.Annotations[v1alpha1.AnnotationProducerContainers] = "appp"
		}, "did you mean app?"),
		Entry("a value that contradicts, with conflict Deny", func(_ string, _ *corev1.Pod, p *v1alpha1.ProducerProfileSpec) {
			p.Injection = &v1alpha1.ProducerInjection{Conflict: v1alpha1.ConflictDeny}
		}, "container app: env KAFKA_ACKS"),
		Entry("too little time to end, with grace Deny", func(_ string, _ *corev1.Pod, p *v1alpha1.ProducerProfileSpec) {
			p.Shim, p.Injection = nil, &v1alpha1.ProducerInjection{Grace: v1alpha1.GraceDeny}
		}, "raise the grace period to 120 s"),
		Entry("a volume of our name", func(_ string, pod *corev1.Pod, _ *v1alpha1.ProducerProfileSpec) {
			pod.Spec.Volumes = []corev1.Volume{{Name: inject.VolumeFiles, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		}, "a volume of its own named mooring-files"),
	)

	It("keeps the API server's and the PodSecurity standard's rules for every golden pod", func(ctx SpecContext) {
		files, err := filepath.Glob("../../internal/inject/testdata/pods/*.golden.yaml")
		Expect(err).NotTo(HaveOccurred())
		accepted := 0
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".golden.yaml")
			golden, err := os.ReadFile(file)
			Expect(err).NotTo(HaveOccurred())
			if !strings.HasPrefix(string(golden), "# verdict: Injected") && !strings.HasPrefix(string(golden), "# verdict: Audited") {
				continue
			}
			labels := map[string]string{}
			if name == "host-network" { // restricted takes none, whoever made it
				labels["pod-security.kubernetes.io/enforce"] = "privileged"
			}
			// Two ways: the golden itself, where no webhook is called; and what the webhook makes of the same pod.
			namespace := injectionNamespace(ctx, labels)
			pod, profile, cluster := goldenSample(strings.TrimSuffix(file, ".golden.yaml")+".yaml", namespace)
			expectCreated(ctx, cluster)
			expectCreated(ctx, profile)
			Eventually(func() error { return k8s.Create(ctx, pod.DeepCopy(), client.DryRunAll) }).Should(Succeed(), name)
			made := pod.DeepCopy()
			Expect(k8s.Create(ctx, made, client.DryRunAll)).To(Succeed())
			Expect(statusOf(made).Verdict).NotTo(Equal(inject.Refused), name)
			accepted++
		}
		Expect(accepted).To(BeNumerically(">=", 30))
	})
})

// goldenSample reads the input of a golden pod, with names of its own for this API server.
func goldenSample(file, namespace string) (*corev1.Pod, *v1alpha1.ProducerProfile, *v1alpha1.KafkaCluster) {
	GinkgoHelper()
	text, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	parts := strings.Split(string(text), "\n---\n")
	pod, profile, cluster := &corev1.Pod{}, &v1alpha1.ProducerProfile{}, &v1alpha1.KafkaCluster{}
	for i, into := range []any{pod, profile, cluster} {
		Expect(yaml.UnmarshalStrict([]byte(parts[i]), into)).To(Succeed())
	}
	pod.Namespace, profile.Namespace, profile.Generation = namespace, namespace, 0
	cluster.Name = namespace
	profile.Spec.ClusterRef.Name = cluster.Name
	if tls := cluster.Spec.TLS; tls != nil {
		tls.CABundleRef.Name = namespace + "-ca"
		authority, err := os.ReadFile(filepath.Join(environment.WebhookInstallOptions.LocalServingCertDir, "tls.crt"))
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Create(context.Background(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: namespace + "-ca"}, Data: map[string][]byte{"ca.crt": authority},
		})).To(Succeed())
	}
	return pod, profile, cluster
}

var _ = Describe("injection by selector", func() {
	It("binds pods of labelled namespaces, most specific first, and refuses a tie with both names", func(ctx SpecContext) {
		namespace := injectionNamespace(ctx, map[string]string{v1alpha1.LabelInjection: v1alpha1.InjectionEnabled})
		selecting := func(labels map[string]string) func(*v1alpha1.ProducerProfileSpec) {
			return func(s *v1alpha1.ProducerProfileSpec) { s.Selector = &metav1.LabelSelector{MatchLabels: labels} }
		}
		profileIn(ctx, namespace, "wide", selecting(map[string]string{"app": "checkout"}))
		profileIn(ctx, namespace, "narrow", selecting(map[string]string{"app": "checkout", "tier": "web"}))
		pod := podIn(namespace, "")
		pod.Labels = map[string]string{"app": "checkout", "tier": "web"}
		Eventually(func(g Gomega) {
			made := pod.DeepCopy()
			g.Expect(k8s.Create(ctx, made, client.DryRunAll)).To(Succeed())
			g.Expect(made.Annotations).To(HaveKey(v1alpha1.AnnotationProducerStatus))
			g.Expect(statusOf(made).Profile).To(Equal(namespace + "/narrow"))
		}).Should(Succeed())

		By("leaving alone who opts out")
		out := pod.DeepCopy()
		out.Annotations = map[string]string{v1alpha1.AnnotationProducerInject: "false"}
		Expect(k8s.Create(ctx, out, client.DryRunAll)).To(Succeed())
		Expect(out.Annotations).NotTo(HaveKey(v1alpha1.AnnotationProducerStatus))

		By("refusing a tie")
		profileIn(ctx, namespace, "rival", selecting(map[string]string{"app": "checkout", "tier": "web"}))
		Eventually(func() error { return k8s.Create(ctx, pod.DeepCopy(), client.DryRunAll) }).Should(
			MatchError(And(ContainSubstring(namespace+"/narrow and "+namespace+"/rival"), ContainSubstring("neither is more specific"))))
	})
})

var _ = Describe("an annotation on a workload", func() {
	labels := map[string]string{"app": "checkout"}
	template := func() corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec()}
	}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	job := func() batchv1.JobSpec {
		s := batchv1.JobSpec{Template: template()}
		s.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
		return s
	}
	DescribeTable("reaches its pods, and is taken back", func(ctx SpecContext, o client.Object, templateOf func() *corev1.PodTemplateSpec, updates bool) {
		namespace := injectionNamespace(ctx, nil)
		profileIn(ctx, namespace, "reliable")
		o.SetNamespace(namespace)
		o.SetName("checkout")
		o.SetAnnotations(map[string]string{v1alpha1.AnnotationProducerProfile: "reliable", v1alpha1.AnnotationProducerContainers: "app"})
		expectCreated(ctx, o)
		Expect(templateOf().Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationProducerProfile, "reliable"))
		Expect(templateOf().Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationProducerContainers, "app"))

		pod := &corev1.Pod{ObjectMeta: templateOf().ObjectMeta, Spec: templateOf().Spec}
		pod.Namespace, pod.GenerateName = namespace, "checkout-"
		Expect(expectInjected(ctx, pod).Verdict).To(Equal(inject.Injected))
		Expect(pod.Spec.InitContainers[0].Name).To(Equal(inject.ContainerShim))

		if !updates {
			return
		}
		before := o.DeepCopyObject().(client.Object)
		o.SetAnnotations(nil)
		Expect(k8s.Patch(ctx, o, client.MergeFrom(before))).To(Succeed())
		Expect(templateOf().Annotations).To(BeEmpty())
	},
		func() []TableEntry {
			d, s, a, c, j := &appsv1.Deployment{}, &appsv1.StatefulSet{}, &appsv1.DaemonSet{}, &batchv1.CronJob{}, &batchv1.Job{}
			d.Spec = appsv1.DeploymentSpec{Selector: selector, Template: template()}
			s.Spec = appsv1.StatefulSetSpec{Selector: selector, Template: template(), ServiceName: "checkout"}
			a.Spec = appsv1.DaemonSetSpec{Selector: selector, Template: template()}
			c.Spec = batchv1.CronJobSpec{Schedule: "@daily", JobTemplate: batchv1.JobTemplateSpec{Spec: job()}}
			j.Spec = job()
			return []TableEntry{
				Entry("Deployment", d, func() *corev1.PodTemplateSpec { return &d.Spec.Template }, true),
				Entry("StatefulSet", s, func() *corev1.PodTemplateSpec { return &s.Spec.Template }, true),
				Entry("DaemonSet", a, func() *corev1.PodTemplateSpec { return &a.Spec.Template }, true),
				Entry("CronJob", c, func() *corev1.PodTemplateSpec { return &c.Spec.JobTemplate.Spec.Template }, true),
				Entry("Job", j, func() *corev1.PodTemplateSpec { return &j.Spec.Template }, false),
			}
		}(),
	)
})

var _ = Describe("failurePolicy", func() {
	// Each row is a webhook of its own, in a namespace of its own; only what it answers and what is to be done without an
	// answer differ.
	It("decides about faults and about a server that is away, and never about a refusal", func(ctx SpecContext) {
		broken := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "fault", http.StatusInternalServerError) // what our server answers to a fault and to a panic
		}))
		broken.StartTLS()
		DeferCleanup(broken.Close)
		for _, policy := range []admissionregistrationv1.FailurePolicyType{admissionregistrationv1.Fail, admissionregistrationv1.Ignore} {
			for _, row := range []struct {
				name, url string
				ca        []byte
				profile   string
				admitted  bool
			}{
				{"ok", "https://" + webhookAddress() + "/mutate-v1-pod", environment.WebhookInstallOptions.LocalServingCAData, "reliable", true},
				{"refused", "https://" + webhookAddress() + "/mutate-v1-pod", environment.WebhookInstallOptions.LocalServingCAData, "nobody", false},
				{"fault", broken.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: broken.Certificate().Raw}), "reliable", policy == admissionregistrationv1.Ignore},
				{"down", "https://127.0.0.1:1/", nil, "reliable", policy == admissionregistrationv1.Ignore},
			} {
				name := strings.ToLower(string(policy)) + "-" + row.name
				namespace := fresh("matrix-" + name)
				expectCreated(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{"matrix": namespace}}})
				expectCreated(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"}})
				profileIn(ctx, namespace, "reliable")
				hook := injectionWebhooks()
				hook.Name = namespace
				for i := range hook.Webhooks {
					if hook.Webhooks[i].Name == "pods.kafka.mooring.dev" {
						hook.Webhooks = hook.Webhooks[i : i+1]
						break
					}
				}
				w := &hook.Webhooks[0]
				w.FailurePolicy, w.NamespaceSelector = &policy, &metav1.LabelSelector{MatchLabels: map[string]string{"matrix": namespace}}
				// The suite's own webhook is asked too, after this one, whose name comes first.
				w.Name = "matrix.kafka.mooring.dev"
				w.ClientConfig = admissionregistrationv1.WebhookClientConfig{URL: &row.url, CABundle: row.ca}
				expectCreated(ctx, hook)
				DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, hook)).To(Succeed()) })
				pod := podIn(namespace, row.profile)
				if row.admitted {
					Eventually(func() error { return k8s.Create(ctx, pod.DeepCopy(), client.DryRunAll) }).Should(Succeed(), name)
					continue
				}
				Eventually(func() error { return k8s.Create(ctx, pod.DeepCopy(), client.DryRunAll) }).Should(HaveOccurred(), name)
				err := k8s.Create(ctx, pod, client.DryRunAll)
				Expect(err).To(MatchError(ContainSubstring("matrix.kafka.mooring.dev")))
				if row.name == "fault" {
					Expect(err).To(MatchError(ContainSubstring(`("fault")`)), "it never came to our answer")
				}
				Expect(apierrors.IsForbidden(err)).To(Equal(row.name == "refused"), "%s: a fault must not look like a refusal: %v", name, err)
			}
		}
	})
})

var _ = Describe("the contract of a running pod", func() {
	It("follows the profile without a restart, and says which pods need one, and which were missed", func(ctx SpecContext) {
		namespace := injectionNamespace(ctx, nil)
		p := profileIn(ctx, namespace, "reliable")
		pod := podIn(namespace, "reliable")
		expectInjected(ctx, pod)
		counts := func(g Gomega, want v1alpha1.PodCounts) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(p), p)).To(Succeed())
			g.Expect(p.Status.Pods).To(HaveValue(Equal(want)))
		}
		Eventually(counts).WithArguments(v1alpha1.PodCounts{Bound: 1, Current: 1}).Should(Succeed())

		By("changing what the shim alone reads")
		before := p.DeepCopy()
		p.Spec.Shim.Mode = v1alpha1.ShimReject
		Expect(k8s.Patch(ctx, p, client.MergeFrom(before))).To(Succeed())
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
			g.Expect(contractOf(pod)).To(HaveKeyWithValue("enforcement", HaveKeyWithValue("mode", "Reject")))
			g.Expect(contractOf(pod)["hash"]).To(Equal(statusOf(pod).Hash))
		}).Should(Succeed())
		Eventually(counts).WithArguments(v1alpha1.PodCounts{Bound: 1, Current: 1}).Should(Succeed())

		By("changing what is in the environment")
		before = p.DeepCopy()
		p.Spec.Batching = &v1alpha1.ProducerBatching{Linger: &metav1.Duration{Duration: 20e6}}
		Expect(k8s.Patch(ctx, p, client.MergeFrom(before))).To(Succeed())
		Eventually(counts).WithArguments(v1alpha1.PodCounts{Bound: 1, NeedRestart: 1}).Should(Succeed())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		Expect(contractOf(pod)).To(HaveKeyWithValue("batching", HaveKey("lingerMs")), "what can be patched is")

		By("finding a pod that was never injected")
		missed := podIn(namespace, "")
		missed.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "checkout-1", UID: types.UID(fresh("uid")), Controller: new(true)}}
		expectCreated(ctx, missed)
		asks := missed.DeepCopy()
		asks.Annotations = map[string]string{v1alpha1.AnnotationProducerProfile: "reliable"}
		Expect(k8s.Patch(ctx, asks, client.MergeFrom(missed))).To(Succeed())
		Eventually(counts).WithArguments(v1alpha1.PodCounts{Bound: 2, NeedRestart: 1, Missed: 1}).Should(Succeed())
	})
})

var _ = Describe("the policy over contracts", func() {
	It("lets the operator alone change them", func(ctx SpecContext) {
		namespace := injectionNamespace(ctx, nil)
		profileIn(ctx, namespace, "reliable")
		var policy admissionregistrationv1.ValidatingAdmissionPolicy
		var binding admissionregistrationv1.ValidatingAdmissionPolicyBinding
		readManifest("../../config/webhook/policy.yaml", "ValidatingAdmissionPolicy", &policy)
		readManifest("../../config/webhook/policy.yaml", "ValidatingAdmissionPolicyBinding", &binding)
		// The operator of this suite is an administrator, and its pods are in other namespaces.
		binding.Spec.MatchResources = &admissionregistrationv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{
			MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}}}
		expectCreated(ctx, &policy)
		expectCreated(ctx, &binding)
		pod := podIn(namespace, "reliable")
		expectInjected(ctx, pod)
		edit := func(pod *corev1.Pod, key, value string) error {
			after := pod.DeepCopy()
			after.Annotations[key] = value
			return k8s.Patch(ctx, after, client.MergeFrom(pod), client.DryRunAll)
		}
		for _, key := range []string{v1alpha1.AnnotationContract, v1alpha1.AnnotationProducerStatus, inject.AnnotationFilePrefix + "producer.properties", inject.AnnotationFilePrefix + "new"} {
			Eventually(func() error { return edit(pod, key, "x") }).Should(MatchError(ContainSubstring("are written by Mooring alone")), key)
		}
		without := pod.DeepCopy()
		delete(without.Annotations, v1alpha1.AnnotationContract)
		Expect(k8s.Patch(ctx, without, client.MergeFrom(pod), client.DryRunAll)).To(MatchError(ContainSubstring("change the ProducerProfile")))
		Expect(edit(pod, "somebody.else/key", "x")).To(Succeed())
	})
})
