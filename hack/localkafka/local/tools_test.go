package local

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestToolArguments(t *testing.T) {
	bootstrap := []string{"127.0.0.1:1", "127.0.0.1:2"}
	for _, tt := range []struct {
		reason, name string
		args, want   []string
	}{
		{"a tool is told where the cluster is", "kafka-topics.sh", []string{"--list"}, []string{"--bootstrap-server", "127.0.0.1:1,127.0.0.1:2", "--list"}},
		{"this one takes it after its subcommand", "kafka-cluster", []string{"cluster-id"}, []string{"cluster-id", "--bootstrap-server", "127.0.0.1:1,127.0.0.1:2"}},
		{"what the user says stands", "kafka-topics", []string{"--bootstrap-server=x:1", "--list"}, []string{"--bootstrap-server=x:1", "--list"}},
		{"so does a controller", "kafka-metadata-quorum", []string{"--bootstrap-controller", "x:1"}, []string{"--bootstrap-controller", "x:1"}},
		{"help needs no cluster", "kafka-acls", []string{"--help"}, []string{"--help"}},
		{"a class is run as it is", "kafka.tools.StorageTool", []string{"random-uuid"}, []string{"random-uuid"}},
	} {
		tool, err := resolveTool(tt.name)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		if diff := cmp.Diff(tt.want, withBootstrap(tool, tt.args, bootstrap)); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.reason, diff)
		}
	}
	if _, err := resolveTool("kafka-nope"); err == nil || !strings.Contains(err.Error(), "kafka-topics") {
		t.Errorf("an unknown tool gave %v, want an error that lists the known ones", err)
	}
}

func TestParseJavaVersion(t *testing.T) {
	for out, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`: 17,
		`openjdk version "21" 2023-09-19`:      21,
		`java version "1.8.0_412"`:             8,
	} {
		if got, err := parseJavaVersion("Picked up JAVA_TOOL_OPTIONS: -Dx\n" + out); err != nil || got != want {
			t.Errorf("%s is version %d, %v; want %d", out, got, err, want)
		}
	}
	if _, err := parseJavaVersion("command not found"); err == nil {
		t.Error("a text without a version was taken for one")
	}
}

func TestBrokerOptions(t *testing.T) {
	normal := strings.Join(brokerOptions(Settings{Heap: "512m"}), " ")
	if strings.Contains(normal, "TieredStopAtLevel") || !strings.Contains(normal, "-Xmx512m") {
		t.Errorf("by default the JVM gets %s", normal)
	}
	fast := brokerOptions(Settings{Heap: "1g", FastJVM: true, JVMOptions: []string{"-Dx=y"}})
	if !strings.Contains(strings.Join(fast, " "), "-XX:TieredStopAtLevel=1") || fast[len(fast)-1] != "-Dx=y" {
		t.Errorf("with FastJVM and an option the JVM gets %s", fast)
	}
}

func TestClusterIDs(t *testing.T) {
	for range 200 {
		if id := newClusterID(); len(id) != 22 || id[0] == '-' {
			t.Errorf("the cluster id %q is none for Kafka", id)
		}
	}
}

func TestStartErrorLeadsToTheCause(t *testing.T) {
	log := t.TempDir() + "/broker.log"
	if err := os.WriteFile(log, []byte(strings.Repeat("noise\n", 100_000)+"the cause\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := startError(Node{ID: 2, Log: log}, errors.New("it ended"))
	if lines := strings.Split(err.Tail, "\n"); len(lines) != 20 || lines[19] != "the cause" {
		t.Errorf("the end of the log is %q, want 20 lines and the cause last", lines)
	}
	for _, part := range []string{"node 2", "it ended", "the cause", log} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in: %v", part, err)
		}
	}
}
