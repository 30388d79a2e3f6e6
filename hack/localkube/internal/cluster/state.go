// Package cluster brings a control plane up and down as processes on this
// machine, and remembers in a folder what it started.
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/proc"
)

// Phase is how far a control plane is.
type Phase string

const (
	// Starting: `up` is at work, or was killed at it.
	Starting Phase = "starting"
	// Running: it was ready, and nothing but `stop-component` was asked since.
	Running Phase = "running"
	// Stopped: nothing runs, and the data is kept for the next `up`.
	Stopped Phase = "stopped"
	// Failed: it could not be started. Nothing runs; the logs are kept.
	Failed Phase = "failed"
)

// stateVersion changes when an older localkube could not read the file.
const stateVersion = 1

// State is what DIR/state.json holds.
type State struct {
	Version           int    `json:"version"`
	Phase             Phase  `json:"phase"`
	KubernetesVersion string `json:"kubernetesVersion"`
	BinaryDir         string `json:"binaryDir"`
	// NodeBinaryDir holds what only a node needs; empty without one.
	NodeBinaryDir string           `json:"nodeBinaryDir,omitempty"`
	Kubeconfig    string           `json:"kubeconfig"`
	APIServerURL  string           `json:"apiServerURL"`
	Layout        component.Layout `json:"layout"`
	// Components are those that run as processes, in the order they are started.
	Components []ComponentState `json:"components"`
}

// ComponentState is one process.
type ComponentState struct {
	Name string `json:"name"`
	proc.Identity
	Binary string `json:"binary"`
	URL    string `json:"url"`
	Log    string `json:"log"`
	// Halted says that `stop-component` stopped it, so that it is not missed.
	Halted bool `json:"halted,omitempty"`
}

func statePath(dir string) string { return filepath.Join(dir, "state.json") }

// loadState returns nil when nothing was ever started in dir.
func loadState(dir string) (*State, error) {
	path := statePath(dir)
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the state file: %w; choose another --dir, or mend its permissions", err)
	}
	state := &State{}
	if err := json.Unmarshal(content, state); err != nil {
		return nil, fmt.Errorf("the state file %s is not what localkube wrote: %w; stop what still runs there by hand, then remove the folder", path, err)
	}
	if state.Version != stateVersion {
		return nil, fmt.Errorf("the state file %s has version %d, and this localkube writes %d; use the localkube that started it to run down", path, state.Version, stateVersion)
	}
	if !sameFolder(dir, state.Layout.Dir) {
		return nil, fmt.Errorf("the state file %s speaks of %s, so it was moved or copied; use --dir %s for what was started there, and another --dir for a new one", path, state.Layout.Dir, state.Layout.Dir)
	}
	return state, nil
}

func sameFolder(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

func (s *State) save() error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot encode the state file: %w", err)
	}
	return writeFile(statePath(s.Layout.Dir), append(content, '\n'))
}

// find returns a pointer into the state.
func (s *State) find(name string) (*ComponentState, error) {
	i := slices.IndexFunc(s.Components, func(c ComponentState) bool { return c.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("%s is not part of the control plane in %s; it has %v", name, s.Layout.Dir, s.names())
	}
	return &s.Components[i], nil
}

func (s *State) names() []string {
	names := make([]string, len(s.Components))
	for i, c := range s.Components {
		names[i] = c.Name
	}
	return names
}

// alive counts the processes that run.
func (s *State) alive() int {
	n := 0
	for _, c := range s.Components {
		if c.Alive() {
			n++
		}
	}
	return n
}

// writeFile writes the whole file or leaves the old one, readable by its owner
// only: everything here holds keys or leads to them.
func writeFile(path string, content []byte) error {
	half := path + ".tmp"
	err := os.WriteFile(half, content, 0o600)
	if err == nil {
		err = os.Rename(half, path)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w; choose a --dir that you may write to, with space left", path, err)
	}
	return nil
}
