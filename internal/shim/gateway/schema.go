package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/gateway/body"
	"mooring.dev/mooring/internal/shim/gateway/schema"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// registryOf a contract; nil if it has none.
func registryOf(c contract.Contract) (*schema.Registry, error) {
	if c.SchemaRegistry == nil {
		return nil, nil
	}
	return schema.New(*c.SchemaRegistry)
}

// encoder by a schema. format is what the sender called what it sends.
func (g *Gateway) encoder(ctx context.Context, format string, n schema.Name) (*schema.Encoder, *fault) {
	registry := g.schemas.Load()
	if registry == nil {
		return nil, &fault{status: http.StatusUnprocessableEntity, code: schema.CodeKeySchemaMissing,
			message: format + " needs a schema registry, and this shim has none: KafkaCluster spec.schemaRegistry names it. Or send binary (encoded by the app) or json"}
	}
	e, err := registry.Encoder(ctx, n)
	return e, faultOfSchema(err)
}

// encode a value by a schema. What it comes to is taken from the account, beside the body.
func (g *Gateway) encode(e *schema.Encoder, b *sink.Batch, value []byte) ([]byte, *fault) {
	if limit := sink.MaxRecordSize(g.sink.Contract()); int64(len(value)) > limit {
		return nil, faultf(http.StatusRequestEntityTooLarge, "a value of %d bytes, as JSON, is more than max.request.size, %d", len(value), limit)
	}
	out, err := e.Append(make([]byte, 0, len(value)+8), value)
	if err != nil {
		return nil, faultOfSchema(err)
	}
	return out, g.enlarge(b, int64(cap(out)))
}

// faultOfSchema is 422 where the sender has to mend something, and otherwise 408, which Confluent REST answers when the registry
// cannot be asked.
func faultOfSchema(err error) *fault {
	var mistake *schema.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mistake):
		return &fault{status: http.StatusUnprocessableEntity, code: mistake.Code, message: mistake.Reason}
	}
	return &fault{status: http.StatusRequestTimeout, code: codeRegistry, message: "the schema registry cannot be asked, and nothing was written: " + err.Error(), retryAfter: time.Second}
}

// encodeV2 encodes the keys and values of a batch.
func (g *Gateway) encodeV2(ctx context.Context, b *sink.Batch, format body.Format, schemas body.Schemas) (ids schemaIDs, f *fault) {
	key := body.V3Data{Format: format, NeedsSchema: true, Typed: true, Schema: schemas.Key, SchemaID: schemas.KeyID}
	value := body.V3Data{Format: format, NeedsSchema: true, Typed: true, Schema: schemas.Value, SchemaID: schemas.ValueID}
	var keys, values *schema.Encoder
	for i := range b.Records {
		r := &b.Records[i]
		if r.Key != nil && keys == nil {
			if keys, f = g.v2Encoder(ctx, b.Topic, true, key); f != nil {
				return ids, f
			}
			ids.key = keys.ID
		}
		if r.Value != nil && values == nil {
			if values, f = g.v2Encoder(ctx, b.Topic, false, value); f != nil {
				return ids, f
			}
			ids.value = values.ID
		}
		if f = g.encodeRecord(keys, values, b, &r.Key, &r.Value); f != nil {
			return ids, f.in(i)
		}
	}
	return ids, nil
}

// v2Encoder needs the schema, or its ID, in the request.
func (g *Gateway) v2Encoder(ctx context.Context, topic string, key bool, d body.V3Data) (*schema.Encoder, *fault) {
	if d.Schema == "" && d.SchemaID == 0 && g.schemas.Load() != nil {
		if key {
			return nil, &fault{status: http.StatusUnprocessableEntity, code: schema.CodeKeySchemaMissing, message: "the records have keys, and the request has neither key_schema nor key_schema_id"}
		}
		return nil, &fault{status: http.StatusUnprocessableEntity, code: schema.CodeValueSchemaMissing, message: "the records have values, and the request has neither value_schema nor value_schema_id"}
	}
	return g.encoder(ctx, d.Format.String(), schema.Name{Topic: topic, Key: key, V3Data: d})
}

// encodeRecord in place; nil stays nil.
func (g *Gateway) encodeRecord(keys, values *schema.Encoder, b *sink.Batch, key, value *[]byte) (f *fault) {
	if *key != nil {
		if *key, f = g.encode(keys, b, *key); f != nil {
			return f
		}
	}
	if *value != nil {
		*value, f = g.encode(values, b, *value)
	}
	return f
}

// encodeV3 encodes the key and the value of a record, where they need it.
func (g *Gateway) encodeV3(ctx context.Context, b *sink.Batch, r *body.V3Record) *fault {
	if f := g.encodeV3Data(ctx, b, true, r.KeySchema, &r.KeyType, &r.Key); f != nil {
		return f
	}
	return g.encodeV3Data(ctx, b, false, r.ValueSchema, &r.ValueType, &r.Value)
}

func (g *Gateway) encodeV3Data(ctx context.Context, b *sink.Batch, key bool, d body.V3Data, kind *string, data *[]byte) *fault {
	if !d.NeedsSchema || *data == nil {
		return nil
	}
	e, f := g.encoder(ctx, d.Format.String(), schema.Name{Topic: b.Topic, Key: key, V3Data: d})
	if f != nil {
		return f
	}
	if *kind == "" {
		*kind = v3Types[e.Format]
	}
	*data, f = g.encode(e, b, *data)
	return f
}

// v3Types are the names of v3 for what is encoded by a schema.
var v3Types = map[body.Format]string{body.Avro: "AVRO", body.JSONSchema: "JSONSCHEMA", body.Protobuf: "PROTOBUF"}
