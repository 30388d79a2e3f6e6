package proxy

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
)

// failing answers the first so many Produce requests with an error, without writing anything.
func (b *bench) failing(code int16, times int32) *atomic.Int32 {
	var seen atomic.Int32
	b.cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		if seen.Add(1) > times {
			return nil, nil, false
		}
		return refusal(r.(*kmsg.ProduceRequest), code), nil, true
	})
	return &seen
}

// refusal of every partition of a request.
func refusal(req *kmsg.ProduceRequest, code int16) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode, rp.BaseOffset = p.Partition, code, -1
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func TestAPassingErrorNeverReachesTheClient(t *testing.T) {
	for _, err := range []*kerr.Error{kerr.NotEnoughReplicas, kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.KafkaStorageError, kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID} {
		t.Run(err.Message, func(t *testing.T) {
			b := start(t, contract.Idempotent, contract.Upgrade)
			seen := b.failing(err.Code, 2)
			client := b.client(append(weak(kgo.LeaderAck()), kgo.RecordRetries(0))...)
			for i := range 3 {
				if err := client.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: fmt.Append(nil, i)}).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			if got := b.values("orders", 0); !slices.Equal(got, []string{"0", "1", "2"}) {
				t.Errorf("%v", got)
			}
			if seen.Load() < 5 {
				t.Error("nothing was sent again")
			}
		})
	}
}

func TestAfterARefusalTheLaneGoesOnInTheNextEpoch(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	client := b.client(append(weak(kgo.AllISRAcks()), kgo.RecordRetries(0))...)
	produce := func(value string) error {
		return client.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte(value)}).FirstErr()
	}
	if err := produce("a"); err != nil {
		t.Fatal(err)
	}
	b.failing(kerr.InvalidRecord.Code, 1)
	if err := produce("refused"); err == nil {
		t.Fatal("the broker refused it")
	}
	if err := produce("b"); err != nil {
		t.Fatal(err)
	}
	batches := b.batches("orders", 0)
	if len(batches) != 2 || batches[1].ProducerEpoch != 1 || batches[1].FirstSequence != 0 || batches[1].ProducerID != batches[0].ProducerID {
		t.Errorf("%+v", batches)
	}
}

func TestWithoutAProducerIDTheContractDecides(t *testing.T) {
	for _, tt := range []struct {
		unsupported contract.Unsupported
		wrong       bool
	}{{contract.UnsupportedCount, false}, {contract.UnsupportedReject, true}} {
		b := start(t, contract.Idempotent, contract.Upgrade, func(c *contract.Contract, _ *Options) { c.Enforcement.Unsupported = tt.unsupported })
		b.cluster.ControlKey(int16(kmsg.InitProducerID), func(r kmsg.Request) (kmsg.Response, error, bool) {
			b.cluster.KeepControl()
			resp := r.ResponseKind().(*kmsg.InitProducerIDResponse)
			resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
			return resp, nil, true
		})
		client := b.client(append(weak(kgo.LeaderAck()), kgo.RecordRetries(0))...)
		err := client.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr()
		if (err != nil) != tt.wrong {
			t.Errorf("%s: %v", tt.unsupported, err)
		}
	}
}

func TestProducerIDsAreUsedAgain(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	ids := make(map[int64]bool)
	for i := range 5 {
		client := b.client(weak(kgo.LeaderAck())...)
		if err := client.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: fmt.Append(nil, i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		client.Close()
		eventually(t, "the connections are gone", func() bool { return b.book.Connections.Load() == 0 })
	}
	for _, batch := range b.batches("orders", 0) {
		ids[batch.ProducerID] = true
	}
	if len(ids) != 1 {
		t.Errorf("five connections, one after the other, took %d producer IDs", len(ids))
	}
}

func TestADeletedTopicDoesNotHoldTheClientForLong(t *testing.T) {
	for code, at := range map[int16]time.Duration{kerr.UnknownTopicOrPartition.Code: 6 * time.Second, kerr.UnknownTopicID.Code: 6 * time.Second, kerr.InvalidRecord.Code: 0} {
		if !hopeless(code, time.Now().Add(-at)) {
			t.Errorf("code %d after %v is sent again", code, at)
		}
	}
	for _, code := range []int16{0, kerr.UnknownTopicOrPartition.Code, kerr.NotLeaderForPartition.Code, kerr.LeaderNotAvailable.Code} {
		if hopeless(code, time.Now()) {
			t.Errorf("code %d is given up at once", code)
		}
	}
}
