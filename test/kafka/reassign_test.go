//go:build kafka

package kafka

import (
	"bytes"
	"context"
	"strconv"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

var _ = Describe("The replication factor of a topic with records and a producer that goes on writing", func() {
	BeforeEach(func() {
		needsOwnBrokers("they are not ours to kill")
		DeferCleanup(brokers.Restore, NodeTimeout(4*time.Minute))
	})

	It("goes from 1 to 3, with the operator killed in the middle", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.moving(ctx, 1)
		w := s.write(ctx, t.Name)
		ExpectSpecChanged(ctx, t, replicas(3))
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonReassigning)
		s.brokers.ExpectThrottled(ctx, t.Name)
		operator.Restart(ctx)
		ExpectTopicReady(ctx, t)
		w.ExpectNothingLost(ctx)
		s.brokers.ExpectOnBrokers(ctx, t.Name, 6, 3)
		s.brokers.ExpectRacksSpread(ctx, t.Name)
		s.brokers.ExpectNoThrottle(ctx, t.Name)
	}, NodeTimeout(6*time.Minute))

	It("goes from 3 to 2 and back to 3, with a broker killed in the middle", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.moving(ctx, 3)
		w := s.write(ctx, t.Name)
		ExpectSpecChanged(ctx, t, replicas(2))
		ExpectTopicReady(ctx, t)
		s.brokers.ExpectOnBrokers(ctx, t.Name, 6, 2)

		ExpectSpecChanged(ctx, t, replicas(3))
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonReassigning)
		ExpectBytesRemaining(ctx, t)
		s.brokers.Kill(ctx, s.brokers.Nodes()[2])
		s.brokers.Restore(ctx)
		ExpectTopicReady(ctx, t)
		w.ExpectNothingLost(ctx)
		s.brokers.ExpectOnBrokers(ctx, t.Name, 6, 3)
		s.brokers.ExpectNoThrottle(ctx, t.Name)
	}, NodeTimeout(8*time.Minute))

	It("goes to 1 only when the manifest says that it is meant", func(ctx SpecContext) {
		s := NewScene()
		ExpectClusterReady(ctx, s.Cluster(ctx))
		t := s.moving(ctx, 3)
		ExpectSpecChanged(ctx, t, replicas(1))
		ExpectTopicNotReady(ctx, t, v1alpha1.ReasonAcknowledgeRequired, "ReplicationFactorOne")
		s.brokers.ExpectOnBrokers(ctx, t.Name, 6, 3)
		ExpectSpecChanged(ctx, t, func(spec *v1alpha1.KafkaTopicSpec) {
			spec.Acknowledge = []v1alpha1.DangerousChange{v1alpha1.ReplicationFactorOne}
		})
		ExpectTopicReady(ctx, t)
		s.brokers.ExpectOnBrokers(ctx, t.Name, 6, 1)
	}, NodeTimeout(4*time.Minute))
})

// ExpectBytesRemaining waits for a status that says how much is left to copy. The topic's 6 partitions hold 1 MiB and more.
func ExpectBytesRemaining(ctx context.Context, t *v1alpha1.KafkaTopic) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		g.Expect(kube.Get(ctx, client.ObjectKeyFromObject(t), t)).To(Succeed())
		g.Expect(t.Status.Reassignment).NotTo(BeNil())
		g.Expect(t.Status.Reassignment.BytesRemaining).To(HaveValue(BeNumerically(">", 64<<10)))
	}).Should(Succeed())
}

func replicas(n int32) func(*v1alpha1.KafkaTopicSpec) {
	return func(spec *v1alpha1.KafkaTopicSpec) { spec.ReplicationFactor = new(n) }
}

// moving is a topic with records, whose moves are slow enough to be met in the middle.
func (s *Scene) moving(ctx context.Context, n int32) *v1alpha1.KafkaTopic {
	t := s.Topic(ctx, "moving", replicas(n), func(spec *v1alpha1.KafkaTopicSpec) {
		spec.Partitions = new(int32(6))
		spec.Reassignment = v1alpha1.ReassignmentSpec{BytesPerSecond: new(resource.MustParse("1Mi")), PartitionsAtOnce: new(int32(2))}
	})
	ExpectCreated(ctx, t)
	ExpectTopicReady(ctx, t)
	filler := bytes.Repeat([]byte("x"), 256<<10)
	var records []*kgo.Record
	for i := range 48 {
		records = append(records, &kgo.Record{Topic: t.Name, Partition: int32(i % 6), Value: filler})
	}
	c := s.brokers.producer()
	defer c.Close()
	Expect(c.ProduceSync(ctx, records...).FirstErr()).To(Succeed())
	return t
}

