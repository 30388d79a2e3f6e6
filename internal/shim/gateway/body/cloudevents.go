package body

import (
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"mooring.dev/mooring/internal/shim/gateway/record"
)

// Media types of CloudEvents 1.0 in JSON (CloudEvents HTTP binding, section 3).
const (
	CloudEvent      = "application/cloudevents+json"
	CloudEventBatch = "application/cloudevents-batch+json"
)

// partitionKey is the extension attribute that the Kafka binding (section 3.1) makes the record's key.
const partitionKey = "partitionkey"

const ceHeader = "Ce-"

// IsCloudEvent says whether HTTP headers carry a CloudEvent in binary mode.
func IsCloudEvent(h map[string][]string) bool { return len(h["Ce-Specversion"]) > 0 }

// CloudEventHeaders makes the record headers of an event in binary mode: ce_NAME for each ce-NAME, percent-decoded, and
// content-type (CloudEvents Kafka binding, section 3.2). The record's key is the event's partitionkey; hasKey says whether it
// has one.
func CloudEventHeaders(h map[string][]string) (headers []record.Header, key []byte, hasKey bool, err error) {
	if kind := h["Content-Type"]; len(kind) > 0 {
		headers = append(headers, record.Header{Key: "content-type", Value: []byte(kind[0])})
	}
	var names []string
	for name := range h {
		if strings.HasPrefix(name, ceHeader) {
			names = append(names, name)
		}
	}
	slices.Sort(names) // the same event is the same record
	has := make(map[string]string, len(names))
	for _, name := range names {
		attribute := strings.ToLower(name[len(ceHeader):])
		value, err := attributeValue(attribute, h[name])
		if err != nil {
			return nil, nil, false, err
		}
		has[attribute] = value
		headers = append(headers, record.Header{Key: "ce_" + attribute, Value: []byte(value)})
	}
	if missing := missingAttribute(has); missing != "" {
		return nil, nil, false, invalidEvent(-1, "the header ce-%s is missing or empty", missing)
	}
	if has["specversion"] != "1.0" {
		return nil, nil, false, invalidEvent(-1, "ce-specversion is %.20q; 1.0 is supported", has["specversion"])
	}
	k, hasKey := has[partitionKey]
	if hasKey {
		key = []byte(k)
	}
	return headers, key, hasKey, nil
}

func attributeValue(attribute string, values []string) (string, error) {
	if len(values) != 1 {
		return "", invalidEvent(-1, "the header ce-%s is there %d times", attribute, len(values))
	}
	value, err := url.PathUnescape(textproto.TrimString(values[0]))
	if err != nil || !utf8.ValidString(value) {
		return "", invalidEvent(-1, "the header ce-%s is not percent-encoded UTF-8", attribute)
	}
	return value, nil
}

func missingAttribute(has map[string]string) string {
	for _, name := range []string{"specversion", "id", "source", "type"} {
		if has[name] == "" {
			return name
		}
	}
	return ""
}

func invalidEvent(index int, format string, args ...any) error {
	return &Error{Kind: Invalid, Record: index, Offset: -1, Reason: "not a CloudEvent: " + fmt.Sprintf(format, args...)}
}

// CloudEventJSON reads an event in structured mode. It is the record's value as it was sent.
func CloudEventJSON(data []byte, like record.Record, into []record.Record) (_ []record.Record, err error) {
	s := &scanner{data: data}
	defer catch(&err)
	r := s.event(like)
	s.end()
	return append(into, r), nil
}

// CloudEventsJSON reads a batch of events. Kafka has no batch mode: each is a record in structured mode.
func CloudEventsJSON(data []byte, like record.Record, into []record.Record) (_ []record.Record, err error) {
	s := &scanner{data: data, record: -1}
	defer catch(&err)
	first := len(into)
	s.array("a batch of CloudEvents", func() {
		if s.record = len(into) - first; s.record == MaxRecords {
			s.fail(TooMany, "more than %d events in one request; send them in several", MaxRecords)
		}
		into = append(into, s.event(like))
	})
	s.record = -1
	s.end()
	if len(into) == first {
		s.fail(Invalid, "a batch without an event")
	}
	return into, nil
}

var structured = []record.Header{{Key: "content-type", Value: []byte(CloudEvent)}}

func (s *scanner) event(like record.Record) record.Record {
	r := like
	s.space()
	start := s.at
	has := make(map[string]string, 4)
	s.object("a CloudEvent", func(name string) bool {
		switch name {
		case "specversion", "id", "source", "type":
			has[name] = s.text()
		case partitionKey:
			if !s.null() {
				r.Key = []byte(s.text())
			}
		default:
			return false
		}
		return true
	})
	if missing := missingAttribute(has); missing != "" {
		s.fail(Invalid, "not a CloudEvent: the attribute %s is missing or empty", missing)
	}
	if has["specversion"] != "1.0" {
		s.fail(Invalid, "not a CloudEvent: specversion is %.20q; 1.0 is supported", has["specversion"])
	}
	r.Value = s.data[start:s.at:s.at]
	r.Headers = slices.Concat(structured, like.Headers)
	return r
}
