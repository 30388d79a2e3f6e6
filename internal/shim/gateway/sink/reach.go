package sink

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// awayAfter is how long no broker can be reached before new records are refused. Until then they are taken and wait, because
// a restarted broker is back by then.
const awayAfter = 5 * time.Second

// reach knows whether brokers can be reached: a hook of the clients.
type reach struct {
	mu      sync.Mutex
	open    int       // connections
	failing time.Time // since when connecting has failed, with none open; zero while it works
	last    error
	probing atomic.Bool
}

var (
	_ kgo.HookBrokerConnect    = (*reach)(nil)
	_ kgo.HookBrokerDisconnect = (*reach)(nil)
)

// OnBrokerConnect is called by the client.
func (r *reach) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.open++
		r.failing = time.Time{}
		return
	}
	r.last = err
	if r.open == 0 && r.failing.IsZero() {
		r.failing = time.Now()
	}
}

// OnBrokerDisconnect is called by the client.
func (r *reach) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
}

// refusal while the cluster is away; nil while it is not known to be.
func (r *reach) refusal(now time.Time) *Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failing.IsZero() || r.open > 0 || now.Sub(r.failing) < awayAfter {
		return nil
	}
	return &Refusal{Class: Away, RetryAfter: 5 * time.Second, Reason: "no Kafka broker can be reached: " + r.last.Error()}
}

// probe tries to reach the cluster, once at a time: while records are refused nothing else would notice that it is back.
func (s *Sink) probe() {
	if !s.reach.probing.CompareAndSwap(false, true) {
		return
	}
	client := s.current.Load().client
	go func() {
		defer s.reach.probing.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), awayAfter)
		defer cancel()
		_ = client.Ping(ctx) // the hook hears how it went
	}()
}

// Away says why records are refused because the cluster cannot be reached; nil while they are not.
func (s *Sink) Away() error {
	if refusal := s.reach.refusal(time.Now()); refusal != nil {
		return refusal
	}
	return nil
}

// afterError does what the client does not do by itself: a topic that was deleted and made anew has another ID, and the client
// keeps the old one until it is told to forget the topic.
func (s *Sink) afterError(err error, topic string) {
	if errors.Is(err, kerr.UnknownTopicID) {
		client := s.current.Load().client
		go client.PurgeTopicsFromProducing(topic) // not from within a promise
	}
}
