package kafkatest_test

import (
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/kafka/kafkatest"
)

func TestAdminOnKfake(t *testing.T) {
	kafkatest.RunAdminSuite(t, func(t *testing.T, test func(*testing.T, kafkatest.Subject)) {
		synctest.Test(t, func(t *testing.T) {
			c := kafkatest.Start(t)
			test(t, kafkatest.Subject{
				Admin:   func(t testing.TB, hooks ...kgo.Hook) kafkatest.Admin { return c.Admin(t, hooks...) },
				Client:  func(t testing.TB) *kgo.Client { return c.Client(t) },
				Brokers: 3,
			})
		})
	})
}
