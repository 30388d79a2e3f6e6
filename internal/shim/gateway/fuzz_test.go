package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"mooring.dev/mooring/internal/shim/gateway/body"
	"mooring.dev/mooring/internal/shim/gateway/record"
)

// A v3 body that is there as a whole has the records that the same bytes have as a stream, as long as all are right; and what is
// accepted is JSON, as encoding/json reads it.
func FuzzV3Objects(f *testing.F) {
	for _, text := range []string{
		`{"value":{"type":"STRING","data":"a"}}`, `{"value":{"type":"JSON","data":{"a":1}}} {"key":{"type":"BINARY","data":"aw=="}}` + "\n", "", " ", `{}{}`, `{} x`, `{"value"`,
		`{"value":{"schema_id":7,"data":1}}`, `{"value":{"type":"AVRO","subject":"s","schema_version":1,"data":1}}`, "\xff", `[{}]`, `{"timestamp":"2026-01-02T03:04:05Z"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		records, err := v3Objects(bytes.Clone(data))
		if err != nil {
			var fault *body.Error
			if !errors.As(err, &fault) || fault.Reason == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		strict, lax := jsontext.NewDecoder(bytes.NewBuffer(bytes.Clone(data))), json.NewDecoder(bytes.NewReader(data))
		for i := range records {
			value, err := strict.ReadValue()
			if err != nil {
				t.Fatalf("record %d of %q: %v", i, data, err)
			}
			if one, err := body.V3(bytes.Clone(value), i); err != nil || !bytes.Equal(one.Value, records[i].Value) || !bytes.Equal(one.Key, records[i].Key) {
				t.Fatalf("record %d of %q is %+v (%v) in a stream, and %+v", i, data, one, err, records[i])
			}
			var any json.RawMessage
			if err := lax.Decode(&any); err != nil {
				t.Fatalf("record %d of %q: %v", i, data, err)
			}
		}
		if _, err := strict.ReadValue(); !errors.Is(err, io.EOF) {
			t.Fatalf("%d records of %q, and then: %v", len(records), data, err)
		}
	})
}

// What headers and the query say is taken or refused in words, and what is taken can be written.
func FuzzHeaders(f *testing.F) {
	f.Add("k", "AP8=", "1", "1767319445678", "a=b", "async=true", "application/json; charset=utf-8")
	f.Add("", "", "2147483648", "-1", "=", "atomic=x", ";;;")
	f.Add("\x00", "====", "1e3", "99999999999999999999", "", "async=true&atomic=true", "APPLICATION/VND.KAFKA.V2+JSON")
	f.Fuzz(func(t *testing.T, key, encoded, partition, timestamp, header, query, kind string) {
		h := http.Header{"Kafka-Partition": {partition}, "Kafka-Timestamp": {timestamp}, "Kafka-Header": {header, header}, "Content-Type": {kind}, "Idempotency-Key": {key}}
		if encoded == "" {
			h["Kafka-Key"] = []string{key}
		} else {
			h["Kafka-Key-Base64"] = []string{encoded}
		}
		like, fault := recordOf(h)
		switch {
		case fault != nil && (fault.status != http.StatusUnprocessableEntity || fault.message == ""):
			t.Fatalf("%+v", fault)
		case fault == nil && (like.Partition < 0 || like.Timestamp < 0 || like.Timestamp > maxTimestamp || len(like.Headers) != 2 || like.Value != nil || like.Key == nil || like.Partition == record.AnyPartition):
			t.Fatalf("%+v", like)
		}
		r := &http.Request{Header: h, URL: &url.URL{Path: "/v1/topics/t/records", RawQuery: query}}
		if m, fault := modeOf(r); fault == nil && (m.async && m.atomic || len(m.key) > len(r.URL.Path)+1+maxKey) || fault != nil && fault.status != http.StatusBadRequest {
			t.Fatalf("%+v %+v", m, fault)
		}
		mediaType(r)
	})
}
