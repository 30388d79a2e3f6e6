package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mooring.dev/mooring/internal/kafka/kafkatest"
)

func TestImport(t *testing.T) {
	c := kafkatest.Start(t)
	create(t, c, "orders", 3, 3, map[string]string{"min.insync.replicas": "2", "retention.ms": "3600000", "cleanup.policy": "compact,delete"})
	create(t, c, "Orders", 1, 1, nil)
	create(t, c, "orders.dlq", 1, 3, nil)
	create(t, c, "__canary", 1, 1, nil)
	const want = `apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata:
  name: orders-b7e8acdd
spec:
  topicName: Orders
  partitions: 1
  replicationFactor: 1
---
apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata:
  name: orders
spec:
  partitions: 3
  replicationFactor: 3
  minInsyncReplicas: 2
  config:
    cleanup.policy: "compact,delete"
    retention.ms: 3600000
---
apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata:
  name: orders.dlq
spec:
  partitions: 1
  replicationFactor: 3
`
	w := newWorld(t, c)
	for range 2 { // the same every time
		if status := w.run(t, "", "import", "--bootstrap-servers", servers(c)); status != 0 {
			t.Fatalf("exit status %d: %s", status, w.err.String())
		}
		same(t, "All topics but Kafka's own, in order.", want, w.out.String())
	}
	same(t, "What is left out is counted.", "note: left out: 1 of the topics (begins with __, as Kafka's own and its tools' topics do)\nnote: 3 manifests", w.err.String())

	status := w.run(t, "", "import", "--bootstrap-servers", servers(c), "--topics", "[oO]rders.*", "--exclude", `.*\.dlq|orders`, "-n", "shop", "--cluster-ref", "prod")
	same(t, "The whole name has to match, and the name is the same as in an import of all.", `apiVersion: kafka.mooring.dev/v1alpha1
kind: KafkaTopic
metadata:
  name: orders-b7e8acdd
  namespace: shop
spec:
  clusterRef:
    name: prod
  topicName: Orders
  partitions: 1
  replicationFactor: 1
`, w.out.String())
	if status != 0 {
		t.Errorf("exit status %d: %s", status, w.err.String())
	}
}

