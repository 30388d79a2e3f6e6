//go:build kafka

package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/hack/localkafka/local"
)

// TestOnApacheKafka: what import writes plans to no change where every value is the brokers' own spelling, and what only the
// brokers know is refused before anything is applied.
func TestOnApacheKafka(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cluster, err := local.Up(ctx, local.Config{
		Dir: t.TempDir() + "/cluster", Progress: func(line string) { t.Log(line) },
		Settings: local.Settings{Authorizer: true, FastJVM: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Down(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	state := cluster.State()
	client, err := kgo.NewClient(kgo.SeedBrokers(state.Bootstrap.Plaintext...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	makeVaried(ctx, t, client)

	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	w := &world{app: New()}
	servers := strings.Join(state.Bootstrap.Plaintext, ",")
	dir := t.TempDir()
	if status := w.run(t, "", "import", "--bootstrap-servers", servers, "--output-dir", dir); status != 0 {
		t.Fatalf("import: exit status %d: %s", status, w.err.String())
	}
	if status := w.run(t, "", "plan", "-f", dir, "--bootstrap-servers", servers); status != 0 || !strings.HasSuffix(w.out.String(), "201 topics: no change\n") {
		t.Errorf("plan: exit status %d: %s%s", status, w.err.String(), w.out.String())
	}
	for _, secure := range secureFlags(t, state) {
		if status := w.run(t, "", append([]string{"plan", "-f", dir, "--timeout", "20s"}, secure.args...)...); status != secure.status || !strings.Contains(w.out.String()+w.err.String(), secure.want) {
			t.Errorf("%s: exit status %d, want %d and %q: %s%s", secure.name, status, secure.status, secure.want, w.err.String(), w.out.String())
		}
	}
	const odd = "config: {retention.ms: many, max.message.bytes: 2000000, no.such.key: 1}"
	for name, test := range map[string]struct{ manifest, want string }{
		"a key that there is not": {manifestOf("new", odd), "! InvalidConfig: the brokers refuse to create topic new"},
		"one key of three":        {manifestOf("mixed", odd), "~ set max.message.bytes to 2000000 (is 1048588)\n! InvalidConfig: the brokers refuse to set no.such.key"},
		"a name that collides":    {manifestOf("new", "topicName: shop_orders", "partitions: 1") + manifestOf("b", "topicName: mixed", "partitions: 9"), "+ grow topic mixed from 3 to 9 partitions"},
	} {
		if status := w.run(t, test.manifest, "plan", "-f", "-", "--bootstrap-servers", servers); status != 2 || !strings.Contains(w.out.String(), test.want) {
			t.Errorf("%s: exit status %d: %s%s", name, status, w.err.String(), w.out.String())
		}
	}
}

// makeVaried makes two hundred varied topics, and one whose partitions have several replication factors.
func makeVaried(ctx context.Context, t *testing.T, client *kgo.Client) {
	t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 60_000
	varied(200, func(name string, partitions int32, replicas int16, config map[string]string) {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, replicas
		for key, value := range config {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name, c.Value = key, new(value)
			topic.Configs = append(topic.Configs, c)
		}
		req.Topics = append(req.Topics, topic)
	})
	mixed := kmsg.NewCreateTopicsRequestTopic()
	mixed.Topic, mixed.NumPartitions, mixed.ReplicationFactor = "mixed", 3, 1
	req.Topics = append(req.Topics, mixed)
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range resp.Topics {
		if topic.ErrorCode != 0 {
			t.Fatalf("create topic %s: code %d: %s", topic.Topic, topic.ErrorCode, *topic.ErrorMessage)
		}
	}
	admin := kadm.NewClient(client)
	var moves kadm.AlterPartitionAssignmentsReq // a create takes one replication factor only
	moves.Assign("mixed", 0, []int32{1, 2, 3})
	moves.Assign("mixed", 1, []int32{2, 3})
	moved, err := admin.AlterPartitionAssignments(ctx, moves)
	if err == nil {
		err = moved.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	for !settled(ctx, t, admin, len(req.Topics)) {
		select {
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// settled says whether the broker that was asked knows all topics with their leaders, and nothing moves any more.
func settled(ctx context.Context, t *testing.T, admin *kadm.Client, topics int) bool {
	t.Helper()
	moving, err := admin.ListPartitionReassignments(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := admin.ListTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	factors := make(map[int]bool)
	for _, p := range listed["mixed"].Partitions {
		factors[len(p.Replicas)] = true
	}
	return len(moving) == 0 && listed.Error() == nil && len(listed) == topics && len(factors) == 3
}
