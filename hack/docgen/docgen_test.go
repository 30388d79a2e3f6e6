package main

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// The pages that come from tables in Go are those of the tables.
func TestPagesAreUpToDate(t *testing.T) {
	t.Chdir("../..")
	for _, name := range []string{"rules.md", "properties.md", "clients.md"} {
		want, err := pages[name]()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("docs/reference/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("docs/reference/%s is out of date: make generate (-tables +page)\n%s", name, diff)
		}
	}
}

// docs/tasks/which-format.md names every format and every client, in the tables where they belong, and no other.
func TestWhichFormatNamesAll(t *testing.T) {
	page, err := os.ReadFile("../../docs/tasks/which-format.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, m := range regexp.MustCompile("(?m)^\\| [^|]+ \\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		named = append(named, m[1])
	}
	var want []string
	for _, f := range formats {
		want = append(want, string(f))
	}
	for _, c := range producer.Clients() {
		if formatOf(c) == "" {
			want = append(want, string(c))
		}
	}
	slices.Sort(named)
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Compact(named)); diff != "" {
		t.Errorf("(-tables +page)\n%s", diff)
	}
}

// The formats are those that the CRD takes.
func TestFormatsAreTheCRDs(t *testing.T) {
	source, err := os.ReadFile("../../api/v1alpha1/producerprofile_injection_types.go")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`Enum=([a-z;]+)\ntype InjectionFormat`).FindSubmatch(source)
	if m == nil {
		t.Fatal("no enumeration of InjectionFormat")
	}
	var want []v1alpha1.InjectionFormat
	for _, word := range regexp.MustCompile(`[a-z]+`).FindAllString(string(m[1]), -1) {
		want = append(want, v1alpha1.InjectionFormat(word))
	}
	if diff := cmp.Diff(want, formats); diff != "" {
		t.Errorf("(-CRD +page)\n%s", diff)
	}
}
