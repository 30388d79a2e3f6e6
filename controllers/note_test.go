package controllers

import (
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/runtime"
)

func TestCut(t *testing.T) {
	tests := map[string]struct {
		reason, text string
		most         int
		want         string
	}{
		"short enough":         {"nothing is missing", "Kafka", 5, "Kafka"},
		"too long":             {"the dots count too", "Kafka topic", 8, "Kafka..."},
		"between two bytes":    {"a character of two bytes goes whole", "müümü", 5, "m..."},
		"in a character of 4":  {"and one of four", "a🛟🛟", 7, "a..."},
		"on a boundary":        {"a whole character stays", "a🛟🛟", 8, "a🛟..."},
		"no room for the dots": {"what is left is a sign that something was there", "Kafka", 2, "..."},
		"no characters at all": {"bytes that are no text do not hang us", strings.Repeat("\x80", 10), 6, "..."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Cut(tt.text, tt.most); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
			}
		})
	}
}

type notes struct{ all []string }

func (n *notes) Eventf(_, _ runtime.Object, _, _, _, note string, args ...any) {
	if note != "%s" {
		args = []any{note}
	}
	n.all = append(n.all, args[0].(string))
}

// The API server refuses a note of more than 1024 bytes, so the Event would be lost.
func TestNotesAreWhatTheAPIServerTakes(t *testing.T) {
	n := &notes{}
	e := Events{n}
	e.normal(nil, "R", "%s", strings.Repeat("ü", 700))
	e.warning(nil, "R", "%s and %s", strings.Repeat("🛟", 300), "more")
	if len(n.all) != 2 {
		t.Fatalf("%d Events, want 2", len(n.all))
	}
	for _, note := range n.all {
		if len(note) > maxNote || len(note) < maxNote-8 || !utf8.ValidString(note) {
			t.Errorf("%d bytes, valid %t", len(note), utf8.ValidString(note))
		}
	}
}
