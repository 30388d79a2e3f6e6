package assets

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// EnvSource names the folder of this module when --source does not.
const EnvSource = "MOORING_LOCALKUBE_SOURCE"

// modulePath is how this module's go.mod is told from any other.
const modulePath = "mooring.dev/mooring/hack/localkube"

// FindSource returns the absolute path of the folder with this module's go.mod,
// which says what the components are built from. A given folder (the flag, or
// else the environment) is taken or refused; with none given, it is looked for in
// workDir and, as hack/localkube, in workDir and the folders above.
func FindSource(flag, env, workDir string) (string, error) {
	if flag != "" {
		return given("--source", flag, workDir)
	}
	if env != "" {
		return given(EnvSource, env, workDir)
	}
	if isSource(workDir) {
		return workDir, nil
	}
	for dir := workDir; ; dir = filepath.Dir(dir) {
		if candidate := filepath.Join(dir, "hack", "localkube"); isSource(candidate) {
			return candidate, nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return "", fmt.Errorf("cannot find the source of localkube, which says what to build, in %s or as hack/localkube in it or above; run inside of the repository, or give the folder with --source or %s", workDir, EnvSource)
}

func given(what, dir, workDir string) (string, error) {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(workDir, dir)
	}
	if !isSource(dir) {
		return "", fmt.Errorf("%s names %s, which has no go.mod of the module %s; give the repository's hack/localkube", what, dir, modulePath)
	}
	return filepath.Clean(dir), nil
}

func isSource(dir string) bool {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(content)) {
		if strings.TrimSpace(line) == "module "+modulePath {
			return true
		}
	}
	return false
}
