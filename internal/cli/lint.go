package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/internal/cli/lint"
	"mooring.dev/mooring/internal/cli/report"
	"mooring.dev/mooring/internal/producer"
)

// lintOptions are the flags of lint.
type lintOptions struct {
	Files     []string
	Recursive bool
	Output    string
	Namespace string
	Strict    bool
}

// lintOutputs are what --output takes.
var lintOutputs = []string{"text", "json", "sarif", "github"}

func (a App) lintCommand() *cobra.Command {
	var o lintOptions
	cmd := &cobra.Command{
		Use:   "lint -f FILE|DIR|-",
		Short: "Judge manifests of every kind, without a cluster",
		Long: `Judge manifests of every kind, without a cluster.

KafkaClusters, KafkaTopics and ProducerProfiles are judged as the API server and the webhooks would judge them: unknown fields,
schema, rules of the CRD, producer rules. What is in the files together is judged together: topics by the guardrails of their
KafkaCluster, profiles by the topics that they write, two KafkaTopics for one topic, annotations of workloads by the profiles.

Exit status: 0 nothing, or warnings and advice only; 1 errors, and with --strict warnings.
"kubectl mooring explain RULE" says more about a rule.`,
		Example: `  # a folder, before a commit
  kubectl mooring lint -f deploy/ --recursive

  # what templates make
  helm template . | kubectl mooring lint -f -

  # in CI: at the lines of a pull request, or for code scanning
  kubectl mooring lint -f deploy/ -R -o github
  kubectl mooring lint -f deploy/ -R -o sarif > mooring.sarif`,
		Args: byFlag,
		RunE: func(*cobra.Command, []string) error { return a.runLint(&o) },
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Files, "filename", "f", nil, "file or folder with manifests, YAML or JSON; - is standard input; can be given several times")
	flags.BoolVarP(&o.Recursive, "recursive", "R", false, "look in the folders below too")
	flags.StringVarP(&o.Output, "output", "o", "text", strings.Join(lintOutputs, ", "))
	flags.StringVarP(&o.Namespace, "namespace", "n", "default", "namespace of manifests that name none")
	flags.BoolVar(&o.Strict, "strict", false, "exit with 1 on warnings too")
	return cmd
}

func (a App) runLint(o *lintOptions) error {
	if len(o.Files) == 0 {
		return errors.New("which manifests? name them with -f FILE, -f DIR or -f - for standard input")
	}
	if !slices.Contains(lintOutputs, o.Output) {
		return fmt.Errorf("--output %s: want one of %s", o.Output, strings.Join(lintOutputs, ", "))
	}
	inputs, err := a.readInputs("lint", o.Files, o.Recursive)
	if err != nil {
		return err
	}
	result, err := lintInputs(inputs, o.Namespace)
	if err != nil {
		return err
	}
	text, err := lintText(result, o.Output)
	if err != nil {
		return err
	}
	if _, err := a.Out.Write(text); err != nil {
		return err
	}
	if o.Output == "github" {
		a.note("%s", result.Summary())
	}
	if result.Count(producer.Error) > 0 || (o.Strict && result.Count(producer.Warning) > 0) {
		return exitStatus(report.ExitFailed)
	}
	return nil
}

func lintInputs(inputs []input, namespace string) (lint.Result, error) {
	files := make([]lint.File, len(inputs))
	for i, in := range inputs {
		files[i] = lint.File{Name: in.name, Data: in.data}
	}
	return lint.Run(files, namespace)
}

func lintText(r lint.Result, output string) ([]byte, error) {
	switch output {
	case "json":
		return r.JSON()
	case "sarif":
		return r.SARIF(version())
	case "github":
		return []byte(r.GitHub()), nil
	}
	return []byte(r.Text()), nil
}
