package main

import (
	"context"
	"fmt"
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"

	"mooring.dev/mooring/test/bench/stage"
)

// sample is what one scrape of the operator says.
type sample struct {
	own histogram
	// requests at any of our webhooks, whatever became of them.
	requests float64
}

func scrape(ctx context.Context, o *stage.Operator) (sample, error) {
	families, err := o.Scrape(ctx)
	if err != nil {
		return sample{}, err
	}
	var s sample
	for _, m := range families["mooring_injection_duration_seconds"].GetMetric() {
		s.own = histogramOf(m.GetHistogram())
	}
	for _, m := range families["controller_runtime_webhook_requests_total"].GetMetric() {
		s.requests += m.GetCounter().GetValue()
	}
	return s, nil
}

// histogram is one of Prometheus: counts up to and with each bound.
type histogram struct {
	bounds []float64
	counts []uint64
	count  uint64
	sum    float64
}

func histogramOf(h *dto.Histogram) histogram {
	out := histogram{count: h.GetSampleCount(), sum: h.GetSampleSum()}
	for _, b := range h.GetBucket() {
		out.bounds, out.counts = append(out.bounds, b.GetUpperBound()), append(out.counts, b.GetCumulativeCount())
	}
	return out
}

func (h histogram) minus(before histogram) histogram {
	out := histogram{bounds: h.bounds, counts: make([]uint64, len(h.counts)), count: h.count - before.count, sum: h.sum - before.sum}
	for i := range h.counts {
		out.counts[i] = h.counts[i]
		if i < len(before.counts) {
			out.counts[i] -= before.counts[i]
		}
	}
	return out
}

// String gives the calls (a pod is more than one: in-tree plugins add the token's mount to the shim, and then the API server
// asks again, as reinvocationPolicy IfNeeded says) and how long one takes.
func (h histogram) String() string {
	return fmt.Sprintf("calls=%d p50=%s p99=%s mean=%s", h.count, stage.Millis(h.quantile(0.5)), stage.Millis(h.quantile(0.99)), stage.Millis(time.Duration(h.sum/float64(h.count)*1e9)))
}

// quantile interpolates within a bucket, as histogram_quantile does. Above the last bound it is the longest time there is.
func (h histogram) quantile(q float64) time.Duration {
	rank := q * float64(h.count)
	low, below := 0.0, uint64(0)
	for i, bound := range h.bounds {
		if float64(h.counts[i]) >= rank && !math.IsInf(bound, 1) {
			in := float64(h.counts[i] - below)
			return time.Duration((low + (bound-low)*(rank-float64(below))/max(in, 1)) * float64(time.Second))
		}
		low, below = bound, h.counts[i]
	}
	return math.MaxInt64
}
