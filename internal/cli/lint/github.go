package lint

import (
	"fmt"
	"strings"

	"mooring.dev/mooring/internal/producer"
)

// GitHub is one workflow command for each finding, which GitHub shows at the line of a pull request.
// Source: GitHub, "Workflow commands for GitHub Actions"; the escapes are those of @actions/core.
func (r Result) GitHub() string {
	commands := map[producer.Severity]string{producer.Error: "error", producer.Warning: "warning", producer.Advice: "notice"}
	var b strings.Builder
	for _, f := range r.Findings {
		end := ""
		if f.EndColumn > 0 {
			end = fmt.Sprintf(",endColumn=%d", f.EndColumn)
		}
		fmt.Fprintf(&b, "::%s file=%s,line=%d,col=%d%s,title=%s::%s\n", commands[f.Severity], escapeProperty(fileName(f.File)), f.Line, f.Column, end,
			escapeProperty(f.Rule), escapeData(f.sentence()))
	}
	return b.String()
}

var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func escapeData(text string) string { return data.Replace(text) }

func escapeProperty(text string) string { return property.Replace(text) }
