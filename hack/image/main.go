// Command image makes container images of Go programs, without Docker: static binaries on nothing, for several platforms,
// run by a user without rights, and byte for byte the same when they are made again. README.md beside this file says more.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"mooring.dev/mooring/hack/image/internal/image"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

type options struct {
	dir, name, platforms, archive, layout string
	roots, push                           bool
}

func parse(args []string) (options, []string, error) {
	var o options
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", ".", "folder from which the packages are named, in their module")
	flags.StringVar(&o.name, "name", "", "the image's name and tag, such as registry.example.com/mooring:v1")
	flags.StringVar(&o.platforms, "platforms", "linux/amd64,linux/arm64", "what it runs on, separated by commas")
	flags.StringVar(&o.archive, "archive", "", "write this file, a docker-archive of the first platform, for 'docker load', 'ctr images import' or 'localkube load'")
	flags.StringVar(&o.layout, "layout", "", "write this folder, an OCI layout with all platforms, for 'skopeo copy oci:DIR …' and its like")
	flags.BoolVar(&o.roots, "roots", true, "put Mozilla's root certificates at /etc/ssl/certs/ca-certificates.crt")
	flags.BoolVar(&o.push, "push", false, "push all platforms to the registry in --name, with the login of ~/.docker/config.json")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "usage: image --name NAME [flags] PACKAGE...\n\nEach PACKAGE is a Go main package; its binary is at / under its own name. The first is the entry point.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return o, nil, err
	}
	switch {
	case o.name == "":
		return o, nil, fmt.Errorf("--name is missing: give the image's name and tag, such as mooring:dev")
	case flags.NArg() == 0:
		return o, nil, fmt.Errorf("no package was named: give the main packages of the image, such as ./cmd/mooring")
	case o.archive == "" && o.layout == "" && !o.push:
		return o, nil, fmt.Errorf("the image would go nowhere: give --archive FILE, --layout DIR, --push, or several of them")
	}
	return o, flags.Args(), nil
}

func run(ctx context.Context, args []string) error {
	o, packages, err := parse(args)
	if err != nil {
		return err
	}
	platforms, err := image.ParsePlatforms(o.platforms)
	if err != nil {
		return err
	}
	created, err := image.Created(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "mooring-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	built := image.Multi{Name: o.name}
	for _, platform := range platforms {
		started := time.Now()
		binaries, err := image.Build(ctx, o.dir, filepath.Join(work, platform.Architecture), platform, packages)
		if err != nil {
			return err
		}
		one, err := image.Assemble(image.Content{Binaries: binaries, Roots: o.roots, Created: created, Platform: platform})
		if err != nil {
			return err
		}
		built.Add(platform, one)
		progress("%s: %s in %s", platform, strings.Join(image.Names(binaries), ", "), time.Since(started).Round(100*time.Millisecond))
	}
	return write(ctx, o, &built)
}

func write(ctx context.Context, o options, built *image.Multi) error {
	if o.archive != "" {
		platform, err := built.Archive(o.archive, runtime.GOARCH)
		if err != nil {
			return err
		}
		progress("wrote %s (%s of %s)", o.archive, platform, o.name)
	}
	if o.layout != "" {
		if err := built.Layout(o.layout); err != nil {
			return err
		}
		progress("wrote the OCI layout %s", o.layout)
	}
	if o.push {
		if err := built.Push(ctx); err != nil {
			return err
		}
		progress("pushed %s", o.name)
	}
	digest, err := built.Digest()
	if err != nil {
		return err
	}
	// The one line of standard output, for other programs.
	fmt.Println(digest)
	return nil
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "image: "+format+"\n", args...)
}
