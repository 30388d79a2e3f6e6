package sink

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/contract"
)

// Connect gives the options that say where the brokers are, and as whom to speak to them: seed brokers, dialer or TLS, SASL,
// client ID. They come after the producer's own.
type Connect func(contract.Contract) ([]kgo.Opt, error)

// Sink is the shared producer. Its methods may be called concurrently.
type Sink struct {
	connect Connect
	account *Account
	current atomic.Pointer[generation]
	reload  sync.Mutex
	// old producers that still have records on their way.
	old      sync.WaitGroup
	draining atomic.Bool
	counts   counts
	reach    reach
	until    deadlines
	inTxn    chan struct{} // a token for the transaction that may be open
	txn      atomicProducer
}

// generation of the producer: one contract, one client.
type generation struct {
	contract contract.Contract
	settings settings
	client   *kgo.Client
	// sending is read-locked while records are handed to the client, so that it is not closed meanwhile. Generations that
	// share a client share it.
	sending *sync.RWMutex
}

// settings are the parts of a contract that a producer is made of. Another profile revision with the same settings needs no
// other producer.
type settings struct {
	Cluster     contract.Cluster
	Guarantee   contract.Guarantee
	Enforcement contract.Enforcement
	TLS         *contract.TLS
	SASL        *contract.SASL
	Limits      contract.Limits
	Timing      contract.Timing
	Batching    contract.Batching
	Transaction *contract.Transactions
	Retries     string
}

func settingsOf(c contract.Contract) settings {
	return settings{c.Cluster, c.Guarantee, c.Enforcement, c.TLS, c.SASL, c.Limits, c.Timing, c.Batching, c.Transactions, c.Properties["retries"]}
}

// New makes the producer that a contract asks for. It connects when there is something to send.
func New(c contract.Contract, connect Connect) (*Sink, error) {
	s := &Sink{connect: connect, account: newAccount(c.Limits.BufferMemory), inTxn: make(chan struct{}, 1)}
	g, err := s.generation(c)
	if err != nil {
		return nil, err
	}
	s.current.Store(g)
	return s, nil
}

func (s *Sink) options(c contract.Contract) ([]kgo.Opt, error) {
	opts, err := Options(c)
	if err != nil {
		return nil, err
	}
	where, err := s.connect(c)
	if err != nil {
		return nil, err
	}
	return append(append(opts, kgo.WithHooks(&s.reach)), where...), nil
}

func (s *Sink) generation(c contract.Contract) (*generation, error) {
	opts, err := s.options(c)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("the HTTP listener's producer: %w", err)
	}
	return &generation{contract: c, settings: settingsOf(c), client: client, sending: new(sync.RWMutex)}, nil
}

// Contract that is in force.
func (s *Sink) Contract() contract.Contract { return s.current.Load().contract }

// Account of the memory that requests hold.
func (s *Sink) Account() *Account { return s.account }

// Batch of records for a topic, empty.
func (s *Sink) Batch(topic string) *Batch { return newBatch(s, topic) }

// Reload puts another contract in force. If it asks for another producer, what the old one has is still sent by it, and what
// comes now goes to the new one: until the old one is empty, records of one partition may be written out of order. On an error
// the old contract stays.
func (s *Sink) Reload(c contract.Contract) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	before := s.current.Load()
	if reflect.DeepEqual(before.settings, settingsOf(c)) {
		// A generation of its own, that shares the client.
		s.current.Store(&generation{contract: c, settings: before.settings, client: before.client, sending: before.sending})
		return nil
	}
	g, err := s.generation(c)
	if err != nil {
		return err
	}
	s.account.setLimit(c.Limits.BufferMemory)
	s.current.Store(g)
	s.old.Go(func() { before.retire(DeliveryTimeout(before.contract) + answerGrace) })
	return nil
}

// retire flushes the client of a generation that is no longer current, and closes it.
func (g *generation) retire(limit time.Duration) {
	g.sending.Lock()
	defer g.sending.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_ = g.client.Flush(ctx) // what it could not flush is failed by Close, and counted
	g.client.Close()
}

// answerGrace is how long after the delivery timeout a record is waited for: deadlines come in slices, and the client looks at
// them only before it writes and after it read.
const answerGrace = 2 * time.Second

// AnswerLimit is how long a sender waits at most for an outcome.
func (s *Sink) AnswerLimit() time.Duration { return DeliveryTimeout(s.Contract()) + answerGrace }

// deadline of records that are sent now.
func (s *Sink) deadline() context.Context {
	return s.until.context(DeliveryTimeout(s.current.Load().contract), time.Now())
}

