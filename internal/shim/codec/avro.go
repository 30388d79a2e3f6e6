package codec

import (
	"fmt"

	"github.com/twmb/avro"

	"mooring.dev/mooring/internal/shim/codec/protocol"
)

// avroCodec takes values in Avro's JSON encoding: unions as {"type": value}, bytes as strings of the characters up to U+00FF. As
// Java's decoder does, it leaves out fields that the schema does not have.
type avroCodec struct{ schema *avro.Schema }

func compileAvro(t protocol.Source) (codec, error) {
	var known avro.SchemaCache
	for _, r := range t.References {
		if _, err := known.Parse(r.Schema); err != nil {
			return nil, fmt.Errorf("its reference %.80q: %w", r.Name, err)
		}
	}
	s, err := known.Parse(t.Schema)
	if err != nil {
		return nil, err
	}
	return avroCodec{s}, nil
}

func (c avroCodec) append(dst, value []byte) ([]byte, error) {
	var v any
	// Tagged, so that a value keeps the branch of a union that its sender named.
	if err := c.schema.DecodeJSON(value, &v, avro.TaggedUnions()); err != nil {
		return dst, err
	}
	return c.schema.AppendEncode(dst, v)
}
