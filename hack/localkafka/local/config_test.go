package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestConfigDefaults(t *testing.T) {
	t.Setenv("MOORING_CACHE", "/the/cache")
	cfg, err := fromConfig(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "/the/cache/kafka/clusters/default"; cfg.Dir != want {
		t.Errorf("the folder is %s, want %s", cfg.Dir, want)
	}
	if cfg.Brokers != 3 || cfg.Heap != "512m" || len(cfg.Racks) != 3 || cfg.Timeout != 3*time.Minute || cfg.Embedded {
		t.Errorf("the defaults are %+v", cfg)
	}
}

func TestConfigRefusals(t *testing.T) {
	embedded := []string{"serve"}
	for _, tt := range []struct {
		reason string
		cfg    Config
		says   string
	}{
		{"a negative number of brokers", Config{Settings: Settings{Brokers: -1}}, "1 to 20"},
		{"a host name is no address", Config{Settings: Settings{Address: "localhost"}}, "localhost"},
		{"brokers can't be known by every address", Config{Settings: Settings{Address: "0.0.0.0"}}, "0.0.0.0"},
		{"a heap without a unit", Config{Settings: Settings{Heap: "512"}}, "512m"},
		{"a property that would break the cluster", Config{Settings: Settings{Properties: map[string]string{"node.id": "7"}}}, "node.id"},
		{"a property name that breaks the file", Config{Settings: Settings{Properties: map[string]string{"a b": "7"}}}, "a b"},
		{"kfake has no server.properties", Config{EmbeddedCommand: embedded, Settings: Settings{Properties: map[string]string{"a": "7"}}}, "server.properties"},
		{"kfake has one rack", Config{EmbeddedCommand: embedded, Settings: Settings{Racks: []string{"a"}}}, "krack"},
		{"kfake has no authorizer here", Config{EmbeddedCommand: embedded, Settings: Settings{Authorizer: true}}, "authorizer"},
	} {
		tt.cfg.Dir = "/cluster"
		if _, err := fromConfig(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: the error is %v, want one that says %q", tt.reason, err, tt.says)
		}
	}
}

func TestRefuseForeign(t *testing.T) {
	dir := t.TempDir()
	for _, fine := range []string{dir, filepath.Join(dir, "missing")} {
		if err := refuseForeign(fine); err != nil {
			t.Errorf("%s was refused: %v", fine, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := refuseForeign(dir); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("a folder with somebody's file in it gave %v", err)
	}
}

func TestRemoveFilesKeepsWhatIsNotOurs(t *testing.T) {
	s := State{Version: StateVersion, Dir: t.TempDir(), Nodes: []Node{{ID: 1}}}
	s.Nodes[0].Dir = filepath.Join(s.Dir, "node-1")
	theirs := filepath.Join(s.Dir, "thesis.txt")
	if err := os.MkdirAll(filepath.Join(s.Nodes[0].Dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeAll(file{theirs, nil}, file{filepath.Join(s.Dir, ".state.json-1"), nil}); err != nil {
		t.Fatal(err)
	}
	if err := saveState(s); err != nil {
		t.Fatal(err)
	}
	if err := removeFiles(s); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "thesis.txt" {
		t.Errorf("left are %v, %v; want thesis.txt alone", entries, err)
	}
}
