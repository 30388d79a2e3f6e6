package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

const (
	// warnBefore the end of a certificate, its renewal has not worked for a month. Others' may last for less than that: they
	// are renewed when a third of their life is left (cert-manager's default), and are late with a quarter.
	warnBefore = 60 * 24 * time.Hour
	warnShare  = 4
	// reviewFiles is how often the files of --webhook-cert-dir are looked at.
	reviewFiles = time.Minute
)

// certificateExpiry is for an alert long before the end. It has no labels, and is a vector all the same: a gauge is 0 until
// it is set, and an alert would take that for a certificate that ended in 1970.
var certificateExpiry = prometheus.NewGaugeVec(prometheus.GaugeOpts{
	Name: "mooring_webhook_certificate_expiry_timestamp_seconds",
	Help: "When the serving certificate of the webhooks ends, as a Unix time. Our own is renewed 90 days before.",
}, nil)

func init() { metrics.Registry.MustRegister(certificateExpiry) }

// expiry tells when the serving certificate ends: a metric always, and people once for each certificate that is not renewed
// in time.
type expiry struct {
	now      func() time.Time
	recorder recorder
	// leads is closed when this replica leads. Every replica serves, and one of them speaks.
	leads <-chan struct{}

	mu   sync.Mutex
	told time.Time
}

// look at the certificate that a Secret holds; nil for one that comes as files, whose Secret nobody knows here.
func (e *expiry) look(secret *corev1.Secret, leaf *x509.Certificate) {
	certificateExpiry.WithLabelValues().Set(float64(leaf.NotAfter.Unix()))
	if !e.late(leaf.NotBefore, leaf.NotAfter) {
		return
	}
	const note = "the serving certificate of the webhooks ends at %s and was not renewed; after that no annotated pod is admitted"
	end := leaf.NotAfter.UTC().Format(time.RFC3339)
	if secret == nil || e.recorder == nil {
		logf.Log.WithName("webhook").Info("the serving certificate ends soon and was not renewed; after that no annotated pod is admitted", "end", end)
		return
	}
	e.recorder.Eventf(secret, nil, corev1.EventTypeWarning, "CertificateExpires", "Renew", note+"; the operator's log says what keeps it from writing this Secret", end)
}

// late says whether people have to know of an end that they were not told of before.
func (e *expiry) late(begin, end time.Time) bool {
	if end.Sub(e.now()) >= min(warnBefore, end.Sub(begin)/warnShare) {
		return false
	}
	select {
	case <-e.leads:
	default:
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	news := !e.told.Equal(end)
	e.told = end
	return news
}

// certificateFiles looks at the certificate of --webhook-cert-dir. The server reads it by itself.
type certificateFiles struct {
	dir    string
	expiry *expiry
}

// Start implements manager.Runnable.
func (f *certificateFiles) Start(ctx context.Context) error {
	tick := time.NewTicker(reviewFiles)
	defer tick.Stop()
	for {
		f.look()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica serves.
func (*certificateFiles) NeedLeaderElection() bool { return false }

// look reads the files. What cannot be read is being written, or the server says so.
func (f *certificateFiles) look() {
	pair, err := tls.LoadX509KeyPair(filepath.Join(f.dir, corev1.TLSCertKey), filepath.Join(f.dir, corev1.TLSPrivateKeyKey))
	if err == nil && pair.Leaf != nil {
		f.expiry.look(nil, pair.Leaf)
	}
}
