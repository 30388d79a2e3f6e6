package manifest

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Position is a place in a file. Lines and columns are counted from 1, columns in characters. EndColumn is the column after the last
// character, on the same line; 0 where it is not known.
type Position struct{ Line, Column, EndColumn int }

// parseTree parses a document to find the places of its fields; nil where it cannot be done, and the document as a whole is
// the place then. The value of the document comes from elsewhere.
func parseTree(text []byte) *yaml.Node {
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil || len(document.Content) != 1 {
		return nil
	}
	return document.Content[0]
}

// locate follows a path, as far as it goes, and returns the place of the last key or item that is there.
func locate(node *yaml.Node, path string) Position {
	if node == nil {
		return Position{}
	}
	at := node
	for path != "" {
		key, value, rest := step(node, path)
		if value == nil {
			break
		}
		at, node, path = key, value, rest
	}
	return positionOf(at)
}

// step finds the child that a path begins with: its key (itself, in a list), its value, and the rest of the path. Keys may hold
// dots, as in spec.config.retention.ms, so the longest that fits wins.
func step(node *yaml.Node, path string) (key, value *yaml.Node, rest string) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node == nil {
		return nil, nil, ""
	}
	switch node.Kind {
	case yaml.MappingNode:
		longest := -1
		for i := 0; i+1 < len(node.Content); i += 2 {
			k := node.Content[i]
			if after, ok := cutKey(path, k.Value); ok && len(k.Value) > longest {
				key, value, rest, longest = k, node.Content[i+1], after, len(k.Value)
			}
		}
	case yaml.SequenceNode:
		index, after, ok := cutIndex(path)
		if ok && index < len(node.Content) {
			return node.Content[index], node.Content[index], after
		}
	}
	return key, value, rest
}

// cutKey cuts a key, plain or in brackets, from the front of a path.
func cutKey(path, key string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(path, "["+key+"]"); !ok {
		if rest, ok = strings.CutPrefix(path, key); !ok || key == "" {
			return "", false
		}
	}
	switch {
	case rest == "" || rest[0] == '[':
		return rest, true
	case rest[0] == '.':
		return rest[1:], true
	}
	return "", false
}

func cutIndex(path string) (index int, rest string, ok bool) {
	inside, ok := strings.CutPrefix(path, "[")
	if !ok {
		return 0, "", false
	}
	digits, rest, ok := strings.Cut(inside, "]")
	index, err := strconv.Atoi(digits)
	if !ok || err != nil || index < 0 {
		return 0, "", false
	}
	return index, strings.TrimPrefix(rest, "."), true
}

func positionOf(node *yaml.Node) Position {
	at := Position{Line: node.Line, Column: node.Column}
	plain := node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) == 0
	if node.Kind == yaml.ScalarNode && plain && node.Anchor == "" && !strings.Contains(node.Value, "\n") {
		at.EndColumn = at.Column + utf8.RuneCountInString(node.Value)
	}
	return at
}
