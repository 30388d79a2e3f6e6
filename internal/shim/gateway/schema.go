package gateway

import (
	"context"
	"errors"
	"net/http"

	"mooring.dev/mooring/internal/shim/gateway/body"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// Schemas encodes keys and values that need a schema, through a schema registry.
type Schemas interface {
	// Encode a JSON value for a topic by a schema, and say the schema's ID. key says that it is a record's key. Errors that
	// are the sender's are SchemaErrors.
	Encode(ctx context.Context, topic string, key bool, d body.V3Data, value []byte) (encoded []byte, id int, err error)
}

// SchemaError is a sender's mistake: a schema, or a value that is not of it.
type SchemaError struct{ Reason string }

func (e *SchemaError) Error() string { return e.Reason }

func (g *Gateway) encode(ctx context.Context, topic string, key bool, d body.V3Data, value []byte) ([]byte, int, *fault) {
	if g.schemas == nil {
		return nil, 0, &fault{status: http.StatusUnprocessableEntity, code: codeKeySchema,
			message: d.Format.String() + " needs a schema registry, and this shim has none; send binary (encoded by the app) or json"}
	}
	out, id, err := g.schemas.Encode(ctx, topic, key, d, value)
	var mistake *SchemaError
	switch {
	case errors.As(err, &mistake):
		return nil, 0, &fault{status: http.StatusUnprocessableEntity, code: codeKeySchema, message: err.Error()}
	case err != nil:
		return nil, 0, faultf(http.StatusServiceUnavailable, "the schema registry: %v", err)
	}
	return out, id, nil
}

// encodeV2 encodes the keys and values of a batch.
func (g *Gateway) encodeV2(ctx context.Context, b *sink.Batch, format body.Format, schemas body.Schemas) (ids schemaIDs, f *fault) {
	key := body.V3Data{Format: format, NeedsSchema: true, Schema: schemas.Key, SchemaID: schemas.KeyID}
	value := body.V3Data{Format: format, NeedsSchema: true, Schema: schemas.Value, SchemaID: schemas.ValueID}
	for i := range b.Records {
		r := &b.Records[i]
		if r.Key != nil {
			if r.Key, ids.key, f = g.encode(ctx, b.Topic, true, key, r.Key); f != nil {
				return ids, f
			}
		}
		if r.Value != nil {
			if r.Value, ids.value, f = g.encode(ctx, b.Topic, false, value, r.Value); f != nil {
				return ids, f
			}
		}
	}
	return ids, nil
}

// encodeV3 encodes the key and the value of a record, where they need it.
func (g *Gateway) encodeV3(ctx context.Context, topic string, r *body.V3Record) (f *fault) {
	if r.KeySchema.NeedsSchema && r.Key != nil {
		if r.Key, _, f = g.encode(ctx, topic, true, r.KeySchema, r.Key); f != nil {
			return f
		}
	}
	if r.ValueSchema.NeedsSchema && r.Value != nil {
		r.Value, _, f = g.encode(ctx, topic, false, r.ValueSchema, r.Value)
	}
	return f
}
