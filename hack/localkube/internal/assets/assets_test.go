package assets

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func selection(t *testing.T, names ...string) []component.Component {
	t.Helper()
	components, err := component.Select(names)
	if err != nil {
		t.Fatal(err)
	}
	return components
}

const goMod = "module " + modulePath + "\n\ngo 1.26.0\n"

func TestFindSource(t *testing.T) {
	root := t.TempDir()
	source := filepath.Join(root, "hack", "localkube")
	other := filepath.Join(root, "other")
	write(t, filepath.Join(source, "go.mod"), goMod, 0o644)
	write(t, filepath.Join(root, "go.mod"), "module example.org/another\n", 0o644)
	write(t, filepath.Join(other, "go.mod"), goMod, 0o644)
	deep := filepath.Join(root, "internal", "a", "b")
	tests := map[string]struct {
		reason, flag, env, workDir string
		want, err                  string
	}{
		"in it":               {"go run -C changes to it", "", "", source, source, ""},
		"in the repository":   {"a built binary runs from the top", "", "", root, source, ""},
		"in a package":        {"tests run in their package's folder", "", "", deep, source, ""},
		"the flag":            {"the flag wins over everything", other, source, source, other, ""},
		"a relative flag":     {"it is relative to the working folder", "other", "", root, other, ""},
		"the environment":     {"the environment wins over the search", "", other, root, other, ""},
		"a wrong flag":        {"a wrong folder is not searched around", root, "", root, "", "--source names " + root},
		"a wrong environment": {"the sentence names what to mend", "", deep, root, "", EnvSource + " names " + deep},
		"nowhere":             {"the sentence says what may be done", "", "", t.TempDir(), "", "--source"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := FindSource(tc.flag, tc.env, tc.workDir)
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("%s: want error %q, got %v", tc.reason, tc.err, err)
			}
			if got != tc.want {
				t.Errorf("%s: want %s, got %s", tc.reason, tc.want, got)
			}
		})
	}
}

func TestMissingWantsWholeExecutables(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "etcd"), "x", 0o755)
	write(t, filepath.Join(dir, "kubectl"), "x", 0o644)
	write(t, filepath.Join(dir, "kube-scheduler", "x"), "x", 0o755)
	if got, want := list(missing(dir, selection(t, component.ForUp()...))), "kube-apiserver, kubectl, kube-controller-manager, kube-scheduler"; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}

func TestBinaryDirChangesWithTheVersions(t *testing.T) {
	source := t.TempDir()
	write(t, filepath.Join(source, "go.sum"), "one\n", 0o644)
	first, err := binaryDir("/cache", source)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := binaryDir("/cache", source); again != first {
		t.Errorf("the same sums gave %s and %s", first, again)
	}
	if !strings.HasPrefix(first, "/cache/kube/"+component.KubernetesVersion+"-linux-") {
		t.Errorf("want the version and the platform in the path, got %s", first)
	}
	write(t, filepath.Join(source, "go.sum"), "two\n", 0o644)
	if second, _ := binaryDir("/cache", source); second == first {
		t.Error("other sums gave the same folder, so old binaries would be used")
	}
	if _, err := binaryDir("/cache", t.TempDir()); err == nil {
		t.Error("want an error without a go.sum")
	}
}

func TestLinkerFlags(t *testing.T) {
	flags := linkerFlags("v1.36.3")
	for _, want := range []string{"-s -w", "k8s.io/component-base/version.gitVersion=v1.36.3", "k8s.io/component-base/version.gitMajor=1 ", "k8s.io/client-go/pkg/version.gitMinor=36 "} {
		if !strings.Contains(flags, want) {
			t.Errorf("%q lacks %q", flags, want)
		}
	}
}

// ensure runs Ensure where nothing can be built, and returns what it said.
func ensure(t *testing.T, o Options) (dir, said string, err error) {
	t.Helper()
	var out strings.Builder
	o.Report = report.To(&out)
	t.Setenv("PATH", t.TempDir())
	dir, err = Ensure(t.Context(), o)
	return dir, out.String(), err
}

