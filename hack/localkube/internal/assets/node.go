package assets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"mooring.dev/mooring/hack/localkube/internal/component"
)

// PauseArchive is the file of the pause image, beside the node's binaries.
const PauseArchive = "pause.tar"

// EnsureNode returns the absolute path of a folder with what only a node needs: the
// binaries of the node's module, and the pause image. It is always built: nobody
// offers it prebuilt.
func EnsureNode(ctx context.Context, o Options) (string, error) {
	source, root, err := places(o)
	if err != nil {
		return "", err
	}
	dir, err := nodeDir(root, source)
	if err != nil {
		return "", err
	}
	o.Components, o.OnlyBuild = component.OfModule(o.Components, component.NodeModule), true
	if len(missing(dir, o.Components)) == 0 && hasPause(dir) {
		o.Report("using %s from the cache %s", list(o.Components), dir)
		return dir, nil
	}
	if err := fill(ctx, o, root, source, dir); err != nil {
		return "", err
	}
	return dir, buildPause(ctx, o, source, dir)
}

func hasPause(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, PauseArchive))
	return err == nil
}

// buildPause has the image builder make the pause image.
func buildPause(ctx context.Context, o Options, source, dir string) error {
	if hasPause(dir) {
		return nil
	}
	o.Report("building the pause image with %s", imageSource(source))
	half := temporary(dir, PauseArchive)
	_, stderr, err := runGo(ctx, imageSource(source), "run", ".", "--name", component.PauseImage, "--platforms", "linux/"+runtime.GOARCH,
		"--roots=false", "--archive", half, "./pause")
	if err != nil {
		return fmt.Errorf("cannot build the pause image: %w; the go command said:\n%s", err, indented(stderr))
	}
	return os.Rename(half, filepath.Join(dir, PauseArchive))
}
