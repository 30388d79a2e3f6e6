package schema

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/codec/protocol"
	"mooring.dev/mooring/internal/shim/gateway/body"
)

// Limits of schemas and of the talk with the registry.
const (
	// MaxSchema is the length of a schema with all that it refers to, in bytes.
	MaxSchema = 256 << 10
	// maxReferences of a schema, those of its references included.
	maxReferences = 64
	// Timeout of all that the registry is asked for one schema.
	Timeout = 5 * time.Second
	// maxAsking is how many schemas are looked up at once.
	maxAsking = 4
	// fresh is how long a schema is kept; and latestFresh one that was asked for as the latest of its subject.
	fresh       = time.Hour
	latestFresh = time.Minute
)

// Error is what a sender, or the author of a schema, has to mend. Anything else is the registry's trouble.
type Error struct {
	// Code is Confluent REST's error_code.
	Code   int
	Reason string
}

func (e *Error) Error() string { return e.Reason }

// Error codes of Confluent REST that are about schemas.
const (
	CodeKeySchemaMissing   = 42201
	CodeValueSchemaMissing = 42202
	CodeConversion         = 42203
	CodeInvalidSchema      = 42205
)

// Name says which schema is meant.
type Name struct {
	// Topic and Key, which is that of a record's key and not of its value, make the subject that has none in the Data.
	Topic string
	Key   bool
	body.V3Data
}

func (n Name) subject() string {
	if n.Subject != "" {
		return n.Subject
	}
	return n.Topic + map[bool]string{true: "-key", false: "-value"}[n.Key]
}

// Encoder of values by one schema. It may be used concurrently.
type Encoder struct {
	// ID of the schema in the registry.
	ID     int
	Format body.Format
	// head of every value.
	head    []byte
	source  protocol.Source
	handle  uint32
	process *process
}

