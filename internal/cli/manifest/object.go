package manifest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"mooring.dev/mooring/api/v1alpha1"
)

// FaultKind says which of the API server's checks an object does not pass.
type FaultKind string

// The kinds of faults.
const (
	// FaultDocument: it is no YAML and no JSON, or no object.
	FaultDocument FaultKind = "document"
	// FaultKindUnknown: apiVersion and kind are missing, or name none of Mooring's.
	FaultKindUnknown FaultKind = "kind"
	// FaultMetadata: name, namespace, labels, annotations.
	FaultMetadata FaultKind = "metadata"
	// FaultUnknownField: there is no such field.
	FaultUnknownField FaultKind = "field"
	// FaultSchema: the type, the range or the words of a field.
	FaultSchema FaultKind = "schema"
	// FaultRule: a CEL rule of the CRD.
	FaultRule FaultKind = "rule"
)

// Fault is what is wrong with one field of an object.
type Fault struct {
	Kind           FaultKind
	Field, Message string
}

// Object is one object of a file, of whatever kind.
type Object struct {
	Source Source
	GVK    schema.GroupVersionKind
	// Content has the CRD's defaults and no status where the kind is Mooring's, and is as written otherwise. It is nil for a
	// document that is no object.
	Content map[string]any
	// Faults are why an API server would not take it, as far as this program knows the kind.
	Faults []Fault

	tree   *yaml.Node
	before int    // lines of the file before the tree
	prefix string // path of the object in the tree: items[0] of a List
}

// Kinds of Mooring.
const (
	KindCluster = "KafkaCluster"
	KindTopic   = "KafkaTopic"
	KindProfile = "ProducerProfile"
)

var kinds = []string{KindCluster, KindTopic, KindProfile}

// Reader reads objects of every kind.
type Reader struct {
	schemas map[string]*Schema
}

// NewReader compiles the CRDs, once. The error is a defect of this program.
var NewReader = sync.OnceValues(func() (*Reader, error) {
	r := &Reader{schemas: make(map[string]*Schema)}
	for _, kind := range kinds {
		s, err := loadKind(kind)
		if err != nil {
			return nil, err
		}
		r.schemas[kind] = s
	}
	return r, nil
})

// Read reads the objects of one file. namespace is that of manifests that name none.
func (r *Reader) Read(file string, data []byte, namespace string) []Object {
	var objects []Object
	for _, d := range split(file, data) {
		o := Object{Source: d.source, before: d.before}
		if d.err != nil {
			o.Faults = []Fault{{FaultDocument, "", d.err.Error()}}
			o.Source.Line = lineOf(d.err, o.Source.Line)
			objects = append(objects, o)
			continue
		}
		o.tree = parseTree(d.text)
		objects = append(objects, r.readValue(o, d.value, namespace)...)
	}
	return objects
}

// lineOf is the line that a message names, where it names one.
func lineOf(err error, otherwise int) int {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			return n
		}
	}
	return otherwise
}

// readValue reads one object, or the items of a list.
func (r *Reader) readValue(o Object, value any, namespace string) []Object {
	content, ok := value.(map[string]any)
	if !ok {
		o.Faults = []Fault{{FaultDocument, "", "want an object with apiVersion and kind, and this is " + kindOf(value)}}
		return []Object{o}
	}
	o.Content = content
	fault := kindFault(content)
	if fault != nil {
		o.Faults = []Fault{*fault}
		return []Object{o}
	}
	apiVersion, _ := content["apiVersion"].(string)
	kind, _ := content["kind"].(string)
	o.GVK = schema.FromAPIVersionAndKind(apiVersion, kind)
	items, isList := content["items"].([]any)
	if strings.HasSuffix(kind, "List") && isList {
		return r.readItems(o, items, namespace)
	}
	if o.GVK.Group == v1alpha1.GroupVersion.Group {
		r.judge(&o, namespace)
	}
	return []Object{o}
}

