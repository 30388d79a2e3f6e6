package topic

import (
	"encoding/base64"
	"fmt"
	"slices"
)

// ID is a topic ID (KIP-516). The zero ID means "no topic ID known".
type ID [16]byte

// String spells the ID as Kafka's own tools do: URL-safe base64 without padding.
func (id ID) String() string {
	if id == (ID{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// ParseID is the inverse of String. The empty string is the zero ID.
func ParseID(s string) (ID, error) {
	if s == "" {
		return ID{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) != 16 {
		return ID{}, fmt.Errorf("topic ID %q: want 22 characters of URL-safe base64, as kafka-topics --describe prints them", s)
	}
	return ID(raw), nil
}

// Version orders what was seen of one cluster by one operator process: a higher version was asked for later.
type Version uint64

// Observed is one topic as one look at the cluster saw it. The zero value is a topic that does not exist.
type Observed struct {
	// ID is zero when the topic does not exist.
	ID ID
	// Internal topics are Kafka's own.
	Internal bool
	// Partitions in order of their number.
	Partitions []Partition
	// Config holds the keys that were asked for.
	Config map[string]Entry
	// At is when it was asked for.
	At Version
}

// Exists says whether the topic was there.
func (o Observed) Exists() bool { return o.ID != (ID{}) || len(o.Partitions) > 0 }

// Partition is the state of one partition. Leader is -1 when there is none.
type Partition struct {
	Number   int32
	Leader   int32
	Replicas []int32
	ISR      []int32
	// Adding and Removing are the two sides of a reassignment in flight; Replicas holds both (KIP-455).
	Adding   []int32
	Removing []int32
}

// Target is where the replicas are, or will be once a reassignment in flight is done.
func (p Partition) Target() []int32 {
	if len(p.Removing) == 0 {
		return p.Replicas
	}
	return slices.DeleteFunc(slices.Clone(p.Replicas), func(b int32) bool { return slices.Contains(p.Removing, b) })
}

// Moving says whether a reassignment of the partition is in flight.
func (p Partition) Moving() bool { return len(p.Adding)+len(p.Removing) > 0 }

// Replication is the smallest replication factor over all partitions, reassignments in flight counted as done;
// 0 without partitions. The smallest counts, because the weakest partition is the one that loses records.
func (o Observed) Replication() int {
	least := 0
	for i, p := range o.Partitions {
		if n := len(p.Target()); i == 0 || n < least {
			least = n
		}
	}
	return least
}

// Offline counts partitions without a leader.
func (o Observed) Offline() int {
	return o.count(func(p Partition) bool { return p.Leader < 0 })
}

// UnderReplicated counts partitions with fewer in-sync replicas than they should have.
func (o Observed) UnderReplicated() int {
	return o.count(func(p Partition) bool { return len(p.ISR) < len(p.Target()) })
}

// LeastISR is the smallest number of in-sync replicas over all partitions; 0 without partitions.
func (o Observed) LeastISR() int {
	least := 0
	for i, p := range o.Partitions {
		if i == 0 || len(p.ISR) < least {
			least = len(p.ISR)
		}
	}
	return least
}

func (o Observed) count(is func(Partition) bool) int {
	n := 0
	for _, p := range o.Partitions {
		if is(p) {
			n++
		}
	}
	return n
}

// Value is the value in force of a key, and whether it is known.
func (o Observed) Value(key string) (string, bool) {
	e, ok := o.Config[key]
	if !ok || e.Value == nil {
		return "", false
	}
	return *e.Value, true
}

// Cluster is what a plan needs to know of the brokers.
type Cluster struct {
	// Brokers that are registered, fenced ones included where the cluster tells (DescribeCluster v2, KIP-1073).
	Brokers []Broker
}

// Broker is one registered broker.
type Broker struct {
	ID   int32
	Rack string
	// Fenced brokers do not serve; Cordoned ones take no new replicas (KIP-1066).
	Fenced   bool
	Cordoned bool
}

// Live counts the brokers that serve.
func (c Cluster) Live() int {
	n := 0
	for _, b := range c.Brokers {
		if !b.Fenced {
			n++
		}
	}
	return n
}
