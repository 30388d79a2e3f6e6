package gateway

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/codec"
	"mooring.dev/mooring/internal/shim/codec/protocol"
	"mooring.dev/mooring/internal/shim/gateway/schema"
)

const (
	avroV2     = "application/vnd.kafka.avro.v2+json"
	jsonSchema = "application/vnd.kafka.jsonschema.v2+json"
	protobufV2 = "application/vnd.kafka.protobuf.v2+json"
)

// TestMain lets this test program be the one that encodes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == protocol.Argument {
		if err := codec.Serve(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	os.Setenv(schema.EnvProgram, self) //nolint:errcheck // the name is a constant
	os.Exit(m.Run())
}

func startWithRegistry(t *testing.T) (*bench, *srfake.Registry) {
	t.Helper()
	registry := srfake.New()
	t.Cleanup(registry.Close)
	return start(t, func(c *contractType) { c.SchemaRegistry = &contract.SchemaRegistry{URL: registry.URL()} }), registry
}

// What is sent with a schema is written as that schema's encoding, and the answer says the schema's ID: a client sends that the
// next time.
func TestSchemas(t *testing.T) {
	v3 := "/v3/clusters/" + clusterID + "/topics/orders/records"
	for _, tt := range []struct {
		name, path, kind, body string
		status                 int
		answer                 string
		want                   []string
	}{
		{"avro", "/topics/orders", avroV2, `{"key_schema":"\"string\"","value_schema":"\"int\"","records":[{"key":"k","value":-1},{"key":null,"value":null}]}`, 200, `"key_schema_id":1,"value_schema_id":2}`,
			[]string{`"\x00\x00\x00\x00\x01\x02k"="\x00\x00\x00\x00\x02\x01"`, `null=null`}},
		{"avro in version 1", "/topics/orders", "application/vnd.kafka.avro.v1+json", `{"value_schema":"\"int\"","records":[{"value":-1}]}`, 200, `"key_schema_id":null,"value_schema_id":1}`,
			[]string{`null="\x00\x00\x00\x00\x01\x01"`}},
		{"jsonschema", "/topics/orders/partitions/1", jsonSchema, `{"value_schema":"{\"type\":\"object\"}","records":[{"value":{"a": 1}}]}`, 200, `"value_schema_id":1}`,
			[]string{`null="\x00\x00\x00\x00\x01{\"a\": 1}"`}},
		{"protobuf", "/topics/orders", protobufV2, `{"value_schema":"syntax=\"proto3\"; message M { int32 a = 1; }","records":[{"value":{"a":1}}]}`, 200, `"value_schema_id":1}`,
			[]string{`null="\x00\x00\x00\x00\x01\x00\b\x01"`}},
		{"v3, one with a schema and one without", v3, "application/json", `{"key":{"type":"STRING","data":"k"},"value":{"type":"AVRO","schema":"\"int\"","data":-1}} {"value":{"schema_id":1,"data":1}}`, 200, `"value":{"type":"AVRO","size":6}`,
			[]string{`"k"="\x00\x00\x00\x00\x01\x01"`, `null="\x00\x00\x00\x00\x01\x02"`}},
		{"v3 batch, by subject", v3 + ":batch", "application/json", `{"entries":[{"id":"1","value":{"type":"JSONSCHEMA","subject":"s","schema":"{}","data":[1]}},{"id":"2","value":{"subject":"s","schema_version":1,"data":2}}]}`, 207, `"value":{"type":"JSONSCHEMA","size":6}`,
			[]string{`null="\x00\x00\x00\x00\x01[1]"`, `null="\x00\x00\x00\x00\x012"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, _ := startWithRegistry(t)
			b.expect(b.do("POST", tt.path, tt.body, "Content-Type", tt.kind), tt.status, tt.answer)
			b.settle()
			var shapes []string
			for _, r := range b.written() {
				shapes = append(shapes, shape(r))
			}
			if diff := cmp.Diff(sorted(tt.want), sorted(shapes)); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			eventually(t, "the memory of the request is given back", func() bool { return b.sink.Account().Held() == 0 })
		})
	}
}

// What is wrong with a schema, or with a value, is said with Confluent's code, and nothing of the request is written; and when the
// registry is away that is said too.
func TestSchemaRefusals(t *testing.T) {
	b, registry := startWithRegistry(t)
	v3 := "/v3/clusters/" + clusterID + "/topics/orders/records"
	tests := []struct {
		name, path, kind, body string
		status                 int
		want                   string
	}{
		{"keys without a schema", "/topics/orders", avroV2, `{"value_schema":"\"int\"","records":[{"key":1,"value":1}]}`, 422, `"error_code":42201`},
		{"values without a schema", "/topics/orders", avroV2, `{"records":[{"value":1}]}`, 422, `"error_code":42202`},
		{"a value that is not of the schema", "/topics/orders", avroV2, `{"value_schema":"\"int\"","records":[{"value":1},{"value":"x"}]}`, 422, `"error_code":42203,"message":"record 1: `},
		{"no schema", "/topics/orders", avroV2, `{"value_schema":"\"itn\"","records":[{"value":1}]}`, 422, `"error_code":42205`},
		{"an ID that there is not", "/topics/orders", jsonSchema, `{"value_schema_id":77,"records":[{"value":1}]}`, 422, `"error_code":42205`},
		{"v3, a value that is not of the schema", v3, "application/json", `{"value":{"type":"AVRO","schema":"\"int\"","data":"x"}}`, 422, `"error_code":42203`},
		{"v3 batch, one of two", v3 + ":batch", "application/json", `{"entries":[{"id":"a","value":{"type":"STRING","data":"x"}},{"id":"b","value":{"type":"AVRO","schema":"\"int\"","data":"x"}}]}`, 422, `record 1: `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.t = t
			b.expect(b.do("POST", tt.path, tt.body, "Content-Type", tt.kind), tt.status, tt.want)
		})
	}
	b.t = t
	registry.Close()
	got := b.do("POST", "/topics/orders", `{"value_schema":"\"long\"","records":[{"value":1}]}`, "Content-Type", avroV2)
	if b.expect(got, 408, `"error_code":40801`); got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After while the registry is away")
	}
	b.settle()
	if got := b.values(); len(got) != 0 || b.sink.Account().Held() != 0 {
		t.Errorf("%q were written, and %d bytes are held", got, b.sink.Account().Held())
	}
}

