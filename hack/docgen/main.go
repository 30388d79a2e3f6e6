// Command docgen writes docs/reference: api.md from the generated CRDs, conditions.md from the documented constants, and
// rules.md, properties.md and clients.md from the tables of internal/producer and internal/cli/lint.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

var pages = map[string]func() (string, error){
	"api.md":        apiPage,
	"conditions.md": conditionsPage,
	"rules.md":      rulesPage,
	"properties.md": propertiesPage,
	"clients.md":    clientsPage,
}

func main() {
	for name, page := range pages {
		text, err := page()
		if err == nil {
			err = os.WriteFile(filepath.Join("docs", "reference", name), []byte(text), 0o644)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "docgen: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}
