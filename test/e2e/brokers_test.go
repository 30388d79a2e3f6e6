//go:build e2e

package e2e

import (
	"context"
	"path/filepath"
	"time"

	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/hack/localkafka/local"
)

// Brokers are three Apache Kafka brokers on this machine, at the address by which pods reach it, and a client of them that is
// none of Mooring's code.
type Brokers struct {
	*local.Cluster
	Seeds []string
	Admin *kadm.Client
	Kgo   *kgo.Client
}

// StartBrokers starts them beside the node, and prints the steps.
func StartBrokers(ctx context.Context) *Brokers {
	cluster, err := local.Up(ctx, local.Config{
		Dir: filepath.Join(dir, "kafka"), Timeout: 5 * time.Minute,
		Settings: local.Settings{Address: node.HostAddress, Heap: "384m"},
		Progress: func(line string) { say("kafka: %s", line) },
	})
	Expect(err).NotTo(HaveOccurred())
	seeds := cluster.State().Bootstrap.Plaintext
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...), kgo.ClientID("mooring-e2e"))
	Expect(err).NotTo(HaveOccurred())
	return &Brokers{Cluster: cluster, Seeds: seeds, Admin: kadm.NewClient(client), Kgo: client}
}

// Stop ends the brokers and removes their data.
func (b *Brokers) Stop(ctx context.Context) {
	b.Kgo.Close()
	Expect(b.Down(ctx)).To(Succeed())
}