// Refusal of a batch as a whole: nothing of it is sent.
type Refusal struct {
	Class      Class
	Reason     string
	RetryAfter time.Duration // zero says nothing
}

func (r *Refusal) Error() string { return r.Reason }

// Check whether a batch may be sent, and take the account's memory for its records.
func (s *Sink) Check(b *Batch) *Refusal {
	c := &s.current.Load().contract
	if s.draining.Load() {
		return &Refusal{Class: Draining, Reason: "the shim is stopping and takes no more records"}
	}
	if !c.Topics.Allow(b.Topic) {
		return &Refusal{Class: Forbidden, Reason: fmt.Sprintf("ProducerProfile %s/%s does not allow the topic %q", c.Profile.Namespace, c.Profile.Name, b.Topic)}
	}
	limit := MaxRecordSize(*c)
	for i := range b.Records {
		if size := b.Records[i].Size(); size > limit {
			return &Refusal{Class: TooLarge, Reason: fmt.Sprintf("record %d has %d bytes, which is more than max.request.size, %d", i, size, limit)}
		}
	}
	if refusal := s.reach.refusal(time.Now()); refusal != nil {
		s.probe()
		return refusal
	}
	if need := int64(len(b.Records)) * recordCost; !b.Grow(need) {
		return s.Full(need)
	}
	return nil
}

// Full is the refusal of a request that needs n more bytes than there are.
func (s *Sink) Full(n int64) *Refusal {
	if limit := s.account.Limit(); n > limit {
		return &Refusal{Class: TooLarge, Reason: fmt.Sprintf("the request needs %d bytes of buffer.memory, which is %d; send it in parts", n, limit)}
	}
	s.counts.full.Add(1)
	return &Refusal{Class: Full, RetryAfter: s.account.RetryAfter(n, time.Now()),
		Reason: fmt.Sprintf("buffer.memory is full: %d of %d bytes wait for the brokers or are being received", s.account.Held(), s.account.Limit())}
}

// Send the batch's records, unless all of it is refused. done, which may be nil, is called once each record has its outcome;
// it must be quick. A record whose skip says so, if skip is not nil, is left out: it has its outcome already.
func (s *Sink) Send(b *Batch, skip []bool, done func()) *Refusal {
	if refusal := s.Check(b); refusal != nil {
		return refusal
	}
	s.send(b, skip, done)
	return nil
}

func (s *Sink) send(b *Batch, skip []bool, done func()) {
	b.fill(s.deadline())
	b.onDone = done
	n := int32(len(b.slots))
	b.refs.Add(n + 1) // one more, so that the last promise does not end the batch under this loop
	b.pending.Store(n)
	s.counts.accepted.Add(int64(n))
	g := s.acquire()
	for i := range b.slots {
		slot := &b.slots[i]
		if skip != nil && skip[i] {
			s.counts.accepted.Add(-1)
			slot.finish()
			continue
		}
		g.client.Produce(slot.record.Context, &slot.record, promise)
	}
	g.sending.RUnlock()
	b.drop(1)
}

// acquire the current generation, read-locked. One that was replaced between the look and the lock may be closed already.
func (s *Sink) acquire() *generation {
	for {
		g := s.current.Load()
		g.sending.RLock()
		if s.current.Load().client == g.client {
			return g
		}
		g.sending.RUnlock()
	}
}

// finished counts an outcome.
func (s *Sink) finished(slot *slot) {
	class := Written
	if slot.err != nil {
		class = slot.outcome().Class
		s.afterError(slot.err, slot.batch.Topic)
	}
	s.counts.outcomes[class].Add(1)
}

// Drain stops accepting, sends what was accepted, and says what became of it. It returns at the latest when the context ends.
func (s *Sink) Drain(ctx context.Context) Totals {
	s.draining.Store(true)
	before := s.Totals()
	s.reload.Lock()
	defer s.reload.Unlock()
	g := s.current.Load()
	_ = g.client.Flush(ctx) // what is left is in the totals
	s.waitForOld(ctx)
	if s.txn.client != nil {
		select {
		case s.inTxn <- struct{}{}:
			s.txn.close()
		case <-ctx.Done():
		}
	}
	after := s.Totals()
	after.Flushed = after.Written - before.Written
	return after
}

func (s *Sink) waitForOld(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.old.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Close the connections. Records without an outcome fail.
func (s *Sink) Close() {
	s.draining.Store(true)
	s.current.Load().client.Close()
}
