package gateway

import (
	"bytes"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"mooring.dev/mooring/internal/shim/gateway/body"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// cluster ID of a v3 request, if it is this cluster's.
func (g *Gateway) cluster(r *http.Request) (string, *fault) {
	id, f := g.ownCluster(r)
	if f != nil {
		return "", f
	}
	if want := r.PathValue("cluster"); want != id {
		return "", faultf(http.StatusNotFound, "Cluster %.80s cannot be found. This is %s; GET /v3/clusters says so too.", want, id)
	}
	return id, nil
}

func (g *Gateway) ownCluster(r *http.Request) (string, *fault) {
	if id := g.clusterID.Load(); id != nil {
		return *id, nil
	}
	ctx, cancel := g.look(r)
	defer cancel()
	id, err := g.sink.ClusterID(ctx)
	if err != nil {
		return "", faultOfLook(err, "")
	}
	g.clusterID.Store(&id)
	return id, nil
}

// v3Clusters is GET /v3/clusters.
func (g *Gateway) v3Clusters(a *answer, r *http.Request) {
	id, f := g.ownCluster(r)
	if f != nil {
		a.fault(f)
		return
	}
	base := "http://" + r.Host + "/v3/clusters"
	a.text(`{"kind":"KafkaClusterList","metadata":{"self":`).quote(base).text(`,"next":null},"data":[`).v3ClusterData(base, id).text(`]}`)
	a.send(http.StatusOK, typeJSON)
}

// v3Cluster is GET /v3/clusters/{cluster}.
func (g *Gateway) v3Cluster(a *answer, r *http.Request) {
	id, f := g.cluster(r)
	if f != nil {
		a.fault(f)
		return
	}
	a.v3ClusterData("http://"+r.Host+"/v3/clusters", id).send(http.StatusOK, typeJSON)
}

func (a *answer) v3ClusterData(base, id string) *answer {
	self := base + "/" + id
	return a.text(`{"kind":"KafkaCluster","metadata":{"self":`).quote(self).text(`,"resource_name":`).quote("crn:///kafka=" + id).
		text(`},"cluster_id":`).quote(id).text(`,"topics":{"related":`).quote(self + "/topics").text(`}}`)
}

// checkJSON of a v3 request. Confluent's clients send application/json; nothing is taken for it too, as curl -T sends it.
func checkJSON(r *http.Request) *fault {
	if kind := mediaType(r); kind != "" && kind != "application/json" {
		return faultf(http.StatusUnsupportedMediaType, "HTTP 415 Unsupported Media Type: %.80q; use application/json", kind)
	}
	return checkEncoding(r)
}

// v3Begin checks what all v3 requests have in common.
func (g *Gateway) v3Begin(a *answer, r *http.Request) (id string, m mode, ok bool) {
	m, f := modeOf(r)
	if f == nil {
		f = checkJSON(r)
	}
	if f == nil && m.async {
		f = faultf(http.StatusBadRequest, "v3 has no async: each record has its own result; use /v1 or /topics")
	}
	if f == nil {
		id, f = g.cluster(r)
	}
	if f != nil {
		a.fault(f)
		return "", m, false
	}
	return id, m, true
}

// v3Records is POST /v3/clusters/{cluster}/topics/{topic}/records: JSON objects one after another, each a record, each with
// its own result. Results are streamed in the order of the records, as they are acknowledged. With an Idempotency-Key, or
// atomic, the request is taken as a whole, which a stream is not.
func (g *Gateway) v3Records(a *answer, r *http.Request) {
	id, m, ok := g.v3Begin(a, r)
	if !ok {
		return
	}
	if m.key == "" && !m.atomic {
		g.v3Stream(a, r, id)
		return
	}
	b := g.sink.Batch(r.PathValue("topic"))
	defer b.Release()
	if f := g.receive(r, b, g.sink.Account().Limit()); f != nil {
		a.fault(f)
		return
	}
	records, err := v3Objects(b.Body)
	if err != nil {
		a.fault(faultOfBody(err))
		return
	}
	g.v3Whole(a, r, b, m, records, func(d *delivery) {
		for i := range records {
			a.v3Result(id, b.Topic, &records[i], d.outcome(i))
			a.text("\n")
		}
		status := http.StatusOK
		if written, first := d.summary(); written == 0 {
			f := faultOfOutcome(first)
			a.retryAfter(f)
			status = f.status
		}
		a.send(status, typeJSON)
	})
}

// v3Batch is POST …/records:batch.
func (g *Gateway) v3Batch(a *answer, r *http.Request) {
	id, m, ok := g.v3Begin(a, r)
	if !ok {
		return
	}
	b := g.sink.Batch(r.PathValue("topic"))
	defer b.Release()
	if f := g.receive(r, b, g.sink.Account().Limit()); f != nil {
		a.fault(f)
		return
	}
	entries, err := body.V3Batch(b.Body)
	if err != nil {
		a.fault(faultOfBody(err))
		return
	}
	g.v3Whole(a, r, b, m, entries, func(d *delivery) {
		a.text(`{"successes":[`).v3Entries(id, d, entries, true).text(`],"failures":[`).v3Entries(id, d, entries, false).text(`]}`)
		a.send(http.StatusMultiStatus, typeJSON)
	})
}

// v3Whole delivers the records of a request that is taken as a whole.
func (g *Gateway) v3Whole(a *answer, r *http.Request, b *sink.Batch, m mode, records []body.V3Record, write func(*delivery)) {
	for i := range records {
		if f := g.encodeV3(r.Context(), b, &records[i]); f != nil {
			a.fault(f.in(i))
			return
		}
		b.Records = append(b.Records, records[i].Record)
	}
	d, f := g.deliver(a, b, m)
	if f != nil {
		a.fault(f)
		return
	}
	write(d)
}

// v3Objects are the records of a body that is there as a whole.
func v3Objects(data []byte) ([]body.V3Record, error) {
	var records []body.V3Record
	decoder := jsontext.NewDecoder(bytes.NewBuffer(data))
	for decoder.PeekKind() != 0 || decoder.InputOffset() < int64(len(bytes.TrimRight(data, " \t\r\n"))) {
		if len(records) == body.MaxRecords {
			return nil, &body.Error{Kind: body.TooMany, Record: len(records), Offset: decoder.InputOffset(), Reason: "too many records in one request"}
		}
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, &body.Error{Kind: body.Malformed, Record: len(records), Offset: decoder.InputOffset(), Reason: "not JSON (was the request cut off?)"}
		}
		r, err := body.V3(value, len(records))
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	if len(records) == 0 {
		return nil, &body.Error{Kind: body.Invalid, Record: -1, Offset: -1, Reason: "no record"}
	}
	return records, nil
}

func (a *answer) v3Entries(id string, d *delivery, entries []body.V3Record, written bool) *answer {
	comma := false
	for i := range entries {
		o := d.outcome(i)
		if (o.Class == sink.Written) != written {
			continue
		}
		if comma {
			a.text(",")
		}
		comma = true
		a.v3Result(id, d.batch.Topic, &entries[i], o)
	}
	return a
}

// v3Result of one record, or its error.
func (a *answer) v3Result(id, topic string, r *body.V3Record, o sink.Outcome) *answer {
	a.text(`{`)
	if r.ID != "" {
		a.text(`"id":`).quote(r.ID).text(`,`)
	}
	if o.Class != sink.Written {
		f := faultOfOutcome(o)
		return a.text(`"error_code":`).number(int64(f.errorCode())).text(`,"message":`).quote(f.message).text(`}`)
	}
	a.text(`"error_code":200,"cluster_id":`).quote(id).text(`,"topic_name":`).quote(topic).
		text(`,"partition_id":`).number(int64(o.Partition)).text(`,"offset":`).number(o.Offset).text(`,"timestamp":`).instant(o.Timestamp)
	if r.KeyType != "" {
		a.text(`,"key":{"type":`).quote(r.KeyType).text(`,"size":`).number(int64(len(r.Key))).text(`}`)
	}
	if r.ValueType != "" {
		a.text(`,"value":{"type":`).quote(r.ValueType).text(`,"size":`).number(int64(len(r.Value))).text(`}`)
	}
	return a.text(`}`)
}
