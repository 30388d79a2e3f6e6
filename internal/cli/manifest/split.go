package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// document is one part of a file, decoded to maps, lists, strings, booleans, int64 and float64; or why it is not.
type document struct {
	source Source
	value  any
	err    error
	// text of the document, and how many lines of the file come before it.
	text   []byte
	before int
}

// split reads a file as kubectl does: YAML documents between lines that begin with ---, and JSON values one after the other.
func split(file string, data []byte) []document {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var documents []document
	number, line := 1, 1
	for {
		text, rest, after, more := cut(data)
		source := Source{File: file, Document: number, Line: line + leadingLines(text)}
		for _, d := range decode(source, line-1, text) {
			d.text, d.before = text, line-1
			documents = append(documents, d)
		}
		if after != nil {
			documents = append(documents, document{source: Source{File: file, Document: number + 1, Line: line + bytes.Count(text, newline)}, err: after})
		}
		if !more {
			return documents
		}
		line += bytes.Count(data[:len(data)-len(rest)], newline)
		data = rest
		number++
	}
}

var newline = []byte("\n")

// cut cuts at the first separator. after is what is wrong with it, if anything.
func cut(data []byte) (text, rest []byte, after error, more bool) {
	for at := 0; at < len(data); {
		end := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if trail, ok := bytes.CutPrefix(data[at:end], []byte("---")); ok {
			if trail = bytes.TrimSpace(trail); len(trail) > 0 && trail[0] != '#' {
				after = errors.New("there is text after the separator ---; begin the document on the next line, as kubectl wants it")
			}
			return data[:at], data[end:], after, true
		}
		at = end
	}
	return data, nil, nil, false
}

// leadingLines counts the lines before the first one with content.
func leadingLines(text []byte) int {
	n := 0
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return n
		}
		n++
	}
	return 0
}

// decode decodes the text between two separators: one YAML document, or any number of JSON values. before is how many
// lines of the file come before it.
func decode(source Source, before int, text []byte) []document {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		if documents, ok := decodeJSON(source, text); ok {
			return documents
		}
	}
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return []document{{source: source, err: yamlError(err, before)}}
	}
	value, err := fromJSON(asJSON)
	if err == nil && value == nil {
		return nil // an empty document, or comments only
	}
	return []document{{source: source, value: value, err: err}}
}

// decodeJSON returns false for what is no JSON at all: a YAML flow mapping begins with a brace too.
func decodeJSON(source Source, text []byte) ([]document, bool) {
	var documents []document
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return documents, true
		}
		if err != nil {
			if len(documents) == 0 {
				return nil, false
			}
			err = fmt.Errorf("not JSON: %w", err)
			return append(documents, document{source: source, err: err}), true
		}
		value, err := fromJSON(raw)
		documents = append(documents, document{source: source, value: value, err: err})
	}
}

// fromJSON decodes as an API server does: integers stay integers, and a field that is there twice is an error.
func fromJSON(data []byte) (any, error) {
	var value any
	strict, err := kjson.UnmarshalStrict(data, &value)
	if err == nil && len(strict) > 0 {
		err = strict[0]
	}
	return value, err
}

var yamlLine = regexp.MustCompile(`\bline (\d+)`)

// yamlError makes the message say the line of the file, not of the document, and drops what says nothing.
func yamlError(err error, before int) error {
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	text = strings.ReplaceAll(text, "%!s(<nil>)", "null") // a slip of the library's, for a key that is null
	text = strings.Join(strings.Fields(strings.TrimPrefix(text, "yaml: ")), " ")
	text = yamlLine.ReplaceAllStringFunc(text, func(match string) string {
		n, err := strconv.Atoi(strings.TrimPrefix(match, "line "))
		if err != nil {
			return match
		}
		return fmt.Sprintf("line %d", n+before)
	})
	return fmt.Errorf("not YAML: %s", text)
}