func TestImportToFolder(t *testing.T) {
	c := kafkatest.Start(t)
	create(t, c, "a", 1, 3, nil)
	create(t, c, "B", 1, 3, nil)
	dir := filepath.Join(t.TempDir(), "new", "topics")
	w := newWorld(t, c)
	args := []string{"import", "--bootstrap-servers", servers(c), "--output-dir", dir}
	for range 2 { // files that say the same are no obstacle
		if status := w.run(t, "", args...); status != 0 || w.out.Len() > 0 {
			t.Fatalf("exit status %d: %s%s", status, w.out.String(), w.err.String())
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 || entries[0].Name() != "a.yaml" || entries[1].Name() != "b.yaml" {
		t.Fatalf("want a.yaml and b.yaml and nothing else, got %v, %v", entries, err)
	}
	write(t, dir, "a.yaml", "# mine\n")
	if status := w.run(t, "", args...); status != 1 || !strings.Contains(w.err.String(), "a.yaml exists and says something else; --overwrite replaces it") {
		t.Errorf("exit status %d: %s", status, w.err.String())
	}
	if text, err := os.ReadFile(filepath.Join(dir, "a.yaml")); err != nil || string(text) != "# mine\n" {
		t.Errorf("a file with other content was replaced: %s, %v", text, err)
	}
	if status := w.run(t, "", append(args, "--overwrite")...); status != 0 {
		t.Errorf("exit status %d: %s", status, w.err.String())
	}
}

func TestImportTrouble(t *testing.T) {
	tests := map[string]struct {
		reason string
		fault  func(c *kafkatest.Cluster)
		args   []string
		want   string
		out    string
	}{
		"a bad expression":                  {"It is named.", nil, []string{"--topics", "a("}, "error: --topics: error parsing regexp: missing closing ): `a(`", ""},
		"an expression that closes ours":    {"It is judged by itself.", nil, []string{"--exclude", "a)|(b"}, "error: --exclude: error parsing regexp: unexpected ): `a)|(b`", ""},
		"a topic that may not be described": {"The others are written.", func(c *kafkatest.Cluster) { c.Deny(kmsg.DescribeConfigs, "a") }, nil, "error: topic a is left out: TOPIC_AUTHORIZATION_FAILED", "name: b"},
		"a cluster that fails":              {"Nothing is written.", func(c *kafkatest.Cluster) { c.FailAll(kmsg.DescribeConfigs, kerr.InvalidRequest, -1) }, nil, "error: topic a is left out: INVALID_REQUEST", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := kafkatest.Start(t)
			create(t, c, "a", 1, 3, nil)
			create(t, c, "b", 1, 3, nil)
			if test.fault != nil {
				test.fault(c)
			}
			w := newWorld(t, c)
			status := w.run(t, "", append([]string{"import", "--bootstrap-servers", servers(c)}, test.args...)...)
			if status != 1 || !strings.HasPrefix(w.err.String(), test.want) || !strings.Contains(w.out.String(), test.out) {
				t.Errorf("%s Exit status %d; it said\n%s\nwant\n%s\nand wrote\n%s", test.reason, status, w.err.String(), test.want, w.out.String())
			}
		})
	}
}

// TestImportByCluster: a KafkaCluster says how to reach Kafka, and its name is in the manifests unless it is the default.
func TestImportByCluster(t *testing.T) {
	c := kafkatest.Start(t)
	create(t, c, "a", 1, 3, nil)
	w := newWorld(t, c)
	w.withKube(t, interceptor.Funcs{}, clusterAt(c, "default"), clusterAt(c, "prod"))
	for cluster, want := range map[string]bool{"": false, "default": false, "prod": true} {
		args := []string{"import"}
		if cluster != "" {
			args = append(args, "--cluster", cluster)
		}
		if status := w.run(t, "", args...); status != 0 || strings.Contains(w.out.String(), "clusterRef:\n    name: prod\n") != want {
			t.Errorf("--cluster %s: exit status %d: %s%s", cluster, status, w.out.String(), w.err.String())
		}
	}
}

// varied makes n topics of every kind, the same every time. make is called for each.
func varied(n int, make func(name string, partitions int32, replicas int16, config map[string]string)) {
	random := rand.New(rand.NewPCG(7, 11))
	values := map[string][]string{
		"cleanup.policy": {"compact", "delete", "compact,delete"}, "retention.ms": {"-1", "3600000", "31536000000"}, "retention.bytes": {"-1", "1073741824"},
		"min.insync.replicas": {"1", "2", "3"}, "max.message.bytes": {"1", "10485760"}, "compression.type": {"zstd", "producer", "lz4", "uncompressed"},
		"min.cleanable.dirty.ratio": {"0.1", "0.50", "1"}, "message.timestamp.type": {"LogAppendTime", "CreateTime"}, "unclean.leader.election.enable": {"true", "false"},
		"segment.bytes": {"1048576", "1073741824"}, "segment.ms": {"600000"}, "delete.retention.ms": {"0", "100"}, "preallocate": {"true"}, "flush.messages": {"9223372036854775807", "1"},
	}
	keys := []string{"cleanup.policy", "retention.ms", "retention.bytes", "min.insync.replicas", "max.message.bytes", "compression.type", "min.cleanable.dirty.ratio",
		"message.timestamp.type", "unclean.leader.election.enable", "segment.bytes", "segment.ms", "delete.retention.ms", "preallocate", "flush.messages"}
	shapes := []func(i int) string{
		func(i int) string { return fmt.Sprintf("orders-%d", i) },
		func(i int) string { return fmt.Sprintf("Orders-%d", i-1) },
		func(i int) string { return fmt.Sprintf("shop.orders_v%d.EVENTS", i) },
		func(i int) string { return fmt.Sprintf("%d", i) },
		func(i int) string { return fmt.Sprintf("_-%d..x-", i) },
		func(i int) string { return fmt.Sprintf("on%d-", i) },
		func(i int) string { return strings.Repeat("l", 240) + fmt.Sprintf("_%d", i) },
	}
	for i := range n {
		config := map[string]string{}
		for range random.IntN(5) {
			key := keys[random.IntN(len(keys))]
			config[key] = values[key][random.IntN(len(values[key]))]
		}
		make(shapes[i%len(shapes)](i), 1+random.Int32N(6), 1+int16(random.IntN(3)), config)
	}
}

// TestImportPlansToNoChange is what import promises: two hundred topics, and nothing to do about any of them, neither for whom
// knows nothing nor for the operator.
func TestImportPlansToNoChange(t *testing.T) {
	c := kafkatest.Start(t)
	varied(200, func(name string, partitions int32, replicas int16, config map[string]string) {
		create(t, c, name, partitions, replicas, config)
	})
	w := newWorld(t, c)
	w.withKube(t, interceptor.Funcs{}, clusterAt(c, "default"))
	dir := t.TempDir()
	if status := w.run(t, "", "import", "--bootstrap-servers", servers(c), "--output-dir", dir); status != 0 {
		t.Fatalf("exit status %d: %s", status, w.err.String())
	}
	for mode, args := range map[string][]string{"offline": {"--bootstrap-servers", servers(c)}, "live": {"--cluster", "default"}} {
		status := w.run(t, "", append([]string{"plan", "-f", dir}, args...)...)
		if status != 0 || !strings.HasSuffix(w.out.String(), "200 topics: no change\n") {
			t.Errorf("%s: exit status %d: %s%s", mode, status, w.err.String(), w.out.String())
		}
	}
}

// TestInterrupted: who is in a hurry is not kept.
func TestInterrupted(t *testing.T) {
	c := kafkatest.Start(t)
	w := newWorld(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.app.In, w.app.Out, w.app.Err = strings.NewReader(""), &w.out, &w.err
	if status := w.app.Run(ctx, []string{"import", "--bootstrap-servers", servers(c)}); status != 1 || w.err.Len() == 0 {
		t.Errorf("exit status %d: %s", status, w.err.String())
	}
}
