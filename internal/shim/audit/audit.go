// Package audit counts what clients do, and what was done about it: for the metrics, and for the audit view, which names the
// clients that would lose records.
package audit

import (
	"strings"
	"sync"
	"sync/atomic"

	"mooring.dev/mooring/internal/shim/policy"
)

// maxClients bounds the labels of the metrics. What comes after is counted together.
const maxClients = 64

// maxText bounds what a client can make the shim remember of a name.
const maxText = 100

// Key names a client: its client ID, and its library as it says in ApiVersions (KIP-511), or as its ID gives it away.
type Key struct{ ClientID, Library, Version string }

// Other is the key of the clients beyond the bound.
var Other = Key{ClientID: "(other)"}

// Client is what was seen of one client. Its counters only grow.
type Client struct {
	Key
	Connections, Requests, Records, Bytes atomic.Int64
	Acks                                  [3]atomic.Int64 // requests with acks -1, 0 and 1
	Idempotent, Plain, Transactional, Old atomic.Int64    // batches
	Codecs                                [8]atomic.Int64
	MinVersion, MaxVersion, MaxInFlight   atomic.Int64 // of Produce
	UpgradedAcks, UpgradedBatches         atomic.Int64
	Swallowed                             atomic.Int64 // failures of acks=0 requests, which the client does not hear of
	Retries, Resends, Doubts              atomic.Int64
	Acknowledged                          atomic.Int64 // records that the brokers acknowledged

	fine     atomic.Int64 // partitions that the brokers answered without an error
	mu       sync.Mutex
	rejected map[policy.Reason]int64
	weak     map[policy.Reason]int64
	errors   map[int16]int64
}

// Book has the counters of all clients, and the shim's own.
type Book struct {
	mu      sync.Mutex
	clients map[Key]*Client

	InFlight, Connections atomic.Int64
	// Unsettled are batches whose outcome is being sought.
	Unsettled atomic.Int64
	// Reloads and ReloadFailures of the contract.
	Reloads, ReloadFailures atomic.Int64
	// DialFailures of connections to brokers.
	DialFailures atomic.Int64
	// Malformed are connections that ended because the client did not speak Kafka's protocol.
	Malformed atomic.Int64
	Latency   Histogram
}

// Client finds, or begins, the counters of a client.
func (b *Book) Client(k Key) *Client {
	k = Key{short(k.ClientID), short(k.Library), short(k.Version)}
	if k.Library == "" {
		k.Library = guess(k.ClientID)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.clients[k]; c != nil {
		return c
	}
	if b.clients == nil {
		b.clients = make(map[Key]*Client)
	}
	if len(b.clients) >= maxClients {
		k = Other
		if c := b.clients[k]; c != nil {
			return c
		}
	}
	c := &Client{Key: k, rejected: make(map[policy.Reason]int64), weak: make(map[policy.Reason]int64), errors: make(map[int16]int64)}
	c.MinVersion.Store(-1)
	c.MaxVersion.Store(-1)
	b.clients[k] = c
	return c
}

func short(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxText)], "?")
}

// guess the library of a client that does not say: older ones have ApiVersions below 3.
func guess(clientID string) string {
	for part, library := range map[string]string{
		"segmentio/kafka-go": "kafka-go", "sarama": "sarama", "rdkafka": "librdkafka", "kafkajs": "kafkajs",
		"aiokafka": "aiokafka", "kafka-python": "kafka-python",
	} {
		if strings.Contains(clientID, part) {
			return library + " (by its client ID)"
		}
	}
	return ""
}

// Rejected counts a rejection.
func (c *Client) Rejected(r policy.Reason) { c.count(c.rejected, r) }

// Weak counts what was weaker than the contract, whatever was done about it.
func (c *Client) Weak(r policy.Reason) { c.count(c.weak, r) }

func (c *Client) count(m map[policy.Reason]int64, r policy.Reason) {
	c.mu.Lock()
	m[r]++
	c.mu.Unlock()
}

// Error counts a partition's error code, as the broker answered it.
func (c *Client) Error(code int16) {
	if code == 0 {
		c.fine.Add(1)
		return
	}
	c.mu.Lock()
	if _, known := c.errors[code]; known || len(c.errors) < 200 {
		c.errors[code]++
	}
	c.mu.Unlock()
}

// Produced counts a request.
func (c *Client) Produced(version, acks int16, inFlight int) {
	c.Requests.Add(1)
	if acks >= -1 && acks <= 1 {
		c.Acks[acks+1].Add(1)
	}
	if low := c.MinVersion.Load(); low < 0 || int64(version) < low {
		c.MinVersion.Store(int64(version))
	}
	raise(&c.MaxVersion, int64(version))
	raise(&c.MaxInFlight, int64(inFlight))
}

func raise(v *atomic.Int64, to int64) {
	for old := v.Load(); to > old && !v.CompareAndSwap(old, to); old = v.Load() {
	}
}

// Acknowledged is how many records the brokers acknowledged, in all.
func (b *Book) Acknowledged() int64 {
	n := int64(0)
	for _, c := range b.all() {
		n += c.Acknowledged.Load()
	}
	return n
}
