package manifest

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"mooring.dev/mooring/api/v1alpha1"
)

// Read reads the KafkaTopics of one file. namespace is that of manifests that name none.
func (s *Schema) Read(file string, data []byte, namespace string) Set {
	var set Set
	for _, d := range split(file, data) {
		if d.err != nil {
			set.Problems = append(set.Problems, Problem{Source: d.source, Message: d.err.Error()})
			continue
		}
		object, ok := d.value.(map[string]any)
		if !ok {
			set.Problems = append(set.Problems, Problem{Source: d.source,
				Message: fmt.Sprintf("want an object with apiVersion and kind, and this is %s", kindOf(d.value))})
			continue
		}
		s.readObject(&set, d.source, object, namespace)
	}
	return set
}

// readObject sorts an object by its kind: a KafkaTopic is read, the items of a list are, and others are noted.
func (s *Schema) readObject(set *Set, source Source, object map[string]any, namespace string) {
	problem := func(field, format string, args ...any) {
		set.Problems = append(set.Problems, Problem{Source: source, Field: field, Message: fmt.Sprintf(format, args...)})
	}
	apiVersion, okVersion := object["apiVersion"].(string)
	kind, okKind := object["kind"].(string)
	if !okKind || kind == "" {
		problem("kind", "is missing; a manifest for a topic begins with apiVersion: %s and kind: %s", v1alpha1.GroupVersion, kafkaTopic.Kind)
		return
	}
	if !okVersion || apiVersion == "" {
		problem("apiVersion", "is missing; a %s of which group and version?", kind)
		return
	}
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		problem("apiVersion", "%q is not a group and version such as %s", apiVersion, v1alpha1.GroupVersion)
		return
	}
	gvk := gv.WithKind(kind)
	switch {
	case gvk == kafkaTopic:
		topic, problems := s.readTopic(source, object, namespace)
		set.Problems = append(set.Problems, problems...)
		if len(problems) == 0 {
			set.Topics = append(set.Topics, topic)
		}
	case gvk.GroupKind() == kafkaTopic.GroupKind():
		problem("apiVersion", "this program reads KafkaTopics of %s, and this one is of %s", v1alpha1.GroupVersion, apiVersion)
	case strings.HasSuffix(kind, "List") && object["items"] != nil:
		s.readItems(set, source, gvk, object["items"], namespace)
	default:
		set.Notes = append(set.Notes, fmt.Sprintf("%s: left aside: %s is not a KafkaTopic", source, objectName(gvk, nested(object, "namespace"), nested(object, "name"))))
	}
}

func (s *Schema) readItems(set *Set, source Source, list schema.GroupVersionKind, items any, namespace string) {
	all, ok := items.([]any)
	if !ok {
		set.Problems = append(set.Problems, Problem{Source: source, Field: "items", Message: fmt.Sprintf("want a list, and this is %s", kindOf(items))})
		return
	}
	for i, item := range all {
		object, ok := item.(map[string]any)
		if !ok {
			set.Problems = append(set.Problems, Problem{Source: source, Field: fmt.Sprintf("items[%d]", i), Message: fmt.Sprintf("want an object, and this is %s", kindOf(item))})
			continue
		}
		if object["kind"] == nil && object["apiVersion"] == nil && list.Group != "" {
			object["kind"], object["apiVersion"] = strings.TrimSuffix(list.Kind, "List"), list.GroupVersion().String()
		}
		s.readObject(set, source, object, namespace)
	}
}

// readTopic takes one KafkaTopic as the API server does.
func (s *Schema) readTopic(source Source, object map[string]any, namespace string) (Topic, []Problem) {
	delete(object, "status") // as the API server does when an object is created or applied
	if metadata, ok := object["metadata"].(map[string]any); ok && metadata["namespace"] == nil && namespace != "" {
		metadata["namespace"] = namespace
	}
	name := objectName(kafkaTopic, nested(object, "namespace"), nested(object, "name"))
	faults := s.check(object, nil)
	var problems []Problem
	for _, f := range faults {
		problems = append(problems, Problem{Source: source, Object: name, Field: f.field, Message: f.message})
	}
	if len(problems) > 0 {
		return Topic{}, problems
	}
	typed, err := toTyped(object)
	if err != nil {
		return Topic{}, []Problem{{Source: source, Object: name, Message: err.Error()}}
	}
	return Topic{Source: source, KafkaTopic: typed, content: object}, nil
}

func toTyped(object map[string]any) (*v1alpha1.KafkaTopic, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var typed v1alpha1.KafkaTopic
	if err := json.Unmarshal(text, &typed); err != nil {
		return nil, err
	}
	return &typed, nil
}

// CheckUpdate says why the API server would not put the manifest in the place of the object that is there.
func (s *Schema) CheckUpdate(t Topic, live *v1alpha1.KafkaTopic) []Problem {
	text, err := json.Marshal(live)
	if err != nil {
		return []Problem{{Source: t.Source, Object: "KafkaTopic " + t.Name(), Message: err.Error()}}
	}
	before, err := fromJSON(text)
	old, ok := before.(map[string]any)
	if err != nil || !ok {
		return nil
	}
	var problems []Problem
	for _, f := range s.checkRules(t.content, old) {
		problems = append(problems, Problem{Source: t.Source, Object: "KafkaTopic " + t.Name(), Field: f.field, Message: f.message})
	}
	return problems
}

// nested is a string of the metadata, if it is one.
func nested(object map[string]any, field string) string {
	metadata, _ := object["metadata"].(map[string]any)
	text, _ := metadata[field].(string)
	return text
}

// kindOf names a JSON value as people do.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "nothing"
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	default:
		return "a number"
	}
}
