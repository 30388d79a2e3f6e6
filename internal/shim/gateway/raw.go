package gateway

import (
	"encoding/base64"
	"math"
	"net/http"
	"strconv"
	"strings"

	"mooring.dev/mooring/internal/shim/gateway/body"
	"mooring.dev/mooring/internal/shim/gateway/record"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// rawRecords is POST /v1/topics/{topic}/records: the body is the value of a record, or each line of it is (NDJSON), or it is a
// CloudEvent or a batch of them.
func (g *Gateway) rawRecords(a *answer, r *http.Request) {
	m, f := modeOf(r)
	if f == nil {
		f = checkEncoding(r)
	}
	if f != nil {
		a.fault(f)
		return
	}
	like, f := recordOf(r.Header)
	if f != nil {
		a.fault(f)
		return
	}
	b := g.sink.Batch(r.PathValue("topic"))
	defer b.Release()
	many, f := g.readRaw(r, b, like)
	if f != nil {
		a.fault(f)
		return
	}
	d, f := g.deliver(a, b, m)
	if f != nil {
		a.fault(f)
		return
	}
	a.raw(d, many)
}

// readRaw fills the batch; many says that the answer is a list.
func (g *Gateway) readRaw(r *http.Request, b *sink.Batch, like record.Record) (many bool, f *fault) {
	limit := g.sink.Account().Limit()
	kind := mediaType(r)
	switch kind {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", body.CloudEventBatch:
		many = true
	case body.CloudEvent:
	default:
		limit = min(limit, sink.MaxRecordSize(g.sink.Contract()))
	}
	if f := g.receive(r, b, limit); f != nil {
		return many, f
	}
	var err error
	switch {
	case kind == body.CloudEventBatch:
		b.Records, err = body.CloudEventsJSON(b.Body, like, b.Records)
	case kind == body.CloudEvent:
		b.Records, err = body.CloudEventJSON(b.Body, like, b.Records)
	case many:
		b.Records, err = body.Lines(b.Body, like, b.Records)
	default:
		return false, single(r, b, like)
	}
	if err != nil {
		return many, faultOfBody(err)
	}
	return many, nil
}

// single record, whose value is the body.
func single(r *http.Request, b *sink.Batch, like record.Record) *fault {
	if r.Header["Kafka-Tombstone"] == nil {
		if like.Value = b.Body; like.Value == nil {
			like.Value = []byte{} // an empty body is an empty value, and no tombstone
		}
	} else if len(b.Body) > 0 {
		return faultf(http.StatusUnprocessableEntity, "Kafka-Tombstone says that there is no value, and the body has %d bytes", len(b.Body))
	}
	if body.IsCloudEvent(r.Header) {
		headers, key, hasKey, err := body.CloudEventHeaders(r.Header)
		if err != nil {
			return faultOfBody(err)
		}
		like.Headers = append(headers, like.Headers...)
		if hasKey && like.Key == nil {
			like.Key = key
		}
	}
	b.Records = append(b.Records, like)
	return nil
}

// recordOf the HTTP headers: what they say of the record, or of each.
func recordOf(h http.Header) (record.Record, *fault) {
	like := record.New()
	if v := h["Kafka-Key"]; len(v) > 0 {
		like.Key = []byte(v[0])
	}
	if v := h["Kafka-Key-Base64"]; len(v) > 0 {
		key, err := base64.StdEncoding.DecodeString(v[0])
		if err != nil || like.Key != nil {
			return like, faultf(http.StatusUnprocessableEntity, "Kafka-Key-Base64 is not base64 (the standard alphabet, with padding), or Kafka-Key is there too")
		}
		like.Key = key
	}
	if v := h["Kafka-Partition"]; len(v) > 0 {
		n, err := strconv.ParseUint(v[0], 10, 31)
		if err != nil {
			return like, faultf(http.StatusUnprocessableEntity, "Kafka-Partition is %.40q; it must be a whole number from 0 to %d", v[0], math.MaxInt32)
		}
		like.Partition = int32(n)
	}
	if v := h["Kafka-Timestamp"]; len(v) > 0 {
		n, err := strconv.ParseUint(v[0], 10, 63)
		if err != nil || n > maxTimestamp {
			return like, faultf(http.StatusUnprocessableEntity, "Kafka-Timestamp is %.40q; it must be milliseconds since 1970", v[0])
		}
		like.Timestamp = int64(n)
	}
	for _, v := range h["Kafka-Header"] {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return like, faultf(http.StatusUnprocessableEntity, "Kafka-Header is %.40q; it must be name=value", v)
		}
		like.Headers = append(like.Headers, record.Header{Key: strings.TrimSpace(name), Value: []byte(value)})
	}
	return like, nil
}

// maxTimestamp is the end of the year 9999, in milliseconds.
const maxTimestamp = 253402300799999

// raw answers of one record, or of many.
func (a *answer) raw(d *delivery, many bool) {
	if d.accepted {
		a.send(http.StatusAccepted, nil)
		return
	}
	if !many {
		o := d.outcome(0)
		if o.Class != sink.Written {
			a.fault(faultOfOutcome(o))
			return
		}
		a.position(d.batch.Topic, o)
		a.out = append(a.out, '\n')
		a.send(http.StatusOK, typeJSON)
		return
	}
	written, first := d.summary()
	status, kind := http.StatusOK, typeJSON
	switch {
	case written == d.size():
		a.text(`{`)
	case written > 0:
		status = http.StatusMultiStatus
		a.text(`{`)
	default:
		f := faultOfOutcome(first)
		a.retryAfter(f)
		a.problem(f)
		a.text(`,`)
		status, kind = f.status, typeProblem
	}
	a.text(`"written":`).number(int64(written)).text(`,"failed":`).number(int64(d.size() - written)).text(`,"records":[`)
	for i := range d.size() {
		if i > 0 {
			a.out = append(a.out, ',')
		}
		if o := d.outcome(i); o.Class == sink.Written {
			a.position("", o)
		} else {
			a.problem(faultOfOutcome(o))
			a.out = append(a.out, '}')
		}
	}
	a.text("]}\n")
	a.send(status, kind)
}

func (a *answer) position(topic string, o sink.Outcome) {
	a.text(`{`)
	if topic != "" {
		a.text(`"topic":`).quote(topic).text(`,`)
	}
	a.text(`"partition":`).number(int64(o.Partition)).text(`,"offset":`).number(o.Offset).text(`,"timestamp":`).number(o.Timestamp).text(`}`)
}
