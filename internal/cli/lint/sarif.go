package lint

import (
	"net/url"
	"path/filepath"
	"slices"

	"mooring.dev/mooring/internal/producer"
)

// The parts of SARIF 2.1.0 (OASIS) that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifRule struct {
		ID      string    `json:"id"`
		Short   sarifText `json:"shortDescription"`
		Full    sarifText `json:"fullDescription"`
		Help    sarifText `json:"help"`
		Default struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region sarifRegion `json:"region"`
		} `json:"physicalLocation"`
		Logical []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
)

var sarifLevels = map[producer.Severity]string{producer.Error: "error", producer.Warning: "warning", producer.Advice: "note"}

// SARIF is the result in the Static Analysis Results Interchange Format, for code scanning. version is this program's.
func (r Result) SARIF(version string) ([]byte, error) {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "kubectl-mooring lint", Version: version, Rules: []sarifRule{}}
	var ids []string
	for _, f := range r.Findings {
		if !slices.Contains(ids, f.Rule) {
			ids = append(ids, f.Rule)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(id))
	}
	for _, f := range r.Findings {
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Rule, RuleIndex: slices.Index(ids, f.Rule), Level: sarifLevels[f.Severity],
			Message: sarifText{Text: f.sentence()}, Locations: []sarifLocation{locationOf(f)},
		})
	}
	return encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func sarifRuleOf(id string) sarifRule {
	rule, _ := RuleOf(id)
	what, mend := rule.Halves()
	help := sarifText{Text: rule.Sentence + ". Source: " + rule.Source + ".", Markdown: rule.Sentence + ".\n\nSource: " + rule.Source + "."}
	if mend != "" {
		help.Markdown = what + ".\n\n**Mend:** " + mend + ".\n\nSource: " + rule.Source + "."
	}
	s := sarifRule{ID: id, Short: sarifText{Text: what}, Full: sarifText{Text: rule.Sentence}, Help: help}
	s.Default.Level = sarifLevels[rule.Severity]
	return s
}

func locationOf(f Finding) sarifLocation {
	var l sarifLocation
	l.Physical.Artifact.URI = uriOf(f.File)
	l.Physical.Region = sarifRegion{f.Line, f.Column, f.EndColumn}
	if f.Object != "" {
		name := f.Object
		if f.Field != "" {
			name += " " + f.Field
		}
		l.Logical = []sarifLogical{{name}}
	}
	return l
}

// uriOf is a relative reference for a relative path, as code scanning wants it, and a file URI for an absolute one.
func uriOf(file string) string {
	if file == "-" {
		return "stdin"
	}
	path := filepath.ToSlash(filepath.Clean(file))
	if filepath.IsAbs(file) {
		return (&url.URL{Scheme: "file", Path: path}).String()
	}
	return (&url.URL{Path: path}).String()
}
