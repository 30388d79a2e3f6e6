// Command docgen writes docs/reference from the types: api.md from the generated CRDs, conditions.md from the documented
// constants.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	pages := map[string]func() (string, error){
		"api.md":        apiPage,
		"conditions.md": conditionsPage,
	}
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
