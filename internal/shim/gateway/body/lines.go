package body

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"mooring.dev/mooring/internal/shim/gateway/record"
)

// Lines reads NDJSON: each line that is not blank is the value of one record, as it was sent. like is what the records have
// in common. The last line needs no line break.
func Lines(data []byte, like record.Record, into []record.Record) ([]record.Record, error) {
	first, offset := len(into), 0
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		value := bytes.TrimSpace(line)
		if len(value) > 0 {
			n := len(into) - first
			if n == MaxRecords {
				return nil, &Error{Kind: TooMany, Record: n, Offset: int64(offset), Reason: fmt.Sprintf("more than %d lines in one request; send them in several", MaxRecords)}
			}
			if fault := checkLine(value); fault != "" {
				return nil, &Error{Kind: Malformed, Record: n, Offset: int64(offset), Reason: fault}
			}
			r := like
			r.Value = value
			into = append(into, r)
		}
		offset += len(line) + 1
		data = rest
	}
	if len(into) == first {
		return nil, &Error{Kind: Invalid, Record: -1, Offset: -1, Reason: "no line with a record"}
	}
	return into, nil
}

func checkLine(value []byte) string {
	if !jsontext.Value(value).IsValid() {
		return "the line is not one JSON value (was the request cut off?)"
	}
	if depth(value) > MaxDepth {
		return fmt.Sprintf("JSON nested more than %d deep", MaxDepth)
	}
	return ""
}
