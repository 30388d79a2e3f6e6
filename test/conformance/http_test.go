//go:build conformance && kafka

package conformance

import (
	"context"
	"embed"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/hack/localkafka/local"
	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/test/shim/rig"
)

//go:embed http
var httpSources embed.FS

// freeAddress is one of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// httpShim is a mooring-shim with an HTTP listener before three brokers.
type httpShim struct {
	cluster *local.Cluster
	admin   *kadm.Client
	url, up string
	// registry of schemas, "" for none.
	registry string
}

// topic of three partitions.
func (h httpShim) topic(t *testing.T, name string) string {
	t.Helper()
	topic := fmt.Sprintf("http-%s-%s", h.up, name)
	if err := rig.MakeTopic(t.Context(), h.cluster.State().Bootstrap.Plaintext, 3, 3, topic); err != nil {
		t.Fatal(err)
	}
	return topic
}

// What writes over HTTP writes what it says, in each dialect, whatever is between the shim and the brokers: scripts of curl, the
// commands of the documentation, and clients that were written for Confluent's and Strimzi's servers.
func TestHTTP(t *testing.T) {
	program, err := rig.BuildShim(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cluster := shimBrokers(t)
	admin, err := kadm.NewOptClient(kgo.SeedBrokers(cluster.State().Bootstrap.Plaintext...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for _, up := range upstreams {
		t.Run(up.name, func(t *testing.T) {
			c := rig.Contract([]string{"later:1"}, contract.Idempotent, contract.Upgrade)
			up.adjust(t, cluster.State(), &c)
			c.Listeners.HTTP = freeAddress(t)
			shim, err := rig.StartShim(t.Context(), program, t.TempDir(), c)
			if err != nil {
				t.Fatal(err)
			}
			defer shim.Kill()
			h := httpShim{cluster: cluster, admin: admin, url: "http://" + c.Listeners.HTTP, up: up.name}
			begin := time.Now()
			records, asked := h.runScripts(t), 0
			clients := h.runClients(t, &asked)
			pending, err := shim.Metric(t.Context(), "mooring_shim_http_pending_records")
			if err != nil || pending != 0 {
				t.Errorf("%v records are pending after all were answered: %v", pending, err)
			}
			message, err := shim.Stop(t.Context())
			if want := fmt.Sprintf("http acknowledged=%d flushed=0 failed=", records+clients); err != nil || !strings.Contains(message, want) || !strings.Contains(message, "lost=0") {
				t.Errorf("the shim's last words are %q (%v), and not %q", message, err, want)
			}
			say("conformance http, %s: %d scripts wrote %d records, %d of %d clients wrote %d; %.1f s", up.name, len(httpScripts)+1, records, asked, len(httpClients), clients, time.Since(begin).Seconds())
		})
	}
}

// shapes are a topic's records as Sarama reads them, in order of the texts. What reads is another library than what wrote.
func (h httpShim) shapes(t *testing.T, topic string) (all []string) {
	t.Helper()
	for _, m := range h.read(t, topic) {
		shape := textOf(m.Key) + " = " + textOf(m.Value)
		for _, r := range m.Headers {
			shape += fmt.Sprintf(" %s:%s", r.Key, textOf(r.Value))
		}
		all = append(all, shape)
	}
	slices.Sort(all)
	return all
}

func (h httpShim) read(t *testing.T, topic string) (all []*sarama.ConsumerMessage) {
	t.Helper()
	ends, err := h.admin.ListEndOffsets(t.Context(), topic)
	if err != nil || ends.Error() != nil {
		t.Fatal(err, ends.Error())
	}
	consumer, err := sarama.NewConsumer(h.cluster.State().Bootstrap.Plaintext, sarama.NewConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for partition, end := range ends[topic] {
		if end.Offset == 0 {
			continue
		}
		from, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
		if err != nil {
			t.Fatal(err)
		}
		for last := int64(-1); last < end.Offset-1; {
			select {
			case m := <-from.Messages():
				all, last = append(all, m), m.Offset
			case <-ctx.Done():
				t.Fatalf("%s: %d records came of partition %d, which ends at %d", topic, len(all), partition, end.Offset)
			}
		}
		from.Close() //nolint:errcheck // all was read
	}
	return all
}

func textOf(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

func (h httpShim) expect(t *testing.T, topic string, want []string) {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	if diff := cmp.Diff(want, h.shapes(t, topic)); diff != "" {
		t.Errorf("the records of %s (-want +got):\n%s", topic, diff)
	}
}

func httpSource(t *testing.T, name string) []byte {
	t.Helper()
	content, err := httpSources.ReadFile("http/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// writeSource puts a program where its interpreter finds it.
func writeSource(t *testing.T, name string) string {
	t.Helper()
	path := t.TempDir() + "/" + name
	if err := os.WriteFile(path, httpSource(t, name), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
