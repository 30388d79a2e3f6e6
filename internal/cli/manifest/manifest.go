// Package manifest reads KafkaTopic manifests as an API server would take them: strictly, with the defaults, the schema and
// the CEL rules of the CRD. It is pure: who calls it has read the files. Whatever the bytes are, it answers with
// sentences.
package manifest

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"mooring.dev/mooring/api/v1alpha1"
)

var kafkaTopic = v1alpha1.GroupVersion.WithKind("KafkaTopic")

// Source says where an object was found.
type Source struct {
	// File as the user named it; "-" is standard input.
	File string
	// Document in the file, counted from 1, and the line that it begins at.
	Document, Line int
}

// String is the source as people write it, with the line to jump to.
func (s Source) String() string {
	name := s.File
	if name == "-" {
		name = "standard input"
	}
	if s.Line == 0 {
		return name
	}
	return fmt.Sprintf("%s:%d", name, s.Line)
}

// Topic is a manifest that an API server would take.
type Topic struct {
	Source Source
	// KafkaTopic has the CRD's defaults and a namespace, and no status.
	KafkaTopic *v1alpha1.KafkaTopic
	// content is the same as the API server sees it.
	content map[string]any
}

// Problem is why an API server would not take a manifest.
type Problem struct {
	Source Source
	// Object, as "KafkaTopic default/orders"; empty when the document is not readable so far.
	Object string
	// Field, as "spec.partitions"; empty when it is about the object or the document as a whole.
	Field   string
	Message string
}

// String is the problem in one line.
func (p Problem) String() string {
	text := p.Source.String() + ": "
	if p.Source.Document > 1 {
		text = fmt.Sprintf("%s (document %d): ", p.Source, p.Source.Document)
	}
	if p.Object != "" {
		text += p.Object + ": "
	}
	if p.Field != "" {
		text += p.Field + ": "
	}
	return text + p.Message
}

// Set is what was read.
type Set struct {
	Topics   []Topic
	Problems []Problem
	// Notes are about what was left aside.
	Notes []string
}

// Add joins what two files held.
func (s *Set) Add(other Set) {
	s.Topics = append(s.Topics, other.Topics...)
	s.Problems = append(s.Problems, other.Problems...)
	s.Notes = append(s.Notes, other.Notes...)
}

// CheckUnique finds objects that are there twice: the second one applied would overwrite the first.
func (s *Set) CheckUnique() {
	first := make(map[string]Source)
	for _, t := range s.Topics {
		key := t.Name()
		if at, twice := first[key]; twice {
			s.Problems = append(s.Problems, Problem{Source: t.Source, Object: "KafkaTopic " + key, Field: "metadata.name",
				Message: fmt.Sprintf("%s has the same KafkaTopic, and the one applied last would overwrite the other; remove one of them or rename it", at)})
			continue
		}
		first[key] = t.Source
	}
}

// Name is namespace/name.
func (t Topic) Name() string { return t.KafkaTopic.Namespace + "/" + t.KafkaTopic.Name }

// objectName names an object of which not much may be known yet.
func objectName(kind schema.GroupVersionKind, namespace, name string) string {
	switch {
	case name == "":
		return kind.Kind + " without a name"
	case namespace == "":
		return kind.Kind + " " + name
	}
	return kind.Kind + " " + namespace + "/" + name
}
