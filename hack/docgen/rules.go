package main

import (
	"fmt"
	"strings"

	"mooring.dev/mooring/internal/cli/lint"
	"mooring.dev/mooring/internal/producer"
)

// rulesPage lists the rules of lint, the webhooks and the clients, from their tables.
func rulesPage() (string, error) {
	var b strings.Builder
	b.WriteString(`# Rules

Generated from the rule tables by ` + "`make generate`" + `. ` + "`kubectl mooring lint`" + ` judges by all of them, and ` + "`kubectl mooring explain RULE`" + ` shows one.
IDs never change. An **error** is refused at admission; a **warning** works, and will surprise somebody; **advice** works, and could be better.

The rules of a client are those that the client itself checks when it starts: ` + "`test/conformance`" + ` asks it. A ProducerProfile without errors starts
every client that it is rendered for. "CRD" marks rules that the API server judges by itself, without a webhook.
`)
	cel := make(map[string]bool)
	for _, r := range producer.Rules() {
		cel[r.ID] = r.CEL != ""
	}
	heading := ""
	for _, r := range lint.Rules() {
		if h := headingOf(r); h != heading {
			heading = h
			fmt.Fprintf(&b, "\n## %s\n\n| rule | severity | what is wrong, and how to mend it | fields | source |\n|---|---|---|---|---|\n", h)
		}
		severity := string(r.Severity)
		if cel[r.ID] {
			severity += ", CRD"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.ID, severity, cell(r.Sentence), fields(r.Fields), cell(r.Source))
	}
	return b.String(), nil
}

func headingOf(r lint.Rule) string {
	switch {
	case r.Client != "":
		return "Client " + string(r.Client)
	case isProducerRule(r.ID):
		return "ProducerProfiles"
	}
	return "Manifests, KafkaClusters, KafkaTopics, workloads"
}

func isProducerRule(id string) bool {
	_, ok := producer.RuleOf(id)
	return ok
}

func fields(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "`" + name + "`"
		if strings.HasPrefix(name, "any ") {
			quoted[i] = name
		}
	}
	return strings.Join(quoted, ", ")
}

// cell is text that goes into one cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;").Replace(flat(text))
}
