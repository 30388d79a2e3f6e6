package body

import "fmt"

// Kind of a fault in a body.
type Kind uint8

// The kinds.
const (
	// Malformed is not the JSON that it should be.
	Malformed Kind = iota
	// Invalid is well-formed and means nothing: a field is missing, of another type, or out of range, or no base64.
	Invalid
	// TooMany is more records than one request may have.
	TooMany
	// NeedsSchema is Avro, Protobuf or JSON Schema without what it takes to encode it.
	NeedsSchema
)

// Error is what is wrong with a body.
type Error struct {
	Kind Kind
	// Record that it is in, counted from 0; -1 when it is in none.
	Record int
	// Offset in the body, in bytes; -1 when it has no place.
	Offset int64
	Reason string
}

func (e *Error) Error() string {
	where := "the body"
	if e.Record >= 0 {
		where = fmt.Sprintf("record %d", e.Record)
	}
	if e.Offset >= 0 {
		where += fmt.Sprintf(", at byte %d", e.Offset)
	}
	return where + ": " + e.Reason
}
