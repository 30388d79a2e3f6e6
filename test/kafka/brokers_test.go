//go:build kafka

package kafka

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/hack/localkafka/local"
)

// Brokers are the Kafka cluster under the specs, and an independent client of it: what the operator did is never read
// back through the operator's own code.
type Brokers struct {
	// local is nil for a cluster of somebody else's (KAFKA_BOOTSTRAP_SERVERS), which is not ours to kill.
	local *local.Cluster
	dir   string
	seeds []string
	kgo   *kgo.Client
	admin *kadm.Client
}

// StartBrokers brings three brokers up with the authorizer on, or uses those of KAFKA_BOOTSTRAP_SERVERS.
func StartBrokers(ctx context.Context) *Brokers {
	if servers := os.Getenv("KAFKA_BOOTSTRAP_SERVERS"); servers != "" {
		say("using the Kafka cluster of KAFKA_BOOTSTRAP_SERVERS: %s", servers)
		return connect(&Brokers{seeds: strings.Split(servers, ",")})
	}
	return StartLocalBrokers(ctx, "kafka", local.Settings{Authorizer: true})
}

// StartLocalBrokers brings a cluster of our own up.
func StartLocalBrokers(ctx context.Context, name string, settings local.Settings) *Brokers {
	dir, err := os.MkdirTemp("", "mooring-test-")
	Expect(err).NotTo(HaveOccurred())
	cluster, err := local.Up(ctx, local.Config{
		Dir: filepath.Join(dir, name), Settings: settings, Timeout: 5 * time.Minute,
		Progress: func(line string) { say("%s: %s", name, line) },
	})
	Expect(err).NotTo(HaveOccurred())
	return connect(&Brokers{local: cluster, dir: dir, seeds: cluster.State().Bootstrap.Plaintext})
}

func connect(b *Brokers) *Brokers {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(b.seeds...), kgo.ClientID("mooring-test"), kgo.RetryTimeout(10*time.Second), kgo.MetadataMinAge(10*time.Millisecond),
	)
	Expect(err).NotTo(HaveOccurred())
	b.kgo, b.admin = client, kadm.NewClient(client)
	return b
}

// Stop ends the brokers that we started, and nothing else.
func (b *Brokers) Stop(ctx context.Context) {
	b.kgo.Close()
	if b.local == nil {
		return
	}
	Expect(b.local.Down(ctx)).To(Succeed())
	Expect(os.RemoveAll(b.dir)).To(Succeed())
}

// Describe names the parts for the summary.
func (b *Brokers) Describe() string {
	if b.local == nil {
		return "the Kafka cluster of KAFKA_BOOTSTRAP_SERVERS"
	}
	s := b.local.State()
	return fmt.Sprintf("Apache Kafka %s (%d brokers)", s.KafkaVersion, len(s.Nodes))
}

// State is that of the cluster we started. A spec that calls it needs brokers of our own: see needsOwnBrokers.
func (b *Brokers) State() local.State { return b.local.State() }

// Replicas is the replication factor that the specs use: three, or as many as there are.
func (b *Brokers) Replicas(ctx context.Context) int32 {
	meta, err := b.admin.BrokerMetadata(ctx)
	Expect(err).NotTo(HaveOccurred())
	return int32(min(3, len(meta.Brokers)))
}

// needsOwnBrokers skips a spec, and says so in the summary, when the cluster is somebody else's.
func needsOwnBrokers(why string) {
	if brokers.local == nil {
		Skip("not on a cluster of KAFKA_BOOTSTRAP_SERVERS: " + why)
	}
}

// Leader is the node that leads the KRaft quorum: the worst one to lose.
func (b *Brokers) Leader(ctx context.Context) int32 {
	req := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic = "__cluster_metadata"
	topic.Partitions = []kmsg.DescribeQuorumRequestTopicPartition{kmsg.NewDescribeQuorumRequestTopicPartition()}
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, b.kgo)
	Expect(err).NotTo(HaveOccurred())
	Expect(resp.ErrorCode).To(BeZero())
	return resp.Topics[0].Partitions[0].LeaderID
}

// Nodes are the ids of all nodes.
func (b *Brokers) Nodes() []int32 {
	var ids []int32
	for _, n := range b.State().Nodes {
		ids = append(ids, n.ID)
	}
	return ids
}

// Kill ends nodes with SIGKILL.
func (b *Brokers) Kill(ctx context.Context, ids ...int32) {
	phase("kill -9 of nodes %v", ids)
	for _, id := range ids {
		Expect(b.local.Kill(ctx, id)).To(Succeed())
	}
}

// Restore starts and resumes whatever was killed or paused, all at once, and waits until it is back.
func (b *Brokers) Restore(ctx context.Context) {
	statuses, err := b.local.Status()
	Expect(err).NotTo(HaveOccurred())
	for _, n := range statuses {
		switch n.Phase {
		case local.NodePaused:
			phase("resuming node %d", n.ID)
			Expect(b.local.Resume(ctx, n.ID)).To(Succeed())
		case local.NodeStopped:
			phase("starting node %d", n.ID)
			b.launch(ctx, n.ID)
		}
	}
	Expect(b.local.WaitReady(ctx)).To(Succeed())
}

// launch starts a node without waiting until it is ready: Start waits for one node at a time, and they come back sooner
// together.
func (b *Brokers) launch(ctx context.Context, id int32) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err := b.local.Start(ctx, id)
	if err != nil && ctx.Err() == nil {
		Fail(err.Error())
	}
}

// Pause freezes nodes with SIGSTOP.
func (b *Brokers) Pause(ctx context.Context, ids ...int32) {
	phase("SIGSTOP of nodes %v", ids)
	for _, id := range ids {
		Expect(b.local.Pause(ctx, id)).To(Succeed())
	}
}
