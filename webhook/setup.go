package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"mooring.dev/mooring/api/v1alpha1"
)

// Names in config/webhook.
const (
	// ConfigurationName is the ValidatingWebhookConfiguration that is given our certificate authority.
	ConfigurationName = "mooring"
	// ServiceName is the Service that the API server calls, in the operator's namespace.
	ServiceName = "mooring-webhook"
	// SecretName is the Secret with the certificate, in the operator's namespace.
	SecretName = "mooring-webhook-certificate"
)

// Off is the address that serves nothing.
const Off = "0"

// Options of the webhooks.
type Options struct {
	// Address to serve at, host:port or :port; Off, or empty, for none.
	Address string
	// CertDir holds tls.crt and tls.key, which are read again when they change: cert-manager's, for example. Empty: the
	// certificate is made and renewed here.
	CertDir string
	// Namespace of the operator.
	Namespace string
	// ShimImage is the image of the shim in pods.
	ShimImage string
	// Configuration that is given our certificate authority. Default ConfigurationName; not used with CertDir.
	Configuration string
}

// Validate says what is wrong, in a sentence with the flag's name.
func (o Options) Validate() error {
	if o.off() {
		return nil
	}
	_, _, err := o.listen()
	return err
}

func (o Options) off() bool { return o.Address == "" || o.Address == Off }

func (o Options) listen() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(o.Address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("--webhook-bind-address is %q: it must be host:port or :port, or %s for no webhooks", o.Address, Off)
	}
	return host, port, nil
}

// Webhooks are the admission webhooks of one operator.
type Webhooks struct {
	options      Options
	certificates *certificates // nil with CertDir
}

// New prepares the webhooks; nothing listens yet. The options must be valid.
func New(o Options) *Webhooks {
	if o.Configuration == "" {
		o.Configuration = ConfigurationName
	}
	w := &Webhooks{options: o}
	if o.CertDir == "" {
		w.certificates = newCertificates(o)
	}
	return w
}

// Server is for the manager's options; nil when the webhooks are off.
func (w *Webhooks) Server() crwebhook.Server {
	host, port, err := w.options.listen()
	if w.options.off() || err != nil {
		return nil
	}
	o := crwebhook.Options{Host: host, Port: port, CertDir: w.options.CertDir}
	if w.certificates != nil {
		// From memory and not from files: a Secret that is mounted arrives a minute after it is written, and a server that
		// waits for its files keeps the whole operator from starting.
		o.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.GetCertificate = w.certificates.get }}
	}
	return server{crwebhook.NewServer(o)}
}

// Setup registers the webhooks, and what keeps their certificate, with a manager that has Server.
func (w *Webhooks) Setup(ctx context.Context, mgr ctrl.Manager) error {
	if w.options.off() {
		return nil
	}
	if w.certificates != nil {
		if err := w.certificates.setup(mgr); err != nil {
			return err
		}
	} else if err := mgr.Add(&certificateFiles{w.options.CertDir, &expiry{now: time.Now, leads: mgr.Elected()}}); err != nil {
		return err
	}
	// A replica that waits to lead serves too, and runs no controller that would have started this informer.
	if _, err := mgr.GetCache().GetInformer(ctx, &corev1.Namespace{}, cache.BlockUntilSynced(false)); err != nil {
		return err
	}
	if err := ctrl.NewWebhookManagedBy(mgr, &v1alpha1.KafkaTopic{}).WithValidator(&topicValidator{reader: mgr.GetClient()}).Complete(); err != nil {
		return err
	}
	if err := ctrl.NewWebhookManagedBy(mgr, &v1alpha1.ProducerProfile{}).WithValidator(&profileValidator{reader: mgr.GetClient()}).Complete(); err != nil {
		return err
	}
	if err := w.setupInjection(ctx, mgr); err != nil {
		return err
	}
	return ctrl.NewWebhookManagedBy(mgr, &v1alpha1.KafkaCluster{}).WithValidator(clusterValidator{}).Complete()
}

func (o Options) secret() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: SecretName}
}

// dnsName is what the API server calls the Service by.
func (o Options) dnsName() string { return ServiceName + "." + o.Namespace + ".svc" }
