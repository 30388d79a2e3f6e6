// Package replay remembers what became of requests that carry an Idempotency-Key, so that a sender who repeats one, because it
// did not hear the answer, gets the first answer and does not write its records again.
//
// What is remembered is in memory, for a bounded time, number of requests and number of records. It does not outlive the shim.
package replay

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
	"time"

	"mooring.dev/mooring/internal/shim/gateway/record"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// Bounds of a Window.
const (
	// Keep a finished request for this long.
	Keep = 10 * time.Minute
	// MaxRequests and MaxRecords that are remembered.
	MaxRequests = 10_000
	MaxRecords  = 200_000
	// MaxKey is the length of a key, in bytes.
	MaxKey = 255
)

// Sum identifies what a request sends.
type Sum [sha256.Size]byte

// Window of requests.
type Window struct {
	mu       sync.Mutex
	requests map[string]*Request
	finished *list.List // of *Request, the oldest first
	records  int        // of all requests
	evicted  int64
}

// NewWindow is empty.
func NewWindow() *Window {
	return &Window{requests: make(map[string]*Request), finished: list.New()}
}

// Request that is remembered.
type Request struct {
	key      string
	sum      Sum
	n        int
	outcomes []sink.Outcome // nil until it has finished once
	done     chan struct{}  // closed when the present attempt has finished
	running  bool
	at       time.Time // of the end
	place    *list.Element
}

// Verdict on a request with a key.
type Verdict uint8

// The verdicts.
const (
	// First: send it, and call Finish.
	First Verdict = iota
	// Again: it ran before and not all of it was written. Send what Outcomes says was not, and call Finish.
	Again
	// Running: wait for Done, and ask again.
	Running
	// Finished: answer from Outcomes.
	Finished
	// Other: the key was used for other records.
	Other
	// Busy: too many requests with a key are on their way.
	Busy
)

// Begin a request of n records.
func (w *Window) Begin(key string, sum Sum, n int, now time.Time) (*Request, Verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expire(now)
	if r := w.requests[key]; r != nil {
		return r, w.again(r, sum)
	}
	for (len(w.requests) >= MaxRequests || w.records+n > MaxRecords) && w.finished.Len() > 0 {
		w.forget(w.finished.Front().Value.(*Request))
		w.evicted++
	}
	if len(w.requests) >= MaxRequests || (w.records+n > MaxRecords && len(w.requests) > 0) {
		return nil, Busy
	}
	r := &Request{key: key, sum: sum, n: n, done: make(chan struct{}), running: true}
	w.requests[key] = r
	w.records += n
	return r, First
}

func (w *Window) again(r *Request, sum Sum) Verdict {
	switch {
	case r.sum != sum:
		return Other
	case r.running:
		return Running
	}
	for _, o := range r.outcomes {
		if o.Class != sink.Written {
			r.running, r.done = true, make(chan struct{})
			w.finished.Remove(r.place)
			return Again
		}
	}
	return Finished
}

// Outcomes of the attempts so far; nil if there was none. Not to be changed.
func (r *Request) Outcomes() []sink.Outcome { return r.outcomes }

// Done is closed when the attempt that is running has finished.
func (w *Window) Done(r *Request) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return r.done
}

// Finish an attempt with the outcome of each record.
func (w *Window) Finish(r *Request, outcomes []sink.Outcome, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.outcomes, r.running, r.at = outcomes, false, now
	r.place = w.finished.PushBack(r)
	close(r.done)
}

// Forget an attempt of which nothing was sent. Earlier attempts stay remembered.
func (w *Window) Forget(r *Request, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.running = false
	close(r.done)
	if r.outcomes != nil {
		r.at, r.place = now, w.finished.PushBack(r)
		return
	}
	delete(w.requests, r.key)
	w.records -= r.n
}

func (w *Window) expire(now time.Time) {
	for e := w.finished.Front(); e != nil && now.Sub(e.Value.(*Request).at) > Keep; e = w.finished.Front() {
		w.forget(e.Value.(*Request))
	}
}

func (w *Window) forget(r *Request) {
	w.finished.Remove(r.place)
	delete(w.requests, r.key)
	w.records -= r.n
}

// Evicted are requests that were forgotten before their time, because there were too many.
func (w *Window) Evicted() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.evicted
}

// SumOf a topic and its records: what is sent, and not how it was spelled.
func SumOf(topic string, records []record.Record) Sum {
	h := sha256.New()
	field(h, []byte(topic))
	for i := range records {
		r := &records[i]
		number(h, int64(r.Partition))
		number(h, r.Timestamp)
		field(h, r.Key)
		field(h, r.Value)
		number(h, int64(len(r.Headers)))
		for _, header := range r.Headers {
			field(h, []byte(header.Key))
			field(h, header.Value)
		}
	}
	return Sum(h.Sum(nil))
}

// field with its length first, so that no two lists of fields look the same; nil is not empty.
func field(h hash.Hash, b []byte) {
	n := int64(len(b))
	if b == nil {
		n = -1
	}
	number(h, n)
	h.Write(b)
}

func number(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}
