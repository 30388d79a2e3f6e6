package codec

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mooring.dev/mooring/internal/shim/codec/protocol"
)

const (
	order      = `{"type":"record","name":"Order","fields":[{"name":"item","type":"string"},{"name":"count","type":["null","int","string"]}]}`
	orderJSON  = `{"type":"object","required":["item"],"properties":{"item":{"type":"string"}}}`
	orderProto = `syntax = "proto3"; message Order { string item = 1; repeated int32 count = 2; } message Other {}`
)

// Questions are answered in turn, and what is no question ends the program.
func TestServe(t *testing.T) {
	var in, out bytes.Buffer
	w := bufio.NewWriter(&in)
	one, two := []byte{0, 0, 0, 1}, []byte{0, 0, 0, 2}
	for _, q := range []struct {
		what   byte
		handle []byte
		rest   string
	}{
		{protocol.AskEncode, one, `1`},
		{protocol.AskCompile, one, `{"format":"AVRO","schema":"\"int\""}`},
		{protocol.AskEncode, one, `-1`},
		{protocol.AskEncode, one, `"x"`},
		{protocol.AskCompile, two, `{"format":"XML","schema":""}`},
		{protocol.AskCompile, two, `no JSON`},
		{protocol.AskEncode, two, `1`},
	} {
		if err := protocol.WriteFrame(w, q.what, q.handle, []byte(q.rest)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Serve(&in, &out); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(&out)
	for i, want := range []string{"U", "D", "D\x01", "R", "R", "R", "U"} {
		what, rest, err := protocol.ReadFrame(r, nil)
		if err != nil || what != want[0] || what == protocol.Done && string(rest) != want[1:] || what == protocol.Refused && len(rest) == 0 {
			t.Errorf("answer %d is %q %q (%v), want %q", i, what, rest, err, want)
		}
	}
	for name, question := range map[string]string{"no handle": "\x00\x00\x00\x03Exx", "no question": "\x00\x00\x00\x05Xhhhh", "cut off": "\x00\x00\x00\x09Ehhhh", "too long": "\xff\xff\xff\xffE"} {
		if err := Serve(strings.NewReader(question), &out); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Too much memory is noticed while there is something to do, and not before or after.
func TestWatch(t *testing.T) {
	noticed := make(chan struct{})
	stop := watch(1, func() { close(noticed) })
	defer stop()
	select {
	case <-noticed:
	case <-time.After(10 * time.Second):
		t.Error("nobody has noticed")
	}
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		watch(1, func() { calls++ })()
		watch(1<<62, func() { calls++ })
		<-time.After(time.Second) // of the bubble's clock
		if calls > 0 {
			t.Errorf("noticed %d times what is not so", calls)
		}
	})
}

// No schema and no value makes the encoders panic, and JSON stays as it was sent.
func FuzzEncode(f *testing.F) {
	f.Add(order, `{"item":"a","count":{"int":7}}`)
	f.Add(orderJSON, `{"item":"a"}`)
	f.Add(orderProto, `{"item":"a","count":[1]}`)
	f.Add(`{"type":"array","items":{"type":"map","values":["null",{"type":"fixed","name":"F","size":2}]}}`, `[{"a":{"F":"ab"}},{"b":null}]`)
	f.Add(`{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}`, `"ab"`)
	f.Add(`syntax = "proto2"; import "google/protobuf/any.proto"; message M { optional google.protobuf.Any a = 1; map<string, M> m = 2; }`, `{"m":{"x":{}}}`)
	f.Fuzz(func(t *testing.T, schema, value string) {
		for _, format := range []protocol.Format{protocol.Avro, protocol.JSONSchema, protocol.Protobuf} {
			c, err := compile(protocol.Source{Format: format, Schema: schema})
			if err != nil {
				continue
			}
			out, err := encode(c, []byte("before"), []byte(value))
			if err == nil && !strings.HasPrefix(string(out), "before") {
				t.Fatalf("%s %q", format, out)
			}
			if err == nil && format == protocol.JSONSchema && string(out) != "before"+value {
				t.Fatalf("%q became %q", value, out)
			}
		}
	})
}
