// Package kafka is the port to Kafka clusters: what a reconcile may ask of one, and how errors are told apart.
// The implementation is in franz, what is shared between reconciles of many clusters in pool.
package kafka

import (
	"context"

	"mooring.dev/mooring/internal/topic"
)

// Admin is one Kafka cluster as a reconcile sees it: one topic at a time. Calls from many reconciles travel together; no
// caller can tell, except that it is fast.
//
// Every error is an *Error. A method never dials: a cluster that is away answers at once with ClassUnreachable.
type Admin interface {
	// Observe returns the topic as it was at the version that f asks for, or later. A topic that does not exist is the
	// zero Observed, not an error. keys are the configuration keys to look at; nil means all.
	Observe(ctx context.Context, name string, keys []string, f Freshness) (topic.Observed, error)

	// Apply carries out one step and returns the version from which on a look sees its effect. Its effect may take a
	// moment to show: brokers learn of it one by one.
	Apply(ctx context.Context, name string, s topic.Step) (Applied, error)

	// Validate asks the broker whether it would carry out the step (validateOnly), and changes nothing.
	Validate(ctx context.Context, name string, s topic.Step) error

	// Records counts what the topic's partitions hold between their first and last offset. Compacted and transactional
	// partitions may hold fewer; none holds any when it is 0.
	Records(ctx context.Context, name string) (int64, error)

	// Sizes returns the bytes that each replica of the topic has, by partition and broker. Brokers that do not answer are
	// left out; it fails when none does.
	Sizes(ctx context.Context, name string) (topic.Sizes, error)

	// Forget stops looking at a topic. Observe starts it again.
	Forget(name string)

	// Bump begins a new version, and returns it: Observe(After(it)) looks again.
	Bump() topic.Version

	// Info is what is known of the cluster as a whole. It never asks.
	Info() ClusterInfo

	Surveyor
	Principals
}

// Applied is the outcome of a step.
type Applied struct {
	// Version to observe after.
	Version topic.Version
	// ID of the topic that Create made.
	ID topic.ID
}

// Freshness says how new an observation must be.
type Freshness struct{ after topic.Version }

// Cached takes what the last look at the cluster saw, if it saw the topic.
func Cached() Freshness { return Freshness{} }

// After takes only what was asked for at this version or later.
func After(v topic.Version) Freshness { return Freshness{after: v} }

// Admits says whether an observation of version v is new enough.
func (f Freshness) Admits(v topic.Version) bool { return v >= f.after }

// ClusterInfo is what is known of a cluster as a whole.
type ClusterInfo struct {
	// ClusterID is the cluster's own identity.
	ClusterID string
	// KafkaVersion is guessed from the APIs that the brokers offer, for example "v4.3".
	KafkaVersion string
	// ControllerID is -1 when there is none.
	ControllerID int32
	Brokers      []Broker
	// Before28 says that a broker does not know DescribeCluster (KIP-700), which came with Kafka 2.8. KafkaVersion is a
	// guess, and nothing is decided by it.
	Before28 bool
	// Topics on the cluster, internal ones left out; -1 when not counted.
	Topics int
}

// Broker is one registered broker.
type Broker struct {
	topic.Broker
	Host string
	Port int32
}

// Cluster is the part of it that plans need.
func (i ClusterInfo) Cluster() topic.Cluster {
	var c topic.Cluster
	for _, b := range i.Brokers {
		c.Brokers = append(c.Brokers, b.Broker)
	}
	return c
}
