//go:build envtest

package envtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/pool"
	"mooring.dev/mooring/internal/operator"
	"mooring.dev/mooring/webhook"
)

// asOperator is a configuration with the rights of config/rbac and no others.
func asOperator(ctx context.Context) *rest.Config {
	GinkgoHelper()
	for _, path := range []string{"../../config/rbac/role.yaml", "../../config/rbac/role_binding.yaml"} {
		text, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		documents := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
		for {
			var o unstructured.Unstructured
			err := documents.Decode(&o)
			if errors.Is(err, io.EOF) {
				break
			}
			Expect(err).NotTo(HaveOccurred())
			if len(o.Object) > 0 {
				expectCreated(ctx, &o)
			}
		}
	}
	user, err := environment.AddUser(envtest.User{Name: "system:serviceaccount:" + operatorNamespace + ":mooring"}, nil)
	Expect(err).NotTo(HaveOccurred())
	return user.Config()
}

// startStandby runs a replica that waits to lead, for ever, and makes its own certificate.
func startStandby(ctx SpecContext) (address string) {
	GinkgoHelper()
	now := metav1.NowMicro()
	expectCreated(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "mooring.kafka.mooring.dev", Namespace: operatorNamespace},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: new("another"), LeaseDurationSeconds: new(int32(3600)), AcquireTime: &now, RenewTime: &now},
	})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	address = free.Addr().String()
	Expect(free.Close()).To(Succeed())
	managed, cancel := context.WithCancel(context.Background())
	mgr, err := operator.NewManager(managed, asOperator(ctx), operator.Options{
		Namespace: operatorNamespace, MetricsAddress: "0", ProbeAddress: "0", TopicWorkers: 1, OutageGrace: time.Minute, Again: true,
		LeaderElect: true, WebhookAddress: address,
	}, func(kafka.Settings) (pool.Conn, error) { return nil, errors.New("a standby dials nobody") })
	Expect(err).NotTo(HaveOccurred())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(managed) }()
	DeferCleanup(func() {
		cancel()
		Eventually(ended).WithTimeout(30 * time.Second).Should(Receive())
	})
	return address
}

// ask calls the webhook as the API server would, with the trust that the configuration gives.
func ask(ctx context.Context, address string, t *v1alpha1.KafkaTopic) (*admissionv1.AdmissionResponse, error) {
	var configuration admissionregistrationv1.ValidatingWebhookConfiguration
	if err := k8s.Get(ctx, client.ObjectKey{Name: webhook.ConfigurationName}, &configuration); err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	for _, w := range configuration.Webhooks {
		if !trusted.AppendCertsFromPEM(w.ClientConfig.CABundle) {
			return nil, errors.New("webhook " + w.Name + " has no certificate authority")
		}
	}
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	review, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request:  &admissionv1.AdmissionRequest{UID: "1", Operation: admissionv1.Create, Object: runtime.RawExtension{Raw: raw}},
	})
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "mooring-webhook." + operatorNamespace + ".svc"}}
	defer transport.CloseIdleConnections()
	path := *configuration.Webhooks[1].ClientConfig.Service.Path
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+path, bytes.NewReader(review))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var verdict admissionv1.AdmissionReview
	if err := json.NewDecoder(answer.Body).Decode(&verdict); err != nil {
		return nil, err
	}
	return verdict.Response, nil
}

var _ = Describe("the certificate of the webhooks", func() {
	It("is made, trusted, served by a replica that waits to lead, and made again, with the rights of config/rbac", func(ctx SpecContext) {
		configuration := installedWebhooks()
		for i := range configuration.Webhooks { // nobody is to be called by the API server here: it knows no Service
			configuration.Webhooks[i].ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"nobody": "here"}}
		}
		expectCreated(ctx, configuration)
		DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, configuration)).To(Succeed()) })
		mutating := injectionWebhooks()
		mutating.Name = webhook.ConfigurationName
		for i := range mutating.Webhooks {
			mutating.Webhooks[i].ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"nobody": "here"}}
		}
		expectCreated(ctx, mutating)
		DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, mutating)).To(Succeed()) })
		k := guardedCluster(ctx, atMost(1))
		address := startStandby(ctx)
		t := topicNamed(fresh("asked"), on(k.Name), safe)
		Eventually(func(g Gomega) {
			verdict, err := ask(ctx, address, t)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(verdict.Allowed).To(BeFalse())
			g.Expect(verdict.Result.Message).To(ContainSubstring("set spec.partitions to at most 1"))
		}).Should(Succeed())

		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(mutating), mutating)).To(Succeed())
		for _, w := range mutating.Webhooks {
			Expect(w.ClientConfig.CABundle).NotTo(BeEmpty(), "%s is not trusted", w.Name)
		}
		var secret corev1.Secret
		name := client.ObjectKey{Namespace: operatorNamespace, Name: webhook.SecretName}
		Expect(k8s.Get(ctx, name, &secret)).To(Succeed())
		Expect(secret.Data).To(HaveLen(3), "the key of the authority is not kept")
		before := secret.Data["tls.crt"]
		Expect(k8s.Delete(ctx, &secret)).To(Succeed())
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, name, &secret)).To(Succeed())
			g.Expect(secret.Data["tls.crt"]).NotTo(Equal(before))
			verdict, err := ask(ctx, address, t)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(verdict.Allowed).To(BeFalse())
		}).Should(Succeed())
	})
})
