package lint

import (
	"bytes"
	"encoding/json"

	"mooring.dev/mooring/internal/producer"
)

// JSON is the result for other programs. Fields may be added; version changes when one goes or changes its meaning.
func (r Result) JSON() ([]byte, error) {
	return encode(struct {
		Version  int       `json:"version"`
		Summary  summary   `json:"summary"`
		Findings []Finding `json:"findings"`
	}{1, r.summary(), append([]Finding{}, r.Findings...)})
}

type summary struct {
	Files    int `json:"files"`
	Objects  int `json:"objects"`
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Advice   int `json:"advice"`
}

func (r Result) summary() summary {
	return summary{r.Files, r.Objects, r.Count(producer.Error), r.Count(producer.Warning), r.Count(producer.Advice)}
}

func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(value)
	return b.Bytes(), err
}
