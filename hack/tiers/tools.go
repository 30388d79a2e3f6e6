package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// tool is a program that a tier needs, and the Debian packages that have it.
type tool struct {
	what     string
	check    []string // a command that works where the tool is there
	packages []string
}

var clientTools = []tool{
	{"a Java compiler (17 or newer)", []string{"javac", "--release", "17", "-version"}, []string{"default-jdk-headless"}},
	{"Maven", []string{"mvn", "--version"}, []string{"maven", "default-jdk-headless"}},
	{"Python 3 with venv", []string{"python3", "-c", "import venv, ensurepip"}, []string{"python3", "python3-venv"}},
	{"curl", []string{"curl", "--version"}, []string{"curl"}},
}

// haveTools installs the tools that are missing, where that can be done; elsewhere the error says what a person has to do.
func haveTools(ctx context.Context) error {
	var missing, packages []string
	for _, t := range clientTools {
		if exec.CommandContext(ctx, t.check[0], t.check[1:]...).Run() != nil {
			missing = append(missing, t.what)
			packages = append(packages, t.packages...)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	what, names := strings.Join(missing, ", "), strings.Join(unique(packages), " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%s: missing here; install it with this system's package manager (Debian: %s)", what, names)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s: missing here, and only root may install it; run: sudo apt-get install -y %s", what, names)
	}
	fmt.Printf("  installing %s with apt-get\n", names)
	for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, packages...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s could not be installed; run 'apt-get install -y %s' by hand and read what it says: apt-get %s: %w:\n%s",
				what, names, args[0], err, lastLines(output))
		}
	}
	return nil
}

func lastLines(output []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-10):], []byte("\n"))
}

// unique keeps the first of each.
func unique(names []string) []string {
	var kept []string
	for _, name := range names {
		if !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	return kept
}
