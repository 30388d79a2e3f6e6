package kafkatest

import (
	"maps"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Requests counts what a client writes, by kind. It is a kgo.Hook, so it counts on kfake and on Apache Kafka alike; what a
// connection needs for itself (ApiVersions, SASL) is left out.
type Requests struct {
	mu     sync.Mutex
	counts map[kmsg.Key]int
}

var _ kgo.HookBrokerWrite = (*Requests)(nil)

// OnBrokerWrite implements kgo.HookBrokerWrite.
func (r *Requests) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	switch kmsg.Key(key) {
	case kmsg.ApiVersions, kmsg.SASLHandshake, kmsg.SASLAuthenticate:
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = make(map[kmsg.Key]int)
	}
	r.counts[kmsg.Key(key)]++
}

// Take returns the counts since the last Take, by the names of the requests.
func (r *Requests) Take() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := make(map[string]int, len(r.counts))
	for key, n := range r.counts {
		counts[key.Name()] = n
	}
	r.counts = nil
	return counts
}

// Total adds counts up.
func Total(counts map[string]int) int {
	total := 0
	for n := range maps.Values(counts) {
		total += n
	}
	return total
}

// Connections counts the connections that a client has open.
type Connections struct {
	mu   sync.Mutex
	open int
}

var (
	_ kgo.HookBrokerConnect    = (*Connections)(nil)
	_ kgo.HookBrokerDisconnect = (*Connections)(nil)
)

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (c *Connections) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil {
		c.add(1)
	}
}

// OnBrokerDisconnect implements kgo.HookBrokerDisconnect.
func (c *Connections) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) { c.add(-1) }

func (c *Connections) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open += n
}

// Open is how many connections are open now.
func (c *Connections) Open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}
