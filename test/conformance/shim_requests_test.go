//go:build conformance && kafka

package conformance

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/hack/localkafka/local"
	"mooring.dev/mooring/test/shim/rig"
)

// logRequests has every broker log each request that it answered, with its acks.
func logRequests(c *local.Cluster) error {
	admin, err := kgo.NewClient(kgo.SeedBrokers(c.State().Bootstrap.Plaintext...))
	if err != nil {
		return err
	}
	defer admin.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, n := range c.State().Nodes {
		if err := setLogger(ctx, admin, n.ID, "kafka.request.logger", "DEBUG"); err != nil {
			return fmt.Errorf("node %d: %w", n.ID, err)
		}
	}
	return nil
}

// produceLine finds acks, client and listener in the broker's line about a Produce.
var produceLine = regexp.MustCompile(`"requestApiKeyName":"PRODUCE".*"acks":(-?\d+)`)

// clientName finds who sent it.
var clientName = regexp.MustCompile(`"clientId":"([^"]*)"`)

// acksAtTheBrokers counts the Produce requests in the brokers' request logs by client ID and acks, from where each log was.
func acksAtTheBrokers(t *testing.T, c *local.Cluster, from map[int32]int64) map[string]map[string]int {
	t.Helper()
	counts := make(map[string]map[string]int)
	for _, n := range c.State().Nodes {
		f, err := os.Open(n.Log)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Seek(from[n.ID], 0); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			if m := produceLine.FindStringSubmatch(lines.Text()); m != nil {
				who := "(none)"
				if id := clientName.FindStringSubmatch(lines.Text()); id != nil {
					who = id[1]
				}
				if counts[who] == nil {
					counts[who] = make(map[string]int)
				}
				counts[who][m[1]]++
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return counts
}

func logSizes(t *testing.T, c *local.Cluster) map[int32]int64 {
	t.Helper()
	sizes := make(map[int32]int64)
	for _, n := range c.State().Nodes {
		info, err := os.Stat(n.Log)
		if err != nil {
			t.Fatal(err)
		}
		sizes[n.ID] = info.Size()
	}
	return sizes
}

// control shows that acks=1 would be seen: in the request logs of the brokers there is what a client without the shim does.
func control(t *testing.T, cluster *local.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := rig.MakeTopic(ctx, cluster.State().Bootstrap.Plaintext, 1, 3, "shim-control"); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.State().Bootstrap.Plaintext...), kgo.ClientID("control"), kgo.DefaultProduceTopic("shim-control"),
		kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, &kgo.Record{Value: []byte("weak")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	// The broker logs a request after it has answered.
	if err := rig.Until(ctx, 50*time.Millisecond, func() bool { return acksAtTheBrokers(t, cluster, nil)["control"]["1"] > 0 }); err != nil {
		t.Fatal("the brokers' request logs do not show the acks=1 of a client that goes to them directly")
	}
}

// setLogger sets the level of one of a broker's loggers, which only that broker can do.
func setLogger(ctx context.Context, admin *kgo.Client, node int32, logger, level string) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeBrokerLogger, fmt.Sprint(node)
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name, config.Value, config.Op = logger, &level, kmsg.IncrementalAlterConfigOpSet
	resource.Configs = append(resource.Configs, config)
	req.Resources = append(req.Resources, resource)
	raw, err := admin.Broker(int(node)).RetriableRequest(ctx, req)
	if err != nil {
		return err
	}
	for _, r := range raw.(*kmsg.IncrementalAlterConfigsResponse).Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}