// Append the encoded value to dst. An *Error is the sender's to mend; any other error says that nothing could be encoded.
func (e *Encoder) Append(dst, value []byte) ([]byte, error) {
	out := append(dst, e.head...)
	out, known, refused, err := e.process.encode(e.handle, out, value)
	if !known { // it was started again, or has had many schemas since
		if _, err := e.process.compile(e.handle, e.source); err != nil {
			return dst, err
		}
		out, _, refused, err = e.process.encode(e.handle, out, value)
	}
	if refused {
		return dst, &Error{CodeConversion, fmt.Sprintf("not a value of the %s schema %d: %.500s", e.Format, e.ID, err)}
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Registry of schemas. Make it with New.
type Registry struct {
	client *sr.Client
	asking chan struct{}
	cache  cache
	// process that encodes.
	process process
}

// Close ends the program that encodes.
func (r *Registry) Close() { r.process.close() }

// New is a registry as a contract names it. It is asked when there is something to encode.
func New(settings contract.SchemaRegistry) (*Registry, error) {
	opts, err := options(settings)
	if err != nil {
		return nil, err
	}
	client, err := sr.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("schemaRegistry: %w", err)
	}
	return &Registry{client: client, asking: make(chan struct{}, maxAsking)}, nil
}

// Encoder by the schema of a name: what is kept, or what the registry says. An *Error is the sender's to mend; any other error says
// that the registry could not be asked.
func (r *Registry) Encoder(ctx context.Context, n Name) (*Encoder, error) {
	if e := r.cache.get(n, time.Now()); e != nil {
		return e, nil
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	select {
	case r.asking <- struct{}{}:
		defer func() { <-r.asking }()
	case <-ctx.Done():
		return nil, errors.New("it is slow to answer, and too many wait for it")
	}
	if e := r.cache.get(n, time.Now()); e != nil { // another has asked meanwhile
		return e, nil
	}
	e, size, err := r.ask(ctx, n)
	if err != nil {
		return nil, faultOf(err)
	}
	keep := fresh
	if n.SchemaID == 0 && n.Schema == "" && n.SchemaVersion == 0 {
		keep = latestFresh
	}
	r.cache.put(n, e, size+len(n.Schema), time.Now().Add(keep))
	return e, nil
}

func (r *Registry) ask(ctx context.Context, n Name) (*Encoder, int, error) {
	if n.Schema != "" {
		return r.register(ctx, n)
	}
	var s sr.Schema
	id := n.SchemaID
	var err error
	if id != 0 {
		s, err = r.client.SchemaByID(ctx, id)
	} else {
		version := n.SchemaVersion
		if version == 0 {
			version = -1 // the latest
		}
		var found sr.SubjectSchema
		found, err = r.client.SchemaByVersion(ctx, n.subject(), version)
		s, id = found.Schema, found.ID
	}
	if err != nil {
		return nil, 0, err
	}
	format, err := formatOf(s.Type)
	if err != nil {
		return nil, 0, err
	}
	if n.Typed && format != n.Format {
		return nil, 0, &Error{CodeInvalidSchema, fmt.Sprintf("the schema %d is of the type %s, and the request is %s", id, format, n.Format)}
	}
	source := protocol.Source{Format: sources[format], Schema: s.Schema}
	if err := r.references(ctx, s.References, &source, make(map[string]bool)); err != nil {
		return nil, 0, err
	}
	e, err := r.encoder(format, source)
	if err != nil {
		return nil, 0, err
	}
	return e, source.Size(), e.identify(id)
}

// register the text of a schema for its subject. What is registered already keeps its ID.
func (r *Registry) register(ctx context.Context, n Name) (*Encoder, int, error) {
	source := protocol.Source{Format: sources[n.Format], Schema: n.Schema}
	e, err := r.encoder(n.Format, source)
	if err != nil {
		return nil, 0, err
	}
	id, err := r.client.RegisterSchema(ctx, n.subject(), sr.Schema{Schema: n.Schema, Type: typeOf(n.Format)}, -1, -1)
	if err != nil {
		return nil, 0, err
	}
	return e, source.Size(), e.identify(id)
}

func (r *Registry) encoder(format body.Format, source protocol.Source) (*Encoder, error) {
	if n := source.Size(); n > MaxSchema {
		return nil, &Error{CodeInvalidSchema, fmt.Sprintf("the schema has %d bytes, and at most %d are taken", n, MaxSchema)}
	}
	e := &Encoder{Format: format, source: source, handle: r.process.handle(), process: &r.process}
	if refused, err := e.process.compile(e.handle, source); refused {
		return nil, &Error{CodeInvalidSchema, fmt.Sprintf("the %s schema: %.500s", format, err)}
	} else if err != nil {
		return nil, err
	}
	return e, nil
}

// identify writes the head of every value. Protobuf's has the path to the message, which is the first one.
func (e *Encoder) identify(id int) (err error) {
	var path []int
	if e.Format == body.Protobuf {
		path = []int{0}
	}
	e.ID = id
	e.head, err = new(sr.ConfluentHeader).AppendEncode(nil, id, path)
	return err
}

// sources are the formats as the program that encodes calls them.
var sources = map[body.Format]protocol.Format{body.Avro: protocol.Avro, body.JSONSchema: protocol.JSONSchema, body.Protobuf: protocol.Protobuf}

// references are looked up one after the other, each after those that it refers to itself.
func (r *Registry) references(ctx context.Context, all []sr.SchemaReference, t *protocol.Source, seen map[string]bool) error {
	for _, ref := range all {
		if seen[ref.Name] {
			continue
		}
		if seen[ref.Name] = true; len(seen) > maxReferences {
			return &Error{CodeInvalidSchema, fmt.Sprintf("the schema has more than %d references", maxReferences)}
		}
		s, err := r.client.SchemaByVersion(ctx, ref.Subject, ref.Version)
		if err != nil {
			return fmt.Errorf("the reference %.80q, version %d of %.80q: %w", ref.Name, ref.Version, ref.Subject, err)
		}
		if err := r.references(ctx, s.References, t, seen); err != nil {
			return err
		}
		t.References = append(t.References, protocol.Reference{Name: ref.Name, Schema: s.Schema.Schema})
	}
	return nil
}

func formatOf(t sr.SchemaType) (body.Format, error) {
	switch t {
	case sr.TypeAvro:
		return body.Avro, nil
	case sr.TypeJSON:
		return body.JSONSchema, nil
	case sr.TypeProtobuf:
		return body.Protobuf, nil
	}
	return 0, &Error{CodeInvalidSchema, fmt.Sprintf("the schema is of the type %s, which is not encoded here", t)}
}

func typeOf(f body.Format) sr.SchemaType {
	switch f {
	case body.JSONSchema:
		return sr.TypeJSON
	case body.Protobuf:
		return sr.TypeProtobuf
	}
	return sr.TypeAvro
}

// faultOf what the registry said: that there is no such schema, or that it does not take it, is the sender's to mend.
func faultOf(err error) error {
	var said *sr.ResponseError
	if !errors.As(err, &said) {
		return err
	}
	switch said.StatusCode {
	case http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusBadRequest:
		return &Error{CodeInvalidSchema, fmt.Sprintf("the schema registry refuses it (%d): %.500s", said.StatusCode, said.Error())}
	}
	return fmt.Errorf("it answers %d: %.300s", said.StatusCode, said.Error())
}
