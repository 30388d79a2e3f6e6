package schema

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// jsonCodec validates values and writes them as they were sent.
type jsonCodec struct{ schema *jsonschema.Schema }

// base is what relative references of a schema are resolved against; there is nothing at it.
const base = "mooring:///"

// references of a schema are all that it may refer to: nothing is fetched from the network or from this disk.
type references []reference

// Load a reference by its URL, which is its name in the registry, resolved against that of the schema where it is a relative one.
func (all references) Load(url string) (any, error) {
	for _, r := range all {
		if url == r.name || strings.HasSuffix(url, "/"+r.name) {
			return jsonschema.UnmarshalJSON(strings.NewReader(r.schema))
		}
	}
	return nil, fmt.Errorf("it refers to %.100q, which is not among its references in the registry", strings.TrimPrefix(url, base))
}

func compileJSONSchema(t text) (codec, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(t.schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7) // as Confluent's serializers take one without $schema
	c.UseLoader(references(t.references))
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

func (jsonCodec) header() []int { return nil }

func (c jsonCodec) append(dst, value []byte) ([]byte, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return dst, err
	}
	if err := c.schema.Validate(v); err != nil {
		return dst, err
	}
	return append(dst, value...), nil
}
