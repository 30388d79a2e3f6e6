package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/hack/localkube/internal/assets"
	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "localkube",
		Short: "A real Kubernetes control plane on a machine that has only Go",
		// main prints the error, once, and usage answers no failure but a typo.
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(
		newAssetsCommand(), newBuildCommand(),
		newUpCommand(), newRunCommand(), newDownCommand(), newStatusCommand(),
		newStopComponentCommand(), newStartComponentCommand(),
		newLoadCommand(), newCheckNodeCommand(), newSnapshotCommand(),
	)
	return root
}

// binaryFlags are the flags of every command that may build.
type binaryFlags struct {
	components []string
	source     string
	noDownload bool
}

func (f *binaryFlags) add(cmd *cobra.Command, components []string) {
	cmd.Flags().StringSliceVar(&f.components, "components", components, "what to use: some of "+fmt.Sprint(component.Names())+", or all")
	cmd.Flags().StringVar(&f.source, "source", "", "folder with localkube's go.mod, from which the components are built (default $"+assets.EnvSource+", the working folder, or hack/localkube in it or above)")
	cmd.Flags().BoolVar(&f.noDownload, "no-download", false, "do not try to download prebuilt binaries (also by $"+assets.EnvNoDownload+")")
}

// ensure returns the folder with the chosen components' binaries, and that with
// those of a node, which is empty when none of them was chosen.
func (f *binaryFlags) ensure(cmd *cobra.Command, onlyBuild bool) (dir, nodeDir string, err error) {
	components, err := component.Select(f.components)
	if err != nil {
		return "", "", err
	}
	options := assets.Options{
		Components: components,
		Source:     f.source,
		NoDownload: f.noDownload,
		OnlyBuild:  onlyBuild,
		Report:     progress(),
	}
	if dir, err = assets.Ensure(cmd.Context(), options); err != nil {
		return "", "", err
	}
	if len(component.OfModule(components, component.NodeModule)) > 0 {
		nodeDir, err = assets.EnsureNode(cmd.Context(), options)
	}
	return dir, nodeDir, err
}

// progress goes to stderr: stdout is for what other programs read.
func progress() report.Func { return report.To(os.Stderr) }

func newAssetsCommand() *cobra.Command {
	var flags binaryFlags
	cmd := &cobra.Command{
		Use:   "assets",
		Short: "Make sure the binaries are there, and print their folder",
		Long:  "Make sure the binaries are there, and print their folder and nothing else to stdout.\nUse it as KUBEBUILDER_ASSETS for controller-runtime's envtest.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, _, err := flags.ensure(cmd, false)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), dir)
			return nil
		},
	}
	flags.add(cmd, component.ForAssets())
	return cmd
}

func newBuildCommand() *cobra.Command {
	var flags binaryFlags
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build what is missing in the cache, from the Go modules only",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, _, err := flags.ensure(cmd, true)
			return err
		},
	}
	flags.add(cmd, component.ForUp())
	return cmd
}
