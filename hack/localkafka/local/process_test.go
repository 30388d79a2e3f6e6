package local

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	// A program may be called anything, also "a) R 1".
	stat, err := parseStat("42 (a) R 1) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2")
	if want := (procStat{state: 'S', threads: 1, startTime: 987654}); err != nil || stat != want {
		t.Errorf("parsed %+v, %v; want %+v", stat, err, want)
	}
	for _, bad := range []string{"", "42 S 1", "42 (x) S 1", "42 (x) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 never"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q was taken for a stat line", bad)
		}
	}
}

func TestEnded(t *testing.T) {
	for _, tt := range []struct {
		reason string
		stat   procStat
		want   bool
	}{
		{"it runs", procStat{state: 'S', threads: 9}, false},
		{"it is paused", procStat{state: 'T', threads: 9}, false},
		{"its first thread is dead and others still hold its ports", procStat{state: 'Z', threads: 2}, false},
		{"only the entry is left", procStat{state: 'Z', threads: 1}, true},
	} {
		if got := tt.stat.Ended(); got != tt.want {
			t.Errorf("%s: ended is %v, want %v", tt.reason, got, tt.want)
		}
	}
}

// sleeper is a process of our own, which is killed at the end whatever the code under test did.
func sleeper(t *testing.T) (*exec.Cmd, Process) {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p, err := identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, p
}

func TestProcessLife(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cmd, p := sleeper(t)
	becomes := func(sig syscall.Signal, want processState) {
		t.Helper()
		if err := signal(&p, sig); err != nil {
			t.Fatal(err)
		}
		err := poll(ctx, time.Millisecond, func() (bool, error) { return stateOf(&p) == want, nil })
		if err != nil {
			t.Fatalf("after %v the process is %s, want %s", sig, stateOf(&p), want)
		}
	}
	becomes(syscall.SIGSTOP, processPaused)
	becomes(syscall.SIGCONT, processRunning)
	becomes(syscall.SIGKILL, processGone) // a zombie until the line below
	_ = cmd.Wait()
	becomes(syscall.SIGKILL, processGone)
}

func TestRecycledPIDIsNotKilled(t *testing.T) {
	_, p := sleeper(t)
	otherTime, otherBoot := p, p
	otherTime.StartTime--
	otherBoot.BootID = "another boot"
	for reason, stale := range map[string]Process{"start time": otherTime, "boot": otherBoot} {
		if state := stateOf(&stale); state != processGone {
			t.Errorf("a process of another %s is %s, want %s", reason, state, processGone)
		}
		if err := killAll(t.Context(), []Node{{ID: 1, Process: &stale}}); err != nil {
			t.Error(err)
		}
		if state := stateOf(&p); state != processRunning {
			t.Fatalf("the process that has the pid of one of another %s is %s, and should have been left alone", reason, state)
		}
	}
	if stateOf(nil) != processGone {
		t.Error("no process is not gone")
	}
}

func TestLaunchOutlivesAndLogs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	dir := t.TempDir()
	node := Node{ID: 3, Dir: dir, Log: dir + "/log"}
	p, err := launch(node, "sh", "-c", "echo out; echo err >&2; ps -o sid= -p $$")
	if err != nil {
		t.Fatal(err)
	}
	if err := waitGone(ctx, p); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(node.Log)
	if err != nil || !strings.HasPrefix(string(raw), "out\nerr\n") {
		t.Errorf("the log holds %q, %v", raw, err)
	}
	if _, err := launch(node, dir+"/no-such-program"); err == nil || !strings.Contains(err.Error(), "node 3") {
		t.Errorf("a missing program gave %v, want an error that names the node", err)
	}
}

func TestLockIsExclusive(t *testing.T) {
	path := t.TempDir() + "/lock"
	unlock, err := lock(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if _, err := lock(short, path, nil); err == nil {
		t.Fatal("the lock was had twice")
	}
	unlock()
	again, err := lock(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	again()
}
