package codec

import (
	"fmt"

	"mooring.dev/mooring/internal/shim/codec/protocol"
)

// codec encodes JSON values by one schema. It may be used concurrently.
type codec interface {
	// append the encoded value, without its header.
	append(dst, value []byte) ([]byte, error)
}

// compile a schema. Its errors are the author's of the schema. What the libraries do not expect of a schema is one too.
func compile(t protocol.Source) (c codec, err error) {
	defer caught(&err)
	switch t.Format {
	case protocol.Avro:
		return compileAvro(t)
	case protocol.JSONSchema:
		return compileJSONSchema(t)
	case protocol.Protobuf:
		return compileProtobuf(t)
	}
	return nil, fmt.Errorf("%.40q is no format of a schema", t.Format)
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
