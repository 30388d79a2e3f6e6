package proxy

import (
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/wire"
)

func TestOnlyTheRefusedPartitionsOfARequestAreRefused(t *testing.T) {
	for _, version := range []int16{3, 7, 9, 12, 13} {
		b := start(t, contract.Idempotent, contract.Upgrade, func(c *contract.Contract, _ *Options) {
			c.Topics = &contract.Topics{Names: []string{"orders"}}
		})
		client := b.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
		ids := map[string][16]byte{"orders": b.topicID(client, "orders"), "other": b.topicID(client, "other")}
		leader := b.cluster.LeaderFor("orders", 0)
		req := kmsg.NewPtrProduceRequest()
		req.Version, req.Acks, req.TimeoutMillis = version, 1, 5000
		for _, name := range []string{"other", "orders"} {
			rt, rp := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
			if rt.Topic = name; version >= 13 {
				rt.Topic, rt.TopicID = "", ids[name]
			}
			rp.Records = oneRecord("x")
			rt.Partitions = []kmsg.ProduceRequestTopicPartition{rp}
			req.Topics = append(req.Topics, rt)
		}
		host, port, err := b.nodes.local(leader, "127.0.0.1", 1) // the address is known already, and stays
		_ = host
		if err != nil || port == 0 {
			t.Fatal(err)
		}
		resp := b.raw(leader, req).(*kmsg.ProduceResponse)
		codes := make(map[string]int16)
		for _, rt := range resp.Topics {
			name := rt.Topic
			switch rt.TopicID {
			case ids["orders"]:
				name = "orders"
			case ids["other"]:
				name = "other"
			}
			codes[name] = rt.Partitions[0].ErrorCode
		}
		if codes["orders"] != 0 || codes["other"] != kerr.TopicAuthorizationFailed.Code || len(codes) != 2 {
			t.Errorf("version %d: %v", version, codes)
		}
		if batches := b.batches("orders", 0); len(batches) != 1 || batches[0].ProducerID < 0 {
			t.Errorf("version %d: %d batches", version, len(batches))
		}
	}
}

// raw sends a request to a node's local address, and reads the answer.
func (b *bench) raw(node int32, req kmsg.Request) kmsg.Response {
	b.t.Helper()
	address := b.address
	if node != bootstrapNode {
		b.nodes.mu.Lock()
		k := b.nodes.known[node]
		address = net.JoinHostPort(k.host, itoa(k.port))
		k.real = b.realOf(node)
		b.nodes.mu.Unlock()
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(wire.AppendRequest(nil, 5, []byte("raw"), req)); err != nil {
		b.t.Fatal(err)
	}
	r := wire.NewReader(conn, 1<<20)
	return readAnswer(b.t, r, req)
}

func TestTheAuditViewNamesWhatAClientDoes(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	client := b.client(append(weak(kgo.NoAck()), kgo.ClientID("app@host (github.com/segmentio/kafka-go)"), kgo.SoftwareNameAndVersion("some-library", "1.2.3"))...)
	if err := client.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the record is acknowledged", func() bool { return b.book.Acknowledged() == 1 })
	view, _ := json.Marshal(b.book.Clients())
	for _, want := range []string{`"clientId":"app@host (github.com/segmentio/kafka-go)"`, `"library":"some-library"`, `"libraryVersion":"1.2.3"`, `"acks":{"0":1}`, `"plain":1`, `"acksUpgraded":1`, `"batchesMadeIdempotent":1`, "acks=0"} {
		if !strings.Contains(string(view), want) {
			t.Errorf("no %s in %s", want, view)
		}
	}
}

func TestAReloadReachesOpenConnections(t *testing.T) {
	b := start(t, contract.AtLeastOnce, contract.Audit)
	client := b.client(append(weak(kgo.LeaderAck()), kgo.RecordRetries(0))...)
	produce := func() error {
		return client.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr()
	}
	if err := produce(); err != nil {
		t.Fatal(err)
	}
	before := b.book.Clients()[0].Seen.Connections
	c := b.Contract()
	c.Enforcement.Mode = contract.Reject
	b.Reload(c)
	if err := produce(); !errors.Is(err, kerr.PolicyViolation) {
		t.Errorf("%v, want POLICY_VIOLATION", err)
	}
	if after := b.book.Clients()[0].Seen.Connections; after != before {
		t.Errorf("it took a new connection")
	}
}

func TestTooLargeRequestsAndCodecsAreRefusedWithKafkasCodes(t *testing.T) {
	b := start(t, contract.AtLeastOnce, contract.Upgrade, func(c *contract.Contract, _ *Options) {
		c.Limits.MaxRequestSize, c.Limits.Compression = 10_000, []string{"none"}
	})
	plain := b.client(append(weak(kgo.AllISRAcks()), kgo.ProducerBatchCompression(kgo.NoCompression()))...)
	if err := plain.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: make([]byte, 20_000)}).FirstErr(); !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("%v, want MESSAGE_TOO_LARGE", err)
	}
	gzip := b.client(append(weak(kgo.AllISRAcks()), kgo.ProducerBatchCompression(kgo.GzipCompression()))...)
	if err := gzip.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: make([]byte, 5000)}).FirstErr(); !errors.Is(err, kerr.PolicyViolation) {
		t.Errorf("%v, want POLICY_VIOLATION", err)
	}
	if err := plain.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: make([]byte, 5000)}).FirstErr(); err != nil {
		t.Errorf("what is allowed: %v", err)
	}
}
