package producer

import (
	"fmt"
	"math"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// longest is what Kafka's 32-bit timeouts can hold, about 24 days.
const longest = math.MaxInt32 * time.Millisecond

// durationField is a field that holds a duration.
type durationField struct {
	path  string // below spec
	least time.Duration
	get   func(s *v1alpha1.ProducerProfileSpec) *metav1.Duration
}

var durationFields = []durationField{
	{"delivery.deliveryTimeout", time.Millisecond, func(s *v1alpha1.ProducerProfileSpec) *metav1.Duration { return deliveryOf(s).DeliveryTimeout }},
	{"delivery.requestTimeout", time.Millisecond, func(s *v1alpha1.ProducerProfileSpec) *metav1.Duration { return deliveryOf(s).RequestTimeout }},
	{"delivery.retryBackoff", 0, func(s *v1alpha1.ProducerProfileSpec) *metav1.Duration { return deliveryOf(s).RetryBackoff }},
	{"batching.linger", 0, func(s *v1alpha1.ProducerProfileSpec) *metav1.Duration { return batchingOf(s).Linger }},
	{"transactions.timeout", time.Millisecond, func(s *v1alpha1.ProducerProfileSpec) *metav1.Duration {
		if s.Transactions == nil {
			return nil
		}
		return s.Transactions.Timeout
	}},
	{"connections.metadataMaxAge", time.Millisecond, func(s *v1alpha1.ProducerProfileSpec) *metav1.Duration { return connectionsOf(s).MetadataMaxAge }},
	{"connections.idleTimeout", time.Millisecond, func(s *v1alpha1.ProducerProfileSpec) *metav1.Duration { return connectionsOf(s).IdleTimeout }},
	{"shim.drain", 0, func(s *v1alpha1.ProducerProfileSpec) *metav1.Duration {
		if s.Shim == nil {
			return nil
		}
		return s.Shim.Drain
	}},
}

func deliveryOf(s *v1alpha1.ProducerProfileSpec) v1alpha1.ProducerDelivery {
	return valueOf(s.Delivery)
}

func batchingOf(s *v1alpha1.ProducerProfileSpec) v1alpha1.ProducerBatching {
	return valueOf(s.Batching)
}

func connectionsOf(s *v1alpha1.ProducerProfileSpec) v1alpha1.ProducerConnections {
	return valueOf(s.Connections)
}

func valueOf[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// durationRules are one row for each field, so that the API server names the field.
var durationRules = func() []Rule {
	var rules []Rule
	for _, f := range durationFields {
		parent, _, _ := strings.Cut(f.path, ".")
		rules = append(rules, Rule{
			ID: "duration-" + strings.ReplaceAll(kebab(f.path), ".", "-"), Severity: Error, Fields: []string{"spec." + f.path},
			CEL: fmt.Sprintf("!has(self.%[1]s) || !has(self.%[2]s) || (duration(self.%[2]s) >= duration('%[3]dms') && duration(self.%[2]s) <= duration('%[4]dms'))",
				parent, f.path, f.least.Milliseconds(), math.MaxInt32),
			Sentence: fmt.Sprintf("spec.%s must be %s to %s; Kafka keeps it in 32 bits of milliseconds", f.path, shortest(f.least), "596h"),
			Source:   "ProducerConfig of kafka-clients 4.3; the fields of the protocol",
			check: when(func(c *Config) bool {
				d := f.get(&c.Spec)
				return d != nil && (d.Duration < f.least || d.Duration > longest)
			}),
		})
	}
	return rules
}()

func shortest(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	return d.String()
}

// kebab turns deliveryTimeout into delivery-timeout.
func kebab(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

const (
	defaultLinger  = 5 * time.Millisecond
	defaultRequest = 30 * time.Second
)

func orDefault(d *metav1.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.Duration
}

var timeRules = []Rule{
	{
		ID: "duration-below-millisecond", Severity: Error, Fields: []string{"spec"},
		Sentence: "Kafka counts whole milliseconds; write a duration without a smaller part",
		Source:   "ProducerConfig of kafka-clients 4.3",
		check: func(c *Config) []hit {
			var hits []hit
			for _, f := range durationFields {
				if d := f.get(&c.Spec); d != nil && d.Duration%time.Millisecond != 0 {
					hits = append(hits, say("spec."+f.path, "%s is no whole number of milliseconds, and Kafka counts no less; round it", d.Duration)...)
				}
			}
			return hits
		},
	},
	{
		ID: "delivery-timeout-too-short", Severity: Error,
		Fields: []string{"spec.delivery.deliveryTimeout", "spec.delivery.requestTimeout", "spec.batching.linger"},
		CEL: `!has(self.delivery) || !has(self.delivery.deliveryTimeout) || ` +
			`duration(self.delivery.deliveryTimeout) >= duration(self.?batching.?linger.orValue('5ms')) + duration(self.?delivery.?requestTimeout.orValue('30s'))`,
		Sentence: "spec.delivery.deliveryTimeout must be at least spec.batching.linger (5ms unless set) plus spec.delivery.requestTimeout (30s unless set), or the Java client does not start; raise it, or lower spec.delivery.requestTimeout",
		Source:   "KIP-91; KafkaProducer.configureDeliveryTimeout",
		check: when(func(c *Config) bool {
			d := c.delivery()
			return d.DeliveryTimeout != nil &&
				d.DeliveryTimeout.Duration < orDefault(batchingOf(&c.Spec).Linger, defaultLinger)+orDefault(d.RequestTimeout, defaultRequest)
		}),
	},
	{
		ID: "request-timeout-short", Severity: Advice, Fields: []string{"spec.delivery.requestTimeout"},
		Sentence: "with acks all a leader waits for slow replicas up to replica.lag.time.max.ms (30s on brokers unless changed); a shorter request timeout sends again what is about to succeed; raise spec.delivery.requestTimeout to 30s",
		Source:   "KIP-19; KIP-537",
		check: when(func(c *Config) bool {
			d := c.delivery().RequestTimeout
			return c.Guarantee != v1alpha1.AtMostOnce && d != nil && d.Duration < defaultRequest
		}),
	},
	{
		ID: "retry-backoff-above-max", Severity: Warning, Fields: []string{"spec.delivery.retryBackoff"},
		Sentence: "a first pause above retry.backoff.max.ms (1s unless set) makes every pause the longest; raise retry.backoff.max.ms in spec.properties, or lower spec.delivery.retryBackoff",
		Source:   "KIP-580",
		check: when(func(c *Config) bool {
			first, okFirst := c.whole(propRetryBackoff)
			last, okLast := c.whole(propRetryBackoffMax)
			return okFirst && okLast && first > last
		}),
	},
	{
		ID: "linger-above-a-minute", Severity: Warning, Fields: []string{"spec.batching.linger"},
		Sentence: "franz-go takes a linger of at most a minute and librdkafka of 15 minutes, and they are given that; lower spec.batching.linger",
		Source:   "kgo.Client options; librdkafka queue.buffering.max.ms",
		check: when(func(c *Config) bool {
			n, ok := c.whole(propLinger)
			return ok && n > 60000
		}),
	},
	{
		ID: "drain-shorter-than-delivery", Severity: Warning, Fields: []string{"spec.shim.drain"},
		Sentence: "the shim may end before spec.delivery.deliveryTimeout is over, and gives up records that could still be delivered; raise spec.shim.drain, or lower spec.delivery.deliveryTimeout",
		Source:   "Mooring: shim",
		check: when(func(c *Config) bool {
			n, ok := c.whole(propDeliveryTimeout)
			return ok && c.hasShim() && c.Spec.Shim.Drain != nil && c.Spec.Shim.Drain.Milliseconds() < n
		}),
	},
}

func (c *Config) hasShim() bool {
	return c.Spec.Shim != nil && c.Spec.Shim.Listeners != "" && c.Spec.Shim.Listeners != v1alpha1.ShimNone
}
