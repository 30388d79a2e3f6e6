package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestMain lets this test program be its own background process, as the command localkafka is.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "serve-embedded" {
		if err := ServeEmbedded(context.Background(), os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func embeddedConfig(t *testing.T) Config {
	t.Helper()
	t.Setenv("MOORING_CACHE", t.TempDir())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Dir: t.TempDir() + "/cluster", Timeout: 30 * time.Second,
		EmbeddedCommand: []string{self, "serve-embedded"},
		Settings:        Settings{Brokers: 2},
	}
}

func TestEmbedded(t *testing.T) {
	cfg := embeddedConfig(t)
	cluster, err := Up(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := cluster.State()
	t.Cleanup(func() { _ = killAll(context.WithoutCancel(t.Context()), s.Nodes) })
	if len(s.Nodes) != 2 || len(s.Bootstrap.Plaintext) != 2 || s.Bootstrap.TLS != nil || s.KafkaVersion != "kfake" {
		t.Errorf("the state is %+v", s)
	}
	again, err := Up(t.Context(), cfg)
	if err != nil || again.State().ClusterID != s.ClusterID {
		t.Errorf("a second Up gave %v, want the running cluster", err)
	}
	cfg.Brokers = 3
	if _, err := Up(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("Up with other settings gave %v, want a refusal", err)
	}
	if err := cluster.Kill(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "embedded") {
		t.Errorf("killing an embedded node gave %v, want a sentence why not", err)
	}
	if err := cluster.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exists(s.Dir) || stateOf(s.Nodes[0].Process) != processGone {
		t.Error("Down left something")
	}
	if err := cluster.Down(t.Context()); err != nil {
		t.Errorf("a second Down gave %v", err)
	}
}

func TestEmbeddedBrokersAreKnownByTheAddressThatTheyListenOn(t *testing.T) {
	cfg := embeddedConfig(t)
	cfg.Address = "127.0.0.2"
	cluster, err := Up(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Down(context.WithoutCancel(t.Context())) })
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.State().Bootstrap.Plaintext...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	brokers, err := kadm.NewClient(client).ListBrokers(t.Context())
	if err != nil || len(brokers) != cfg.Brokers {
		t.Fatalf("the brokers are %v, %v", brokers, err)
	}
	for _, b := range brokers {
		if b.Host != cfg.Address {
			t.Errorf("broker %d is known as %s, want %s", b.NodeID, b.Host, cfg.Address)
		}
	}
}

func TestUpClearsAWreckAway(t *testing.T) {
	cfg := embeddedConfig(t)
	cluster, err := Up(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := killAll(t.Context(), cluster.State().Nodes); err != nil {
		t.Fatal(err)
	}
	again, err := Up(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if again.State().ClusterID == cluster.State().ClusterID {
		t.Error("Up took a dead cluster for a running one")
	}
	if err := again.Down(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCanceledUpLeavesNothing(t *testing.T) {
	cfg := embeddedConfig(t)
	cfg.EmbeddedCommand = []string{"sh", "-c", "sleep 60", "sh"} // never answers
	ctx, cancel := context.WithCancel(t.Context())
	cfg.Progress = func(line string) {
		if strings.HasPrefix(line, "waiting for") {
			cancel()
		}
	}
	_, err := Up(ctx, cfg)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("the error is %v, want that Up was interrupted", err)
	}
	if exists(cfg.Dir) {
		t.Error("an interrupted Up left its folder")
	}
}

func TestFailedUpSaysWhyAndLeavesTheLog(t *testing.T) {
	cfg := embeddedConfig(t)
	cfg.EmbeddedCommand = []string{"sh", "-c", "echo the cause; exit 1", "sh"}
	_, err := Up(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "node 0") || !strings.Contains(err.Error(), "the cause") {
		t.Fatalf("the error is %v, want one that names the node and its last words", err)
	}
	cluster, err := Load(cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if phase := cluster.State().Phase; phase != PhaseFailed {
		t.Errorf("the phase is %s, want %s", phase, PhaseFailed)
	}
	if !exists(cluster.State().Nodes[0].Log) {
		t.Error("the log is gone")
	}
	if err := cluster.Down(t.Context()); err != nil || exists(cfg.Dir) {
		t.Errorf("Down after a failed Up gave %v", err)
	}
}
