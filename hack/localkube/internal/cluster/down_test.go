package cluster

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/proc"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

// startSleep makes a state whose one component really runs.
func startSleep(t *testing.T) *State {
	t.Helper()
	state := testState(t)
	if err := os.MkdirAll(state.Layout.Path("logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	process, err := proc.Spawn([]string{"sleep", "60"}, state.Layout.Dir, state.Components[0].Log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = proc.Stop(context.Background(), process.Identity, 0) })
	state.Phase = Running
	state.Components[0].Identity = process.Identity
	if err := state.save(); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestMakeRoom(t *testing.T) {
	tests := map[string]struct {
		reason   string
		change   func(*State)
		kept     bool
		survives bool
	}{
		"half dead":         {"what is left of it would hold ports and data", func(*State) {}, false, false},
		"killed while up":   {"a start that never ended left data in no known state", func(s *State) { s.Phase = Starting }, false, false},
		"another's process": {"a recycled pid is someone else's", func(s *State) { s.Components[0].StartTime++ }, false, true},
		"kept":              {"down --keep-data kept it for this", func(s *State) { s.Phase = Stopped; s.Components[0].StartTime++ }, true, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			state := startSleep(t)
			running := state.Components[0].Identity
			tc.change(state)
			ports, err := makeRoom(t.Context(), state, quiet)
			if err != nil {
				t.Fatal(err)
			}
			_, statErr := os.Stat(statePath(state.Layout.Dir))
			if kept := statErr == nil; kept != tc.kept || (ports == state.Layout.Ports) != tc.kept {
				t.Errorf("%s: want data and ports kept=%v, got data %v, ports %+v", tc.reason, tc.kept, kept, ports)
			}
			if running.Alive() != tc.survives {
				t.Errorf("%s: want the process to survive=%v", tc.reason, tc.survives)
			}
		})
	}
}

func TestDown(t *testing.T) {
	state := startSleep(t)
	dir, running := state.Layout.Dir, state.Components[0].Identity
	other := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(other, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	down := func(keep bool) string {
		t.Helper()
		var said strings.Builder
		if err := Down(t.Context(), DownOptions{Dir: dir, KeepData: keep, Grace: time.Minute, Report: report.To(&said)}); err != nil {
			t.Fatal(err)
		}
		return said.String()
	}
	if said := down(true); !regexp.MustCompile(`etcd stopped after .* \(pid \d+\)`).MatchString(said) || running.Alive() {
		t.Errorf("want it stopped, got %q", said)
	}
	if kept, err := loadState(dir); err != nil || kept.Phase != Stopped {
		t.Errorf("want the kept state stopped, got %+v, %v", kept, err)
	}
	down(false)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != "notes.txt" {
		t.Errorf("want nothing but the user's own file left, got %v, %v", entries, err)
	}
	if said := down(false); !strings.Contains(said, "nothing runs in "+dir) {
		t.Errorf("want the second down to find nothing, got %q", said)
	}
}

func TestStatusTellsDeadFromStopped(t *testing.T) {
	state := testState(t)
	state.Phase = Running
	state.Components[0].Halted = true
	if err := state.save(); err != nil {
		t.Fatal(err)
	}
	statuses, err := Status(t.Context(), state.Layout.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if statuses[0].Condition != Halted || statuses[1].Condition != Dead {
		t.Errorf("want the first stopped and the second dead, got %+v", statuses)
	}
}

func TestSingleRefuses(t *testing.T) {
	state := startSleep(t)
	stop := func(dir, name string) error {
		return StopComponent(t.Context(), SingleOptions{Dir: dir, Name: name, Report: quiet})
	}
	if err := stop(state.Layout.Dir, "kubectl"); err == nil || !strings.Contains(err.Error(), "kubectl is not part of") {
		t.Errorf("want a sentence about a component that is not there, got %v", err)
	}
	if err := stop(t.TempDir(), "etcd"); err == nil || !strings.Contains(err.Error(), "nothing was started in") {
		t.Errorf("want a sentence about an empty folder, got %v", err)
	}
	if err := stop(state.Layout.Dir, "etcd"); err != nil || state.Components[0].Alive() {
		t.Errorf("want etcd's process stopped, got %v", err)
	}
}
