package codec

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mooring.dev/mooring/internal/shim/codec/protocol"
)

// jsonCodec validates values and writes them as they were sent.
type jsonCodec struct{ schema *jsonschema.Schema }

// base is what relative references of a schema are resolved against; there is nothing at it.
const base = "mooring:///"

// references of a schema are all that it may refer to: nothing is fetched from the network or from this disk.
type references []protocol.Reference

// Load a reference by its URL, which is its name in the registry, resolved against that of the schema where it is a relative one.
func (all references) Load(url string) (any, error) {
	for _, r := range all {
		if url == r.Name || strings.HasSuffix(url, "/"+r.Name) {
			return jsonschema.UnmarshalJSON(strings.NewReader(r.Schema))
		}
	}
	return nil, fmt.Errorf("it refers to %.100q, which is not among its references in the registry", strings.TrimPrefix(url, base))
}

func compileJSONSchema(t protocol.Source) (codec, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(t.Schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7) // as Confluent's serializers take one without $schema
	c.UseLoader(references(t.References))
	const name = base + "mooring-schema.json"
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	s, err := c.Compile(name)
	if err != nil {
		return nil, err
	}
	return jsonCodec{s}, nil
}

// words makes one line of what is wrong with a value, without the name that nothing has.
var words = strings.NewReplacer(" with '"+base+"mooring-schema.json#'\n- ", ": ", "\n- ", "; ", "\n", " ")

func (c jsonCodec) append(dst, value []byte) ([]byte, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return dst, err
	}
	if err := c.schema.Validate(v); err != nil {
		return dst, errors.New(words.Replace(err.Error()))
	}
	return append(dst, value...), nil
}
