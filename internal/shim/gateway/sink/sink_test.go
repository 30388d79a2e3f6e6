package sink

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/contract"
)

func TestRetryAfterFollowsHowFastMemoryIsFreed(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := newAccount(1000)
	if !a.Take(1000) || a.Take(1) {
		t.Fatal("the limit is not kept")
	}
	a.RetryAfter(1, now)
	if got := a.RetryAfter(500, now.Add(time.Second)); got != maxRetry {
		t.Errorf("nothing is freed: %s", got)
	}
	for range 20 { // 100 bytes a second
		a.Give(100)
		a.Take(100)
		now = now.Add(time.Second)
		a.RetryAfter(500, now.Add(time.Second))
	}
	if got := a.RetryAfter(500, now.Add(time.Second)); got < 4500*time.Millisecond || got > 6*time.Second {
		t.Errorf("500 bytes at 100 a second: %s", got)
	}
	a.Give(1000)
	if got := a.RetryAfter(500, now.Add(2*time.Second)); got != minRetry {
		t.Errorf("there is room: %s", got)
	}
}

func TestClassOfEveryKafkaError(t *testing.T) {
	// What is said to be final must be: a sender will not repeat it.
	for code := int16(-1); code < 200; code++ {
		err := kerr.ErrorForCode(code)
		if err == nil || err == kerr.UnknownServerError && code != -1 {
			continue
		}
		class := Classify(fmt.Errorf("producing: %w", err))
		if kerr.IsRetriable(err) && !class.Retriable() && class != NoTopic {
			t.Errorf("%v is retriable, and %s is not", err, class)
		}
		if class == Written || class == Unknown {
			t.Errorf("%v is %s", err, class)
		}
	}
	for err, want := range map[error]Class{
		nil: Written, kgo.ErrRecordTimeout: TimedOut, context.DeadlineExceeded: TimedOut, kgo.ErrMaxBuffered: Full, kgo.ErrClientClosed: Draining,
		errors.New("x"): Failed, fmt.Errorf("%w: %w", kgo.ErrAborting, kgo.ErrRecordTimeout): Aborted, kerr.UnknownTopicOrPartition: NoTopic,
		kerr.TopicAuthorizationFailed: Forbidden, kerr.MessageTooLarge: TooLarge, kerr.NotEnoughReplicas: Away,
	} {
		if got := Classify(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}

// Whatever a valid contract says, a producer can be made of it.
func TestEachGuaranteeMakesAProducer(t *testing.T) {
	for _, g := range []contract.Guarantee{contract.AtMostOnce, contract.AtLeastOnce, contract.Idempotent, contract.Transactional} {
		for _, change := range []func(*contract.Contract){
			func(*contract.Contract) {},
			func(c *contract.Contract) {
				c.Limits = contract.Limits{MaxInFlight: 1000, MaxRequestSize: 1, BufferMemory: 1}
				c.Timing = contract.Timing{DeliveryTimeout: 1, RequestTimeout: 1, RetryBackoff: 1, MetadataMaxAge: 1, ConnectionsMaxIdle: 1}
				linger, size := contract.Millis(0), int32(0)
				c.Batching = contract.Batching{Linger: &linger, BatchSize: &size, Compression: "zstd", Partitioner: "RoundRobin"}
			},
			func(c *contract.Contract) {
				const most = 1<<31 - 1
				c.Limits = contract.Limits{MaxInFlight: most, MaxRequestSize: most, BufferMemory: 1 << 60}
				c.Timing = contract.Timing{DeliveryTimeout: most, RequestTimeout: most, RetryBackoff: most, MetadataMaxAge: most, ConnectionsMaxIdle: most}
				linger, size := contract.Millis(most), int32(most)
				c.Batching = contract.Batching{Linger: &linger, BatchSize: &size, Compression: "none"}
				c.Properties = map[string]string{"retries": "2147483647"}
			},
		} {
			c := contract.Contract{Guarantee: g, Enforcement: contract.Enforcement{Acks: 1}, Timing: contract.Timing{DeliveryTimeout: 1000}}
			change(&c)
			s, err := New(c, func(contract.Contract) ([]kgo.Opt, error) { return []kgo.Opt{kgo.SeedBrokers("127.0.0.1:1")}, nil })
			if err != nil {
				t.Errorf("%s: %v", g, err)
				continue
			}
			s.Close()
		}
	}
}

func TestBackoffDoublesUpToASecond(t *testing.T) {
	b := backoff(300 * time.Millisecond)
	var got []time.Duration
	for attempt := 1; attempt < 5; attempt++ {
		got = append(got, b(attempt))
	}
	if fmt.Sprint(got) != "[300ms 600ms 1s 1s]" {
		t.Errorf("%v", got)
	}
	if d := backoff(3 * time.Second)(9); d != 3*time.Second {
		t.Errorf("a longer backoff is shortened to %s", d)
	}
}
