// Package kafkatest holds what tests of the Kafka layer share: a fake cluster (kfake) with recipes for its faults, a counter of
// requests, and the suite that every kafka.Admin passes, on kfake and on Apache Kafka.
package kafkatest

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
)

// Cluster is a fake cluster on a network of its own, without sockets: it works in synctest bubbles.
type Cluster struct {
	*kfake.Cluster
	network *kfake.VirtualNetwork
}

// Start starts a fake cluster of three brokers that creates no topic by itself. It ends with the test. In a synctest bubble
// it has to be called in the bubble.
func Start(t testing.TB, opts ...kfake.Opt) *Cluster {
	t.Helper()
	network := new(kfake.VirtualNetwork)
	// The virtual network has no free ports to choose, so they are given.
	all := []kfake.Opt{kfake.ListenFn(network.Listen), kfake.NumBrokers(3), kfake.Ports(19091, 19092, 19093), kfake.ClusterID("kfake-one")}
	c, err := kfake.NewCluster(append(all, opts...)...)
	if err != nil {
		t.Fatalf("start kfake: %v", err)
	}
	t.Cleanup(c.Close)
	return &Cluster{Cluster: c, network: network}
}

// Settings reach the cluster, in plaintext.
func (c *Cluster) Settings() kafka.Settings {
	return kafka.Settings{BootstrapServers: c.ListenAddrs()}
}

// Options that a client needs to reach the cluster.
func (c *Cluster) Options() []kgo.Opt { return []kgo.Opt{kgo.Dialer(c.network.DialContext)} }

// Admin is a new Admin on a client of its own, closed with the test.
func (c *Cluster) Admin(t testing.TB, hooks ...kgo.Hook) *franz.Admin {
	t.Helper()
	client, err := franz.NewClient(c.Settings(), append(c.Options(), kgo.WithHooks(hooks...))...)
	if err != nil {
		t.Fatalf("client: %v", err)
	}
	a := franz.New(client, nil)
	t.Cleanup(a.Close)
	return a
}

// Client is a plain client, closed with the test.
func (c *Cluster) Client(t testing.TB) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(c.Options(), kgo.SeedBrokers(c.ListenAddrs()...))...)
	if err != nil {
		t.Fatalf("client: %v", err)
	}
	t.Cleanup(client.Close)
	return client
}

// Deny answers requests of this kind for one topic with TOPIC_AUTHORIZATION_FAILED, until the handle is removed.
func (c *Cluster) Deny(key kmsg.Key, topic string) *kfake.FaultHandle {
	return c.FailTopic(key, topic, kerr.TopicAuthorizationFailed, -1)
}

// FailTopic answers so many requests of this kind for one topic with err; -1 is all of them. A topic is a resource to the
// requests about configuration.
func (c *Cluster) FailTopic(key kmsg.Key, topic string, err *kerr.Error, count int) *kfake.FaultHandle {
	f := kfake.Fault{Keys: []kmsg.Key{key}, Err: err, Count: count}
	switch key {
	case kmsg.DescribeConfigs, kmsg.IncrementalAlterConfigs:
		f.Resource = topic
	default:
		f.Topic = topic
	}
	return c.Fault(f)
}

// FailAll answers so many requests of this kind with err for every topic in them.
func (c *Cluster) FailAll(key kmsg.Key, err *kerr.Error, count int) *kfake.FaultHandle {
	return c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: err, Count: count})
}

// Delay makes every request of this kind take so long.
func (c *Cluster) Delay(key kmsg.Key, d time.Duration) {
	c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { <-time.After(d) })
		return nil, nil, false
	})
}

// Throttle answers one CreateTopics with THROTTLING_QUOTA_EXCEEDED for every topic, and the time to wait (KIP-599).
func (c *Cluster) Throttle(millis int32) {
	c.ControlKey(int16(kmsg.CreateTopics), func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.CreateTopicsRequest)
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		resp.ThrottleMillis = millis
		for _, t := range req.Topics {
			answer := kmsg.NewCreateTopicsResponseTopic()
			answer.Topic, answer.ErrorCode = t.Topic, kerr.ThrottlingQuotaExceeded.Code
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
}

// LimitPartitions makes the cluster refuse a CreateTopics of more partitions than that as a whole, every topic with
// POLICY_VIOLATION, as KRaft does above 10,000.
func (c *Cluster) LimitPartitions(limit int32) {
	c.ControlKey(int16(kmsg.CreateTopics), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.CreateTopicsRequest)
		var total int32
		for _, t := range req.Topics {
			total += t.NumPartitions
		}
		if total <= limit {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		for _, t := range req.Topics {
			answer := kmsg.NewCreateTopicsResponseTopic()
			answer.Topic, answer.ErrorCode = t.Topic, kerr.PolicyViolation.Code
			answer.ErrorMessage = new("Excessively large number of partitions per request.")
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
}
