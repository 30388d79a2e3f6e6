//go:build kafka

package kafka

import (
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/gomega"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Metric is the sum over the series of a metric of the operator that have all of the labels (name=value).
func (o *Operator) Metric(g Gomega, name string, labels ...string) float64 {
	resp, err := http.Get("http://" + o.metrics + "/metrics")
	g.Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	g.Expect(err).NotTo(HaveOccurred())
	family, ok := families[name]
	if !ok {
		return 0
	}
	var sum float64
	for _, series := range family.GetMetric() {
		var have []string
		for _, l := range series.GetLabel() {
			have = append(have, l.GetName()+"="+l.GetValue())
		}
		if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(have, l) }) {
			sum += series.GetCounter().GetValue() + series.GetGauge().GetValue()
		}
	}
	return sum
}

// Reconciles of KafkaTopics that ended since the process started.
func (o *Operator) Reconciles(g Gomega) int {
	return int(o.Metric(g, "controller_runtime_reconcile_total", "controller=kafkatopic"))
}

// Idle says whether no KafkaTopic is being reconciled or waits to be.
func (o *Operator) Idle(g Gomega) bool {
	return o.Metric(g, "controller_runtime_active_workers", "controller=kafkatopic") == 0 &&
		o.Metric(g, "workqueue_depth", "controller=kafkatopic") == 0
}

// Writes are the requests to the API server that change something, Events included, since the process started.
func (o *Operator) Writes(g Gomega) int {
	var sum float64
	for _, method := range strings.Fields("POST PUT PATCH DELETE") {
		sum += o.Metric(g, "rest_client_requests_total", "method="+method)
	}
	return int(sum)
}
