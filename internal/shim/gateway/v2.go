package gateway

import (
	"net/http"
	"strconv"

	"mooring.dev/mooring/internal/shim/gateway/body"
	"mooring.dev/mooring/internal/shim/gateway/record"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// formats by content type. There is no guessing: what is none of them is 415. Version 1 of Confluent REST, which its own
// client for Node.js still speaks, has the same requests and answers where records are produced.
var formats = map[string]body.Format{
	"application/vnd.kafka.v1+json":            body.Binary,
	"application/vnd.kafka.binary.v1+json":     body.Binary,
	"application/vnd.kafka.json.v1+json":       body.JSON,
	"application/vnd.kafka.avro.v1+json":       body.Avro,
	"application/vnd.kafka.binary.v2+json":     body.Binary,
	"application/vnd.kafka.v2+json":            body.Binary, // Confluent's default
	"application/vnd.kafka.json.v2+json":       body.JSON,
	"application/vnd.kafka.text.v2+json":       body.Text,
	"application/vnd.kafka.avro.v2+json":       body.Avro,
	"application/vnd.kafka.jsonschema.v2+json": body.JSONSchema,
	"application/vnd.kafka.protobuf.v2+json":   body.Protobuf,
}

// v2Produce is POST /topics/{topic} and POST /topics/{topic}/partitions/{partition}.
func (g *Gateway) v2Produce(a *answer, r *http.Request) {
	m, f := modeOf(r)
	if f == nil {
		f = checkEncoding(r)
	}
	format, ok := formats[mediaType(r)]
	if f == nil && !ok {
		f = faultf(http.StatusUnsupportedMediaType, "HTTP 415 Unsupported Media Type: %.80q; use application/vnd.kafka.binary.v2+json or application/vnd.kafka.json.v2+json", mediaType(r))
	}
	partition := record.AnyPartition
	if f == nil {
		partition, f = partitionOf(r)
	}
	if f != nil {
		a.fault(f)
		return
	}
	b := g.sink.Batch(r.PathValue("topic"))
	defer b.Release()
	if f := g.receive(r, b, g.sink.Account().Limit()); f != nil {
		a.fault(f)
		return
	}
	ids, f := g.readV2(r, b, format)
	if f != nil {
		a.fault(f)
		return
	}
	if partition != record.AnyPartition {
		for i := range b.Records {
			if b.Records[i].Partition == record.AnyPartition {
				b.Records[i].Partition = partition
			}
		}
	}
	d, f := g.deliver(a, b, m)
	if f != nil {
		a.fault(f)
		return
	}
	a.v2(d, ids)
}

// schemaIDs of a v2 answer; 0 is null.
type schemaIDs struct{ key, value int }

func (g *Gateway) readV2(r *http.Request, b *sink.Batch, format body.Format) (ids schemaIDs, f *fault) {
	var schemas body.Schemas
	var err error
	if b.Records, schemas, err = body.V2(b.Body, format, b.Records); err != nil {
		return ids, faultOfBody(err)
	}
	if !format.NeedsSchema() {
		return ids, nil
	}
	return g.encodeV2(r.Context(), b, format, schemas)
}

func partitionOf(r *http.Request) (int32, *fault) {
	text := r.PathValue("partition")
	if text == "" {
		return record.AnyPartition, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, &fault{status: http.StatusNotFound, code: codeNoPartition, message: "Partition not found: it must be a whole number"}
	}
	return int32(n), nil
}

// v2 answers with an entry for each record. If none was written the status says so too, which Confluent's servers do not do:
// a sender that looks at the status alone would take the records for written.
func (a *answer) v2(d *delivery, ids schemaIDs) {
	if d.accepted {
		a.send(http.StatusNoContent, nil)
		return
	}
	status := http.StatusOK
	written, first := d.summary()
	a.text(`{`)
	if written == 0 {
		f := faultOfOutcome(first)
		a.retryAfter(f)
		status = f.status
		a.text(`"error_code":`).number(int64(f.errorCode())).text(`,"message":`).quote(f.message).text(`,`)
	}
	a.text(`"offsets":[`)
	for i := range d.size() {
		if i > 0 {
			a.out = append(a.out, ',')
		}
		a.v2Offset(d.outcome(i))
	}
	a.text(`],"key_schema_id":`).orNull(ids.key).text(`,"value_schema_id":`).orNull(ids.value).text(`}`)
	a.send(status, typeV2)
}

func (a *answer) orNull(n int) *answer {
	if n == 0 {
		return a.text("null")
	}
	return a.number(int64(n))
}

// v2Offset of one record, as both Confluent's clients ("error") and Strimzi's ("message") read it.
func (a *answer) v2Offset(o sink.Outcome) {
	if o.Class == sink.Written {
		a.text(`{"partition":`).number(int64(o.Partition)).text(`,"offset":`).number(o.Offset).text(`,"error_code":null,"error":null}`)
		return
	}
	code := codeKafka
	if _, own := statusOf(o.Class); own != 0 {
		code = own
	} else if o.Class.Retriable() {
		code = codeRetriable
	}
	a.text(`{"partition":null,"offset":null,"error_code":`).number(int64(code)).text(`,"error":`).quote(o.Reason).text(`,"message":`).quote(o.Reason).text(`}`)
}

// v2Topics is GET /topics.
func (g *Gateway) v2Topics(a *answer, r *http.Request) {
	ctx, cancel := g.look(r)
	defer cancel()
	names, err := g.sink.Topics(ctx)
	if err != nil {
		a.fault(faultOfLook(err, ""))
		return
	}
	a.text("[")
	for i, name := range names {
		if i > 0 {
			a.text(",")
		}
		a.quote(name)
	}
	a.text("]").send(http.StatusOK, typeV2)
}

// v2Topic is GET /topics/{topic}. Its configs are left empty: clients ask for partitions.
func (g *Gateway) v2Topic(a *answer, r *http.Request) {
	t, ok := g.describe(a, r)
	if !ok {
		return
	}
	a.text(`{"name":`).quote(t.Name).text(`,"configs":{},"partitions":`).partitions(t).text(`}`).send(http.StatusOK, typeV2)
}

// v2Partitions is GET /topics/{topic}/partitions.
func (g *Gateway) v2Partitions(a *answer, r *http.Request) {
	t, ok := g.describe(a, r)
	if !ok {
		return
	}
	a.partitions(t).send(http.StatusOK, typeV2)
}
