package body

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/internal/shim/gateway/record"
)

func TestFaultsNameTheRecordAndThePlace(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want Error
	}{
		"in a record":           {`{"records":[{"value":"dg=="},{"partition":-1}]}`, Error{Invalid, 1, 42, "the partition must be a whole number from 0 to 2147483647"}},
		"outside of records":    {`{"recods":[]}`, Error{Invalid, -1, 10, `the body has an unknown field "recods"`}},
		"at the end":            {`{"records":[{"value":"dg=="}]`, Error{Malformed, -1, 29, "a comma or the end of the object expected, and there is the end (was the request cut off?)"}},
		"a leading zero":        {`{"records":[{"partition":01}]}`, Error{Invalid, 0, 25, "the partition must be a whole number from 0 to 2147483647"}},
		"a fraction":            {`{"records":[{"partition":1.5}]}`, Error{Invalid, 0, 25, "the partition must be a whole number from 0 to 2147483647"}},
		"a header without name": {`{"records":[{"headers":[{"value":"dg=="}]}]}`, Error{Invalid, 0, 40, "a header without a key"}},
		"another type":          {`{"records":[{"value":1}]}`, Error{Invalid, 0, 21, "a string expected, and there is '1'"}},
		"a control character":   {"{\"records\":[{\"a\x01\":1}]}", Error{Malformed, 0, 13, "a control character in a string; it must be escaped"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := V2([]byte(tt.body), Binary, nil)
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("%v", err)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestV3TypesAndTimes(t *testing.T) {
	r, err := V3([]byte(`{"timestamp":"2026-01-02T03:04:05.678+01:00","key":null,"value":{"data":"x","type":"STRING"},"headers":[{"name":"a","value":null}]}`), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := V3Record{Record: record.Record{Value: []byte("x"), Headers: []record.Header{{Key: "a"}}, Partition: -1, Timestamp: 1767319445678}, ValueType: "STRING"}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{`{"timestamp":"yesterday"}`, `{"timestamp":"0001-01-01T00:00:00Z"}`, `{"value":{"type":"STRING"}}`, `{"value":{"data":1}}`, `{} {}`, `[]`, ``} {
		if _, err := V3([]byte(bad), 0); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// corpus of bodies for the fuzz targets, in all dialects.
var corpus = []string{
	`{"records":[{"key":"a2V5","value":"dmFsdWU=","partition":1,"timestamp":5,"headers":[{"key":"h","value":"aA=="}]},{"value":null}]}`,
	`{"value_schema":"\"int\"","key_schema_id":3,"records":[{"key":{"a":[1,2.5e3]},"value":"\u00e9\\"}]}`,
	`{"entries":[{"id":"1","value":{"type":"JSON","data":{"a":1}}},{"id":"2","key":{"data":"aw==","type":"BINARY"}}]}`,
	`{"partition_id":1,"timestamp":"2026-01-02T03:04:05Z","value":{"type":"AVRO","schema":"{}","data":1},"headers":[{"name":"n","value":"aA=="}]}`,
	"{\"a\":1}\n[2]\n\"x\"\n", `{"specversion":"1.0","id":"1","source":"s","type":"t","partitionkey":"k","data":{}}`,
	`[{"specversion":"1.0","id":"1","source":"s","type":"t"}]`, strings.Repeat("[", 20000), `{"records":[{"value":"` + "\xff", "", "null",
	`{"records":[{"value":"dg\n=="}]}`, `{"records":[{"value":"\/\/8="}]}`,
}

func seed(f *testing.F) {
	for _, text := range corpus {
		f.Add([]byte(text))
	}
}

// What is accepted is what a strict JSON reader accepts, and the records are what it reads.
func FuzzV2(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for format := Binary; format <= Protobuf; format++ {
			records, _, err := V2(bytes.Clone(data), format, nil)
			if err != nil {
				var fault *Error
				if !errors.As(err, &fault) || fault.Reason == "" || fault.Offset > int64(len(data)) {
					t.Fatalf("%#v", err)
				}
				continue
			}
			if !jsontext.Value(data).IsValid() {
				t.Fatalf("accepted, and no JSON: %q", data)
			}
			var want struct {
				Records []struct {
					Key   json.RawMessage `json:"key"`
					Value json.RawMessage `json:"value"`
				} `json:"records"`
			}
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatalf("%v: %q", err, data)
			}
			if len(records) == 0 || len(records) != len(want.Records) {
				t.Fatalf("%d records of %q", len(records), data)
			}
			for i := range records {
				same(t, format, records[i].Key, want.Records[i].Key)
				same(t, format, records[i].Value, want.Records[i].Value)
			}
		}
	})
}

// same as encoding/json reads it. That one matches names of fields without case, which only an unknown field would show.
func same(t *testing.T, format Format, got []byte, raw json.RawMessage) {
	t.Helper()
	if raw == nil || string(raw) == "null" {
		if got != nil {
			t.Fatalf("%q for %q", got, raw)
		}
		return
	}
	want := []byte(raw)
	var text string
	switch format {
	case Binary:
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
	case Text:
		if err := json.Unmarshal(raw, &text); err != nil {
			t.Fatal(err)
		}
		want = []byte(text)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
}

func FuzzV3(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := V3(bytes.Clone(data), 0); err == nil && !jsontext.Value(data).IsValid() {
			t.Fatalf("accepted, and no JSON: %q", data)
		}
		entries, err := V3Batch(bytes.Clone(data))
		if err == nil && (len(entries) == 0 || !jsontext.Value(data).IsValid()) {
			t.Fatalf("accepted: %q", data)
		}
	})
}

func FuzzLines(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		records, err := Lines(data, record.New(), nil)
		if err != nil {
			return
		}
		for _, r := range records {
			if !jsontext.Value(r.Value).IsValid() || bytes.ContainsRune(r.Value, '\n') {
				t.Fatalf("%q", r.Value)
			}
		}
	})
}

