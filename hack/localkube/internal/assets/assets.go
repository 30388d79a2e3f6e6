// Package assets makes sure that the binaries of a control plane are on this
// machine: it takes those that are there, and otherwise downloads or builds them.
package assets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/filelock"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

const (
	// EnvAssets names a folder with binaries to use, as for envtest. It is used
	// only if all that is asked for is in it: components of two versions do not
	// always work together.
	EnvAssets = "KUBEBUILDER_ASSETS"
	// EnvNoDownload, set to anything, is the same as Options.NoDownload.
	EnvNoDownload = "MOORING_NO_DOWNLOAD"
)

// Options say what is wanted.
type Options struct {
	// Components are those whose binary is wanted.
	Components []component.Component
	// Source is the value of --source; empty to look for the folder.
	Source string
	// NoDownload skips the prebuilt binaries.
	NoDownload bool
	// OnlyBuild takes nothing but what was built from source: neither EnvAssets
	// nor prebuilt binaries.
	OnlyBuild bool
	// Report is told each step.
	Report report.Func
}

// Ensure returns the absolute path of a folder with the binaries of all
// components. It may take minutes, and then says so.
func Ensure(ctx context.Context, o Options) (string, error) {
	if dir := fromEnvironment(o); dir != "" {
		return dir, nil
	}
	source, root, err := places(o)
	if err != nil {
		return "", err
	}
	dir, err := binaryDir(root, source)
	if err != nil {
		return "", err
	}
	o.Components = component.OfModule(o.Components, "")
	if len(missing(dir, o.Components)) == 0 {
		o.Report("using %s from the cache %s", list(o.Components), dir)
		return dir, nil
	}
	return dir, fill(ctx, o, root, source, dir)
}

// places returns the folder of this module, and that of the cache.
func places(o Options) (source, root string, err error) {
	workDir, err := os.Getwd()
	if err != nil {
		return "", "", fmt.Errorf("cannot tell the working folder: %w; change to a folder that exists", err)
	}
	if source, err = FindSource(o.Source, os.Getenv(EnvSource), workDir); err != nil {
		return "", "", err
	}
	root, err = CacheRoot()
	return source, root, err
}

// fromEnvironment returns the folder that EnvAssets names, or "" if it is not
// to be used.
func fromEnvironment(o Options) string {
	dir := os.Getenv(EnvAssets)
	if dir == "" || o.OnlyBuild {
		return ""
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if lacking := missing(dir, o.Components); len(lacking) > 0 {
		o.Report("not using %s=%s: it has no %s", EnvAssets, dir, list(lacking))
		return ""
	}
	o.Report("using %s from %s=%s", list(o.Components), EnvAssets, dir)
	return dir
}

// fill puts into dir what is missing there. Only one process at a time does so.
func fill(ctx context.Context, o Options, root, source, dir string) error {
	lock, err := filelock.Acquire(ctx, dir+".lock", func() {
		o.Report("another localkube is filling the cache %s; waiting for it", dir)
	})
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the cache folder %s: %w; set %s to a folder that you may write to", dir, err, EnvCache)
	}
	removeLeftovers(dir)
	// Another process may have done the work while this one waited.
	lacking := missing(dir, o.Components)
	if len(lacking) == 0 {
		o.Report("using %s from the cache %s", list(o.Components), dir)
		return nil
	}
	o.Report("the cache %s has no %s", dir, list(lacking))
	if !o.OnlyBuild {
		download(ctx, o, root, dir, lacking)
		lacking = missing(dir, lacking)
	}
	for _, c := range lacking {
		if err := build(ctx, c, source, dir, o.Report); err != nil {
			return err
		}
	}
	return nil
}

// temporary is where a binary is written before it is complete. A binary under
// its own name is always whole.
func temporary(dir, name string) string { return filepath.Join(dir, "."+name+".tmp") }

// removeLeftovers removes what a killed process left half done. Nobody else is
// writing, because the lock is held.
func removeLeftovers(dir string) {
	leftovers, _ := filepath.Glob(temporary(dir, "*"))
	for _, path := range leftovers {
		_ = os.Remove(path)
	}
}
