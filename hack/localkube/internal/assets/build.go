package assets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

// heartbeatEvery is how often a step that takes minutes says that it is alive.
const heartbeatEvery = 10 * time.Second

// buildFlags are the flags of every build.
func buildFlags() []string {
	return []string{
		// The go.mod of the source is right as it is; a build must not edit it.
		"-mod=readonly",
		// What is built comes from module versions, not from a version control
		// system that may be missing or may distrust the folder's owner.
		"-buildvcs=false",
		"-trimpath",
		"-ldflags=" + linkerFlags(component.KubernetesVersion),
	}
}

// linkerFlags gives the binaries the version that a release has. Without it they
// report v0.0.0-master, and clients compare versions with the server.
func linkerFlags(version string) string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X", pkg+".gitVersion="+version,
			"-X", pkg+".gitMajor="+major,
			"-X", pkg+".gitMinor="+minor,
			"-X", pkg+".gitTreeState=clean")
	}
	return strings.Join(flags, " ")
}

// build builds one component into dir, where it appears only when it is whole.
func build(ctx context.Context, c component.Component, source, dir string, progress report.Func) error {
	progress("building %s from the Go modules of %s", c.Name, source)
	start := time.Now()
	stop := report.Heartbeat(heartbeatEvery, func(elapsed time.Duration) {
		progress("building %s: %s, usually 3 to 9 minutes for everything the first time", c.Name, report.Seconds(elapsed))
	})
	defer stop()
	half := temporary(dir, c.Name)
	args := append([]string{"build"}, buildFlags()...)
	_, stderr, err := runGo(ctx, filepath.Join(source, c.Module), append(args, "-o", half, c.Package)...)
	if ctx.Err() != nil {
		return fmt.Errorf("building %s in %s was interrupted; run again, it goes on where it stopped", c.Name, source)
	}
	if err != nil {
		return fmt.Errorf("cannot build %s (%s) in %s: %w; the go command said:\n%s", c.Name, c.Package, source, err, indented(stderr))
	}
	if err := os.Rename(half, filepath.Join(dir, c.Name)); err != nil {
		return fmt.Errorf("cannot put %s into the cache: %w; set %s to a folder that you may write to", c.Name, err, EnvCache)
	}
	progress("built %s in %s", c.Name, report.Seconds(time.Since(start)))
	return nil
}

// indented is the end of what a command said, set off from our own words.
func indented(output string) string {
	return "    " + strings.Join(report.LastLines(output, 20), "\n    ")
}

// goEnvironment is that of this process, made to build for this machine: a
// Makefile that cross-compiles may have set the rest.
func goEnvironment() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
}
