package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// shape of a record, for comparing.
func shape(r *kgo.Record) string {
	s := fmt.Sprintf("%s=%s", text(r.Key), text(r.Value))
	for _, h := range r.Headers {
		s += fmt.Sprintf(" %s:%s", h.Key, text(h.Value))
	}
	return s
}

func text(b []byte) string {
	if b == nil {
		return "null"
	}
	return strconv.Quote(string(b))
}

const (
	binaryV2 = "application/vnd.kafka.binary.v2+json"
	jsonV2   = "application/vnd.kafka.json.v2+json"
)

// Each request writes what it says, in each dialect.
func TestWhatIsWritten(t *testing.T) {
	v3 := "/v3/clusters/" + clusterID + "/topics/orders/records"
	tests := map[string]struct {
		path, body string
		headers    []string
		status     int
		want       []string
	}{
		"raw body":               {"/v1/topics/orders/records", "a\x00b", nil, 200, []string{`null="a\x00b"`}},
		"raw body with all":      {"/v1/topics/orders/records", "v", []string{"Kafka-Key", "k", "Kafka-Header", "a=1=2", "Kafka-Header", "b="}, 200, []string{`"k"="v" a:"1=2" b:""`}},
		"raw key in base64":      {"/v1/topics/orders/records", "v", []string{"Kafka-Key-Base64", "AP8="}, 200, []string{`"\x00\xff"="v"`}},
		"raw empty key":          {"/v1/topics/orders/records", "v", []string{"Kafka-Key", ""}, 200, []string{`""="v"`}},
		"raw empty value":        {"/v1/topics/orders/records", "", []string{"Kafka-Key", "k"}, 200, []string{`"k"=""`}},
		"raw tombstone":          {"/v1/topics/orders/records", "", []string{"Kafka-Key", "k", "Kafka-Tombstone", "true"}, 200, []string{`"k"=null`}},
		"NDJSON":                 {"/v1/topics/orders/records", "{\"a\":1}\r\n\n 2 \n\"x\"", []string{"Content-Type", "application/x-ndjson", "Kafka-Partition", "1"}, 200, []string{`null="{\"a\":1}"`, `null="2"`, `null="\"x\""`}},
		"CloudEvent binary":      {"/v1/topics/orders/records", "v", []string{"Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "/s%20x", "Ce-Type", "t", "Ce-Partitionkey", "pk", "Content-Type", "text/plain"}, 200, []string{`"pk"="v" content-type:"text/plain" ce_id:"1" ce_partitionkey:"pk" ce_source:"/s x" ce_specversion:"1.0" ce_type:"t"`}},
		"CloudEvent structured":  {"/v1/topics/orders/records", `{"specversion":"1.0","id":"1","source":"s","type":"t","partitionkey":"pk","data":{"x":[1]}}`, []string{"Content-Type", "application/cloudevents+json; charset=utf-8"}, 200, []string{`"pk"="{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"partitionkey\":\"pk\",\"data\":{\"x\":[1]}}" content-type:"application/cloudevents+json"`}},
		"CloudEvents batch":      {"/v1/topics/orders/records", `[{"specversion":"1.0","id":"1","source":"s","type":"t"}, {"specversion":"1.0","id":"2","source":"s","type":"t"}]`, []string{"Content-Type", "application/cloudevents-batch+json", "Kafka-Partition", "0"}, 200, []string{`null="{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}" content-type:"application/cloudevents+json"`, `null="{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"s\",\"type\":\"t\"}" content-type:"application/cloudevents+json"`}},
		"v2 binary":              {"/topics/orders", `{"records":[{"key":"a2V5","value":"dmFsdWU="},{"value":""},{"value":null}]}`, []string{"Content-Type", binaryV2}, 200, []string{`"key"="value"`, `null=""`, `null=null`}},
		"v2 binary with escapes": {"/topics/orders", `{"records":[{"value":"\/\/8="}]}`, []string{"Content-Type", binaryV2}, 200, []string{`null="\xff\xff"`}},
		"v2 JSON":                {"/topics/orders", `{"records":[{"key":{"id":1},"value":[1, 2.50]},{"value":12345678901234567890}]}`, []string{"Content-Type", jsonV2}, 200, []string{`"{\"id\":1}"="[1, 2.50]"`, `null="12345678901234567890"`}},
		"v2 text with headers":   {"/topics/orders", `{"records":[{"key":"k\u00e9","value":"v","timestamp":1000,"headers":[{"key":"h","value":"aA=="},{"key":"h","value":null}]}]}`, []string{"Content-Type", "application/vnd.kafka.text.v2+json"}, 200, []string{`"ké"="v" h:"h" h:null`}},
		"v2 partition":           {"/topics/orders/partitions/2", `{"records":[{"value":"dg=="},{"value":"dw==","partition":1}]}`, []string{"Content-Type", "application/vnd.kafka.v2+json"}, 200, []string{`null="w"`, `null="v"`}},
		"v1 binary":              {"/topics/orders", `{"records":[{"key":"a2V5","value":"dmFsdWU=","partition":null}]}`, []string{"Content-Type", "application/vnd.kafka.v1+json"}, 200, []string{`"key"="value"`}},
		"v1 JSON":                {"/topics/orders", `{"records":[{"value":{"a":1}}]}`, []string{"Content-Type", "application/vnd.kafka.json.v1+json"}, 200, []string{`null="{\"a\":1}"`}},
		"v2 async":               {"/topics/orders?async=true", `{"records":[{"value":"dg=="}]}`, []string{"Content-Type", binaryV2}, 204, []string{`null="v"`}},
		"raw async":              {"/v1/topics/orders/records?async=true", "v", nil, 202, []string{`null="v"`}},
		"v3":                     {v3, `{"key":{"type":"BINARY","data":"aw=="},"value":{"data":{"a":"b"},"type":"JSON"},"headers":[{"name":"h","value":"aA=="}]} {"partition_id":2,"value":{"type":"STRING","data":"s"}}`, []string{"Content-Type", "application/json"}, 200, []string{`"k"="{\"a\":\"b\"}" h:"h"`, `null="s"`}},
		"v3 batch":               {v3 + ":batch", `{"entries":[{"id":"1","value":{"type":"STRING","data":"s"}},{"id":"2","partition_id":9,"value":{"type":"STRING","data":"t"}}]}`, []string{"Content-Type", "application/json"}, 207, []string{`null="s"`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			got := b.do("POST", tt.path, tt.body, tt.headers...)
			b.expect(got, tt.status)
			b.settle()
			var shapes []string
			for _, r := range b.written() {
				shapes = append(shapes, shape(r))
			}
			if diff := cmp.Diff(sorted(tt.want), sorted(shapes)); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

// The answers, word for word: clients of each dialect parse them.
func TestAnswers(t *testing.T) {
	b := start(t)
	v3 := "/v3/clusters/" + clusterID + "/topics/orders/records"
	tests := []struct {
		name, path, body, kind string
		status                 int
		want                   string
	}{
		{"raw", "/v1/topics/orders/records", "v", "text/plain", 200, `{"topic":"orders","partition":0,"offset":0,"timestamp":5000}`},
		{"lines", "/v1/topics/orders/records", "1\n2", "application/x-ndjson", 200, `{"written":2,"failed":0,"records":[{"partition":0,"offset":1,"timestamp":5000},{"partition":0,"offset":2,"timestamp":5000}]}`},
		{"v2", "/topics/orders", `{"records":[{"value":"dg==","partition":0}]}`, binaryV2, 200, `{"offsets":[{"partition":0,"offset":3,"error_code":null,"error":null}],"key_schema_id":null,"value_schema_id":null}`},
		{"v2, one of two", "/topics/orders", `{"records":[{"value":"dg==","partition":0},{"value":"dg==","partition":7}]}`, binaryV2, 200, `{"offsets":[{"partition":0,"offset":4,"error_code":null,"error":null},{"partition":null,"offset":null,"error_code":40402,"error":"the topic has no such partition","message":"the topic has no such partition"}],"key_schema_id":null,"value_schema_id":null}`},
		{"v2, none", "/topics/orders", `{"records":[{"value":"dg==","partition":7}]}`, binaryV2, 404, `{"error_code":40402,"message":"the topic has no such partition","offsets":[{"partition":null,"offset":null,"error_code":40402,"error":"the topic has no such partition","message":"the topic has no such partition"}],"key_schema_id":null,"value_schema_id":null}`},
		{"v3", v3, `{"partition_id":0,"timestamp":"1970-01-01T00:00:05Z","key":{"type":"STRING","data":"k"},"value":{"type":"BINARY","data":"dg=="}}`, "application/json", 200, `{"error_code":200,"cluster_id":"test-cluster","topic_name":"orders","partition_id":0,"offset":5,"timestamp":"1970-01-01T00:00:05.000Z","key":{"type":"STRING","size":1},"value":{"type":"BINARY","size":1}}`},
		{"v3, only one, and wrong", v3, `{"partition_id":7,"value":{"type":"BINARY","data":"dg=="}}`, "application/json", 404, `{"error_code":40402,"message":"the topic has no such partition"}`},
		{"v3 batch", v3 + ":batch", `{"entries":[{"id":"a","partition_id":7},{"id":"b","partition_id":0,"timestamp":6000,"value":{"type":"STRING","data":"x"}}]}`, "application/json", 207, `{"successes":[{"id":"b","error_code":200,"cluster_id":"test-cluster","topic_name":"orders","partition_id":0,"offset":6,"timestamp":"1970-01-01T00:00:06.000Z","value":{"type":"STRING","size":1}}],"failures":[{"id":"a","error_code":40402,"message":"the topic has no such partition"}]}`},
	}
	for _, tt := range tests { // in order: the offsets follow
		got := b.do("POST", tt.path, tt.body, "Content-Type", tt.kind, "Kafka-Partition", "0", "Kafka-Timestamp", "5000")
		if got.status != tt.status || strings.TrimSpace(got.body) != tt.want {
			t.Errorf("%s: %d %s\nwant %d %s", tt.name, got.status, got.body, tt.status, tt.want)
		}
	}
	gets := map[string]string{
		"/topics":                   `["orders"]`,
		"/topics/orders/partitions": `[{"partition":0,"leader":`,
		"/topics/orders":            `{"name":"orders","configs":{},"partitions":[{"partition":0,`,
		"/v3/clusters":              `"cluster_id":"test-cluster"`,
		"/v3/clusters/test-cluster": `{"kind":"KafkaCluster",`,
	}
	for path, want := range gets {
		b.expect(b.do("GET", path, ""), 200, want)
	}
}

// What is wrong is refused with the status that says so, in the dialect's shape, and nothing is written.
func TestRefusals(t *testing.T) {
	b := start(t, func(c *contractType) { c.Limits.MaxRequestSize = 2000; c.Limits.BufferMemory = 100_000 })
	v3 := "/v3/clusters/" + clusterID + "/topics/orders/records"
	big := strings.Repeat("x", 3000)
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	tests := map[string]struct {
		path, kind, body string
		status           int
		contains         string
	}{
		"a topic that the profile does not allow": {"/v1/topics/other/records", "", "v", 403, `"detail":"ProducerProfile shop/orders does not allow the topic \"other\""`},
		"a topic that is not there":               {"/topics/nowhere", binaryV2, `{"records":[{"value":"dg=="}]}`, 404, `{"error_code":40401,"message":"the topic \"nowhere\" does not exist"`},
		"a cluster that is another":               {"/v3/clusters/x/topics/orders/records", "", `{}`, 404, `{"error_code":404,`},
		"a raw record too large":                  {"/v1/topics/orders/records", "", big, 413, `"status":413`},
		"a v2 record too large":                   {"/topics/orders", jsonV2, `{"records":[{"value":1},{"value":"` + big + `"}]}`, 413, "record 1 has 3002 bytes"},
		"a body too large":                        {"/topics/orders", jsonV2, strings.Repeat(" ", 100_001), 413, `"error_code":413`},
		"more records than the buffer holds":      {"/topics/orders", jsonV2, `{"records":[` + strings.Repeat(`{"value":1},`, 300) + `{}]}`, 413, "send it in parts"},
		"a content type of no dialect":            {"/topics/orders", "application/json", `{}`, 415, `"error_code":415`},
		"v3 that is not JSON by its type":         {v3, "text/plain", `{}`, 415, `"error_code":415`},
		"no JSON":                                 {"/topics/orders", jsonV2, `{"records":[`, 400, `"error_code":400`},
		"bytes after the JSON":                    {"/topics/orders", jsonV2, `{"records":[{"value":1}]} x`, 400, "more bytes after"},
		"a name twice":                            {"/topics/orders", jsonV2, `{"records":[{"value":1,"value":2}]}`, 400, `the name \"value\" is twice`},
		"a name twice inside a value":             {"/topics/orders", jsonV2, `{"records":[{"value":{"a":1,"a":2}}]}`, 400, "duplicate object member name"},
		"no UTF-8":                                {"/topics/orders", jsonV2, "{\"records\":[{\"value\":\"\xff\"}]}", 400, "invalid UTF-8"},
		"JSON too deep":                           {"/topics/orders", jsonV2, `{"records":[{"value":` + deep + `}]}`, 422, "nested more than 100 deep"},
		"no base64":                               {"/topics/orders", binaryV2, `{"records":[{"value":"dg==="}]}`, 422, "record 0, at byte"},
		"base64 with a line break":                {"/topics/orders", binaryV2, "{\"records\":[{\"value\":\"dg\n==\"}]}", 422, "not base64"},
		"an unknown field":                        {"/topics/orders", binaryV2, `{"records":[{"valeu":"dg=="}]}`, 422, "valeu"},
		"no records":                              {"/topics/orders", binaryV2, `{"records":[]}`, 422, "records is missing or empty"},
		"a partition that is no number":           {"/topics/orders", binaryV2, `{"records":[{"value":"dg==","partition":1e400}]}`, 422, "the partition must be a whole number"},
		"a huge timestamp":                        {"/topics/orders", binaryV2, `{"records":[{"value":"dg==","timestamp":99999999999999999999}]}`, 422, "the timestamp must be"},
		"avro without a registry":                 {"/topics/orders", "application/vnd.kafka.avro.v2+json", `{"value_schema":"\"int\"","records":[{"value":1}]}`, 422, "avro needs a schema registry"},
		"NDJSON with a broken line":               {"/v1/topics/orders/records", "application/x-ndjson", "1\n{\n3", 400, "record 1, at byte 2"},
		"a CloudEvent without an id":              {"/v1/topics/orders/records", "application/cloudevents+json", `{"specversion":"1.0","source":"s","type":"t"}`, 422, "the attribute id is missing"},
		"atomic without transactions":             {"/topics/orders?atomic=true", binaryV2, `{"records":[{"value":"dg=="}]}`, 422, "needs a profile with the guarantee Transactional"},
		"async and atomic":                        {"/topics/orders?atomic=true&async=true", binaryV2, `{"records":[{"value":"dg=="}]}`, 400, "do not go together"},
		"an async that is neither true nor false": {"/topics/orders?async=yes", binaryV2, `{"records":[{"value":"dg=="}]}`, 400, "true or false"},
		"v3 without a type":                       {v3, "application/json", `{"value":{"data":1}}`, 422, `"error_code":42206`},
		"v3 with a type that nobody knows":        {v3, "application/json", `{"value":{"type":"XML","data":"x"}}`, 422, "unknown type"},
		"v3 that is cut off":                      {v3, "application/json", `{"value":`, 400, "record 0 was cut off"},
		"v3 with nothing":                         {v3, "application/json", ``, 422, "no record"},
		"a v3 batch with an id twice":             {v3 + ":batch", "application/json", `{"entries":[{"id":"1"},{"id":"1"}]}`, 422, "twice"},
		"a route that is not there":               {"/v3/nothing", "application/json", ``, 404, `"error_code":404`},
		"a method that the route does not have":   {"/openapi.yaml", "", ``, 405, "takes GET"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := b.do("POST", tt.path, tt.body, "Content-Type", tt.kind)
			if got.status != tt.status || !strings.Contains(got.body, tt.contains) {
				t.Errorf("%d %s\nwant %d %s", got.status, got.body, tt.status, tt.contains)
			}
			want := "application/problem+json"
			switch {
			case strings.HasPrefix(tt.path, "/topics"):
				want = "application/vnd.kafka.v2+json"
			case strings.HasPrefix(tt.path, "/v3"):
				want = "application/json"
			}
			if kind := got.header.Get("Content-Type"); kind != want {
				t.Errorf("Content-Type %s, want %s", kind, want)
			}
		})
	}
	if got := b.values(); len(got) != 0 {
		t.Errorf("refused requests wrote %q", got)
	}
	if held := b.sink.Account().Held(); held != 0 {
		t.Errorf("%d bytes are still held after all requests were answered", held)
	}
}

func TestHeadersThatAreWrong(t *testing.T) {
	b := start(t)
	for name, headers := range map[string][]string{
		"a partition below 0":      {"Kafka-Partition", "-1"},
		"a timestamp with letters": {"Kafka-Timestamp", "now"},
		"a key that is no base64":  {"Kafka-Key-Base64", "%"},
		"two keys":                 {"Kafka-Key-Base64", "aw==", "Kafka-Key", "k"},
		"a header without =":       {"Kafka-Header", "x"},
		"a tombstone with a body":  {"Kafka-Tombstone", "true"},
		"an old CloudEvent":        {"Ce-Specversion", "0.3", "Ce-Id", "1", "Ce-Source", "s", "Ce-Type", "t"},
	} {
		t.Run(name, func(t *testing.T) { b.expect(b.do("POST", "/v1/topics/orders/records", "v", headers...), 422) })
	}
	b.expect(b.do("POST", "/v1/topics/orders/records", "v", "Content-Encoding", "gzip"), http.StatusUnsupportedMediaType)
	got := b.raw("POST /v1/topics/orders/records HTTP/1.1\r\nHost: x\r\nKafka-Key: " + strings.Repeat("k", MaxHeader+100) + "\r\nContent-Length: 0\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("%q, want 431", got)
	}
}
