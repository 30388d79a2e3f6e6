//go:build conformance && kafka

package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/test/shim/rig"
)

// apicurio is a schema registry with Confluent's API, at Maven Central. Later ones want Java 21.
const apicurio = "3.0.9"

// schemaScripts write with schemas, and these are the keys and values that Confluent's deserializers read.
var schemaScripts = map[string][]string{
	"avro":       {`["k1", {"count": 1, "item": "a"}]`, `["k2", {"count": null, "item": "b"}]`, `["k3", {"count": 3, "item": "c"}]`, `["k4", {"count": null, "item": "d"}]`},
	"jsonschema": {`[null, {"count": 1, "item": "a"}]`, `[null, {"item": "b"}]`},
	"protobuf":   {`[null, {"count": 1, "item": "a"}]`, `[null, {"item": "b"}]`},
}

// What is written by a schema is what Confluent's own deserializers read, with the schemas in a real registry: in Avro, JSON Schema
// and Protobuf, by curl and by Confluent's client for Node.js.
func TestHTTPSchemas(t *testing.T) {
	registry := startRegistry(t)
	program, err := rig.BuildShim(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cluster := shimBrokers(t)
	c := rig.Contract(cluster.State().Bootstrap.Plaintext, contract.Idempotent, contract.Upgrade)
	c.Listeners.HTTP, c.SchemaRegistry = freeAddress(t), &contract.SchemaRegistry{URL: registry}
	shim, err := rig.StartShim(t.Context(), program, t.TempDir(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer shim.Kill()
	admin, err := kadm.NewOptClient(kgo.SeedBrokers(cluster.State().Bootstrap.Plaintext...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	h, begin, records := httpShim{cluster: cluster, admin: admin, url: "http://" + c.Listeners.HTTP, up: "schemas", registry: registry}, time.Now(), 0
	for _, format := range []string{"avro", "jsonschema", "protobuf"} {
		t.Run(format, func(t *testing.T) {
			topic := h.topic(t, format)
			h.shell(t, topic, t.TempDir(), string(httpSource(t, format+".sh")))
			h.expectDecoded(t, topic, format, schemaScripts[format])
			records += len(schemaScripts[format])
		})
	}
	t.Run("documentation", func(t *testing.T) {
		topic, want := h.topic(t, "documentation"), []string{`[null, {"item": 1}]`}
		h.shell(t, topic, t.TempDir(), h.commands(t, topic, true))
		h.expectDecoded(t, topic, "avro", want)
		records += len(want)
	})
	t.Run("kafka-rest", func(t *testing.T) {
		topic := h.topic(t, "kafka-rest")
		restThroughShim("avro")(t, h.url, topic)
		var want []string
		for n := range httpRecords {
			want = append(want, fmt.Sprintf(`["key-%d", {"count": %d, "item": "record-%d"}]`, n, n, n))
		}
		h.expectDecoded(t, topic, "avro", want)
		records += httpRecords
	})
	say("conformance http, schemas: Apicurio %s, %d records read by Confluent's deserializers, Protobuf's by Google's library; %.1f s", apicurio, records, time.Since(begin).Seconds())
}

func (h httpShim) expectDecoded(t *testing.T, topic, format string, want []string) {
	t.Helper()
	python, err := rig.Python(t.Context(), "confluent-kafka[avro,json,protobuf]==2.12.2")
	have(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), silence)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, writeSource(t, "schemas.py"), h.registry, strings.Join(h.cluster.State().Bootstrap.Plaintext, ","), topic, format, fmt.Sprint(len(want)))
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), got); diff != "" {
		t.Errorf("what Confluent's deserializers read of %s (-want +got):\n%s", topic, diff)
	}
}

// startRegistry runs Apicurio with its data in memory, and returns the URL of the API that is Confluent's.
func startRegistry(t *testing.T) string {
	t.Helper()
	dir := cacheDir(t, "apicurio-"+apicurio)
	jar := filepath.Join(dir, "apicurio-registry-app-"+apicurio+"-runner.jar")
	if _, err := os.Stat(jar); err != nil {
		archive := filepath.Join(dir, "apicurio-registry-app-"+apicurio+"-all.tar.gz")
		during(t, "fetching Apicurio Registry "+apicurio+" with Maven (about 109 MB)", exec.Command(lookPath(t, "mvn", "maven default-jdk-headless"), "-q", "-B", "dependency:copy",
			"-Dartifact=io.apicurio:apicurio-registry-app:"+apicurio+":tar.gz:all", "-DoutputDirectory="+dir))
		during(t, "unpacking it", exec.Command(lookPath(t, "tar", "tar"), "xzf", archive, "-C", dir))
		os.Remove(archive)
	}
	address := freeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	cmd := exec.Command(lookPath(t, "java", "default-jdk-headless"), "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", jar)
	cmd.Env = append(os.Environ(), "QUARKUS_HTTP_HOST=127.0.0.1", "QUARKUS_HTTP_PORT="+port, "QUARKUS_HTTP_ACCESS_LOG_ENABLED=false")
	cmd.Dir = t.TempDir()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it has ended, then
		cmd.Wait()         //nolint:errcheck // it was killed
	})
	url := "http://" + address + "/apis/ccompat/v7"
	ctx, cancel := context.WithTimeout(t.Context(), silence)
	defer cancel()
	if err := rig.Until(ctx, 200*time.Millisecond, func() bool { return answers(ctx, url+"/subjects") }); err != nil {
		t.Fatalf("the schema registry does not answer; it said: %s", said.String())
	}
	return url
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}
