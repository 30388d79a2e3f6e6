package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"mooring.dev/mooring/internal/shim/gateway/body"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// streamWindow is how many records of a stream may be without a result; the stream is not read further then.
const streamWindow = 256

// stream is a v3 request whose records are sent as they come, and whose results are written as they are acknowledged.
type stream struct {
	g       *Gateway
	request *http.Request
	topic   string
	id      string
	control *http.ResponseController
	input   *streamInput
	results chan streamResult // in the order of the records
	freed   chan struct{}     // a token when a result was written and memory freed
	sent    atomic.Int64      // records without a result
}

// streamResult is a record on its way, or the fault of one.
type streamResult struct {
	batch  *sink.Batch
	record body.V3Record
	fault  *fault
}

func (g *Gateway) v3Stream(a *answer, r *http.Request, id string) {
	s := &stream{g: g, request: r, topic: r.PathValue("topic"), id: id, control: http.NewResponseController(a.w),
		results: make(chan streamResult, streamWindow), freed: make(chan struct{}, 1)}
	_ = s.control.EnableFullDuplex() // HTTP/1 would otherwise read the rest of the body before the first result
	s.input = &streamInput{s: s, limit: 2*sink.MaxRecordSize(g.sink.Contract()) + 64<<10}
	defer s.input.free()
	ended := context.AfterFunc(g.stopping, func() { _ = s.control.SetReadDeadline(time.Unix(1, 0)) })
	defer ended()
	go s.read()
	s.write(a)
}

// read records until the stream ends, or is no JSON any more.
func (s *stream) read() {
	defer close(s.results)
	decoder := jsontext.NewDecoder(s.input)
	for n := 0; ; n++ {
		value, err := decoder.ReadValue()
		if err != nil {
			if f := s.end(err, n); f != nil {
				s.results <- streamResult{fault: f}
			}
			return
		}
		s.results <- s.one(value, n)
		s.input.next()
	}
}

// end of a stream: nil if it is one as it should be.
func (s *stream) end(err error, n int) *fault {
	switch {
	case errors.Is(err, io.EOF) && n > 0:
		return nil
	case errors.Is(err, io.EOF):
		return &fault{status: http.StatusUnprocessableEntity, code: codeBadPayload, message: "no record in the request"}
	case s.g.stopping.Err() != nil:
		return &fault{status: http.StatusServiceUnavailable, message: "the shim is stopping: records after this were not read", retryAfter: time.Second}
	case errors.Is(err, errTooLarge):
		return faultf(http.StatusRequestEntityTooLarge, "record %d: more than %d bytes; records from it on were not read", n, s.input.limit)
	case errors.Is(err, errNoMemory):
		f := faultOfRefusal(s.g.sink.Full(s.input.limit / 2))
		return f
	case errors.Is(err, os.ErrDeadlineExceeded):
		return faultf(http.StatusRequestTimeout, "nothing came for %s; records from %d on were not read", StreamIdle, n)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return faultf(http.StatusBadRequest, "record %d was cut off, and not written", n)
	}
	return faultf(http.StatusBadRequest, "record %d is not JSON; records from it on were not read: %v", n, err)
}

// one record: send it. A record that is JSON, and wrong, has a fault, and the stream goes on.
func (s *stream) one(value jsontext.Value, n int) streamResult {
	b := s.g.sink.Batch(s.topic)
	if f := s.room(b, int64(len(value))); f != nil {
		b.Release()
		return streamResult{fault: f}
	}
	b.Body = append(b.Body, value...)
	record, err := body.V3(b.Body, n)
	var f *fault
	if err != nil {
		f = faultOfStreamBody(err)
	} else {
		f = s.g.encodeV3(s.request.Context(), b, &record)
	}
	if f == nil {
		b.Records = append(b.Records, record.Record)
		if refusal := s.send(b); refusal != nil {
			f = faultOfRefusal(refusal)
		}
	}
	if f != nil {
		b.Release()
		return streamResult{fault: f}
	}
	s.sent.Add(1)
	return streamResult{batch: b, record: record}
}

func faultOfStreamBody(err error) *fault {
	f := faultOfBody(err)
	f.message = err.Error() // other records of the request were written
	return f
}

