package main

import (
	"strings"
	"testing"
)

// Where a tool is missing and cannot be installed, the error says which, and what to do.
func TestMissingToolsAreNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := haveTools(t.Context())
	if err == nil {
		t.Fatal("nothing is on the PATH, and nothing is missing")
	}
	for _, want := range []string{"a Java compiler (17 or newer), Maven, Python 3 with venv, curl: missing here", "default-jdk-headless maven", "python3-venv"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func TestLastLines(t *testing.T) {
	if got := string(lastLines([]byte("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n"))); got != "3\n4\n5\n6\n7\n8\n9\n10\n11\n12" {
		t.Errorf("%q", got)
	}
}

// The tiers that a Makefile target names are there.
func TestChooseTiers(t *testing.T) {
	var names []string
	for _, known := range tiers {
		name := known.name
		names = append(names, name)
		if chosen, err := choose([]string{name}); err != nil || len(chosen) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := choose([]string{"unit", "nowhere"}); err == nil || !strings.Contains(err.Error(), strings.Join(names, ", ")) {
		t.Errorf("%v", err)
	}
}
