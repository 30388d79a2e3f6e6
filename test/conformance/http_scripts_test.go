//go:build conformance && kafka

package conformance

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// httpScripts are the files of http, and the records that each writes.
var httpScripts = map[string][]string{
	"raw.sh":    {`"k1" = "two\nlines" trace:"a=b"`, `"\x00\xff" = ""`, `"k1" = null`, `null = "once"`},
	"ndjson.sh": {`null = "{\"n\":1}"`, `null = "{\"n\": 2}"`, `null = "\"three\""`},
	"cloudevents.sh": {
		`"k1" = "paid" content-type:"text/plain" ce_id:"1" ce_partitionkey:"k1" ce_source:"/shop" ce_specversion:"1.0" ce_type:"order"`,
		`"k2" = "{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/shop\",\"type\":\"order\",\"partitionkey\":\"k2\",\"data\":{\"item\":1}}" content-type:"application/cloudevents+json"`,
		`null = "{\"specversion\":\"1.0\",\"id\":\"3\",\"source\":\"/shop\",\"type\":\"order\"}" content-type:"application/cloudevents+json"`,
		`null = "{\"specversion\":\"1.0\",\"id\":\"4\",\"source\":\"/shop\",\"type\":\"order\"}" content-type:"application/cloudevents+json"`,
	},
	"v2.sh": {`"k1" = "\x00\x01\xff"`, `"k1" = null`, `"{\"id\":1}" = "[1, 2.50]"`, `"k1" = "text" trace:"ab"`, `null = "\"async\""`},
	"v3.sh": {`"k1" = "{\"item\":1}" trace:"ab"`, `null = "s1"`, `null = "\x00\xff"`, `null = "b1"`},
}

// documented is what the commands of docs/tasks/produce-with-curl.md write, one after the other.
var documented = []string{
	`"customer-7" = "{\"order\":1}\n"`,                 // a body is a record
	`null = "{\"order\":2}"`, `null = "{\"order\":3}"`, // many
	`null = "{\"order\":1}\n"`,                                   // without doubles
	`"\"customer-7\"" = "{\"item\":1}"`, `null = "{\"item\":2}"`, // v2
	`"customer-7" = "{\"item\":1}"`, // v3
}

// runScripts, each on a topic of its own, and say how many records there are.
func (h httpShim) runScripts(t *testing.T) (records int) {
	for _, name := range slices.Sorted(mapKeys(httpScripts)) {
		t.Run(strings.TrimSuffix(name, ".sh"), func(t *testing.T) {
			topic := h.topic(t, strings.TrimSuffix(name, ".sh"))
			h.shell(t, topic, t.TempDir(), string(httpSource(t, name)))
			h.expect(t, topic, httpScripts[name])
		})
		records += len(httpScripts[name])
	}
	t.Run("documentation", func(t *testing.T) {
		topic, dir := h.topic(t, "documentation"), t.TempDir()
		for name, content := range map[string]string{"order.json": "{\"order\":1}\n", "orders.ndjson": "{\"order\":2}\n{\"order\":3}\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		h.shell(t, topic, dir, h.commands(t, topic, false))
		h.expect(t, topic, documented)
	})
	return records + len(documented)
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// commands of the documentation, at this shim's address and with this topic: those that need a schema registry, or the others.
func (h httpShim) commands(t *testing.T, topic string, schemas bool) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/tasks/produce-with-curl.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, block := range shellBlock.FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[1], "schema") == schemas {
			all.WriteString(block[1])
		}
	}
	return strings.NewReplacer("127.0.0.1:8082", strings.TrimPrefix(h.url, "http://"), "topics/orders", "topics/"+topic).Replace(all.String())
}

// shell runs a script, which fails with its first command that does.
func (h httpShim) shell(t *testing.T, topic, dir, script string) {
	t.Helper()
	lookPath(t, "curl", "curl")
	ctx, cancel := context.WithTimeout(t.Context(), silence)
	defer cancel()
	cmd := exec.CommandContext(ctx, lookPath(t, "bash", "bash"), "-eu", "-o", "pipefail", "-c", script)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	cmd.Env = append(os.Environ(), "URL="+h.url, "TOPIC="+topic, "REGISTRY="+h.registry)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if out, err := cmd.CombinedOutput(); err != nil {
		var files strings.Builder
		for _, name := range []string{"answer", "answers", "refusal", "stream", "batch"} {
			if content, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				fmt.Fprintf(&files, "%s: %s\n", name, content)
			}
		}
		t.Fatalf("%v\n%s\n%s", err, out, files.String())
	}
}
