// Package image makes container images of Go programs, without a container runtime.
package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Binary is one program of an image.
type Binary struct {
	// Name is its file name at the root of the image.
	Name string
	// File is where it lies now.
	File string
}

// Names are the binaries' names, in their order.
func Names(binaries []Binary) []string {
	names := make([]string, len(binaries))
	for i, b := range binaries {
		names[i] = b.Name
	}
	return names
}

// ParsePlatforms reads a list such as "linux/amd64,linux/arm64".
func ParsePlatforms(list string) ([]v1.Platform, error) {
	var platforms []v1.Platform
	for text := range strings.SplitSeq(list, ",") {
		platform, err := v1.ParsePlatform(strings.TrimSpace(text))
		if err != nil || platform.OS != "linux" || platform.Architecture == "" {
			return nil, fmt.Errorf("--platforms has %q, which is no platform of Linux: write linux/amd64 or linux/arm64", text)
		}
		platforms = append(platforms, *platform)
	}
	return platforms, nil
}

// Created is the time that an image says it was made at: SOURCE_DATE_EPOCH, in seconds, or else 1970, because the present
// would make each image another one.
func Created(sourceDateEpoch string) (time.Time, error) {
	if sourceDateEpoch == "" {
		return time.Unix(0, 0).UTC(), nil
	}
	seconds, err := strconv.ParseInt(sourceDateEpoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q, which is not a number of seconds since 1970: unset it, or set it to the commit's time", sourceDateEpoch)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// Build builds the main packages, named from the folder dir, into the folder out, for that platform: static, without paths of
// this machine, without symbols.
func Build(ctx context.Context, dir, out string, platform v1.Platform, packages []string) ([]Binary, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	var binaries []Binary
	for _, pkg := range packages {
		name, err := programName(ctx, dir, pkg)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(out, name)
		if _, err := goCommand(ctx, dir, platform, "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", file, pkg); err != nil {
			return nil, err
		}
		binaries = append(binaries, Binary{Name: name, File: file})
	}
	return binaries, nil
}

// programName is what go build would call the program.
func programName(ctx context.Context, dir, pkg string) (string, error) {
	output, err := goCommand(ctx, dir, v1.Platform{OS: "linux"}, "list", "-f", "{{.Name}} {{.ImportPath}}", pkg)
	if err != nil {
		return "", err
	}
	name, importPath, _ := strings.Cut(strings.TrimSpace(output), " ")
	if name != "main" {
		return "", fmt.Errorf("%s is the package %s, and not a program: name a main package", pkg, name)
	}
	return path.Base(importPath), nil
}

func goCommand(ctx context.Context, dir string, platform v1.Platform, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+platform.OS)
	if platform.Architecture != "" {
		cmd.Env = append(cmd.Env, "GOARCH="+platform.Architecture)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s in %s: %w\n%s", strings.Join(args, " "), dir, err, stderr.String())
	}
	return string(output), nil
}
