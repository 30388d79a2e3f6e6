package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mooring.dev/mooring/internal/outcome"
)

const (
	// certificateValidity is how long a certificate serves; renewBefore its end, a new one is made.
	certificateValidity = 365 * 24 * time.Hour
	renewBefore         = 90 * 24 * time.Hour
	// recheckCertificate is how often the end of the certificate is looked at.
	recheckCertificate = 12 * time.Hour
	// authorityName is the subject of the certificate authority.
	authorityName = "mooring-webhook-ca"
	// authorityKey is the key of the Secret with the certificate authorities to trust; the newest is the first.
	authorityKey = "ca.crt"
	fieldOwner   = client.FieldOwner("mooring")
)

// +kubebuilder:rbac:groups="",namespace=mooring-system,resources=secrets,verbs=get;list;watch;create
// +kubebuilder:rbac:groups="",namespace=mooring-system,resources=secrets,resourceNames=mooring-webhook-certificate,verbs=update
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations;mutatingwebhookconfigurations,resourceNames=mooring,verbs=get;list;watch;update;patch

// certificates makes the serving certificate, keeps it in a Secret that all replicas share, renews it, and gives its
// authority to the API server. cert-controller's functions make and judge certificates; its manager runnable is not used,
// because it ends the whole process when the Secret is not there, lists every webhook configuration of the cluster, and
// waits for files.
type certificates struct {
	client  client.Client
	options Options
	now     func() time.Time
	expiry  *expiry
	// serving is the certificate of now; nil until there is one.
	serving atomic.Pointer[tls.Certificate]
}

func newCertificates(o Options) *certificates {
	return &certificates{options: o, now: time.Now, expiry: &expiry{now: time.Now}}
}

// get is for tls.Config. Without a certificate the handshake fails, and failurePolicy decides.
func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if certificate := c.serving.Load(); certificate != nil {
		return certificate, nil
	}
	return nil, errors.New("the certificate is still being made")
}

func (c *certificates) setup(mgr ctrl.Manager) error {
	c.client = mgr.GetClient()
	c.expiry.recorder, c.expiry.leads = mgr.GetEventRecorder("mooring"), mgr.Elected()
	named := func(name string) builder.Predicates {
		return builder.WithPredicates(predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetName() == name }))
	}
	// Everything comes to the one Secret. The API server calls nobody before there is a configuration, and the event of
	// that one makes the first certificate.
	secret := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: c.options.secret()}}
	})
	return ctrl.NewControllerManagedBy(mgr).
		Named("webhook-certificate").
		Watches(&corev1.Secret{}, secret, named(SecretName)).
		Watches(&admissionregistrationv1.ValidatingWebhookConfiguration{}, secret, named(c.options.Configuration)).
		Watches(&admissionregistrationv1.MutatingWebhookConfiguration{}, secret, named(c.options.Configuration)).
		// Each replica serves, so each one needs the certificate, whoever leads.
		WithOptions(controller.Options{NeedLeaderElection: new(false)}).
		Complete(c)
}

// Reconcile implements reconcile.Reconciler.
func (c *certificates) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	secret, errRenew := c.ensure(ctx, req.NamespacedName)
	if apierrors.IsConflict(errRenew) || apierrors.IsAlreadyExists(errRenew) {
		return outcome.Wait(time.Second).Result() // another replica was faster, and its certificate will do
	}
	if secret == nil {
		return outcome.Retry(errRenew).Result()
	}
	err := c.serve(ctx, secret)
	switch {
	case apierrors.IsConflict(err):
		return outcome.Wait(time.Second).Result()
	case err != nil:
		return outcome.Retry(err).Result()
	case errRenew != nil:
		return outcome.Retry(errRenew).Result()
	}
	return outcome.Wait(recheckCertificate).Result()
}

// serve gives a certificate's authority to the API server, and then the certificate to whoever calls: first the trust, then
// what is to be trusted.
func (c *certificates) serve(ctx context.Context, secret *corev1.Secret) error {
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return fmt.Errorf("Secret %s/%s: %w", secret.Namespace, secret.Name, err)
	}
	c.expiry.look(secret, pair.Leaf)
	if err := c.trust(ctx, secret.Data[authorityKey]); err != nil {
		return err
	}
	c.serving.Store(&pair)
	return nil
}

