package gateway

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// statuses that the handlers answer with; openapi.yaml lists them route by route.
var statuses = [...]int{200, 202, 204, 207, 400, 403, 404, 405, 408, 413, 415, 422, 429, 500, 503, 504}

// place of a status in statuses.
var place = func() (p [600]uint8) {
	for i, s := range statuses {
		p[s] = uint8(i)
	}
	return p
}()

// bounds of the duration histogram's buckets.
var bounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
	5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// measures of one route.
type measures struct {
	byStatus [len(statuses)]atomic.Int64
	buckets  [len(bounds) + 1]atomic.Int64
	sum      atomic.Int64
}

func (m *measures) observe(status int, took time.Duration) {
	m.byStatus[place[status]].Add(1)
	i := 0
	for i < len(bounds) && took > bounds[i] {
		i++
	}
	m.buckets[i].Add(1)
	m.sum.Add(int64(took))
}

// WriteMetrics writes the listener's metrics in Prometheus' text format.
func (g *Gateway) WriteMetrics(w io.Writer) {
	head(w, "mooring_shim_http_requests_total", "counter", "HTTP requests by route and status.")
	for i := range g.routes {
		r := &g.routes[i]
		for j := range r.measures.byStatus {
			if n := r.measures.byStatus[j].Load(); n > 0 {
				fmt.Fprintf(w, "mooring_shim_http_requests_total{route=%q,status=\"%d\"} %d\n", r.name(), statuses[j], n)
			}
		}
	}
	head(w, "mooring_shim_http_request_seconds", "histogram", "Time from the head of an HTTP request to the end of its answer.")
	for i := range g.routes {
		g.routes[i].writeHistogram(w)
	}
	t := g.sink.Totals()
	head(w, "mooring_shim_http_records_total", "counter", "Records that came over HTTP, by outcome.")
	for _, c := range sink.Classes() {
		fmt.Fprintf(w, "mooring_shim_http_records_total{outcome=%q} %d\n", c, t.Outcomes[c])
	}
	one := func(name, kind, help string, n int64) {
		head(w, name, kind, help)
		fmt.Fprintf(w, "%s %d\n", name, n)
	}
	one("mooring_shim_http_pending_records", "gauge", "Records that came over HTTP and have no outcome yet.", t.Pending)
	one("mooring_shim_http_async_failures_total", "counter", "Records of async requests that were not written; nobody was told.", g.asyncFailures.Load())
	one("mooring_shim_http_buffer_bytes", "gauge", "Memory that requests hold.", g.sink.Account().Held())
	one("mooring_shim_http_buffer_limit_bytes", "gauge", "Memory that requests may hold (buffer.memory).", g.sink.Account().Limit())
	one("mooring_shim_http_buffer_full_total", "counter", "Requests that were refused because the buffer was full.", t.RefusedFull)
	one("mooring_shim_http_replayed_total", "counter", "Requests with an Idempotency-Key that were answered from an earlier one.", g.replayed.Load())
	one("mooring_shim_http_replay_evictions_total", "counter", "Idempotency-Keys that were forgotten before their time.", g.window.Evicted())
	one("mooring_shim_http_transactions_committed_total", "counter", "Atomic requests that were committed.", t.Committed)
	one("mooring_shim_http_transactions_aborted_total", "counter", "Atomic requests that were aborted.", t.AbortedTransactions)
	one("mooring_shim_http_connections", "gauge", "Client connections.", g.connections.Load())
}

func head(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (r *route) writeHistogram(w io.Writer) {
	total := int64(0)
	for i := range r.measures.buckets {
		total += r.measures.buckets[i].Load()
	}
	if total == 0 {
		return
	}
	const name = "mooring_shim_http_request_seconds"
	below := int64(0)
	for i := range r.measures.buckets {
		below += r.measures.buckets[i].Load()
		bound := "+Inf"
		if i < len(bounds) {
			bound = fmt.Sprint(bounds[i].Seconds())
		}
		fmt.Fprintf(w, "%s_bucket{route=%q,le=%q} %d\n", name, r.name(), bound, below)
	}
	fmt.Fprintf(w, "%s_sum{route=%q} %g\n%s_count{route=%q} %d\n", name, r.name(), time.Duration(r.measures.sum.Load()).Seconds(), name, r.name(), total)
}
