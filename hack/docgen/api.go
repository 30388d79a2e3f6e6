package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// apiPage lists every field of every kind: type, default, rules.
func apiPage() (string, error) {
	files, err := filepath.Glob("config/crd/bases/*.yaml")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# API reference\n\nGenerated from the types by `make generate`. Group `kafka.mooring.dev`, version `v1alpha1`.\n")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &crd); err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		writeKind(&b, &crd)
	}
	return b.String(), nil
}

func writeKind(b *strings.Builder, crd *apiextensionsv1.CustomResourceDefinition) {
	version := crd.Spec.Versions[0]
	schema := version.Schema.OpenAPIV3Schema
	fmt.Fprintf(b, "\n## %s\n\n%s\n\nScope: %s. Short name: `%s`.\n", crd.Spec.Names.Kind, flat(schema.Description), crd.Spec.Scope, strings.Join(crd.Spec.Names.ShortNames, "`, `"))
	for _, rule := range schema.XValidations {
		fmt.Fprintf(b, "\nRule: %s.\n", rule.Message)
	}
	for _, part := range []string{"spec", "status"} {
		fmt.Fprintf(b, "\n### %s.%s\n\n| field | type | default | what |\n|---|---|---|---|\n", crd.Spec.Names.Kind, part)
		properties := schema.Properties[part]
		writeFields(b, part, &properties)
		for _, rule := range properties.XValidations {
			fmt.Fprintf(b, "\nRule: %s.\n", rule.Message)
		}
	}
}

func writeFields(b *strings.Builder, prefix string, schema *apiextensionsv1.JSONSchemaProps) {
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		field := schema.Properties[name]
		path := prefix + "." + name
		what := flat(field.Description)
		for _, rule := range field.XValidations {
			what += " Rule: " + rule.Message + "."
		}
		fallback := ""
		if field.Default != nil && string(field.Default.Raw) != "{}" {
			fallback = "`" + string(field.Default.Raw) + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", path, typeOf(&field), fallback, strings.ReplaceAll(what, "|", `\|`))
		switch {
		case isCommon(name, &field):
		case len(field.Properties) > 0:
			writeFields(b, path, &field)
		case field.Items != nil && field.Items.Schema != nil:
			writeFields(b, path+"[]", field.Items.Schema)
		case field.AdditionalProperties != nil && field.AdditionalProperties.Schema != nil:
			writeFields(b, path+".*", field.AdditionalProperties.Schema)
		}
	}
}

// isCommon leaves out the insides of types that Kubernetes documents.
func isCommon(name string, field *apiextensionsv1.JSONSchemaProps) bool {
	_, selector := field.Properties["matchExpressions"]
	return name == "conditions" || selector
}

func typeOf(field *apiextensionsv1.JSONSchemaProps) string {
	switch {
	case len(field.Enum) > 0:
		var values []string
		for _, v := range field.Enum {
			values = append(values, strings.Trim(string(v.Raw), `"`))
		}
		return strings.Join(values, ", ")
	case field.XIntOrString:
		return "string or integer"
	case field.Type == "array":
		return "list of " + typeOf(field.Items.Schema)
	case field.Type == "object" && field.AdditionalProperties != nil && field.AdditionalProperties.Schema != nil:
		return "map to " + typeOf(field.AdditionalProperties.Schema)
	}
	return field.Type
}

func flat(text string) string { return strings.Join(strings.Fields(text), " ") }
