package lint

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/internal/producer"
)

var update = flag.Bool("update", false, "write the goldens anew")

// wrong are the deliberately wrong manifests of testdata/wrong whose names begin with one of the prefixes; all of them with none.
func wrong(t testing.TB, prefixes ...string) []File {
	t.Helper()
	paths, err := filepath.Glob("testdata/wrong/*")
	if err != nil || len(paths) != 20 {
		t.Fatalf("%d wrong manifests, want 20: %v", len(paths), err)
	}
	var files []File
	for _, path := range paths {
		name := filepath.ToSlash(strings.TrimPrefix(path, "testdata"+string(filepath.Separator)))
		if len(prefixes) > 0 && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(filepath.Base(name), p) }) {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{name, data})
	}
	return files
}

func run(t testing.TB, files ...File) Result {
	t.Helper()
	r, err := Run(files, "default")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; look at it, and write it anew with -update (-golden +got):\n%s", path, diff)
	}
}

func TestWhatIsSaidOfWrongManifests(t *testing.T) {
	golden(t, "wrong.txt", []byte(run(t, wrong(t)...).Text()))
}

func TestFormats(t *testing.T) {
	r := run(t, wrong(t, "04", "16", "19")...)
	json, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	sarif, err := r.SARIF("v0.0.0")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "some.json", json)
	golden(t, "some.sarif", sarif)
	golden(t, "some.github", []byte(r.GitHub()))
}

// Each of the wrong files is found to be wrong, by itself too: nothing hangs on the others.
func TestEveryWrongFileHasAFinding(t *testing.T) {
	for _, f := range wrong(t) {
		if r := run(t, f); r.Count(producer.Error)+r.Count(producer.Warning) == 0 {
			t.Errorf("%s: nothing is found", f.Name)
		}
	}
}

// A finding points at the name of its field, or of the last one above it that is there.
func TestPlacesAreThoseOfTheFields(t *testing.T) {
	checked := 0
	files := wrong(t)
	for _, f := range run(t, files...).Findings {
		if f.EndColumn == 0 || f.Field == "" {
			continue
		}
		data := files[slices.IndexFunc(files, func(file File) bool { return file.Name == f.File })].Data
		lines := strings.Split(string(data), "\n")
		if f.Line > len(lines) || f.EndColumn-1 > len(lines[f.Line-1]) {
			t.Errorf("%s:%d:%d-%d is outside of the file", f.File, f.Line, f.Column, f.EndColumn)
			continue
		}
		word := lines[f.Line-1][f.Column-1 : f.EndColumn-1]
		if !strings.Contains(f.Field, word) {
			t.Errorf("%s:%d:%d is %q, and the finding is about %s", f.File, f.Line, f.Column, word, f.Field)
		}
		checked++
	}
	if checked < 40 {
		t.Errorf("only %d places were checked", checked)
	}
}

func TestRulesAreNamedOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range Rules() {
		if seen[r.ID] || r.ID == "" || r.Sentence == "" || r.Source == "" || r.Severity == "" {
			t.Errorf("rule %q is there twice, or lacks something", r.ID)
		}
		seen[r.ID] = true
		if what, mend := r.Halves(); what == "" || strings.Contains(mend, "; it") {
			t.Errorf("%s: %q, %q", r.ID, what, mend)
		}
	}
	for _, rules := range [][]Rule{manifestRules, clusterRules, topicRules, workloadRules} {
		for _, r := range rules {
			if _, mend := r.Halves(); mend == "" {
				t.Errorf("%s does not say how to mend it", r.ID)
			}
		}
	}
}

// Lint's own rules are all broken by the wrong manifests: none is a rule in name only.
func TestEveryOwnRuleIsBroken(t *testing.T) {
	broken := make(map[string]bool)
	files := append(wrong(t), File{"many.yaml", []byte("apiVersion: kafka.mooring.dev/v1alpha1\nkind: KafkaCluster\nmetadata: {name: many}\nspec: {bootstrapServers: ['a:1','b:1','c:1','d:1','e:1','f:1']}\n")})
	for _, f := range run(t, files...).Findings {
		broken[f.Rule] = true
	}
	own := slices.Concat(manifestRules, clusterRules, topicRules, workloadRules)
	for _, r := range append(own, Rule{ID: ruleOneServer}, Rule{ID: ruleManyServers}, Rule{ID: ruleGrace}, Rule{ID: "request-above-topic"}) {
		if !broken[r.ID] {
			t.Errorf("no wrong manifest breaks %s", r.ID)
		}
	}
}

func TestGitHubEscapes(t *testing.T) {
	r := Result{Findings: []Finding{{Rule: "a,b:c", Severity: producer.Warning, File: "a,b:c%.yaml", Line: 1, Column: 2, Message: "100%\r\n::error::no"}}}
	want := "::warning file=a%2Cb%3Ac%25.yaml,line=1,col=2,title=a%2Cb%3Ac::100%25%0D%0A::error::no\n"
	if diff := cmp.Diff(want, r.GitHub()); diff != "" {
		t.Error(diff)
	}
}

func TestCleanSamples(t *testing.T) {
	var files []File
	for _, name := range []string{"cluster", "topic", "profile"} {
		data, err := os.ReadFile("../../../config/samples/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{name + ".yaml", data})
	}
	if diff := cmp.Diff("3 objects in 3 files: 0 errors, 0 warnings, 0 advice\n", run(t, files...).Text()); diff != "" {
		t.Error(diff)
	}
}

// Every key of the API in metadata is known to lint, so that none that somebody adds is called unknown.
func TestEveryKeyOfTheAPIIsKnown(t *testing.T) {
	source, err := os.ReadFile("../../../api/v1alpha1/metadata.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(\w+) = "(kafka\.mooring\.dev/[a-z-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(found) < 8 {
		t.Fatalf("only %d keys were found", len(found))
	}
	for _, m := range found {
		if _, known := homes[m[2]]; !known && !slices.Contains(keysReserved, m[2]) && m[1] != "Finalizer" {
			t.Errorf("%s is a key of the API, and lint calls it unknown: give it a home", m[2])
		}
	}
}