func FuzzCloudEvents(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		one, err := CloudEventJSON(bytes.Clone(data), record.New(), nil)
		if err == nil && (len(one) != 1 || !jsontext.Value(one[0].Value).IsValid() || len(one[0].Headers) != 1) {
			t.Fatalf("%v", one)
		}
		many, err := CloudEventsJSON(bytes.Clone(data), record.New(), nil)
		for _, r := range many {
			if err == nil && !jsontext.Value(r.Value).IsValid() {
				t.Fatalf("%q", r.Value)
			}
		}
		headers := map[string][]string{"Ce-Specversion": {"1.0"}, "Ce-Id": {string(data)}, "Ce-Source": {"s"}, "Ce-Type": {string(data)}}
		if got, _, _, err := CloudEventHeaders(headers); err == nil && len(got) != 4 {
			t.Fatalf("%q", got)
		}
	})
}

// benchBody has n records of a kilobyte.
func benchBody(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"records":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"key":"a2V5","value":"` + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{byte(i), 'x', 200, 7}, 256)) + `"}`)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// The choice of how JSON is read: this package, beside jsontext alone and encoding/json. Measured when it was made, outside of
// this module: bytedance/sonic read 498 MB/s of this body (325 with its standard-compatible settings) and valyala/fastjson
// 1,022 MB/s, on a machine where encoding/json read 101 and jsontext 513; neither of the two finds a name that is twice in an
// object, or text that is not UTF-8.
func BenchmarkV2(b *testing.B) {
	sent := benchBody(100)
	b.Run("body", func(b *testing.B) {
		data, records := make([]byte, len(sent)), []record.Record(nil)
		b.SetBytes(int64(len(sent)))
		b.ReportAllocs()
		for b.Loop() {
			copy(data, sent) // it is decoded in place
			var err error
			if records, _, err = V2(data, Binary, records[:0]); err != nil || len(records) != 100 {
				b.Fatal(err)
			}
		}
	})
	b.Run("jsontext", func(b *testing.B) {
		out := make([]byte, 2000)
		b.SetBytes(int64(len(sent)))
		b.ReportAllocs()
		for b.Loop() {
			d := jsontext.NewDecoder(bytes.NewBuffer(sent))
			for d.PeekKind() != 0 {
				if d.StackDepth() != 3 || d.PeekKind() != '"' {
					if _, err := d.ReadToken(); err != nil {
						b.Fatal(err)
					}
					continue
				}
				v, err := d.ReadValue()
				if err != nil {
					b.Fatal(err)
				}
				_, _ = base64.StdEncoding.Decode(out, v[1:len(v)-1]) // names too, which are no base64
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(len(sent)))
		b.ReportAllocs()
		for b.Loop() {
			var v struct{ Records []struct{ Key, Value []byte } }
			if err := json.Unmarshal(sent, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
