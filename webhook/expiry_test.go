package webhook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// told are Events, as kind/name: reason: note.
type told struct{ events []string }

func (e *told) Eventf(regarding, _ runtime.Object, kind, reason, _, note string, args ...any) {
	o := regarding.(client.Object)
	e.events = append(e.events, fmt.Sprintf("%s %T %s/%s %s: %s", kind, o, o.GetNamespace(), o.GetName(), reason, fmt.Sprintf(note, args...)))
}

func expiryMetric(t *testing.T) time.Time {
	t.Helper()
	var m dto.Metric
	if err := certificateExpiry.WithLabelValues().Write(&m); err != nil {
		t.Fatal(err)
	}
	return time.Unix(int64(m.GetGauge().GetValue()), 0)
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// unwritable is an API server that takes the first certificate and refuses every renewal.
func unwritable(t *testing.T) client.Client {
	t.Helper()
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	return fake.NewClientBuilder().WithScheme(s).WithObjects(&admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: ConfigurationName},
		Webhooks:   []admissionregistrationv1.ValidatingWebhook{{Name: "kafkatopics.kafka.mooring.dev"}},
	}).WithInterceptorFuncs(interceptor.Funcs{Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
		if _, isSecret := o.(*corev1.Secret); isSecret {
			return errors.New("forbidden")
		}
		return c.Update(ctx, o, opts...)
	}}).Build()
}

func TestACertificateThatCannotBeRenewed(t *testing.T) {
	now := time.Now()
	events := &told{}
	k := unwritable(t)
	replica := func(leads <-chan struct{}) *certificates {
		c := newCertificates(Options{Namespace: "mooring-system", Configuration: ConfigurationName})
		c.client, c.now = k, func() time.Time { return now }
		c.expiry = &expiry{now: c.now, recorder: events, leads: leads}
		return c
	}
	look := func(c *certificates) error {
		_, err := c.Reconcile(t.Context(), ctrl.Request{NamespacedName: c.options.secret()})
		return err
	}
	c := replica(closed())
	if err := look(c); err != nil {
		t.Fatal(err)
	}
	first, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := expiryMetric(t); !got.Equal(first.Leaf.NotAfter) {
		t.Errorf("the metric says %s, the certificate ends at %s", got, first.Leaf.NotAfter)
	}

	now = first.Leaf.NotAfter.Add(-61 * 24 * time.Hour)
	if err := look(c); err == nil {
		t.Error("a renewal that failed is to be tried again")
	}
	if len(events.events) > 0 {
		t.Errorf("61 days before the end: %q", events.events)
	}
	now = first.Leaf.NotAfter.Add(-59 * 24 * time.Hour)
	standby := replica(make(chan struct{}))
	for range 3 {
		if err := look(standby); err == nil {
			t.Error("a renewal that failed is to be tried again")
		}
		_ = look(c) // as above
	}
	want := "Warning *v1.Secret mooring-system/" + SecretName + " CertificateExpires: the serving certificate of the webhooks ends at " + first.Leaf.NotAfter.UTC().Format(time.RFC3339) +
		" and was not renewed; after that no annotated pod is admitted; the operator's log says what keeps it from writing this Secret"
	if len(events.events) != 1 || events.events[0] != want {
		t.Errorf("after three looks of two replicas: %q, want once %q", events.events, want)
	}
	if served, err := standby.get(nil); err != nil || !served.Leaf.Equal(first.Leaf) {
		t.Errorf("a replica that starts now must serve with what there is: %v", err)
	}
	now = first.Leaf.NotAfter.Add(time.Minute)
	if err := look(replica(closed())); err == nil {
		t.Error("a certificate that has ended is not to be served")
	}
}

func TestEachCertificateIsWarnedOfOnce(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Now()
	e := &expiry{now: func() time.Time { return now }, leads: closed()}
	for _, step := range []struct {
		reason     string
		life, left time.Duration
		want       bool
	}{
		{"a renewal may still be on its way", 365 * day, 60 * day, false},
		{"it has failed for a month", 365 * day, 59 * day, true},
		{"they were told", 365 * day, 59 * day, false},
		{"another one is news", 365 * day, 58 * day, true},
		{"they were told", 365 * day, 58 * day, false},
		{"a short life is renewed with a third left", 90 * day, 29 * day, false},
		{"and is late with a quarter", 90 * day, 22 * day, true},
	} {
		end := now.Add(step.left)
		if got := e.late(end.Add(-step.life), end); got != step.want {
			t.Errorf("%s: of %s there are %s left: told %t, want %t", step.reason, step.life, step.left, got, step.want)
		}
	}
}

func writeCertificate(t *testing.T, dir string, at time.Time) time.Time {
	t.Helper()
	c := newCertificates(Options{Namespace: "mooring-system"})
	c.now = func() time.Time { return at }
	made, err := c.make(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if err := os.WriteFile(filepath.Join(dir, key), made[key], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return at.Add(-time.Hour).Add(certificateValidity).Truncate(time.Second)
}

func TestTheMetricFollowsTheFiles(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := &certificateFiles{dir, &expiry{now: time.Now, leads: closed()}}
		certificateExpiry.Reset()
		f.look()
		if n := len(collected(t)); n != 0 {
			t.Errorf("%d values of the metric before there is a certificate: an alert takes 0 for 1970", n)
		}
		first := writeCertificate(t, dir, time.Now())
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Start(ctx) }()
		synctest.Wait()
		if got := expiryMetric(t); !got.Equal(first) {
			t.Errorf("the metric says %s, the certificate ends at %s", got, first)
		}
		second := writeCertificate(t, dir, time.Now().Add(time.Hour))
		<-time.After(reviewFiles + time.Second) // of the bubble
		synctest.Wait()
		if got := expiryMetric(t); !got.Equal(second) {
			t.Errorf("after the renewal the metric says %s, the certificate ends at %s", got, second)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if f.NeedLeaderElection() {
			t.Error("a replica that waits to lead serves too")
		}
	})
}

func collected(t *testing.T) []*dto.Metric {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(certificateExpiry)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []*dto.Metric
	for _, f := range families {
		all = append(all, f.GetMetric()...)
	}
	return all
}
