package schema

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/codec"
	"mooring.dev/mooring/internal/shim/codec/protocol"
	"mooring.dev/mooring/internal/shim/gateway/body"
)

const (
	order      = `{"type":"record","name":"Order","fields":[{"name":"item","type":"string"},{"name":"count","type":["null","int","string"]}]}`
	orderJSON  = `{"type":"object","required":["item"],"properties":{"item":{"type":"string"}}}`
	orderProto = `syntax = "proto3"; message Order { string item = 1; repeated int32 count = 2; } message Other {}`
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
	os.Setenv(EnvProgram, self) //nolint:errcheck // the name is a constant
	os.Exit(m.Run())
}

func begin(t *testing.T, opts ...srfake.Option) (*srfake.Registry, *Registry) {
	t.Helper()
	fake := srfake.New(opts...)
	t.Cleanup(fake.Close)
	r, err := New(contract.SchemaRegistry{URL: fake.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return fake, r
}

func named(d body.V3Data) Name {
	d.NeedsSchema, d.Typed = true, true
	return Name{Topic: "orders", V3Data: d}
}

// The bytes are those of Confluent's serializers: worked out by hand from Avro's, Protobuf's and the wire format's specifications.
func TestEncodedBytes(t *testing.T) {
	for _, tt := range []struct {
		name, schema, value, want string
		format                    body.Format
	}{
		{"an Avro record, with a null", order, `{"item":"a","count":null}`, "\x00\x00\x00\x00\x01" + "\x02a\x00", body.Avro},
		{"an Avro union keeps the branch that is named", order, `{"count":{"string":"7"},"item":"a"}`, "\x00\x00\x00\x00\x01" + "\x02a\x04\x027", body.Avro},
		{"an Avro number", `"long"`, `-2`, "\x00\x00\x00\x00\x01" + "\x03", body.Avro},
		{"Avro bytes are characters up to 255", `"bytes"`, `"\u00ffa"`, "\x00\x00\x00\x00\x01" + "\x04\xffa", body.Avro},
		{"JSON as it was sent", orderJSON, `{"item": "a",  "n": 1.50}`, "\x00\x00\x00\x00\x01" + `{"item": "a",  "n": 1.50}`, body.JSONSchema},
		{"Protobuf, the first message", orderProto, `{"item":"a","count":[1,300]}`, "\x00\x00\x00\x00\x01\x00" + "\x0a\x01a\x12\x03\x01\xac\x02", body.Protobuf},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, r := begin(t)
			e, err := r.Encoder(t.Context(), named(body.V3Data{Format: tt.format, Schema: tt.schema}))
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Append([]byte("before"), []byte(tt.value))
			if err != nil || string(got) != "before"+tt.want {
				t.Errorf("%q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

// Whatever is the sender's to mend has the code of Confluent REST for it.
func TestWhatIsTheSenders(t *testing.T) {
	fake, r := begin(t)
	fake.SeedSchema("there", 1, 7, sr.Schema{Schema: orderJSON, Type: sr.TypeJSON})
	for _, tt := range []struct {
		name, value, want string
		data              body.V3Data
		code              int
	}{
		{"no Avro schema", "", "the avro schema", body.V3Data{Format: body.Avro, Schema: `{"type":"recrd"}`}, CodeInvalidSchema},
		{"no JSON schema", "", "the jsonschema schema", body.V3Data{Format: body.JSONSchema, Schema: `{"type":7}`}, CodeInvalidSchema},
		{"a JSON schema that wants another fetched", "", "not among its references", body.V3Data{Format: body.JSONSchema, Schema: `{"$ref":"file:///etc/passwd"}`}, CodeInvalidSchema},
		{"no Protobuf schema", "", "the protobuf schema", body.V3Data{Format: body.Protobuf, Schema: `message`}, CodeInvalidSchema},
		{"Protobuf without a message", "", "no message", body.V3Data{Format: body.Protobuf, Schema: `syntax = "proto3";`}, CodeInvalidSchema},
		{"Protobuf that wants a file", "", "passwd", body.V3Data{Format: body.Protobuf, Schema: `syntax = "proto3"; import "/etc/passwd"; message M {}`}, CodeInvalidSchema},
		{"a schema that is too long", "", "at most", body.V3Data{Format: body.Avro, Schema: `"int"` + strings.Repeat(" ", MaxSchema)}, CodeInvalidSchema},
		{"an ID that there is not", "", "404", body.V3Data{Format: body.Avro, SchemaID: 99}, CodeInvalidSchema},
		{"an ID of another type", "", "is of the type jsonschema, and the request is avro", body.V3Data{Format: body.Avro, SchemaID: 7}, CodeInvalidSchema},
		{"a subject that there is not", "", "404", body.V3Data{Format: body.Avro, Subject: "nowhere"}, CodeInvalidSchema},
		{"a field that is missing, in Avro", `{"item":"a"}`, "not a value of the avro schema", body.V3Data{Format: body.Avro, Schema: `{"type":"record","name":"R","fields":[{"name":"n","type":"int"}]}`}, CodeConversion},
		{"a number out of range, in Avro", `4294967296`, "not a value", body.V3Data{Format: body.Avro, Schema: `"int"`}, CodeConversion},
		{"a field that is missing, in JSON", `{}`, "jsonschema validation failed: at '': missing property 'item'", body.V3Data{Format: body.JSONSchema, SchemaID: 7}, CodeConversion},
		{"a field that is unknown, in Protobuf", `{"color":1}`, "color", body.V3Data{Format: body.Protobuf, Schema: orderProto}, CodeConversion},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := r.Encoder(t.Context(), named(tt.data))
			if err == nil {
				_, err = e.Append(nil, []byte(tt.value))
			}
			var mistake *Error
			if !errors.As(err, &mistake) || mistake.Code != tt.code || !strings.Contains(mistake.Reason, tt.want) {
				t.Errorf("%v, want %d and %q", err, tt.code, tt.want)
			}
		})
	}
}

// A schema is registered for its subject, and found there again by its ID, and by subject and version.
func TestNamesOfASchema(t *testing.T) {
	fake, r := begin(t)
	e, err := r.Encoder(t.Context(), named(body.V3Data{Format: body.Avro, Schema: order}))
	if err != nil {
		t.Fatal(err)
	}
	key := named(body.V3Data{Format: body.Avro, Schema: `"string"`})
	key.Key = true
	if _, err := r.Encoder(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if !fake.SubjectExists("orders-value") || !fake.SubjectExists("orders-key") {
		t.Error("the subjects are not orders-value and orders-key")
	}
	for name, d := range map[string]body.V3Data{
		"by ID": {Format: body.Avro, SchemaID: e.ID}, "by version": {Format: body.Avro, Subject: "orders-value", SchemaVersion: 1}, "the latest": {Format: body.Avro},
	} {
		if found, err := r.Encoder(t.Context(), named(d)); err != nil || found.ID != e.ID {
			t.Errorf("%s: %+v %v", name, found, err)
		}
	}
	// Without a type, the schema's counts.
	fake.SeedSchema("json", 1, 50, sr.Schema{Schema: orderJSON, Type: sr.TypeJSON})
	if found, err := r.Encoder(t.Context(), Name{Topic: "orders", V3Data: body.V3Data{NeedsSchema: true, SchemaID: 50}}); err != nil || found.Format != body.JSONSchema {
		t.Errorf("%+v %v", found, err)
	}
}

// Schemas that others refer to come from the registry, whichever the format.
func TestReferences(t *testing.T) {
	fake, r := begin(t)
	for id, s := range map[int][2]sr.Schema{
		10: {{Schema: `{"type":"enum","name":"Color","symbols":["RED"]}`, Type: sr.TypeAvro}, {Schema: `{"type":"record","name":"Car","fields":[{"name":"c","type":"Color"}]}`, Type: sr.TypeAvro}},
		20: {{Schema: `{"enum":["RED"]}`, Type: sr.TypeJSON}, {Schema: `{"properties":{"c":{"$ref":"Color"}}}`, Type: sr.TypeJSON}},
		30: {{Schema: `syntax = "proto3"; enum E { RED = 0; }`, Type: sr.TypeProtobuf}, {Schema: `syntax = "proto3"; import "Color"; message Car { repeated E c = 1; }`, Type: sr.TypeProtobuf}},
	} {
		color := fmt.Sprintf("color-%d", id)
		fake.SeedSchema(color, 1, id, s[0])
		s[1].References = []sr.SchemaReference{{Name: "Color", Subject: color, Version: 1}}
		fake.SeedSchema(fmt.Sprintf("car-%d", id), 1, id+1, s[1])
	}
	for id, value := range map[int]string{11: `{"c":"RED"}`, 21: `{"c":"RED"}`, 31: `{"c":["RED"]}`} {
		e, err := r.Encoder(t.Context(), Name{Topic: "cars", V3Data: body.V3Data{SchemaID: id}})
		if err != nil {
			t.Errorf("%d: %v", id, err)
			continue
		}
		if _, err := e.Append(nil, []byte(value)); err != nil {
			t.Errorf("%d: %v", id, err)
		}
		if _, err := e.Append(nil, []byte(strings.ReplaceAll(value, "RED", "BLUE"))); err == nil {
			t.Errorf("%d: what the reference does not have was taken", id)
		}
	}
}

// The registry is asked once for a schema, and what is kept is bounded.
func TestWhatIsKept(t *testing.T) {
	asked := atomic.Int64{}
	fake, r := begin(t)
	fake.Intercept(func(http.ResponseWriter, *http.Request) bool { asked.Add(1); return false })
	n := named(body.V3Data{Format: body.Avro, Schema: order})
	for range 100 {
		if _, err := r.Encoder(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("asked %d times for one schema", got)
	}
	var c cache
	now := time.Now()
	for i := range 3 * maxKept {
		c.put(named(body.V3Data{SchemaID: i + 1}), &Encoder{ID: i + 1}, maxKeptSize/100, now.Add(time.Hour))
	}
	if c.order.Len() > 100 || c.size > maxKeptSize || len(c.at) != c.order.Len() {
		t.Errorf("%d schemas of %d bytes are kept", c.order.Len(), c.size)
	}
	last := named(body.V3Data{SchemaID: 3 * maxKept})
	if c.get(last, now) == nil || c.get(named(body.V3Data{SchemaID: 1}), now) != nil {
		t.Error("the wrong ones are kept")
	}
	if c.get(last, now.Add(2*time.Hour)) != nil || c.at[last] != nil {
		t.Error("kept beyond its time")
	}
}

// A registry that is away, slow, or refuses us is not the sender's fault, and the sender does not wait for long.
func TestTheRegistrysTrouble(t *testing.T) {
	away, r := begin(t)
	away.Close()
	refusing, credentials := srfake.New(srfake.WithAuth("Basic dXNlcjpwYXNz")), t.TempDir()
	t.Cleanup(refusing.Close)
	stranger, err := New(contract.SchemaRegistry{URL: refusing.URL(), CredentialsDir: credentials})
	if err != nil {
		t.Fatal(err)
	}
	n := named(body.V3Data{Format: body.Avro, Schema: order})
	for name, r := range map[string]*Registry{"away": r, "refuses us": stranger} {
		var mistake *Error
		if _, err := r.Encoder(t.Context(), n); err == nil || errors.As(err, &mistake) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range maxAsking {
		r.asking <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := r.Encoder(ctx, n); err == nil || !strings.Contains(err.Error(), "too many wait") {
		t.Errorf("%v", err)
	}
	// The credentials come: no restart is needed.
	for name, content := range map[string]string{contract.FileRegistryUsername: "user\n", contract.FileRegistryPassword: "pass"} {
		if err := os.WriteFile(filepath.Join(credentials, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := stranger.Encoder(t.Context(), n); err != nil {
		t.Error(err)
	}
}

// The program that encodes may end at any time: it is started again, and has its schemas again. One that takes for ever is ended.
func TestTheProgramEnds(t *testing.T) {
	_, r := begin(t)
	n := named(body.V3Data{Format: body.Avro, Schema: order})
	e, err := r.Encoder(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	value := []byte(`{"item":"a","count":null}`)
	r.process.run.command.Process.Kill() //nolint:errcheck // the next line waits for its end
	r.process.run.command.Process.Wait() //nolint:errcheck // it was killed
	if _, err := e.Append(nil, value); err == nil {
		t.Error("encoded by nobody")
	}
	if out, err := e.Append(nil, value); err != nil || len(out) != 8 {
		t.Errorf("after it was started again: %q %v", out, err)
	}
	r.Close()
	if _, err := e.Append(nil, value); !errors.Is(err, errClosed) {
		t.Errorf("%v", err)
	}
	t.Setenv(EnvProgram, filepath.Join(t.TempDir(), "none"))
	_, r = begin(t)
	var mistake *Error
	if _, err := r.Encoder(t.Context(), n); err == nil || errors.As(err, &mistake) {
		t.Errorf("without the program: %v", err)
	}
}

// What a value costs on its way to the program that encodes and back.
func BenchmarkAppend(b *testing.B) {
	fake := srfake.New()
	defer fake.Close()
	r, err := New(contract.SchemaRegistry{URL: fake.URL()})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	e, err := r.Encoder(b.Context(), named(body.V3Data{Format: body.Avro, Schema: order}))
	if err != nil {
		b.Fatal(err)
	}
	value, out := []byte(`{"item":"a","count":null}`), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		if out, err = e.Append(out[:0], value); err != nil {
			b.Fatal(err)
		}
	}
}
