package audit

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"

	"mooring.dev/mooring/internal/shim/policy"
)

// View is the audit view of one client, as JSON.
type View struct {
	ClientID       string `json:"clientId"`
	Library        string `json:"library,omitempty"`
	LibraryVersion string `json:"libraryVersion,omitempty"`
	Seen           Seen   `json:"seen"`
	Done           Done   `json:"done"`
	// Findings say in sentences what the client does that is weaker than the contract.
	Findings []string `json:"findings,omitempty"`
}

// Seen is what the client does.
type Seen struct {
	Connections int64 `json:"connections"`
	Requests    int64 `json:"produceRequests"`
	Records     int64 `json:"records"`
	Bytes       int64 `json:"bytes"`
	// Acks counts requests by their acks: -1, 0 and 1.
	Acks map[string]int64 `json:"acks,omitempty"`
	// Batches by kind: idempotent, transactional, plain, oldFormat.
	Batches     map[string]int64 `json:"batches,omitempty"`
	Compression map[string]int64 `json:"compression,omitempty"`
	// MinVersion and MaxVersion of Produce.
	MinVersion  int64 `json:"minProduceVersion"`
	MaxVersion  int64 `json:"maxProduceVersion"`
	MaxInFlight int64 `json:"maxInFlight"`
	// Weak counts what was weaker than the contract, by reason.
	Weak map[policy.Reason]int64 `json:"weak,omitempty"`
}

// Done is what was done about it.
type Done struct {
	Acknowledged    int64                   `json:"recordsAcknowledged"`
	UpgradedAcks    int64                   `json:"acksUpgraded"`
	UpgradedBatches int64                   `json:"batchesMadeIdempotent"`
	Rejected        map[policy.Reason]int64 `json:"rejected,omitempty"`
	// Unheard are failed requests with acks=0: the client cannot hear of them.
	Unheard int64            `json:"unheardFailures"`
	Retries int64            `json:"retries"`
	Resends int64            `json:"resendsRecognised"`
	Doubts  int64            `json:"doubts"`
	Errors  map[string]int64 `json:"errors,omitempty"`
}

// Clients are the views of all clients, by client ID.
func (b *Book) Clients() []View {
	views := make([]View, 0)
	for _, c := range b.all() {
		views = append(views, c.view())
	}
	return views
}

func (b *Book) all() []*Client {
	b.mu.Lock()
	clients := slices.Collect(maps.Values(b.clients))
	b.mu.Unlock()
	slices.SortFunc(clients, func(x, y *Client) int {
		return cmp.Or(cmp.Compare(x.ClientID, y.ClientID), cmp.Compare(x.Library, y.Library), cmp.Compare(x.Version, y.Version))
	})
	return clients
}

func (c *Client) view() View {
	v := View{ClientID: c.ClientID, Library: c.Library, LibraryVersion: c.Version}
	v.Seen = Seen{
		Connections: c.Connections.Load(), Requests: c.Requests.Load(), Records: c.Records.Load(), Bytes: c.Bytes.Load(),
		MinVersion: c.MinVersion.Load(), MaxVersion: c.MaxVersion.Load(), MaxInFlight: c.MaxInFlight.Load(),
		Acks: make(map[string]int64), Compression: make(map[string]int64),
		Batches: map[string]int64{"idempotent": c.Idempotent.Load(), "transactional": c.Transactional.Load(), "plain": c.Plain.Load(), "oldFormat": c.Old.Load()},
	}
	for i := range c.Acks {
		if n := c.Acks[i].Load(); n > 0 {
			v.Seen.Acks[strconv.Itoa(i-1)] = n
		}
	}
	for i := range policy.Codecs {
		if n := c.Codecs[i].Load(); n > 0 {
			v.Seen.Compression[policy.Codecs[i]] = n
		}
	}
	maps.DeleteFunc(v.Seen.Batches, func(_ string, n int64) bool { return n == 0 })
	v.Done = Done{
		Acknowledged: c.Acknowledged.Load(), UpgradedAcks: c.UpgradedAcks.Load(), UpgradedBatches: c.UpgradedBatches.Load(),
		Unheard: c.Swallowed.Load(), Retries: c.Retries.Load(), Resends: c.Resends.Load(), Doubts: c.Doubts.Load(),
		Errors: make(map[string]int64),
	}
	c.mu.Lock()
	v.Seen.Weak, v.Done.Rejected = maps.Clone(c.weak), maps.Clone(c.rejected)
	for code, n := range c.errors {
		v.Done.Errors[ErrorName(code)] = n
	}
	if n := c.fine.Load(); n > 0 {
		v.Done.Errors[ErrorName(0)] = n
	}
	c.mu.Unlock()
	v.Findings = findings(v)
	return v
}

func findings(v View) (found []string) {
	if v.Seen.Acks["0"] > 0 {
		found = append(found, "it produces with acks=0: it does not learn of any loss")
	}
	if v.Seen.Acks["1"] > 0 {
		found = append(found, "it produces with acks=1: a record is lost when its leader is, before the followers have it")
	}
	if v.Seen.Batches["plain"] > 0 {
		found = append(found, "it has no idempotence: its retries can write a record twice, or out of order")
	}
	if v.Seen.Batches["oldFormat"] > 0 {
		found = append(found, "it writes a message format from before Kafka 0.11, which cannot have idempotence")
	}
	return found
}

// ErrorName is Kafka's name of an error code.
func ErrorName(code int16) string {
	if code == 0 {
		return "NONE"
	}
	if err := kerr.TypedErrorForCode(code); err != nil {
		return err.Message
	}
	return "UNKNOWN_" + strconv.Itoa(int(code))
}
