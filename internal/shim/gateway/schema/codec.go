package schema

import (
	"fmt"

	"mooring.dev/mooring/internal/shim/gateway/body"
)

// codec encodes JSON values by one schema. It may be used concurrently.
type codec interface {
	// header of the encoded value, after the ID; Protobuf's path to the message.
	header() []int
	// append the encoded value, without its header.
	append(dst, value []byte) ([]byte, error)
}

// text of a schema and of those that it refers to.
type text struct {
	schema string
	// references by the names that the schema has for them, each after those that it refers to itself.
	references []reference
}

type reference struct{ name, schema string }

func (t text) size() int {
	n := len(t.schema)
	for _, r := range t.references {
		n += len(r.name) + len(r.schema)
	}
	return n
}

// compile a schema. Its errors are the author's of the schema. What the libraries do not expect of a schema is one too.
func compile(format body.Format, t text) (c codec, err error) {
	defer caught(&err)
	switch format {
	case body.Avro:
		return compileAvro(t)
	case body.JSONSchema:
		return compileJSONSchema(t)
	case body.Protobuf:
		return compileProtobuf(t)
	}
	return nil, fmt.Errorf("%s has no schemas", format)
}

// encode a value; what the libraries do not expect of one is an error too.
func encode(c codec, dst, value []byte) (_ []byte, err error) {
	defer caught(&err)
	return c.append(dst, value)
}

func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("it cannot be used: %v", p)
	}
}
