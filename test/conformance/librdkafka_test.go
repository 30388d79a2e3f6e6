//go:build conformance

package conformance

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mooring.dev/mooring/internal/producer"
)

//go:embed python
var pythonSources embed.FS

// pythonRunner makes a virtual environment with librdkafka, once for each content of its sources, and returns how to start
// the runner in it.
func pythonRunner(t *testing.T) func(args ...string) *exec.Cmd {
	t.Helper()
	requirements, err := pythonSources.ReadFile("python/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	script, err := pythonSources.ReadFile("python/runner.py")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(slices.Concat(requirements, script))
	dir := cacheDir(t, "python", hex.EncodeToString(sum[:6]))
	python, built := filepath.Join(dir, "venv", "bin", "python"), filepath.Join(dir, "built")
	if _, err := os.Stat(built); err != nil {
		for name, content := range map[string][]byte{"requirements.txt": requirements, "runner.py": script} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		during(t, "making a virtual environment for Python",
			exec.Command(lookPath(t, "python3", "python3-venv"), "-m", "venv", filepath.Join(dir, "venv")))
		during(t, "installing confluent-kafka with pip",
			exec.Command(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", filepath.Join(dir, "requirements.txt")))
		if err := os.WriteFile(built, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return func(args ...string) *exec.Cmd {
		return exec.Command(python, append([]string{filepath.Join(dir, "runner.py")}, args...)...)
	}
}

// rdUnaskable are beginnings of properties whose values librdkafka looks up elsewhere, or that the binding takes for itself.
var rdUnaskable = []string{
	"ssl", "sasl.", "https.", "enable.ssl", "enable.sasl", "plugin.", "debug", "internal.", "enabled_events", "topic.blacklist", "broker.version",
	"bootstrap.servers", "metadata.broker.list", "security.protocol", "partition.assignment", "share.", "interceptors", "opaque",
	"default_topic_conf", "delivery.report.only.error", "log", "oauth", "group.protocol", "builtin",
}

// rdEdges are the keys that rules speak of, by any of their names, with the values around which they turn.
var rdEdges = map[string][]string{
	"acks":                                   {"all", "-1", "all", "1", "0", "ALL", "2", "1000", "1001", "-2", "some"},
	"enable.idempotence":                     {"true", "true", "false", "T", "f", "1", "0", "yes", "TRUE"},
	"retries":                                {"2147483647", "5", "10", "0", "1", "-1", "2147483648", "0x10", "010", "09", "5x", "x"},
	"max.in.flight.requests.per.connection":  {"5", "1", "4", "6", "0", "1000000", "1000001"},
	"message.timeout.ms":                     {"120000", "300000", "60000", "0", "5", "6", "60001", "1000"},
	"linger.ms":                              {"5", "0", "0.5", "900000", "900001", "-1", "6", "1e3", ".5"},
	"queuing.strategy":                       {"fifo", "fifo", "fifo", "lifo", "LIFO", "none"},
	"queue.buffering.backpressure.threshold": {"1", "1", "1", "2", "0"},
	"transactional.id":                       {"tx", "tx", "a b", ""},
	"transaction.timeout.ms":                 {"60000", "120000", "300000", "1000", "999", "5000"},
	"socket.timeout.ms":                      {"60000", "60100", "10", "60101", "300000", "300001"},
	"reconnect.backoff.ms":                   {"100", "50", "100", "10000", "10001", "3600000"},
	"reconnect.backoff.max.ms":               {"10000", "10000", "1000", "100", "99", "3600001"},
	"enable.gapless.guarantee":               {"false", "false", "false", "true"},
	"partitioner":                            {"murmur2_random", "random", "consistent", "Murmur2", "murmur2 ", "sticky"},
	"compression.type":                       {"none", "lz4", "zstd", "GZIP", "inherit", "brotli"},
}

var rdAliases = map[string][]string{
	"acks": {"acks", "request.required.acks"}, "retries": {"retries", "message.send.max.retries"},
	"max.in.flight.requests.per.connection": {"max.in.flight", "max.in.flight.requests.per.connection"},
	"message.timeout.ms":                    {"message.timeout.ms", "delivery.timeout.ms"},
	"linger.ms":                             {"linger.ms", "queue.buffering.max.ms"},
	"compression.type":                      {"compression.type", "compression.codec"},
}

// rdUnknown are names that librdkafka does not know; the Java client's own are among them.
var rdUnknown = []string{
	"buffer.memory", "max.block.ms", "key.serializer", "delivery.timeout", "enable.idempotance", "no.such.thing", "ACKS", "max.request.size",
	"metadata.max.idle.ms", "transaction.two.phase.commit.enable",
}

func (m maker) librdkafka(known []producer.Setting) map[string]string {
	settings := map[string]string{}
	keys := make([]string, 0, len(rdEdges))
	for key := range rdEdges {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if m.r.IntN(5) == 0 {
			name := key
			if names := rdAliases[key]; names != nil {
				name = m.pick(names...)
			}
			settings[name] = m.edge(rdEdges[key])
		}
	}
	for range m.r.IntN(3) {
		s := known[m.r.IntN(len(known))]
		asked := rdEdges[s.Name] != nil || rdEdges[s.AliasOf] != nil || s.Kind == "function"
		if !asked && !slices.ContainsFunc(rdUnaskable, func(p string) bool { return strings.HasPrefix(s.Name, p) }) {
			settings[s.Name] = m.rdValue(s)
		}
	}
	if m.r.IntN(8) == 0 {
		settings[m.pick(rdUnknown...)] = m.pick("1", "true", "text")
	}
	if m.r.IntN(20) == 0 {
		settings["security.protocol"] = m.pick("plaintext", "PLAINTEXT", "tls", " plaintext")
	}
	return settings
}

func (m maker) rdValue(s producer.Setting) string {
	switch {
	case s.HasRange:
		whole := func(f float64) string { return fmt.Sprintf("%.0f", f) }
		return m.edge([]string{s.Default, whole(s.Min), whole(s.Max), whole(s.Min - 1), whole(s.Max + 1), "x", "0x7", " 7", "7 "})
	case s.Kind == "boolean":
		return m.edge([]string{"true", "false", "TRUE", "t", "F", "1", "0", "on", " true"})
	case len(s.Words) > 0:
		word := m.pick(s.Words...)
		return m.edge([]string{word, word, strings.ToUpper(word), "bogus", " " + word})
	}
	return m.pick("text", "a,b", "100")
}

// Our verdict on a configuration is librdkafka's own.
func TestLibrdkafka(t *testing.T) {
	run := pythonRunner(t)
	begin := time.Now()
	m, known := newMaker(2), producer.KnownSettings(producer.ClientLibrdkafka)
	settings := make([]map[string]string, 3000)
	for i := range settings {
		settings[i] = m.librdkafka(known)
	}
	compare(t, "librdkafka 2.16.0", producer.ClientLibrdkafka, askProcess(t, run(), settings), begin)
}
