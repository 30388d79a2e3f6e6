//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// root is the repository, from the folder that go test runs in.
const root = "../.."

// suiteContext is for what a report asks after its spec's own context is over.
func suiteContext() context.Context { return context.WithoutCancel(context.Background()) }

// buildTools builds localkube and the image builder, which are modules of their own.
func buildTools(ctx context.Context) {
	began := time.Now()
	for _, name := range []string{"localkube", "image"} {
		run(ctx, filepath.Join(root, "hack", name), "go", "build", "-trimpath", "-o", tool(name), ".")
	}
	say("built localkube and the image builder in %s", time.Since(began).Round(100*time.Millisecond))
}

func tool(name string) string { return filepath.Join(dir, "bin", name) }

// run runs a program and returns its standard output; one that fails, fails the spec with what it said.
func run(ctx context.Context, workDir, name string, args ...string) string {
	GinkgoHelper()
	output, err := try(ctx, workDir, nil, name, args...)
	Expect(err).NotTo(HaveOccurred(), "%s %s", filepath.Base(name), strings.Join(args, " "))
	return output
}

// try is run for what may fail: the error holds what the program said.
func try(ctx context.Context, workDir string, stdin io.Reader, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = workDir, stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), &failure{err: err, said: stderr.String()}
	}
	return stdout.String(), nil
}

// failure is a program's.
type failure struct {
	err  error
	said string
}

func (f *failure) Error() string { return f.err.Error() + ": " + strings.TrimSpace(f.said) }
func (f *failure) Unwrap() error { return f.err }

// snapshot lists what a node could leave behind on this machine.
func snapshot(ctx context.Context) []string {
	return strings.Split(strings.TrimSpace(run(ctx, "", tool("localkube"), "snapshot")), "\n")
}

// image builds an image of Go main packages, named from the folder of their module, and returns its archive.
func image(ctx context.Context, moduleDir, name string, packages ...string) string {
	GinkgoHelper()
	archive := filepath.Join(dir, strings.NewReplacer("/", "-", ":", "-").Replace(name)+".tar")
	args := append([]string{"--dir", moduleDir, "--name", name, "--platforms", "linux/" + goarch(ctx), "--archive", archive}, packages...)
	run(ctx, "", tool("image"), args...)
	return archive
}

func goarch(ctx context.Context) string {
	return strings.TrimSpace(run(ctx, "", "go", "env", "GOHOSTARCH"))
}

// BuildOperator builds the image that config/default names, with every program of cmd.
func BuildOperator(ctx context.Context) string {
	began := time.Now()
	mains, err := filepath.Glob(filepath.Join(root, "cmd", "*", "main.go"))
	Expect(err).NotTo(HaveOccurred())
	// The first is the entry point.
	packages := []string{"./cmd/mooring"}
	for _, main := range mains {
		if name := filepath.Base(filepath.Dir(main)); name != "mooring" {
			packages = append(packages, "./cmd/"+name)
		}
	}
	archive := image(ctx, root, "mooring:dev", packages...)
	info, err := os.Stat(archive)
	Expect(err).NotTo(HaveOccurred())
	say("built the image mooring:dev (%d MB: %s) in %s", info.Size()>>20, strings.Join(packages, " "), time.Since(began).Round(100*time.Millisecond))
	return archive
}