func (b *Brokers) producer() *kgo.Client {
	c, err := kgo.NewClient(kgo.SeedBrokers(b.seeds...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	Expect(err).NotTo(HaveOccurred())
	return c
}

// writer writes numbered records until it is stopped, and remembers which were acknowledged.
type writer struct {
	brokers      *Brokers
	topic        string
	client       *kgo.Client
	stop         chan struct{}
	ended        chan struct{}
	acknowledged atomic.Int64
}

func (s *Scene) write(ctx context.Context, name string) *writer {
	w := &writer{brokers: s.brokers, topic: name, client: s.brokers.producer(), stop: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-w.stop:
				return
			case <-tick.C:
			}
			record := &kgo.Record{Topic: name, Partition: int32(i % 6), Key: []byte("numbered"), Value: []byte(strconv.Itoa(i))}
			if w.client.ProduceSync(ctx, record).FirstErr() == nil {
				w.acknowledged.Add(1)
			}
		}
	}()
	return w
}

// ExpectNothingLost ends the writer and finds every record that was acknowledged, once.
func (w *writer) ExpectNothingLost(ctx context.Context) {
	close(w.stop)
	Eventually(ctx, w.ended).Should(BeClosed())
	w.client.Close()
	ends, err := w.brokers.admin.ListEndOffsets(ctx, w.topic)
	Expect(err).NotTo(HaveOccurred())
	Expect(ends.Error()).To(Succeed())
	var total int64
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	reader, err := kgo.NewClient(kgo.SeedBrokers(w.brokers.seeds...), kgo.ConsumeTopics(w.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	Expect(err).NotTo(HaveOccurred())
	defer reader.Close()
	seen := make(map[string]int)
	for read := int64(0); read < total; {
		fetches := reader.PollFetches(ctx)
		Expect(fetches.Err()).NotTo(HaveOccurred())
		fetches.EachRecord(func(r *kgo.Record) {
			read++
			if r.Key != nil {
				seen[string(r.Value)]++
			}
		})
	}
	phase("%d records were acknowledged during the moves, %d are there", w.acknowledged.Load(), len(seen))
	Expect(w.acknowledged.Load()).To(BeNumerically(">", 0), "nothing was written, so nothing was proven")
	Expect(int64(len(seen))).To(BeNumerically(">=", w.acknowledged.Load()), "acknowledged records are lost")
	for value, times := range seen {
		Expect(times).To(Equal(1), "record %s", value)
	}
}

var rateKeys = []string{topic.KeyThrottledLeaderRate, topic.KeyThrottledFollowerRate}

// ExpectThrottled waits until the topic and some broker carry a throttle.
func (b *Brokers) ExpectThrottled(ctx context.Context, name string) {
	Eventually(ctx, func(g Gomega) {
		_, configs := b.look(ctx, g, name)
		followers := configs[topic.KeyThrottledFollowerReplicas]
		g.Expect(followers.MaybeValue()).NotTo(BeEmpty())
		g.Expect(b.rates(ctx, g)).NotTo(BeEmpty())
	}).Should(Succeed())
}

// ExpectNoThrottle finds that the throttle is gone from the topic and from every broker.
func (b *Brokers) ExpectNoThrottle(ctx context.Context, name string) {
	b.ExpectNotSet(ctx, name, topic.KeyThrottledLeaderReplicas)
	b.ExpectNotSet(ctx, name, topic.KeyThrottledFollowerReplicas)
	Eventually(ctx, func(g Gomega) { g.Expect(b.rates(ctx, g)).To(BeEmpty()) }).Should(Succeed(), "a broker is still throttled")
}

// rates are the throttle rates that are set on brokers.
func (b *Brokers) rates(ctx context.Context, g Gomega) []string {
	resources, err := b.admin.DescribeBrokerConfigs(ctx, b.Nodes()...)
	g.Expect(err).NotTo(HaveOccurred())
	var set []string
	for _, r := range resources {
		g.Expect(r.Err).NotTo(HaveOccurred())
		for _, c := range r.Configs {
			if (c.Key == rateKeys[0] || c.Key == rateKeys[1]) && c.MaybeValue() != "" && c.Source.String() == "DYNAMIC_BROKER_CONFIG" {
				set = append(set, r.Name+": "+c.Key+"="+c.MaybeValue())
			}
		}
	}
	return set
}

// ExpectRacksSpread finds no two replicas of a partition in one rack: there are as many racks as replicas.
func (b *Brokers) ExpectRacksSpread(ctx context.Context, name string) {
	metadata, err := b.admin.Metadata(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	rackOf := make(map[int32]string)
	for _, broker := range metadata.Brokers {
		rackOf[broker.NodeID] = *broker.Rack
	}
	for _, p := range metadata.Topics[name].Partitions {
		racks := make(map[string]bool)
		for _, id := range p.Replicas {
			racks[rackOf[id]] = true
		}
		Expect(racks).To(HaveLen(len(p.Replicas)), "partition %d", p.Partition)
	}
}
