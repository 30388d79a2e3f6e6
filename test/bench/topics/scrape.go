package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// sample is what one scrape of the operator says.
type sample struct {
	kafka               map[string]float64 // requests by API
	apiReads, apiWrites float64
	// seen counts reconciles that ended with nothing left to do or to wait for; queued are the topics that wait for one.
	seen, queued float64
	viewAge      float64
}

func (b *bench) scrape(ctx context.Context) (sample, error) {
	s := sample{kafka: make(map[string]float64)}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.metrics+"/metrics", nil)
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return s, err
	}
	for _, m := range families["mooring_kafka_request_duration_seconds"].GetMetric() {
		s.kafka[label(m, "api")] += float64(m.GetHistogram().GetSampleCount())
	}
	for _, m := range families["rest_client_requests_total"].GetMetric() {
		if label(m, "method") == http.MethodGet {
			s.apiReads += m.GetCounter().GetValue()
		} else {
			s.apiWrites += m.GetCounter().GetValue()
		}
	}
	for _, m := range families["controller_runtime_reconcile_total"].GetMetric() {
		if label(m, "controller") == "kafkatopic" && label(m, "result") == "success" {
			s.seen += m.GetCounter().GetValue()
		}
	}
	for _, m := range families["workqueue_depth"].GetMetric() {
		if label(m, "name") == "kafkatopic" {
			s.queued += m.GetGauge().GetValue()
		}
	}
	for _, m := range families["mooring_kafka_view_age_seconds"].GetMetric() {
		s.viewAge = m.GetGauge().GetValue()
	}
	return s, nil
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// rss is the memory of the operator that is resident now, in bytes.
func (b *bench) rss() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.operator.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("the kernel does not tell the memory of the operator")
}

// cpu is the time that the operator has spent, in user and kernel, in ticks of the kernel's 100 a second.
func (b *bench) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.operator.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	if errUser != nil || errSystem != nil {
		return 0, fmt.Errorf("the kernel's account of the operator does not parse")
	}
	return time.Duration(user+system) * 10 * time.Millisecond, nil
}
