package sink

import "sync/atomic"

type counts struct {
	accepted, full atomic.Int64
	outcomes       [Failed + 1]atomic.Int64
	txnCommitted   atomic.Int64
	txnAborted     atomic.Int64
}

// Totals of records since the start.
type Totals struct {
	// Accepted for sending; each gets one outcome.
	Accepted int64
	// Written and acknowledged.
	Written int64
	// Failed with an outcome other than Written, which their senders were told, or which were sent async.
	Failed int64
	// Pending have no outcome yet.
	Pending int64
	// Flushed are those written since Drain began; zero elsewhere.
	Flushed int64
	// Outcomes by class.
	Outcomes map[Class]int64
	// RefusedFull are requests that did not fit into the buffer.
	RefusedFull int64
	// Committed and AbortedTransactions.
	Committed, AbortedTransactions int64
}

// Totals at this moment.
func (s *Sink) Totals() Totals {
	t := Totals{Outcomes: make(map[Class]int64, Failed+1), RefusedFull: s.counts.full.Load(),
		Committed: s.counts.txnCommitted.Load(), AbortedTransactions: s.counts.txnAborted.Load()}
	for c := range s.counts.outcomes {
		n := s.counts.outcomes[c].Load()
		t.Outcomes[Class(c)] = n
		if Class(c) == Written {
			t.Written = n
		} else {
			t.Failed += n
		}
	}
	// After the outcomes: a record that finishes in between is counted as pending, and never as less than none.
	t.Accepted = s.counts.accepted.Load()
	t.Pending = t.Accepted - t.Written - t.Failed
	return t
}
