package audit

import (
	"fmt"
	"io"
	"strings"
	"time"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/policy"
)

// WriteMetrics writes all counters in Prometheus' text format.
func (b *Book) WriteMetrics(w io.Writer, c contract.Contract) {
	clients := b.all()
	each := func(name, help string, value func(*Client) int64) {
		head(w, name, "counter", help)
		for _, c := range clients {
			fmt.Fprintf(w, "%s{%s} %d\n", name, c.labels(), value(c))
		}
	}
	each("mooring_shim_records_total", "Records that clients produced.", func(c *Client) int64 { return c.Records.Load() })
	each("mooring_shim_bytes_total", "Bytes of record batches that clients produced.", func(c *Client) int64 { return c.Bytes.Load() })
	each("mooring_shim_acknowledged_records_total", "Records that the brokers acknowledged.", func(c *Client) int64 { return c.Acknowledged.Load() })
	each("mooring_shim_produce_requests_total", "Produce requests.", func(c *Client) int64 { return c.Requests.Load() })
	each("mooring_shim_unheard_failures_total", "Failed requests with acks=0, of which the client cannot hear.", func(c *Client) int64 { return c.Swallowed.Load() })
	each("mooring_shim_retries_total", "Batches that the shim sent again.", func(c *Client) int64 { return c.Retries.Load() })
	each("mooring_shim_resends_total", "Batches that were recognised as a client's resend.", func(c *Client) int64 { return c.Resends.Load() })
	each("mooring_shim_doubts_total", "Batches that may have been written twice.", func(c *Client) int64 { return c.Doubts.Load() })

	head(w, "mooring_shim_upgrades_total", "counter", "Requests (acks) and batches (idempotence) that were made as strong as the contract.")
	for _, c := range clients {
		fmt.Fprintf(w, "mooring_shim_upgrades_total{%s,reason=%q} %d\n", c.labels(), policy.WeakAcks, c.UpgradedAcks.Load())
		fmt.Fprintf(w, "mooring_shim_upgrades_total{%s,reason=%q} %d\n", c.labels(), policy.NotIdempotent, c.UpgradedBatches.Load())
	}
	head(w, "mooring_shim_rejections_total", "counter", "Partitions of requests that were refused by the contract.")
	for _, c := range clients {
		for reason, n := range c.view().Done.Rejected {
			fmt.Fprintf(w, "mooring_shim_rejections_total{%s,reason=%q} %d\n", c.labels(), reason, n)
		}
	}
	head(w, "mooring_shim_acks_total", "counter", "Partitions of produce requests by the brokers' answer.")
	for _, c := range clients {
		for name, n := range c.view().Done.Errors {
			fmt.Fprintf(w, "mooring_shim_acks_total{%s,error=%q} %d\n", c.labels(), name, n)
		}
	}
	b.own(w, c)
}

// own are the shim's own.
func (b *Book) own(w io.Writer, c contract.Contract) {
	one := func(name, kind, help string, value int64) {
		head(w, name, kind, help)
		fmt.Fprintf(w, "%s %d\n", name, value)
	}
	one("mooring_shim_in_flight", "gauge", "Produce requests without an answer.", b.InFlight.Load())
	one("mooring_shim_connections", "gauge", "Client connections.", b.Connections.Load())
	one("mooring_shim_unsettled_batches", "gauge", "Batches whose outcome is being sought.", b.Unsettled.Load())
	one("mooring_shim_dial_failures_total", "counter", "Failed connections to brokers.", b.DialFailures.Load())
	one("mooring_shim_malformed_total", "counter", "Connections that ended because the client did not speak Kafka's protocol.", b.Malformed.Load())
	one("mooring_shim_contract_reloads_total", "counter", "Contracts that were taken up.", b.Reloads.Load())
	one("mooring_shim_contract_reload_failures_total", "counter", "Contracts that could not be taken up; the one before stays in effect.", b.ReloadFailures.Load())
	head(w, "mooring_shim_contract_info", "gauge", "The contract in effect; the value is the profile's revision.")
	fmt.Fprintf(w, "mooring_shim_contract_info{profile=\"%s/%s\",hash=\"%s\",mode=\"%s\",guarantee=\"%s\"} %d\n",
		label(c.Profile.Namespace), label(c.Profile.Name), label(c.Hash), c.Enforcement.Mode, c.Guarantee, c.Profile.Revision)
	b.Latency.write(w, "mooring_shim_produce_seconds", "Time from a produce request to its answer.")
}

func head(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (c *Client) labels() string {
	return fmt.Sprintf(`client_id="%s",library="%s",library_version="%s"`, label(c.ClientID), label(c.Library), label(c.Version))
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func label(s string) string { return escapes.Replace(s) }

func (h *Histogram) write(w io.Writer, name, help string) {
	head(w, name, "histogram", help)
	total := int64(0)
	for i := range h.buckets {
		total += h.buckets[i].Load()
		bound := "+Inf"
		if i < len(bounds) {
			bound = fmt.Sprint(bounds[i].Seconds())
		}
		fmt.Fprintf(w, "%s_bucket{le=%q} %d\n", name, bound, total)
	}
	fmt.Fprintf(w, "%s_sum %g\n%s_count %d\n", name, time.Duration(h.sum.Load()).Seconds(), name, total)
}
