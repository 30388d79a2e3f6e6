//go:build kafka

package kafkatest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/kafkatest"
)

// TestAdminOnApacheKafka is the same suite, where everything is real.
func TestAdminOnApacheKafka(t *testing.T) {
	servers := os.Getenv("KAFKA_BOOTSTRAP_SERVERS")
	if servers == "" {
		t.Fatal("KAFKA_BOOTSTRAP_SERVERS is not set; `bin/localkafka up` starts a cluster and prints its addresses")
	}
	settings := kafka.Settings{BootstrapServers: strings.Split(servers, ",")}
	client := func(t testing.TB, opts ...kgo.Opt) *kgo.Client {
		c, err := franz.NewClient(settings, opts...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
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
