package franz

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Meter is told of every request and every batch. Its methods are called from many goroutines.
type Meter interface {
	// Request that was written and answered, or failed. api is the protocol's name of it: Metadata, CreateTopics.
	Request(api string, took time.Duration, err error)
	// Batch of calls that went out together. kind is Create, Grow, Configure, Remove or Describe.
	Batch(kind string, items int)
}

// WithMeter makes a client tell a meter of its requests.
func WithMeter(m Meter) kgo.Opt { return kgo.WithHooks(requestHook{m}) }

type requestHook struct{ meter Meter }

// OnBrokerE2E implements kgo.HookBrokerE2E.
func (h requestHook) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	h.meter.Request(kmsg.NameForKey(key), e2e.DurationE2E(), e2e.Err())
}

// batches tells the meter of batches, if there is one.
func (a *Admin) batches(kind string) func(items int) {
	return func(items int) {
		if a.meter != nil {
			a.meter.Batch(kind, items)
		}
	}
}