func (r *Reader) readItems(list Object, items []any, namespace string) []Object {
	var objects []Object
	for i, item := range items {
		o := Object{Source: list.Source, tree: list.tree, before: list.before, prefix: join(list.prefix, fmt.Sprintf("items[%d]", i))}
		if content, ok := item.(map[string]any); ok && content["kind"] == nil && content["apiVersion"] == nil && list.GVK.Group != "" {
			content["kind"], content["apiVersion"] = strings.TrimSuffix(list.GVK.Kind, "List"), list.GVK.GroupVersion().String()
		}
		objects = append(objects, r.readValue(o, item, namespace)...)
	}
	return objects
}

func kindFault(object map[string]any) *Fault {
	kind, ok := object["kind"].(string)
	if !ok || kind == "" {
		return &Fault{FaultKindUnknown, "kind", "is missing; a manifest begins with apiVersion and kind"}
	}
	version, ok := object["apiVersion"].(string)
	if !ok || version == "" {
		return &Fault{FaultKindUnknown, "apiVersion", fmt.Sprintf("is missing; a %s of which group and version?", kind)}
	}
	if _, err := schema.ParseGroupVersion(version); err != nil {
		return &Fault{FaultKindUnknown, "apiVersion", fmt.Sprintf("%q is not a group and version such as %s", version, v1alpha1.GroupVersion)}
	}
	return nil
}

// judge takes an object of Mooring's group as the API server does.
func (r *Reader) judge(o *Object, namespace string) {
	s := r.schemas[o.GVK.Kind]
	switch {
	case s == nil:
		o.Faults = []Fault{{FaultKindUnknown, "kind", unknownKind(o.GVK.Kind)}}
		return
	case o.GVK.Version != v1alpha1.GroupVersion.Version:
		o.Faults = []Fault{{FaultKindUnknown, "apiVersion", fmt.Sprintf("this program reads %s, and this one is of %s", v1alpha1.GroupVersion, o.GVK.GroupVersion())}}
		return
	}
	delete(o.Content, "status") // as the API server does when an object is created or applied
	if metadata, ok := o.Content["metadata"].(map[string]any); ok && s.namespaced && metadata["namespace"] == nil && namespace != "" {
		metadata["namespace"] = namespace
	}
	for _, f := range s.check(o.Content, nil) {
		if f.kind == FaultMetadata && strings.HasPrefix(f.message, "is missing") {
			f.message = "is missing; an object is known by its name"
		}
		o.Faults = append(o.Faults, Fault{f.kind, f.field, f.message})
	}
}

func unknownKind(kind string) string {
	text := fmt.Sprintf("%s has no kind %.100q; it has %s", v1alpha1.GroupVersion, kind, strings.Join(kinds, ", "))
	for _, k := range kinds {
		if distance(strings.ToLower(k), strings.ToLower(kind)) <= 2 {
			text += "; did you mean " + k + "?"
		}
	}
	return text
}

// Name and Namespace of the object, as far as they can be read.
func (o *Object) Name() string { return nested(o.Content, "name") }

// Namespace of the object, "" where it has none.
func (o *Object) Namespace() string { return nested(o.Content, "namespace") }

// String names the object as people do: KafkaTopic shop/orders.
func (o *Object) String() string {
	if o.GVK.Kind == "" {
		return ""
	}
	return objectName(o.GVK, o.Namespace(), o.Name())
}

// Decode fills a typed object in. An error says what the JSON decoder has against it.
func (o *Object) Decode(into any) error {
	text, err := json.Marshal(o.Content)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// Position is where a field is written; where it is absent, where the object that lacks it is.
func (o *Object) Position(field string) Position {
	at := locate(o.tree, join(o.prefix, field))
	if at.Line == 0 {
		return Position{Line: o.Source.Line, Column: 1}
	}
	at.Line += o.before
	return at
}

func join(prefix, field string) string {
	switch {
	case prefix == "":
		return field
	case field == "":
		return prefix
	}
	return prefix + "." + field
}
