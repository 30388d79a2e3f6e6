package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Text is the plan for people. Topics without a change are counted only, unless they are asked for. Problems and failures
// are not in it: they are errors, and go where errors go.
func (p Plan) Text(showUnchanged bool) string {
	var b strings.Builder
	for _, t := range p.Topics {
		if t.unchanged() && !showUnchanged {
			continue
		}
		writeTopic(&b, t)
	}
	for _, note := range p.Notes {
		writeLine(&b, "# "+note)
	}
	if p.Failure == "" && len(p.Problems) == 0 {
		writeLine(&b, p.Summary().String())
	}
	return b.String()
}

func writeTopic(b *strings.Builder, t Topic) {
	where := ""
	if t.Cluster != "" {
		where = " on " + t.Cluster
	}
	head := fmt.Sprintf("KafkaTopic %s/%s (topic %s%s): ", t.Namespace, t.Name, t.TopicName, where)
	switch {
	case t.Error != "":
		head += "not planned"
	case t.unchanged():
		head += t.State + ", no change"
	default:
		head += t.State
	}
	writeLine(b, head)
	for _, s := range t.Steps {
		for _, c := range changesOf(s) {
			writeLine(b, c.sign+" "+c.text)
		}
	}
	for _, r := range t.Refusals {
		writeLine(b, "! "+r.Reason+": "+r.Message)
	}
	if t.Error != "" {
		writeLine(b, "! "+t.Error)
	}
	for _, note := range t.notes() {
		writeLine(b, "# "+note)
	}
	b.WriteString("\n")
}

// notes are what a reader of the changes has to know.
func (t Topic) notes() []string {
	var notes []string
	switch t.Waits {
	case "Observe":
		notes = append(notes, "mode is Observe: none of this is carried out")
	case "Review":
		notes = append(notes, "adoption is Review: none of this is carried out until it is Adopt")
	}
	if t.Verdict == VerdictUnknown {
		notes = append(notes, "the brokers were asked whether they accept this, and do not tell this principal")
	}
	return append(notes, t.Notes...)
}

// writeLine writes one line, whatever is in the text: brokers and manifests say what they like, and a terminal obeys
// control characters.
func writeLine(b *strings.Builder, text string) {
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteByte(' ')
		case unicode.IsControl(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\n')
}

// Line makes one line of a text for a terminal.
func Line(text string) string {
	var b strings.Builder
	writeLine(&b, text)
	return b.String()
}

// String is the summary in a line.
func (s Summary) String() string {
	topics := plural(s.Topics, "topic")
	if s.Unchanged == s.Topics {
		return topics + ": no change"
	}
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{s.Create, "to create"}, {s.Change, "to change"}, {s.Unchanged, "unchanged"}, {s.Refused, "with refusals"}, {s.Failed, "not planned"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	return topics + ": " + strings.Join(parts, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
