package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"mooring.dev/mooring/hack/localkube/internal/report"
)

// Install makes sure of the programs that come from the machine's packages. What
// it installs it names, and leaves installed.
func Install(ctx context.Context, progress report.Func) error {
	packages := missingPackages()
	if len(packages) == 0 {
		return nil
	}
	names := strings.Join(packages, " ")
	if !present("apt-get") {
		return fmt.Errorf("a node needs %s, and there is no apt-get to install them with: install them by this system's own means", names)
	}
	progress("installing from Debian's packages: %s", names)
	// The list of packages of a fresh machine is empty or old; where it cannot be
	// renewed, what is there may do.
	if err := apt(ctx, "update"); err != nil {
		progress("apt-get update failed, going on with the list that is there: %v", err)
	}
	if err := apt(ctx, append([]string{"install", "-y", "--no-install-recommends"}, packages...)...); err != nil {
		return fmt.Errorf("a node needs %s, which could not be installed: %w", names, err)
	}
	if left := missingPackages(); len(left) > 0 {
		return fmt.Errorf("a node needs programs that the packages %s were to bring, and they are not where they are looked for", strings.Join(left, " "))
	}
	progress("installed %s", names)
	return nil
}

func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-q"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", args[0], err, strings.Join(report.LastLines(string(output), 3), "; "))
	}
	return nil
}
