package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func authority(t *testing.T, c client.Client) *x509.CertPool {
	t.Helper()
	var configuration admissionregistrationv1.ValidatingWebhookConfiguration
	if err := c.Get(t.Context(), client.ObjectKey{Name: ConfigurationName}, &configuration); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(configuration.Webhooks[0].ClientConfig.CABundle) {
		t.Fatal("the configuration has no certificate authority")
	}
	return pool
}

func verify(c *tls.Certificate, roots *x509.CertPool, at time.Time) error {
	_, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: "mooring-webhook.mooring-system.svc", Roots: roots, CurrentTime: at})
	return err
}

func TestCertificate(t *testing.T) {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	k := fake.NewClientBuilder().WithScheme(s).WithObjects(&admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: ConfigurationName},
		Webhooks:   []admissionregistrationv1.ValidatingWebhook{{Name: "kafkatopics.kafka.mooring.dev"}},
	}).Build()
	now := time.Now()
	c := newCertificates(Options{Namespace: "mooring-system", Configuration: ConfigurationName})
	c.client, c.now = k, func() time.Time { return now }
	reconcile := func() {
		t.Helper()
		if _, err := c.Reconcile(t.Context(), ctrl.Request{NamespacedName: c.options.secret()}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.get(nil); err == nil {
		t.Error("there is no certificate yet, and get gave one")
	}
	reconcile()
	first, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(first, authority(t, k), now); err != nil {
		t.Errorf("what is served is not what is trusted: %v", err)
	}

	reconcile()
	if again, _ := c.get(nil); !again.Leaf.Equal(first.Leaf) {
		t.Error("a certificate that lasts was made again")
	}
	other := newCertificates(c.options)
	other.client, other.now = k, c.now
	if _, err := other.Reconcile(t.Context(), ctrl.Request{NamespacedName: c.options.secret()}); err != nil {
		t.Fatal(err)
	}
	if shared, _ := other.get(nil); !shared.Leaf.Equal(first.Leaf) {
		t.Error("two replicas serve with two certificates, and only one is trusted")
	}

	now = now.Add(certificateValidity - renewBefore + 2*time.Hour)
	reconcile()
	second, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	if second.Leaf.Equal(first.Leaf) {
		t.Error("a certificate that ends within 90 days was not renewed")
	}
	for name, certificate := range map[string]*tls.Certificate{"the new one": second, "the one that another replica still serves with": first} {
		if err := verify(certificate, authority(t, k), now); err != nil {
			t.Errorf("after the renewal, %s is not trusted: %v", name, err)
		}
	}
	var secret corev1.Secret
	if err := k.Get(t.Context(), c.options.secret(), &secret); err != nil {
		t.Fatal(err)
	}
	if len(secret.Data) != 3 {
		t.Errorf("the Secret has %d keys, want the certificate, its key and the authorities", len(secret.Data))
	}
}

func TestCertificateOfABrokenSecret(t *testing.T) {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	c := newCertificates(Options{Namespace: "mooring-system", Configuration: ConfigurationName})
	c.client = fake.NewClientBuilder().WithScheme(s).WithObjects(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "mooring-system", Name: SecretName},
		Data:       map[string][]byte{"ca.crt": []byte("nonsense"), "tls.crt": nil},
	}).Build()
	if _, err := c.Reconcile(t.Context(), ctrl.Request{NamespacedName: c.options.secret()}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.get(nil); err != nil {
		t.Errorf("a Secret that holds nonsense is to be filled: %v", err)
	}
}
