package sink

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// atomicProducer is the transactional producer. Whoever holds the token of inTxn uses it.
type atomicProducer struct {
	client   *kgo.Client
	settings settings
}

func (p *atomicProducer) close() {
	if p.client != nil {
		p.client.Close()
		p.client = nil
	}
}

// SendAtomic writes all records of a batch in one transaction, or none. It waits for the outcome. One transaction is open at a
// time; others wait for it, for the delivery timeout at most.
func (s *Sink) SendAtomic(b *Batch, done func()) *Refusal {
	c := s.Contract()
	if c.Transactions == nil {
		return &Refusal{Class: Refused, Reason: fmt.Sprintf("an atomic request needs a profile with the guarantee Transactional, and %s/%s has %s",
			c.Profile.Namespace, c.Profile.Name, c.Guarantee)}
	}
	if refusal := s.Check(b); refusal != nil {
		return refusal
	}
	wait := time.NewTimer(DeliveryTimeout(c))
	defer wait.Stop()
	select {
	case s.inTxn <- struct{}{}:
		defer func() { <-s.inTxn }()
	case <-wait.C:
		return &Refusal{Class: Full, Reason: "other atomic requests have used up the delivery timeout of this one", RetryAfter: minRetry}
	}
	client, err := s.atomicClient()
	if err != nil {
		return &Refusal{Class: Away, Reason: err.Error(), RetryAfter: minRetry}
	}
	if err := client.BeginTransaction(); err != nil {
		s.txn.close() // fenced, or worse: the next one starts anew
		return &Refusal{Class: Away, Reason: "beginning a transaction: " + err.Error(), RetryAfter: minRetry}
	}
	s.sendIn(client, b, done)
	return nil
}

// atomicClient is the client for the current contract.
func (s *Sink) atomicClient() (*kgo.Client, error) {
	c := s.Contract()
	want := settingsOf(c)
	if s.txn.client != nil && reflect.DeepEqual(s.txn.settings, want) {
		return s.txn.client, nil
	}
	s.txn.close()
	opts, err := s.options(c)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, transactional(*c.Transactions)...)...)
	if err != nil {
		return nil, fmt.Errorf("the transactional producer: %w", err)
	}
	s.txn = atomicProducer{client, want}
	return client, nil
}

// sendIn a transaction that has begun, and end it. Outcomes are held back until it is known whether it was committed.
func (s *Sink) sendIn(client *kgo.Client, b *Batch, done func()) {
	b.fill(s.deadline())
	b.onDone = done
	n := int32(len(b.slots))
	b.refs.Add(n + 1)
	b.pending.Store(n)
	s.counts.accepted.Add(int64(n))
	answers := make(chan error, n)
	for i := range b.slots {
		slot := &b.slots[i]
		client.Produce(slot.record.Context, &slot.record, func(_ *kgo.Record, err error) {
			slot.err = err
			answers <- err
		})
	}
	failed := s.end(client, s.answers(client, answers, int(n)))
	for i := range b.slots {
		slot := &b.slots[i]
		if slot.err == nil && !slot.noPartition && failed != nil {
			slot.err = failed
		}
		s.finished(slot)
		slot.finish()
	}
	b.drop(1)
}

// answers of n records: the first error among them. Past the limit the rest is given up, which is safe, because the transaction
// is then never committed.
func (s *Sink) answers(client *kgo.Client, answers <-chan error, n int) (failed error) {
	limit := time.AfterFunc(s.AnswerLimit(), client.UnsafeAbortBufferedRecords)
	defer limit.Stop()
	for range n {
		if err := <-answers; err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// end the transaction: commit it, unless something failed. What it returns is the outcome of the records that had not failed
// by themselves.
func (s *Sink) end(client *kgo.Client, failed error) error {
	limit, cancel := context.WithTimeout(context.Background(), s.AnswerLimit())
	defer cancel()
	if failed == nil {
		err := client.EndTransaction(limit, kgo.TryCommit)
		if err == nil {
			s.counts.txnCommitted.Add(1)
			return nil
		}
		s.txn.close()
		var code *kerr.Error
		if errors.As(err, &code) && !code.Retriable {
			s.counts.txnAborted.Add(1)
			return fmt.Errorf("%w: the transaction could not be committed: %w", kgo.ErrAborting, err)
		}
		return fmt.Errorf("%w: whether the transaction was committed is not known: %w", errUnconfirmed, err)
	}
	s.counts.txnAborted.Add(1)
	if err := client.EndTransaction(limit, kgo.TryAbort); err != nil {
		s.txn.close()
	}
	return fmt.Errorf("%w: not written, because the transaction was aborted: %w", kgo.ErrAborting, failed)
}

var errUnconfirmed = errors.New("unconfirmed")
