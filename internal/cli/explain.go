package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/internal/cli/glossary"
	"mooring.dev/mooring/internal/cli/lint"
	"mooring.dev/mooring/internal/producer"
)

func (a App) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [RULE | PROPERTY | CLIENT]",
		Short: "Explain a rule, a producer property, or a client",
		Long: `Explain a rule, a producer property, or a client.

A rule is what "lint", the webhooks and a ProducerProfile's conditions name in brackets; a property is one of the Java producer's;
a client is what "render --client" takes. Without an argument all of them are listed.`,
		Example: `  kubectl mooring explain transactional-id-shared
  kubectl mooring explain enable.idempotence
  kubectl mooring explain spring`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return explainable(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			text := glossary.List()
			if len(args) == 1 {
				var ok bool
				if text, ok = glossary.Topic(args[0]); !ok {
					return unexplained(args[0])
				}
			}
			_, err := fmt.Fprint(a.Out, text)
			return err
		},
	}
}

// explainable are the names that explain knows.
func explainable() []string {
	names := clientNames()
	for _, r := range lint.Rules() {
		names = append(names, r.ID)
	}
	for _, p := range producer.Properties() {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names
}

func unexplained(name string) error {
	near := producer.Nearest(name, explainable())
	if near == "" {
		near = nearestClient(name)
	}
	if near != "" {
		return fmt.Errorf("%.100q is no rule, property or client; did you mean %s?", name, near)
	}
	return fmt.Errorf("%.100q is no rule, property or client; without an argument, explain lists them", name)
}

// nearestClient is the client that somebody most likely means: by its name, or by a word of what it is for.
func nearestClient(name string) string {
	if near := producer.Nearest(name, clientNames()); near != "" {
		return near
	}
	for _, c := range producer.Clients() {
		if len(name) > 2 && strings.Contains(strings.ToLower(c.Doc()), strings.ToLower(name)) {
			return string(c)
		}
	}
	return ""
}