// ensure returns the Secret, after writing it where its certificate does not serve for long enough. A Secret that comes with
// an error could not be renewed, and serves for now.
func (c *certificates) ensure(ctx context.Context, name types.NamespacedName) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := c.client.Get(ctx, name, &secret)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	if c.lasts(secret.Data, renewBefore) {
		return &secret, nil
	}
	made, err := c.make(secret.Data)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	renewed := secret.DeepCopy()
	renewed.Data = made
	if missing {
		renewed.ObjectMeta = metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name, Labels: map[string]string{"app.kubernetes.io/name": "mooring"}}
		renewed.Type = corev1.SecretTypeTLS
		err = c.client.Create(ctx, renewed, fieldOwner)
	} else {
		err = c.client.Update(ctx, renewed, fieldOwner)
	}
	switch {
	case err == nil:
		return renewed, nil
	case c.lasts(secret.Data, 0):
		return &secret, err
	}
	return nil, err
}

// serverUsage is what the certificate is for.
var serverUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}

// lasts says whether the certificate serves, and will for so long.
func (c *certificates) lasts(data map[string][]byte, atLeast time.Duration) bool {
	ok, err := rotator.ValidCert(data[authorityKey], data[corev1.TLSCertKey], data[corev1.TLSPrivateKeyKey],
		c.options.dnsName(), &serverUsage, c.now().Add(atLeast))
	return ok && err == nil
}

// make signs a certificate with an authority of its own, whose key is then forgotten. The authority before stays trusted,
// because other replicas serve with its certificate for some moments more.
func (c *certificates) make(before map[string][]byte) (map[string][]byte, error) {
	maker := rotator.CertRotator{
		CAName: authorityName, CAOrganization: "mooring", DNSName: c.options.dnsName(), ExtKeyUsages: &serverUsage,
		ExtraDNSNames: []string{c.options.dnsName() + ".cluster.local"},
	}
	begin := c.now().Add(-time.Hour) // clocks differ
	end := begin.Add(certificateValidity)
	authority, err := maker.CreateCACert(begin, end)
	if err != nil {
		return nil, err
	}
	certificate, key, err := maker.CreateCertPEM(authority, begin, end)
	if err != nil {
		return nil, err
	}
	trusted := authority.CertPEM
	if block, _ := pem.Decode(before[authorityKey]); block != nil {
		trusted = append(trusted, pem.EncodeToMemory(block)...)
	}
	return map[string][]byte{authorityKey: trusted, corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key}, nil
}

// trust gives the authorities to the API server. Without a configuration nobody calls, and there is nothing to give.
func (c *certificates) trust(ctx context.Context, authorities []byte) error {
	var validating admissionregistrationv1.ValidatingWebhookConfiguration
	if err := c.trustIn(ctx, &validating, authorities, func() (configs []*admissionregistrationv1.WebhookClientConfig) {
		for i := range validating.Webhooks {
			configs = append(configs, &validating.Webhooks[i].ClientConfig)
		}
		return configs
	}); err != nil {
		return err
	}
	var mutating admissionregistrationv1.MutatingWebhookConfiguration
	return c.trustIn(ctx, &mutating, authorities, func() (configs []*admissionregistrationv1.WebhookClientConfig) {
		for i := range mutating.Webhooks {
			configs = append(configs, &mutating.Webhooks[i].ClientConfig)
		}
		return configs
	})
}

func (c *certificates) trustIn(ctx context.Context, configuration client.Object, authorities []byte, configs func() []*admissionregistrationv1.WebhookClientConfig) error {
	if err := c.client.Get(ctx, types.NamespacedName{Name: c.options.Configuration}, configuration); err != nil {
		return client.IgnoreNotFound(err)
	}
	changed := false
	for _, config := range configs() {
		if !bytes.Equal(config.CABundle, authorities) {
			config.CABundle, changed = authorities, true
		}
	}
	if !changed {
		return nil
	}
	return c.client.Update(ctx, configuration, fieldOwner)
}
