package lint

import (
	"fmt"
	"strings"

	"mooring.dev/mooring/internal/cli/report"
	"mooring.dev/mooring/internal/producer"
)

// Text is one line for each finding, in the form that editors jump to, and a line that sums up.
func (r Result) Text() string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(report.Line(fmt.Sprintf("%s:%d:%d: %s: %s (%s)", fileName(f.File), f.Line, f.Column, f.Severity, f.sentence(), f.Rule)))
	}
	fmt.Fprintf(&b, "%s\n", r.Summary())
	return b.String()
}

// Summary is what was found, in numbers.
func (r Result) Summary() string {
	return fmt.Sprintf("%s in %s: %s, %s, %d advice", plural(r.Objects, "object"), plural(r.Files, "file"),
		plural(r.Count(producer.Error), "error"), plural(r.Count(producer.Warning), "warning"), r.Count(producer.Advice))
}

// sentence is the finding with the object and the field that it is about.
func (f Finding) sentence() string {
	text := f.Message
	if f.Field != "" && !strings.HasPrefix(text, f.Field+" ") {
		text = f.Field + ": " + text
	}
	if f.Object != "" {
		text = f.Object + ": " + text
	}
	return text
}

// fileName is the file as people write it.
func fileName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
