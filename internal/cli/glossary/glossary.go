// Package glossary says what rules, producer properties and clients are, from the tables that judge and render them.
package glossary

import (
	"fmt"
	"strings"

	"mooring.dev/mooring/internal/cli/lint"
	"mooring.dev/mooring/internal/producer"
)

// Topic explains a rule, a property or a client; it is false where the name is none of them.
func Topic(name string) (string, bool) {
	if r, ok := lint.RuleOf(name); ok {
		return ruleText(r), true
	}
	if p, ok := producer.PropertyOf(name); ok {
		return propertyText(p), true
	}
	if c := producer.Client(name); c.Doc() != "" {
		return clientText(c), true
	}
	return "", false
}

// List names everything that can be explained, with a line for each.
func List() string {
	var b strings.Builder
	b.WriteString("RULES\n")
	for _, r := range lint.Rules() {
		what, _ := r.Halves()
		fmt.Fprintf(&b, "  %-40s %-8s %s\n", r.ID, r.Severity, what)
	}
	b.WriteString("\nCLIENTS\n")
	for _, c := range producer.Clients() {
		fmt.Fprintf(&b, "  %-40s %s\n", c, c.Doc())
	}
	b.WriteString("\nPROPERTIES\n")
	for _, p := range producer.Properties() {
		fmt.Fprintf(&b, "  %-40s %-8s %s\n", p.Name, p.Type, p.Doc)
	}
	return b.String()
}

func ruleText(r lint.Rule) string {
	var b strings.Builder
	what, mend := r.Halves()
	whose := ""
	if r.Client != "" {
		whose = ", of the client " + string(r.Client)
	}
	fmt.Fprintf(&b, "%s (%s%s)\n\n", r.ID, r.Severity, whose)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-8s%s\n", name, text)
		}
	}
	line("What", what)
	line("Mend", mend)
	line("Why", why(r))
	line("Fields", strings.Join(r.Fields, ", "))
	line("Source", r.Source)
	return b.String()
}

// why says what happens where the rule is broken.
func why(r lint.Rule) string {
	switch {
	case r.Client != "" && r.Severity == producer.Error:
		return "the client itself checks this when it starts: it does not start, or says in its log at best that it goes on with less"
	case r.Severity == producer.Error:
		return "admission refuses it, because a client would not start, or would not keep what is promised"
	case r.Severity == producer.Warning:
		return "it is admitted and works, and sooner or later surprises somebody"
	}
	return "it is admitted and works, and could be better"
}

func propertyText(p producer.Property) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n\n%s\n\n", p.Name, p.Type, p.Doc)
	value, ok := p.DefaultValue()
	switch {
	case p.Required():
		value = "none: the client does not start without it"
	case !ok:
		value = "none"
	case value == "":
		value = "empty"
	}
	fmt.Fprintf(&b, "Default %s\n", value)
	if valid := p.Valid.String(); valid != "" {
		fmt.Fprintf(&b, "Takes   %s\n", valid)
	}
	fmt.Fprintf(&b, "Since   Apache Kafka %s\n", p.Since)
	if field := producer.FieldOf(p.Name); field != "" {
		fmt.Fprintf(&b, "Set by  %s of a ProducerProfile\n", field)
	}
	return b.String()
}

func clientText(c producer.Client) string {
	return fmt.Sprintf("%s\n\n%s\n\nkubectl mooring render -f profile.yaml --client %s shows what it is given.\n", c, c.Doc(), c)
}