// What values become by their schemas counts as memory of the request too.
func TestEncodedValuesAreAccountedFor(t *testing.T) {
	registry := srfake.New()
	t.Cleanup(registry.Close)
	b := start(t, func(c *contractType) {
		c.SchemaRegistry = &contract.SchemaRegistry{URL: registry.URL()}
		c.Limits.BufferMemory = 20_000
	})
	records := fmt.Sprintf(`"records":[{"value":"%012000d"}]}`, 1)
	b.expect(b.do("POST", "/topics/orders", `{"value_schema":"{}",`+records, "Content-Type", jsonSchema), 429, "buffer.memory")
	huge := fmt.Sprintf(`{"value_schema":"{}","records":[{"value":"%011000d"}]}`, 1)
	c := b.sink.Contract()
	c.Limits.MaxRequestSize = 10_000
	if err := b.Reload(c); err != nil {
		t.Fatal(err)
	}
	b.expect(b.do("POST", "/topics/orders", huge, "Content-Type", jsonSchema), 413, "max.request.size")
	c.Limits.MaxRequestSize = 0
	if err := b.Reload(c); err != nil {
		t.Fatal(err)
	}
	b.expect(b.do("POST", "/topics/orders", `{`+records, "Content-Type", "application/vnd.kafka.json.v2+json"), 200)
}

// Another registry in the contract is used from then on.
func TestReloadOfTheRegistry(t *testing.T) {
	b := start(t)
	const body = `{"value_schema":"\"int\"","records":[{"value":1}]}`
	b.expect(b.do("POST", "/topics/orders", body, "Content-Type", avroV2), 422, "spec.schemaRegistry")
	registry := srfake.New()
	t.Cleanup(registry.Close)
	c := b.sink.Contract()
	c.SchemaRegistry = &contract.SchemaRegistry{URL: registry.URL()}
	if err := b.Reload(c); err != nil {
		t.Fatal(err)
	}
	b.expect(b.do("POST", "/topics/orders", body, "Content-Type", avroV2), 200, `"value_schema_id":1`)
	c.SchemaRegistry = &contract.SchemaRegistry{URL: registry.URL(), CACertificates: "nothing"}
	if err := b.Reload(c); err == nil {
		t.Error("a registry with certificates that are none was taken")
	}
	b.expect(b.do("POST", "/topics/orders", body, "Content-Type", avroV2), 200)
}
