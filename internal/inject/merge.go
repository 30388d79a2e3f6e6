package inject

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// Variables that hold many settings at once, and that frameworks prefer to single variables.
const (
	envSpringJSON  = "SPRING_APPLICATION_JSON"
	envJavaOptions = "JAVA_TOOL_OPTIONS"
)

// mergeInto replaces the profile's settings inside variables that hold many. Whatever else is in them stays as it is.
func (c *change) mergeInto(vars []variable) {
	ours := make(map[string]string, len(vars))
	for _, v := range vars {
		if v.ValueFrom == nil && v.client != "" {
			ours[canonical(v.Name)] = v.Value
		}
	}
	if len(ours) == 0 {
		return
	}
	for i := range c.own {
		e := &c.own[i]
		switch {
		case e.Name != envSpringJSON && e.Name != envJavaOptions:
		case e.ValueFrom != nil:
			c.decide(ReasonUnseen, e.Name, "it is a "+describe(*e)+", which admission does not read; settings of Kafka in it win over the profile's")
		default:
			c.merge(e, ours)
		}
	}
}

func (c *change) merge(e *corev1.EnvVar, ours map[string]string) {
	now, found := mergeOptions(e.Value, ours)
	ok := true
	if e.Name == envSpringJSON {
		now, found, ok = mergeJSON(e.Value, ours)
	}
	switch {
	case !ok:
		c.decide(ReasonUnseen, e.Name, "it is not a JSON object, so nobody can say what it sets")
	case len(found) == 0:
	case c.policy == v1alpha1.ConflictDeny:
		c.deny(e.Name, "sets "+strings.Join(found, ", ")+" to another value than the profile's")
	case c.policy == v1alpha1.ConflictKeep:
		c.decide(ReasonKept, e.Name, "it sets "+strings.Join(found, ", ")+", and the container's own values stay (conflict Keep)")
	default:
		c.decide(ReasonMerged, e.Name, "in it, "+strings.Join(found, ", ")+" were given the profile's value")
		c.merged = append(c.merged, Merged{c.container, e.Name, e.Value, now})
		e.Value = now
	}
}

// mergeJSON gives the leaves of a JSON object that are ours our value. It is false for what is no JSON object.
func mergeJSON(text string, ours map[string]string) (now string, found []string, ok bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil || object == nil {
		return text, nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return text, nil, false
	}
	mergeLeaves(object, "", ours, &found)
	if len(found) == 0 {
		return text, nil, true
	}
	slices.Sort(found)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(object); err != nil {
		return text, nil, false
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), found, true
}

func mergeLeaves(object map[string]any, prefix string, ours map[string]string, found *[]string) {
	for key, value := range object {
		path := prefix + key
		if inner, isObject := value.(map[string]any); isObject {
			mergeLeaves(inner, path+".", ours, found)
			continue
		}
		want, isOurs := ours[canonical(path)]
		if !isOurs || leafText(value) == want {
			continue
		}
		object[key] = want
		*found = append(*found, path)
	}
}

// leafText is a JSON value as Spring reads it; a list is its items with commas.
func leafText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, leafText(item))
		}
		return strings.Join(items, ",")
	}
	return ""
}

// mergeOptions gives the -Dname=value options that are ours our value. The JVM parts options at white space outside quotes.
func mergeOptions(text string, ours map[string]string) (now string, found []string) {
	var b strings.Builder
	for len(text) > 0 {
		option, rest := nextOption(text)
		text = rest
		name, value, isProperty := strings.Cut(strings.TrimPrefix(option, "-D"), "=")
		want, isOurs := ours[canonical(name)]
		if !strings.HasPrefix(option, "-D") || !isProperty || !isOurs || strings.Trim(value, `"'`) == want {
			b.WriteString(option)
			continue
		}
		if strings.ContainsAny(want, " \t\n\r\"'") {
			want = `"` + strings.ReplaceAll(want, `"`, `"'"'"`) + `"` // quotes of the other kind hold a quote
		}
		b.WriteString("-D" + name + "=" + want)
		found = append(found, name)
	}
	return b.String(), found
}

// nextOption cuts off one option, or a run of white space.
func nextOption(text string) (option, rest string) {
	isSpace := func(b byte) bool { return strings.IndexByte(" \t\n\r\v\f", b) >= 0 }
	i := 0
	if isSpace(text[0]) {
		for i < len(text) && isSpace(text[i]) {
			i++
		}
		return text[:i], text[i:]
	}
	var quote byte
	for ; i < len(text); i++ {
		switch b := text[i]; {
		case quote != 0 && b == quote:
			quote = 0
		case quote != 0:
		case b == '"' || b == '\'':
			quote = b
		case isSpace(b):
			return text[:i], text[i:]
		}
	}
	return text, ""
}
