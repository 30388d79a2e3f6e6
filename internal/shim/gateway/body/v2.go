package body

import (
	"math"

	"mooring.dev/mooring/internal/shim/gateway/record"
)

// MaxRecords of one request. More are sent in several.
const MaxRecords = 100_000

// Format of the keys and values in a v2 body.
type Format uint8

// The formats, by the middle of their content type application/vnd.kafka.FORMAT.v2+json.
const (
	Binary Format = iota
	JSON
	// Text is Strimzi Bridge's: keys and values are strings.
	Text
	// The rest need a schema registry.
	Avro
	JSONSchema
	Protobuf
)

// NeedsSchema says whether the format is encoded by a schema.
func (f Format) NeedsSchema() bool { return f >= Avro }

func (f Format) String() string {
	return [...]string{"binary", "json", "text", "avro", "jsonschema", "protobuf"}[f]
}

// Schemas of a v2 body, for formats that need them. An ID of 0 is absent.
type Schemas struct {
	Key, Value     string
	KeyID, ValueID int
}

// V2 reads the body of POST /topics/{topic} in Confluent REST v2, with Strimzi Bridge's headers and timestamp, and appends its
// records to into. The records are parts of data, which is changed.
func V2(data []byte, format Format, into []record.Record) (_ []record.Record, schemas Schemas, err error) {
	s := &scanner{data: data, record: -1}
	defer catch(&err)
	records := -1
	s.object("the body", func(name string) bool {
		switch name {
		case "records":
			into = s.v2Records(format, into)
			records = len(into)
		case "key_schema":
			schemas.Key = s.optionalText()
		case "value_schema":
			schemas.Value = s.optionalText()
		case "key_schema_id":
			schemas.KeyID = s.schemaID(name)
		case "value_schema_id":
			schemas.ValueID = s.schemaID(name)
		default:
			s.fail(Invalid, "the body has an unknown field %.100q", name)
		}
		return true
	})
	s.end()
	if records < 1 {
		s.fail(Invalid, "records is missing or empty")
	}
	return into, schemas, nil
}

func (s *scanner) optionalText() string {
	if s.null() {
		return ""
	}
	return s.text()
}

func (s *scanner) schemaID(what string) int {
	n, _ := s.integer(what, math.MaxInt32)
	return int(n)
}

func (s *scanner) v2Records(format Format, into []record.Record) []record.Record {
	first := len(into)
	s.array("records", func() {
		if s.record = len(into) - first; s.record == MaxRecords {
			s.fail(TooMany, "more than %d records in one request; send them in several", MaxRecords)
		}
		into = append(into, s.v2Record(format))
	})
	s.record = -1
	return into
}

func (s *scanner) v2Record(format Format) record.Record {
	r := record.New()
	s.object("a record", func(name string) bool {
		switch name {
		case "key":
			r.Key = s.embedded(format, name)
		case "value":
			r.Value = s.embedded(format, name)
		case "partition":
			r.Partition = s.partition()
		case "timestamp":
			r.Timestamp = s.milliseconds()
		case "headers":
			r.Headers = s.headers("key")
		default:
			s.fail(Invalid, "a record has an unknown field %.100q", name)
		}
		return true
	})
	return r
}

// embedded is a key or a value of the format; nil for null.
func (s *scanner) embedded(format Format, what string) []byte {
	switch {
	case format == Binary:
		return s.base64(what)
	case s.null():
		return nil
	case format == Text:
		return s.bytes()
	default:
		return s.raw()
	}
}

func (s *scanner) partition() int32 {
	n, ok := s.integer("partition", math.MaxInt32)
	if !ok {
		return record.AnyPartition
	}
	return int32(n)
}

// maxTimestamp is the end of the year 9999, beyond which no ISO 8601 timestamp goes.
const maxTimestamp = 253402300799999

func (s *scanner) milliseconds() int64 {
	n, ok := s.integer("timestamp", maxTimestamp)
	if !ok {
		return record.Now
	}
	return n
}

// headers are objects with a name, under "key" in v2 and "name" in v3, and a value in base64.
func (s *scanner) headers(nameField string) []record.Header {
	if s.null() {
		return nil
	}
	var out []record.Header
	s.array("headers", func() {
		var h record.Header
		named := false
		s.object("a header", func(name string) bool {
			switch name {
			case nameField:
				h.Key, named = s.text(), true
			case "value":
				h.Value = s.base64("value of the header")
			default:
				s.fail(Invalid, "a header has an unknown field %.100q", name)
			}
			return true
		})
		if !named {
			s.fail(Invalid, "a header without a %s", nameField)
		}
		out = append(out, h)
	})
	return out
}
