package lint

import (
	"fmt"
	"slices"
	"strings"

	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/producer"
)

var faultRules = map[manifest.FaultKind]string{
	manifest.FaultDocument: ruleDocument, manifest.FaultKindUnknown: ruleKind, manifest.FaultMetadata: ruleMetadata,
	manifest.FaultUnknownField: ruleField, manifest.FaultSchema: ruleSchema, manifest.FaultRule: ruleAPI,
}

// judgeObject reports what the API server would say of an object by itself.
func (l *linter) judgeObject(o *manifest.Object) {
	schema := slices.ContainsFunc(o.Faults, func(f manifest.Fault) bool { return f.Kind == manifest.FaultSchema })
	var tripped []manifest.Fault
	said := false
	for _, f := range o.Faults {
		cause, rule, evaluated := strings.Cut(f.Message, " evaluating rule: ")
		if f.Kind != manifest.FaultRule || !evaluated {
			l.fault(o, f)
			continue
		}
		if d, ok := durationFault(o, f.Field, cause, rule); ok {
			l.report(o, ruleSchema, d.Field, d.Message)
			said = true
			continue
		}
		tripped = append(tripped, f)
	}
	if said || schema {
		return // rules that tripped over a value, and the value has been named
	}
	for _, f := range tripped {
		l.fault(o, f)
	}
}

// durationFault says in words that a rule has tripped over what is no duration, and at which field. A rule that speaks of several
// fields does not tell which.
func durationFault(o *manifest.Object, field, cause, message string) (manifest.Fault, bool) {
	if !strings.Contains(cause, "google.protobuf.Duration") {
		return manifest.Fault{}, false
	}
	if r, ok := producerRule(message); ok && len(r.Fields) == 1 {
		field = r.Fields[0]
	}
	text, ok := at(o.Content, strings.Split(field, ".")...).(string)
	if !ok {
		return manifest.Fault{}, false
	}
	hint := ""
	if strings.HasSuffix(text, "d") {
		hint = ", and days are no unit"
	}
	return manifest.Fault{Field: field, Message: fmt.Sprintf("%.100q is no duration%s; write numbers with their units, for example 250ms, 90s, 5m or 48h", text, hint)}, true
}

// fault reports one of them. A validation on the CRD that is a producer rule goes by that rule's name.
func (l *linter) fault(o *manifest.Object, f manifest.Fault) {
	rule := faultRules[f.Kind]
	if f.Kind == manifest.FaultRule {
		if r, ok := producerRule(f.Message); ok {
			rule = r.ID
		}
	}
	l.report(o, rule, f.Field, f.Message)
	l.findings[len(l.findings)-1].general = f.Kind == manifest.FaultRule
}

// producerRule is the rule whose sentence the API server says.
func producerRule(message string) (producer.Rule, bool) {
	rules := producer.Rules()
	i := slices.IndexFunc(rules, func(r producer.Rule) bool { return r.CEL != "" && strings.HasPrefix(message, r.Sentence) })
	if i < 0 {
		return producer.Rule{}, false
	}
	return rules[i], true
}
