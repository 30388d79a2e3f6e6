package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/contract"
)

const clusterID = "test-cluster"

// bench is a gateway before a fake cluster of three brokers, with the topic orders of three partitions.
type bench struct {
	*Gateway
	t       testing.TB
	cluster *kfake.Cluster
	url     string
	address string
}

func policyFor(addresses []string) contract.Contract {
	return contract.Contract{
		Version: contract.Version, Profile: contract.Profile{Namespace: "shop", Name: "orders"},
		Cluster:     contract.Cluster{Name: "test", ID: clusterID, BootstrapServers: addresses},
		Guarantee:   contract.Idempotent,
		Enforcement: contract.Enforcement{Mode: contract.Upgrade, Acks: -1, Idempotence: true, Unsupported: contract.UnsupportedCount},
		Limits:      contract.Limits{MaxInFlight: 5},
		Timing:      contract.Timing{DeliveryTimeout: 10000, Drain: 5000},
		Topics:      &contract.Topics{Names: []string{"orders", "nowhere"}, Prefixes: []string{"shop."}},
	}
}

func connect(c contract.Contract) ([]kgo.Opt, error) {
	return []kgo.Opt{kgo.SeedBrokers(c.Cluster.BootstrapServers...)}, nil
}

func start(t testing.TB, change ...func(*contract.Contract)) *bench {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(3, "orders"), kfake.ClusterID(clusterID), kfake.SleepOutOfOrder())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	c := policyFor(cluster.ListenAddrs())
	for _, f := range change {
		f(&c)
	}
	g, err := New(c, connect)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, g, cluster)
}

func serve(t testing.TB, g *Gateway, cluster *kfake.Cluster) *bench {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- g.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what a test has left is cut
		g.Drain(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return &bench{Gateway: g, t: t, cluster: cluster, url: "http://" + l.Addr().String(), address: l.Addr().String()}
}

// reply to a request.
type reply struct {
	status int
	header http.Header
	body   string
}

// do a request. Headers are pairs.
func (b *bench) do(method, path, body string, headers ...string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.checkDescribed(method, path, resp.StatusCode)
	return reply{resp.StatusCode, resp.Header, string(data)}
}

func (b *bench) expect(got reply, status int, contains ...string) {
	b.t.Helper()
	if got.status != status {
		b.t.Errorf("status %d, want %d: %s", got.status, status, got.body)
	}
	for _, want := range contains {
		if !strings.Contains(got.body, want) {
			b.t.Errorf("the body %s does not contain %s", got.body, want)
		}
	}
}

// written are all records of orders, by partition and offset. Aborted ones are not among them.
func (b *bench) written() []*kgo.Record {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.ConsumeTopics("orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, "orders")
	if err != nil {
		b.t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var all []*kgo.Record
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			b.t.Fatalf("%d records came, and then: %v", len(all), err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if !r.Attrs.IsControl() {
				all = append(all, r)
			}
		})
	}
	slices.SortFunc(all, func(x, y *kgo.Record) int {
		if x.Partition != y.Partition {
			return int(x.Partition - y.Partition)
		}
		return int(x.Offset - y.Offset)
	})
	return all
}

// values of the records, as texts, sorted.
func (b *bench) values() []string {
	b.t.Helper()
	var out []string
	for _, r := range b.written() {
		out = append(out, string(r.Value))
	}
	slices.Sort(out)
	return out
}
