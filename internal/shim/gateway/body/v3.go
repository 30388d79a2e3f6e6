package body

import (
	"math"
	"time"

	"mooring.dev/mooring/internal/shim/gateway/record"
)

// V3Data is a key or a value of a v3 record, as far as its schema matters. The zero value needs none.
type V3Data struct {
	// Format is Avro, JSONSchema or Protobuf, if a schema is needed, which NeedsSchema says. Typed says that the sender named it;
	// otherwise it is that of the schema.
	Format             Format
	NeedsSchema, Typed bool
	// Schema, SchemaID, or a SchemaVersion of a Subject; nothing is the latest of the topic's own subject.
	Subject, Schema         string
	SchemaID, SchemaVersion int
}

// V3Record is one record of Confluent REST v3.
type V3Record struct {
	record.Record
	// ID of an entry of records:batch; empty elsewhere.
	ID string
	// KeyType and ValueType are the types as the answer repeats them; empty without a key, or a value.
	KeyType, ValueType string
	KeySchema          V3Data
	ValueSchema        V3Data
}

// V3 reads one record of POST /v3/clusters/{id}/topics/{topic}/records. It is a part of data, which is changed.
func V3(data []byte, index int) (r V3Record, err error) {
	s := &scanner{data: data, record: index}
	defer catch(&err)
	r = s.v3Record(false)
	s.end()
	return r, nil
}

// V3Batch reads the body of records:batch. A fault in one entry is a fault of the request, and nothing of it is written: the
// sender made it, and will not mend one entry and leave the rest.
func V3Batch(data []byte) (entries []V3Record, err error) {
	s := &scanner{data: data, record: -1}
	defer catch(&err)
	s.object("the body", func(name string) bool {
		if name != "entries" {
			s.fail(Invalid, "the body has an unknown field %.100q", name)
		}
		s.array("entries", func() {
			if s.record = len(entries); s.record == MaxRecords {
				s.fail(TooMany, "more than %d entries in one request; send them in several", MaxRecords)
			}
			entries = append(entries, s.v3Record(true))
		})
		s.record = -1
		return true
	})
	s.end()
	if len(entries) == 0 {
		s.fail(Invalid, "entries is missing or empty")
	}
	ids := make(map[string]struct{}, len(entries))
	for i := range entries {
		if _, had := ids[entries[i].ID]; had {
			s.record = i
			s.fail(Invalid, "the id %.80q is twice in one request", entries[i].ID)
		}
		ids[entries[i].ID] = struct{}{}
	}
	return entries, nil
}

// v3Record reads a record; entry says that it is one of a batch, which has an id.
func (s *scanner) v3Record(entry bool) V3Record {
	r := V3Record{Record: record.New()}
	s.object("a record", func(name string) bool {
		switch name {
		case "id":
			r.ID = s.optionalText()
		case "partition_id":
			r.Partition = s.partition()
		case "timestamp":
			r.Timestamp = s.instant()
		case "headers":
			r.Headers = s.headers("name")
		case "key":
			r.Key, r.KeyType, r.KeySchema = s.v3Data(name)
		case "value":
			r.Value, r.ValueType, r.ValueSchema = s.v3Data(name)
		default:
			s.fail(Invalid, "a record has an unknown field %.100q", name)
		}
		return true
	})
	if entry && (r.ID == "" || len(r.ID) > 80) {
		s.fail(Invalid, "an entry of a batch needs an id of 1 to 80 bytes")
	}
	return r
}

// instant is ISO 8601, or milliseconds.
func (s *scanner) instant() int64 {
	if s.peek() != '"' {
		return s.milliseconds()
	}
	at := s.at
	t, err := time.Parse(time.RFC3339Nano, s.text())
	if ms := t.UnixMilli(); err == nil && ms >= 0 && ms <= maxTimestamp {
		return ms
	}
	s.at = at
	s.fail(Invalid, "the timestamp must be like 2026-01-02T03:04:05.678Z, from 1970 on, or milliseconds since then")
	return 0
}

// v3Data reads {"type":…,"data":…}. Its names may come in any order, so data is read once its type is known.
func (s *scanner) v3Data(what string) ([]byte, string, V3Data) {
	if s.null() {
		return nil, "", V3Data{}
	}
	var d V3Data
	kind, dataAt := "", -1
	s.object("the "+what, func(name string) bool {
		switch name {
		case "type":
			kind = s.optionalText()
		case "data":
			s.space()
			dataAt = s.at
			return false // skipped, and thereby known to be JSON
		case "subject":
			d.Subject = s.optionalText()
		case "subject_name_strategy":
			if name := s.optionalText(); name != "" && name != "TOPIC_NAME" {
				s.fail(NeedsSchema, "subject_name_strategy %.40q is not supported; give the subject", name)
			}
		case "schema":
			d.Schema = s.optionalText()
		case "schema_id":
			d.SchemaID = s.schemaID(name)
		case "schema_version":
			n, _ := s.integer(name, math.MaxInt32)
			d.SchemaVersion = int(n)
		default:
			s.fail(Invalid, "the %s has an unknown field %.100q", what, name)
		}
		return true
	})
	if dataAt < 0 {
		s.fail(Invalid, "the %s has no data", what)
	}
	after := s.at
	s.at = dataAt
	data := s.v3Decoded(kind, what, &d)
	s.at = after
	return data, kind, d
}

// v3Decoded reads data of a type, at its place.
func (s *scanner) v3Decoded(kind, what string, d *V3Data) []byte {
	switch kind {
	case "BINARY":
		return s.base64(what)
	case "STRING":
		if s.null() {
			return nil
		}
		return s.bytes()
	case "JSON":
		if s.null() {
			return nil
		}
		return s.raw()
	case "AVRO":
		d.Format = Avro
	case "JSONSCHEMA":
		d.Format = JSONSchema
	case "PROTOBUF":
		d.Format = Protobuf
	case "":
		if d.Subject == "" && d.Schema == "" && d.SchemaID == 0 && d.SchemaVersion == 0 {
			s.fail(Invalid, "the %s needs a type: BINARY, JSON or STRING", what)
		}
		d.Format = Avro // the registry knows better, unless the schema is here
	default:
		s.fail(Invalid, "the %s has the unknown type %.40q; it must be BINARY, JSON, STRING, AVRO, JSONSCHEMA or PROTOBUF", what, kind)
	}
	d.NeedsSchema, d.Typed = true, kind != "" || d.Schema != ""
	if s.null() {
		return nil
	}
	return s.raw()
}