func TestEnsureTakesWhatIsThere(t *testing.T) {
	source, cache, envtest := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, filepath.Join(source, "go.mod"), goMod, 0o644)
	write(t, filepath.Join(source, "go.sum"), "sums\n", 0o644)
	cached, err := binaryDir(cache, source)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range component.ForUp() {
		write(t, filepath.Join(cached, name), "x", 0o755)
	}
	for _, name := range component.ForAssets() {
		write(t, filepath.Join(envtest, name), "x", 0o755)
	}
	tests := map[string]struct {
		reason     string
		env        string
		components []string
		onlyBuild  bool
		want, said string
	}{
		"from the environment":      {"the user's own come first", envtest, component.ForAssets(), false, envtest, "from KUBEBUILDER_ASSETS="},
		"not all there":             {"versions are not mixed", envtest, component.ForUp(), false, cached, "not using KUBEBUILDER_ASSETS=" + envtest + ": it has no kube-controller-manager, kube-scheduler"},
		"from the cache":            {"what was built is used", "", component.ForUp(), false, cached, "from the cache"},
		"build ignores environment": {"build is about the cache", envtest, component.ForAssets(), true, cached, "from the cache"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv(EnvCache, cache)
			t.Setenv(EnvAssets, tc.env)
			dir, said, err := ensure(t, Options{Components: selection(t, tc.components...), Source: source, OnlyBuild: tc.onlyBuild})
			if err != nil {
				t.Fatal(err)
			}
			if dir != tc.want || !strings.Contains(said, tc.said) {
				t.Errorf("%s: want %s and %q, got %s and %q", tc.reason, tc.want, tc.said, dir, said)
			}
		})
	}
}

func TestEnsureWithoutGoSaysSo(t *testing.T) {
	source, cache := t.TempDir(), t.TempDir()
	write(t, filepath.Join(source, "go.mod"), goMod, 0o644)
	write(t, filepath.Join(source, "go.sum"), "sums\n", 0o644)
	t.Setenv(EnvCache, cache)
	t.Setenv(EnvAssets, "")
	t.Setenv(EnvNoDownload, "")
	_, said, err := ensure(t, Options{Components: selection(t, "etcd"), Source: source})
	if err == nil || !strings.Contains(err.Error(), "cannot build etcd") || !strings.Contains(err.Error(), "install Go") {
		t.Errorf("want a sentence about the missing go command, got %v", err)
	}
	var steps []string
	for line := range strings.Lines(said) {
		steps = append(steps, strings.Join(strings.Fields(line)[1:3], " "))
	}
	if want := []string{"the cache", "downloading etcd", "cannot download", "building etcd"}; !slices.Equal(steps, want) {
		t.Errorf("want the steps %q, got %q in:\n%s", want, steps, said)
	}
}

func TestReason(t *testing.T) {
	failed := errors.New("go run failed: exit status 1")
	for stderr, want := range map[string]string{
		"go: downloading x\nunable to list versions\nexit status 2\n": "unable to list versions",
		"exit status 2\n": failed.Error(),
		"":                failed.Error(),
	} {
		if got := reason(stderr, failed); got != want {
			t.Errorf("%q: want %q, got %q", stderr, want, got)
		}
	}
}

func TestCopyAll(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	write(t, filepath.Join(from, "etcd"), "binary", 0o755)
	if err := copyAll(from, to, selection(t, "etcd")); err != nil {
		t.Fatal(err)
	}
	if lacking := missing(to, selection(t, "etcd")); len(lacking) > 0 {
		t.Errorf("%s was not copied", list(lacking))
	}
	if leftovers, _ := filepath.Glob(temporary(to, "*")); len(leftovers) > 0 {
		t.Errorf("left %v behind", leftovers)
	}
	if err := copyAll(from, to, selection(t, "kubectl")); err == nil {
		t.Error("want an error for a binary that was not downloaded")
	}
}
