package operator

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"mooring.dev/mooring/internal/kafka/pool"
)

// What goes to Kafka. docs/reference/metrics.md lists them.
var (
	kafkaRequests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "mooring_kafka_request_duration_seconds", Help: "Requests to Kafka by API and result, from the first byte written to the last byte read.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
	}, []string{"api", "result"})
	kafkaBatches = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "mooring_kafka_batch_items", Help: "Topics that travelled together in one batch, by kind.",
		Buckets: prometheus.ExponentialBuckets(1, 4, 6),
	}, []string{"kind"})
)

func init() { metrics.Registry.MustRegister(kafkaRequests, kafkaBatches) }

// meter feeds the two histograms. It implements franz.Meter.
type meter struct{}

func (meter) Request(api string, took time.Duration, err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	kafkaRequests.WithLabelValues(api, result).Observe(took.Seconds())
}

func (meter) Batch(kind string, items int) {
	kafkaBatches.WithLabelValues(kind).Observe(float64(items))
}

var viewAge = prometheus.NewDesc("mooring_kafka_view_age_seconds", "How long ago the last look at a cluster succeeded.", []string{"cluster"}, nil)

// ages collects the age of each cluster's view at the moment it is asked for.
type ages struct{ pool *pool.Pool }

// Describe implements prometheus.Collector.
func (a ages) Describe(to chan<- *prometheus.Desc) { to <- viewAge }

// Collect implements prometheus.Collector.
func (a ages) Collect(to chan<- prometheus.Metric) {
	for cluster, age := range a.pool.Ages() {
		to <- prometheus.MustNewConstMetric(viewAge, prometheus.GaugeValue, age.Seconds(), cluster)
	}
}

// watchAges registers the ages of a pool, in place of those of an operator that ran before in this process.
func watchAges(p *pool.Pool) error {
	metrics.Registry.Unregister(ages{})
	return metrics.Registry.Register(ages{p})
}
