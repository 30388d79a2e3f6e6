package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryTrapHasItsTest finds the tests that docs/traps.md names: nineteen rows, each with at least one.
func TestEveryTrapHasItsTest(t *testing.T) {
	page, err := os.ReadFile("../../docs/traps.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| (\d+)\. .*$`)
	named := regexp.MustCompile("`([a-z0-9/_]+_test\\.go): ([^`]+)`")
	rows := row.FindAllStringSubmatch(string(page), -1)
	if len(rows) != 19 {
		t.Errorf("docs/traps.md has %d rows, want 19", len(rows))
	}
	for _, r := range rows {
		tests := named.FindAllStringSubmatch(r[0], -1)
		if len(tests) == 0 {
			t.Errorf("trap %s names no test", r[1])
		}
		for _, test := range tests {
			source, err := os.ReadFile(filepath.Join("../..", test[1]))
			if err != nil || !strings.Contains(string(source), test[2]) {
				t.Errorf("trap %s: %s has no test %q", r[1], test[1], test[2])
			}
		}
	}
}
