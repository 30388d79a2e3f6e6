//go:build conformance

package conformance

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/internal/producer"
)

//go:embed java
var javaSources embed.FS

// javaRunner builds the runner for a version of kafka-clients, once for each content of its sources, and returns how to
// start it.
func javaRunner(t *testing.T, version string) func(args ...string) *exec.Cmd {
	t.Helper()
	dir := cacheDir(t, "java", version, hashOf(t, javaSources, "java"))
	built := filepath.Join(dir, "built")
	if _, err := os.Stat(built); err != nil {
		if err := os.CopyFS(filepath.Join(dir, "src"), javaSources); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
		maven := exec.Command(lookPath(t, "mvn", "maven default-jdk-headless"), "-q", "-B", "-f", filepath.Join(dir, "src", "java", "pom.xml"),
			"-Dkafka.version="+version, "compile", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(dir, "libs"))
		during(t, "building the Java runner for kafka-clients "+version+" with Maven", maven)
		if err := os.WriteFile(built, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	java := lookPath(t, "java", "default-jdk-headless")
	classes := filepath.Join(dir, "src", "java", "target", "classes") + string(os.PathListSeparator) + filepath.Join(dir, "libs", "*")
	return func(args ...string) *exec.Cmd {
		return exec.Command(java, append([]string{"-Xmx512m", "-cp", classes, "dev.mooring.conformance.Runner"}, args...)...)
	}
}

// hashOf is different for sources of different content.
func hashOf(t *testing.T, sources embed.FS, root string) string {
	t.Helper()
	sum := sha256.New()
	if err := fs.WalkDir(sources, root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := sources.ReadFile(path)
		sum.Write(content)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

// Our verdict on a configuration is the Java client's own: it starts, it does not, or it starts without idempotence.
func TestJava(t *testing.T) {
	for _, client := range []struct {
		version string
		client  producer.Client
		cases   int
	}{
		{"4.3.1", producer.ClientJava, 6000},
		{"3.9.2", producer.ClientJava3, 5000},
	} {
		t.Run(client.version, func(t *testing.T) {
			run := javaRunner(t, client.version)
			begin := time.Now()
			m := newMaker(1)
			settings := make([]map[string]string, client.cases)
			for i := range settings {
				settings[i] = m.java()
			}
			compare(t, "java "+client.version, client.client, askProcess(t, run(), settings), begin)
		})
	}
}

// The property table says what the real ProducerConfig says: every name, type and default, and no name more.
func TestJavaProperties(t *testing.T) {
	out, err := javaRunner(t, "4.3.1")("properties").Output()
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ Name, Type, Default string }
	var theirs, ours []row
	for line := range strings.Lines(string(out)) {
		var r row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		theirs = append(theirs, r)
	}
	for _, p := range producer.Properties() {
		ours = append(ours, row{p.Name, string(p.Type), p.Default})
	}
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("(-kafka-clients 4.3.1 +table):\n%s", diff)
	}
	say("conformance java 4.3.1: %d properties compared", len(theirs))
}
