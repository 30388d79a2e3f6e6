//go:build kafka

package kafkatest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/kafkatest"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

// client is one of the cluster of KAFKA_BOOTSTRAP_SERVERS, closed with the test.
func client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	servers := os.Getenv("KAFKA_BOOTSTRAP_SERVERS")
	if servers == "" {
		t.Fatal("KAFKA_BOOTSTRAP_SERVERS is not set; `bin/localkafka up` starts a cluster and prints its addresses")
	}
	c, err := franz.NewClient(kafka.Settings{BootstrapServers: strings.Split(servers, ",")}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestAdminOnApacheKafka is the same suite, where everything is real.
func TestAdminOnApacheKafka(t *testing.T) {
	brokers, err := kadm.NewClient(client(t)).ListBrokers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kafkatest.RunAdminSuite(t, func(t *testing.T, test func(*testing.T, kafkatest.Subject)) {
		test(t, kafkatest.Subject{
			Admin: func(t testing.TB, hooks ...kgo.Hook) kafkatest.Admin {
				return franz.New(client(t, kgo.WithHooks(hooks...)), nil)
			},
			Client:  func(t testing.TB) *kgo.Client { return client(t) },
			Brokers: len(brokers),
			Capabilities: kafkatest.Capabilities{
				ChecksConfigs: true, ChecksNames: true, RefusesEqualGrowth: true, ParsesValues: true,
			},
		})
	})
}

// TestTrap6TheLimitsOfOneRequest holds what batches keep to against the brokers themselves: 10,000 records and no more, of which
// a topic is one, and each of its partitions and keys; and no name twice. Nothing is created.
func TestTrap6TheLimitsOfOneRequest(t *testing.T) {
	step := func(name string, partitions int32) topic.Create {
		return topic.Create{Name: name, Partitions: new(partitions), Replication: new(int16(1))}
	}
	keyed := func(s topic.Create) topic.Create {
		s.Config = map[string]string{"retention.ms": "3600000"}
		return s
	}
	for name, row := range map[string]struct {
		reason string
		steps  []topic.Create
		taken  bool
		want   kafka.Class
	}{
		"10,000 records":            {"the largest batch", []topic.Create{step("a", 6000), step("b", 3998)}, true, 0},
		"10,001 records":            {"no topic of it is created", []topic.Create{step("a", 6000), step("b", 3999)}, false, kafka.ClassPolicy},
		"10,001 records, one a key": {"a key counts as a partition does", []topic.Create{step("a", 6000), keyed(step("b", 3998))}, false, kafka.ClassPolicy},
		"a name twice":              {"no batch may hold one", []topic.Create{step("a", 1), step("a", 1)}, false, kafka.ClassInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := wirereq.Create(row.steps, time.Minute, true).RequestWith(t.Context(), client(t))
			if err != nil {
				t.Fatal(err)
			}
			if len(resp.Topics) == 0 {
				t.Fatal("no topic was answered for")
			}
			for name, answer := range wirereq.CreateAnswers(resp) {
				if taken := answer.Err == nil; taken != row.taken || (!taken && kafka.ClassOf(answer.Err) != row.want) {
					t.Errorf("%s: %v; taken: %t, want %t (%s): %s", name, answer.Err, taken, row.taken, row.want, row.reason)
				}
			}
		})
	}
}

// TestTrap14AQuotaThatIsUsedUp is THROTTLING_QUOTA_EXCEEDED from a real controller (KIP-599): the quota of a client id that
// nobody else has is one partition a second.
func TestTrap14AQuotaThatIsUsedUp(t *testing.T) {
	name := fmt.Sprintf("trap14-%08x", rand.Uint32())
	entity := kadm.ClientQuotaEntity{{Type: "client-id", Name: &name}}
	admin := kadm.NewClient(client(t))
	set := func(ctx context.Context, remove bool) {
		altered, err := admin.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{Entity: entity, Ops: []kadm.AlterClientQuotaOp{{Key: "controller_mutation_rate", Value: 1, Remove: remove}}}})
		if err == nil && len(altered) == 1 {
			err = altered[0].Err
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	set(t.Context(), false)
	a := franz.New(client(t, kgo.ClientID(name)), nil)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		set(ctx, true)
		topics, err := admin.ListTopics(ctx)
		if err != nil {
			t.Error(err)
		}
		for _, made := range topics.Names() {
			if strings.HasPrefix(made, name) {
				if _, err := admin.DeleteTopic(ctx, made); err != nil {
					t.Error(err)
				}
			}
		}
	})
	var e *kafka.Error
	for i := range 20 { // brokers learn of a quota a moment after it is set, and a full bucket holds some
		_, err := a.Apply(t.Context(), fmt.Sprint(name, i), topic.Create{Name: fmt.Sprint(name, i), Partitions: new(int32(15)), Replication: new(int16(1))})
		if errors.As(err, &e) {
			break
		}
	}
	if e == nil || e.Class != kafka.ClassThrottled || e.RetryAfter <= 0 {
		t.Errorf("300 partitions at one a second came to %#v: want %s, and how long to wait", e, kafka.ClassThrottled)
	}
}
