package webhook

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"mooring.dev/mooring/internal/inject"
)

// What injection counts. docs/reference/metrics.md lists them.
var (
	injections = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mooring_injections_total", Help: "Pods at admission by result (Injected, Audited, Refused, LeftAlone, fault) and reason.",
	}, []string{"result", "reason"})
	injectionDecisions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mooring_injection_decisions_total", Help: "Decisions about pods that were admitted, by reason.",
	}, []string{"reason"})
	injectionSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "mooring_injection_duration_seconds", Help: "Our own time for a pod at admission.", Buckets: prometheus.ExponentialBuckets(0.0001, 2, 12),
	})
)

func init() { metrics.Registry.MustRegister(injections, injectionDecisions, injectionSeconds) }

func countInjection(r inject.Report) {
	injections.WithLabelValues(string(r.Verdict), string(r.Reason())).Inc()
	if r.Verdict == inject.LeftAlone || r.Verdict == inject.Refused {
		return
	}
	for _, d := range r.Decisions {
		injectionDecisions.WithLabelValues(string(d.Reason)).Inc()
	}
}
