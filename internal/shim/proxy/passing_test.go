package proxy

import (
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
)

func TestConsumersAdminsAndTransactionsPassThrough(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	ctx := deadline(t)
	producer := b.client()
	for i := range 100 {
		producer.Produce(ctx, &kgo.Record{Topic: "orders", Value: fmt.Append(nil, i)}, nil)
	}
	if err := producer.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	tx := b.client(kgo.TransactionalID("tx"))
	if err := tx.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := tx.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("in a transaction")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := tx.EndTransaction(ctx, kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	consumer := b.client(kgo.ConsumerGroup("group"), kgo.ConsumeTopics("orders"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	got := 0
	for got < 101 {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		got += fetches.NumRecords()
	}
	if err := consumer.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
	create := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "made", 1, 1
	create.Topics = append(create.Topics, topic)
	if resp, err := create.RequestWith(ctx, producer); err != nil || resp.Topics[0].ErrorCode != 0 {
		t.Fatalf("%v %v", resp, err)
	}
	describe, err := kmsg.NewPtrDescribeClusterRequest().RequestWith(ctx, producer)
	if err != nil || len(describe.Brokers) != 3 {
		t.Fatalf("%v %v", describe, err)
	}
	for _, broker := range describe.Brokers {
		if slices.Contains(b.cluster.ListenAddrs(), fmt.Sprintf("%s:%d", broker.Host, broker.Port)) {
			t.Errorf("DescribeCluster names a real broker: %v", broker)
		}
	}
}

func TestAcksAreAsTheModeSays(t *testing.T) {
	for _, tt := range []struct {
		mode      contract.Mode
		acks      kgo.Acks
		guarantee contract.Guarantee
		onBroker  int16
		refused   bool
		why       string
	}{
		{contract.Audit, kgo.NoAck(), contract.AtLeastOnce, 0, false, "an audit changes nothing"},
		{contract.Audit, kgo.LeaderAck(), contract.AtLeastOnce, 1, false, "an audit changes nothing"},
		{contract.Audit, kgo.AllISRAcks(), contract.AtLeastOnce, -1, false, "it is strong enough"},
		{contract.Upgrade, kgo.NoAck(), contract.AtLeastOnce, -1, false, "acks=0 is weaker than all"},
		{contract.Upgrade, kgo.LeaderAck(), contract.AtLeastOnce, -1, false, "acks=1 is weaker than all"},
		{contract.Upgrade, kgo.AllISRAcks(), contract.AtLeastOnce, -1, false, "it is strong enough"},
		{contract.Upgrade, kgo.NoAck(), contract.Idempotent, -1, false, "idempotence needs acks=all too"},
		{contract.Upgrade, kgo.NoAck(), contract.AtMostOnce, 0, false, "the policy wants no more"},
		{contract.Reject, kgo.LeaderAck(), contract.AtLeastOnce, 0, true, "the policy refuses what is weaker"},
	} {
		t.Run(fmt.Sprintf("%s %s in mode %s", tt.guarantee, fmt.Sprint(tt.acks), tt.mode), func(t *testing.T) {
			b := start(t, tt.guarantee, tt.mode)
			ctx := deadline(t)
			seen := make(chan int16, 100)
			b.cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
				b.cluster.KeepControl()
				seen <- r.(*kmsg.ProduceRequest).Acks
				return nil, nil, false
			})
			client := b.client(append(weak(tt.acks), kgo.RecordRetries(1))...)
			err := client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr()
			if (err != nil) != tt.refused {
				t.Fatalf("%v: %s", err, tt.why)
			}
			if tt.refused {
				if len(seen) > 0 {
					t.Error("the broker got it")
				}
				return
			}
			if acks := <-seen; acks != tt.onBroker {
				t.Errorf("the broker saw acks=%d, want %d: %s", acks, tt.onBroker, tt.why)
			}
			eventually(t, "the record is there", func() bool { return slices.Equal(b.values("orders", 0), []string{"x"}) })
		})
	}
}

func TestAProducerWithoutIdempotenceGetsIt(t *testing.T) {
	for _, acks := range []kgo.Acks{kgo.NoAck(), kgo.LeaderAck(), kgo.AllISRAcks()} {
		t.Run(fmt.Sprint(acks), func(t *testing.T) {
			b := start(t, contract.Idempotent, contract.Upgrade)
			ctx := deadline(t)
			client := b.client(weak(acks)...)
			var want []string
			for i := range 500 {
				want = append(want, fmt.Sprint(i))
				client.Produce(ctx, &kgo.Record{Topic: "orders", Partition: 1, Value: []byte(want[i])}, nil)
				if i%10 == 0 {
					if err := client.Flush(ctx); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := client.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			eventually(t, "all records are there", func() bool { return len(b.values("orders", 1)) >= 500 })
			if got := b.values("orders", 1); !slices.Equal(got, want) {
				t.Errorf("got %d records, in another order or twice", len(got))
			}
			next := int32(0)
			batches := b.batches("orders", 1)
			for _, batch := range batches {
				if batch.ProducerID < 0 || batch.ProducerEpoch != 0 || batch.FirstSequence != next {
					t.Fatalf("producer %d epoch %d sequence %d, want sequence %d", batch.ProducerID, batch.ProducerEpoch, batch.FirstSequence, next)
				}
				next += batch.NumRecords
			}
			if len(batches) < 10 {
				t.Errorf("only %d batches: the test shows little", len(batches))
			}
		})
	}
}
