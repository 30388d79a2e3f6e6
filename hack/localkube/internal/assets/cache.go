package assets

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"mooring.dev/mooring/hack/localkube/internal/component"
)

// EnvCache names the folder that Mooring's development tools keep things in that
// are expensive to make; by default "mooring" in the user's cache folder.
const EnvCache = "MOORING_CACHE"

// CacheRoot returns the absolute path of that folder, which may not exist yet.
func CacheRoot() (string, error) {
	if dir := os.Getenv(EnvCache); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", fmt.Errorf("cannot make %s=%s absolute: %w; give an absolute path", EnvCache, dir, err)
		}
		return abs, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cannot tell where to keep the binaries: %w; set %s to a folder", err, EnvCache)
	}
	return filepath.Join(dir, "mooring"), nil
}

// binaryDir is where the binaries built from source lie. Its name holds
// everything that decides what they are, so that binaries of another version are
// never taken for these.
func binaryDir(root, source string) (string, error) {
	sums, err := os.ReadFile(filepath.Join(source, "go.sum"))
	if err != nil {
		return "", fmt.Errorf("cannot read go.sum in %s: %w; restore the file from the repository", source, err)
	}
	platform := component.KubernetesVersion + "-" + runtime.GOOS + "-" + runtime.GOARCH
	return filepath.Join(root, "kube", platform, key(sums)), nil
}

// nodeDir is where what only a node needs lies.
func nodeDir(root, source string) (string, error) {
	hash := sha256.New()
	for _, pattern := range []string{
		filepath.Join(source, component.NodeModule, "go.sum"),
		filepath.Join(source, component.NodeModule, "*", "*.go"),
		filepath.Join(imageSource(source), "go.sum"),
		filepath.Join(imageSource(source), "pause", "*.go"),
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return "", fmt.Errorf("cannot find %s, from which a node's parts are built; restore it from the repository", pattern)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return "", fmt.Errorf("cannot read %s: %w; restore the file from the repository", file, err)
			}
			hash.Write(content)
		}
	}
	return filepath.Join(root, "node", runtime.GOOS+"-"+runtime.GOARCH, key(hash.Sum(nil))), nil
}

// imageSource is the image builder's module, beside this one.
func imageSource(source string) string { return filepath.Join(source, "..", "image") }

// key is short, because it is part of every path and command line. go.sum and
// not go.mod is hashed: it names every version, and an edited comment is no
// reason to build for minutes.
func key(sums []byte) string {
	hash := sha256.New()
	hash.Write(sums)
	hash.Write([]byte(strings.Join(buildFlags(), "\n")))
	return hex.EncodeToString(hash.Sum(nil))[:12]
}

// missing returns the components whose binary is not in dir.
func missing(dir string, components []component.Component) []component.Component {
	var out []component.Component
	for _, c := range components {
		info, err := os.Stat(filepath.Join(dir, c.Name))
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			out = append(out, c)
		}
	}
	return out
}

func list(components []component.Component) string {
	names := make([]string, len(components))
	for i, c := range components {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}
