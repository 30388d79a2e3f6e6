package proc

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// statLine is a real line of /proc/PID/stat, of a process whose name was chosen
// to be hard to read, with its state, threads and start time left open.
func statLine(state, threads, start string) string {
	return "42 (a) b (c) " + state + " 1 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 " + threads + " 0 " + start + " 2000000 300 18446744073709551615 1 1 0 0 0 0 0\n"
}

func fakeProc(t *testing.T, stat, cmdline string) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "42")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"stat": stat, "cmdline": cmdline} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLifeKnowsItsOwn(t *testing.T) {
	ours := Identity{PID: 42, StartTime: 777, Command: []string{"/bin/etcd", "--name=a b"}}
	tests := map[string]struct {
		reason        string
		id            Identity
		stat, cmdline string
		want          life
	}{
		"the same process":        {"pid, start time and command agree", ours, statLine("S", "9", "777"), "/bin/etcd\x00--name=a b\x00", running},
		"a recycled pid":          {"another start time is another process", ours, statLine("S", "9", "778"), "/bin/etcd\x00--name=a b\x00", gone},
		"a recycled start time":   {"after a reboot another command may have both numbers", ours, statLine("S", "9", "777"), "/bin/bash\x00", gone},
		"another argument":        {"another cluster's etcd has other arguments", ours, statLine("S", "9", "777"), "/bin/etcd\x00--name=b\x00", gone},
		"a zombie":                {"a zombie holds nothing", ours, statLine("Z", "1", "777"), "", gone},
		"a zombie with threads":   {"its last thread still holds the port", ours, statLine("Z", "9", "777"), "", ending},
		"no command line":         {"it has lost its memory and will be a zombie", ours, statLine("R", "9", "777"), "", ending},
		"an ending stranger":      {"a recycled pid is another's, ending or not", ours, statLine("Z", "9", "778"), "", gone},
		"an unreadable stat line": {"what cannot be verified is not ours", ours, "42 (etcd) S 1\n", "/bin/etcd\x00--name=a b\x00", gone},
		"never started":           {"pid 0 is nobody", Identity{}, statLine("S", "9", "0"), "", gone},
		"a pid that is not there": {"it has ended and was reaped", Identity{PID: 43}, statLine("S", "9", "777"), "", gone},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tc.id.lifeIn(fakeProc(t, tc.stat, tc.cmdline)); got != tc.want {
				t.Errorf("%s: want %v, got %v", tc.reason, tc.want, got)
			}
		})
	}
}

type spawned struct {
	*Process
	log string
}

func spawn(t *testing.T, command ...string) spawned {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	process, err := Spawn(command, dir, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := Stop(context.Background(), process.Identity, 0); err != nil {
			t.Error(err)
		}
	})
	return spawned{process, log}
}

func TestSpawnThenStop(t *testing.T) {
	process := spawn(t, "sleep", "60")
	if !process.Alive() {
		t.Fatal("a process just started is not alive")
	}
	impostor := process.Identity
	impostor.StartTime++
	if outcome, err := Stop(t.Context(), impostor, time.Minute); err != nil || outcome != WasGone {
		t.Fatalf("want another start time left alone, got %q, %v", outcome, err)
	}
	if !process.Alive() {
		t.Fatal("the process was stopped for an identity that is not its own")
	}
	if outcome, err := Stop(t.Context(), process.Identity, time.Minute); err != nil || outcome != Terminated {
		t.Fatalf("want it stopped by SIGTERM, got %q, %v", outcome, err)
	}
	if outcome, err := Stop(t.Context(), process.Identity, time.Minute); err != nil || outcome != WasGone {
		t.Fatalf("want a second stop to find nothing, got %q, %v", outcome, err)
	}
	<-process.Exited
}

func TestStopKillsWhatIgnoresSIGTERM(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	process := spawn(t, "sh", "-c", "trap '' TERM; echo > "+strconv.Quote(ready)+"; while :; do sleep 0.1; done")
	waitFor(t, func() bool { _, err := os.Stat(ready); return err == nil })
	outcome, err := Stop(t.Context(), process.Identity, 50*time.Millisecond)
	if err != nil || outcome != Killed {
		t.Fatalf("want it killed after the grace, got %q, %v", outcome, err)
	}
}

func TestSpawnTellsOfAnEarlyExit(t *testing.T) {
	process := spawn(t, "sh", "-c", "echo out; echo err >&2; exit 3")
	<-process.Exited
	if process.Alive() {
		t.Error("a process that has ended is alive")
	}
	if log, err := os.ReadFile(process.log); err != nil || string(log) != "out\nerr\n" {
		t.Errorf("want both outputs in the log, got %q, %v", log, err)
	}
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatal("the condition did not come true in 10 s")
		case <-ticker.C:
		}
	}
}
