// Package cli is the kubectl plugin: what its commands read, ask and print. What they make of it is decided in the pure packages
// below it and in internal/topic.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/cli/report"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
)

// App is the program and the world that it runs in.
type App struct {
	In       io.Reader
	Out, Err io.Writer
	// Dial makes a client for a Kafka cluster; it does not connect yet.
	Dial func(kafka.Settings) (*kgo.Client, error)
	// Kube finds the Kubernetes cluster.
	Kube func(kubeFlags) (*kube, error)
}

// New is the program in the world of its process.
func New() App {
	return App{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Dial: func(s kafka.Settings) (*kgo.Client, error) { return franz.NewClient(s) },
		Kube: dialKube,
	}
}

// Run runs a command line, without the name of the program, and returns the exit status.
func (a App) Run(ctx context.Context, args []string) int {
	cmd := a.command()
	cmd.SetArgs(args)
	cmd.SetIn(a.In)
	cmd.SetOut(a.Out)
	cmd.SetErr(a.Err)
	err := cmd.ExecuteContext(ctx)
	var status exitStatus
	switch {
	case err == nil:
		return report.ExitUnchanged
	case errors.As(err, &status):
		return int(status)
	}
	a.complain("%v", err)
	return report.ExitFailed
}

// exitStatus ends a command that has said everything that there is to say.
type exitStatus int

// Error implements error.
func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// complain says what is wrong, in one line.
func (a App) complain(format string, args ...any) {
	fmt.Fprint(a.Err, report.Line("error: "+fmt.Sprintf(format, args...)))
}

// note says what is worth knowing and changes nothing.
func (a App) note(format string, args ...any) {
	fmt.Fprint(a.Err, report.Line("note: "+fmt.Sprintf(format, args...)))
}

func (a App) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kubectl-mooring",
		Short: "Plans, imports, judges and renders what Mooring manages",
		Long: `Plans, imports, judges and renders what Mooring manages.

"plan" says what applying KafkaTopic manifests would do, and asks the brokers whether they would accept it.
"import" writes manifests for the topics that are there.
Neither of them changes a topic. Both work without Kubernetes, with --bootstrap-servers.

"lint" judges manifests of every kind, "render" shows what clients are given by a ProducerProfile, and "explain" says more about
rules, properties and clients. They need no cluster at all.

It is a kubectl plugin: with kubectl-mooring in $PATH, "kubectl mooring" runs it.`,
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl mooring"},
		Args:              known,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.planCommand(), a.importCommand(), a.lintCommand(), a.renderCommand(), a.explainCommand(), a.injectCommand(), a.uninjectCommand(), a.auditCommand(), versionCommand())
	return cmd
}

// known refuses a command that there is not, and names the one that was most likely meant.
func known(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("there is no command %q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return fmt.Errorf("there is no command %q; --help lists them", args[0])
}

// byFlag refuses what stands by itself where manifests are named with a flag.
func byFlag(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%q is no flag; name manifests with -f %s", args[0], args[0])
}
