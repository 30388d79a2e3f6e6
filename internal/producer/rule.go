package producer

import (
	"cmp"
	"fmt"
	"slices"
)

// Rule is one row of the rule table. The table feeds Validate, Judge, the validations on the CRD, the CLI and the
// reference pages.
type Rule struct {
	// ID is what people search for and name; it never changes.
	ID string
	// Client whose rule it is; "" for Mooring's own, which say whether a profile holds together.
	Client Client
	// Severity of what breaks it.
	Severity Severity
	// Fields that it speaks of: paths in a ProducerProfile, or settings of the client.
	Fields []string
	// CEL says the rule over ProducerProfile.spec as self, defaults applied; "" where CEL cannot say it, or where
	// breaking it is no error.
	CEL string
	// Sentence says what is wrong and how to mend it, for any values.
	Sentence string
	// Source is where the rule comes from: a KIP, a release, a client's code.
	Source string

	check func(c *Config) []hit
}

// hit is one breach of a rule.
type hit struct {
	// field that a person has to change.
	field string
	// message says it with the values at hand; "" takes the rule's sentence.
	message string
	// silent breaches are taken by the client, which then goes without idempotence and says so in its log at best.
	silent bool
}

// Severity of a finding.
type Severity string

// The severities, gravest first.
const (
	// Error: admission refuses it; a client would not start with it, or would not keep the guarantee.
	Error Severity = "error"
	// Warning: it works, and somebody will be surprised.
	Warning Severity = "warning"
	// Advice: it works, and could be better.
	Advice Severity = "advice"
)

// Finding is one breach of one rule.
type Finding struct {
	// Rule is the rule's ID.
	Rule     string
	Severity Severity
	// Field that a person has to change: spec.delivery.acks, or the name of a setting.
	Field   string
	Message string
}

// String is the finding in a line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s (%s)", f.Severity, f.Field, f.Message, f.Rule)
}

// Rules is the rule table: Mooring's own rules first, then each client's.
func Rules() []Rule {
	return slices.Concat(
		guaranteeRules, transactionRules, durationRules, timeRules, sizeRules, propertyRules, connectionRules, scopeRules, factRules,
		javaRules, librdkafkaRules, saramaRules, franzRules, kafkajsRules,
	)
}

// RuleOf finds a rule by its ID.
func RuleOf(id string) (Rule, bool) {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// Validate says what is wrong with a profile, gravest first. What it finds no error in starts every client that Render
// writes for.
func Validate(c Config) []Finding {
	var findings []Finding
	for _, r := range Rules() {
		if r.Client != "" && r.Client != ClientJava {
			continue
		}
		for _, f := range r.find(&c) {
			if r.Client != "" && hasError(findings, f.Field) {
				continue // Mooring's own rule has said it, in the profile's words
			}
			findings = append(findings, f)
		}
	}
	return sorted(findings)
}

// HasErrors says whether any finding is an error.
func HasErrors(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Error })
}

func hasError(findings []Finding, field string) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Error && f.Field == field })
}

func (r Rule) find(c *Config) []Finding {
	var findings []Finding
	for _, h := range r.check(c) {
		f := Finding{Rule: r.ID, Severity: r.Severity, Field: h.field, Message: h.message}
		if f.Message == "" {
			f.Message = r.Sentence
		}
		if f.Field == "" {
			f.Field = r.Fields[0]
		}
		if h.silent {
			f.Severity = Warning
		}
		findings = append(findings, f)
	}
	return findings
}

var gravity = []Severity{Error, Warning, Advice}

// sorted orders findings by gravity and, within it, by field.
func sorted(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(gravity, a.Severity), slices.Index(gravity, b.Severity)),
			cmp.Compare(a.Field, b.Field),
			cmp.Compare(a.Rule, b.Rule),
		)
	})
	return findings
}

// when is a check that is broken as a whole or not at all, and then has the rule's sentence to say.
func when(broken func(c *Config) bool) func(*Config) []hit {
	return func(c *Config) []hit {
		if broken(c) {
			return []hit{{}}
		}
		return nil
	}
}

// say is one hit with a message.
func say(field, format string, args ...any) []hit {
	return []hit{{field: field, message: fmt.Sprintf(format, args...)}}
}
