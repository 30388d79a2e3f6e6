package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// conditionsPage lists the condition types and reasons, which people alert on, from their doc comments.
func conditionsPage() (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "api/v1alpha1/conditions.go", nil, parser.ParseComments)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# Conditions and reasons\n\nGenerated from `api/v1alpha1/conditions.go` by `make generate`. A condition carries the generation that it was judged at;\n`Reconciling` and `Stalled` are there only while they are true.\n")
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n| value | meaning |\n|---|---|\n", strings.TrimSuffix(firstSentence(group.Doc.Text()), "."))
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			name := value.Names[0].Name
			_, meaning, _ := strings.Cut(flat(value.Doc.Text()), name)
			meaning = strings.TrimLeft(meaning, ": ")
			fmt.Fprintf(&b, "| `%s` | %s |\n", strings.Trim(value.Values[0].(*ast.BasicLit).Value, `"`), meaning)
		}
	}
	return b.String(), nil
}

func firstSentence(text string) string {
	sentence, _, _ := strings.Cut(flat(text), ". ")
	return sentence
}
