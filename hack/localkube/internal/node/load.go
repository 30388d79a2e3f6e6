package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"mooring.dev/mooring/hack/localkube/internal/component"
)

// Load puts the images of a docker-archive or an OCI layout in a tar into the
// node's containerd, where pods find them, and returns their names.
func Load(ctx context.Context, n *component.Node, binaryDir, file string) ([]string, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("cannot load the image: %w", err)
	}
	output, err := ctr(ctx, n, binaryDir, "images", "import", "--digests=false", file)
	if err != nil {
		return nil, fmt.Errorf("cannot load the image in %s: %w", file, err)
	}
	var names []string
	for line := range strings.Lines(output) {
		if fields := strings.Fields(line); len(fields) > 0 && strings.Contains(line, "saved") {
			names = append(names, fields[0])
		}
	}
	return names, nil
}

func ctr(ctx context.Context, n *component.Node, binaryDir string, args ...string) (string, error) {
	// "k8s.io" is the namespace that the kubelet's images are in.
	args = append([]string{"--address", n.ContainerdSocket(), "--namespace", "k8s.io"}, args...)
	output, err := exec.CommandContext(ctx, filepath.Join(binaryDir, component.Ctr), args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	return string(output), nil
}
