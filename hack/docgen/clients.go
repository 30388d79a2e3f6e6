package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// clientsPage shows what each client is given by the sample profile, in its own words.
func clientsPage() (string, error) {
	config, err := sampleConfig()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(`# Clients

Generated from the client table and ` + "`config/samples`" + ` by ` + "`make generate`" + `. What each client is given by a ProducerProfile that says nothing but
` + "`guarantee: Idempotent`" + `; ` + "`kubectl mooring render`" + ` shows it for yours. Files are below ` + "`" + producer.DirFiles + "`" + ` in the pod. A client with a format is named in
` + "`spec.injection.formats`" + `; the others are for ` + "`kubectl mooring render --client`" + `. [Which format](../tasks/which-format.md) goes by framework.

| client | format | what it is told, and how | rules |
|---|---|---|---|
`)
	for _, c := range producer.Clients() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s |\n", c, c, formatOf(c), cell(c.Doc()), rulesOf(c))
	}
	for _, c := range producer.Clients() {
		r, err := producer.Render(config, c)
		if err != nil {
			return "", err
		}
		writeClient(&b, r)
	}
	return b.String(), nil
}

func sampleConfig() (producer.Config, error) {
	var profile v1alpha1.ProducerProfile
	var cluster v1alpha1.KafkaCluster
	for file, into := range map[string]any{"profile.yaml": &profile, "cluster.yaml": &cluster} {
		text, err := os.ReadFile("config/samples/" + file)
		if err == nil {
			err = yaml.UnmarshalStrict(text, into)
		}
		if err != nil {
			return producer.Config{}, fmt.Errorf("config/samples/%s: %w", file, err)
		}
	}
	return producer.Resolve(&profile, &cluster, "default"), nil
}

// formatOf is the format that writes for a client, "" for none.
func formatOf(c producer.Client) string {
	for _, f := range formats {
		if producer.ClientOf(f) == c {
			return "`" + string(f) + "`"
		}
	}
	return ""
}

// formats that the API takes.
var formats = []v1alpha1.InjectionFormat{"properties", "librdkafka", "json", "env", "spring", "microprofile", "micronaut", "aspire", "connect", "servicebinding"}

// rulesOf says whether the client's own rules are known, and where they are.
func rulesOf(c producer.Client) string {
	if slices.ContainsFunc(producer.Rules(), func(r producer.Rule) bool { return r.Client == c }) {
		return fmt.Sprintf("[own](rules.md#client-%s)", c)
	}
	return ""
}

func writeClient(b *strings.Builder, r producer.Rendering) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n", r.Client, r.Client.Doc())
	for _, f := range r.Files {
		fmt.Fprintf(b, "\n`%s/%s`\n\n```\n%s\n```\n", producer.DirFiles, f.Name, strings.TrimRight(f.Content, "\n"))
	}
	if len(r.Env) > 0 {
		b.WriteString("\nEnvironment\n\n```\n")
		for _, e := range r.Env {
			fmt.Fprintf(b, "%s=%s", e.Name, e.Value)
			if e.IfUnset {
				b.WriteString("    # unless the container sets it")
			}
			b.WriteString("\n")
		}
		b.WriteString("```\n")
	}
	for _, note := range r.Notes {
		fmt.Fprintf(b, "\n* %s\n", note)
	}
}