// room for n bytes. A stream waits for its own earlier records to free memory, before it is told that there is none.
func (s *stream) room(b *sink.Batch, n int64) *fault {
	for !b.Grow(n) {
		if !s.waitForResult() {
			return faultOfRefusal(s.g.sink.Full(n))
		}
	}
	return nil
}

func (s *stream) send(b *sink.Batch) *sink.Refusal {
	for {
		refusal := s.g.sink.Send(b, nil, nil)
		if refusal == nil || refusal.Class != sink.Full || !s.waitForResult() {
			return refusal
		}
	}
}

// waitForResult of an earlier record of this stream; false if there is none.
func (s *stream) waitForResult() bool {
	if s.sent.Load() == 0 {
		return false
	}
	limit := time.NewTimer(s.g.sink.AnswerLimit())
	defer limit.Stop()
	select {
	case <-s.freed:
		return true
	case <-limit.C:
		return false
	}
}

// write results in order. The status is that of the only record's, if the request's length says that there can be no more to
// come; else it is 200, because results are on their way before the last record is.
func (s *stream) write(a *answer) {
	a.status = http.StatusOK
	a.w.Header()["Content-Type"] = typeJSON
	limit := s.g.sink.AnswerLimit()
	first := true
	for r := range s.results {
		f := s.result(a, r, limit)
		if first && f != nil && s.request.ContentLength >= 0 {
			if f2, more := <-s.results; more {
				// More than one: 200, and each result says its own.
				s.begin(a, http.StatusOK)
				s.flush(a)
				_ = s.result(a, f2, limit)
			} else {
				a.retryAfter(f)
				s.begin(a, f.status)
			}
			first = false
			continue
		}
		if first {
			s.begin(a, http.StatusOK)
			first = false
		}
		if len(s.results) == 0 || len(a.out) > keepOut {
			s.flush(a)
		}
	}
	s.flush(a)
}

func (s *stream) begin(a *answer, status int) {
	a.status = status
	a.w.WriteHeader(status)
}

// result of one record, once it is there, at the end of what is to be written; its fault if it has one.
func (s *stream) result(a *answer, r streamResult, limit time.Duration) (f *fault) {
	if f = r.fault; f == nil {
		if !r.batch.Finished() {
			s.flush(a) // what is known already
		}
		r.batch.Wait(limit)
		o := r.batch.Outcome(0)
		if o.Class != sink.Written {
			f = faultOfOutcome(o)
		} else {
			a.v3Result(s.id, s.topic, &r.record, o)
		}
		r.batch.Release()
		s.sent.Add(-1)
		select {
		case s.freed <- struct{}{}:
		default:
		}
	}
	if f != nil {
		a.confluent(f)
	}
	a.text("\n")
	return f
}

// flush what is to be written, once the head was.
func (s *stream) flush(a *answer) {
	if len(a.out) == 0 {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(StreamIdle))
	// Who does not read the results misses them; the records are sent all the same.
	_, _ = a.w.Write(a.out)
	_ = s.control.Flush()
	a.out = a.out[:0]
}

// streamInput is the body of a stream. It bounds one record, whose memory the decoder holds, and takes that memory from the
// account.
type streamInput struct {
	s           *stream
	limit       int64
	since, held int64 // bytes since the last record ended, and taken from the account
}

var (
	errTooLarge = errors.New("record too large")
	errNoMemory = errors.New("no memory for the record")
)

// Read part of the body.
func (i *streamInput) Read(p []byte) (int, error) {
	if i.since > i.limit {
		return 0, errTooLarge
	}
	if need := i.since + int64(len(p)); need > i.held {
		if !i.s.g.sink.Account().Take(need - i.held) {
			return 0, errNoMemory
		}
		i.held = need
	}
	_ = i.s.control.SetReadDeadline(time.Now().Add(StreamIdle))
	if i.s.g.stopping.Err() != nil {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := i.s.request.Body.Read(p)
	i.since += int64(n)
	return n, err
}

// next record begins.
func (i *streamInput) next() { i.since = 0 }

func (i *streamInput) free() { i.s.g.sink.Account().Give(i.held) }
