package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/filelock"
	"mooring.dev/mooring/hack/localkube/internal/node"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

// cleanUpGrace is short, because the data of what is stopped is removed anyway.
const cleanUpGrace = time.Second

// UpOptions say what is brought up.
type UpOptions struct {
	// Layout is what was asked for: its ports are 0 where any free one does.
	Layout component.Layout
	// Components are those to run; the ones that are no service are ignored.
	Components []component.Component
	// Binaries returns the folder of their binaries, and that of the node's. It is
	// called only when something has to be started, because it may take minutes.
	Binaries func() (dir, nodeDir string, err error)
	// Timeout is how long the start may take, once the binaries are there.
	Timeout time.Duration
	// Report is told each step.
	Report report.Func
}

// Up brings a control plane up and returns when it is ready. It returns
// started=false when the one in the folder already runs, which it leaves alone.
func Up(ctx context.Context, o UpOptions) (state *State, started bool, err error) {
	if err := component.CheckRunnable(o.Components, o.Layout); err != nil {
		return nil, false, err
	}
	if err := o.Layout.Validate(); err != nil {
		return nil, false, err
	}
	lock, err := lockDir(ctx, o.Layout.Dir, o.Report)
	if err != nil {
		return nil, false, err
	}
	defer lock.Release()
	old, err := loadState(o.Layout.Dir)
	if err != nil {
		return nil, false, err
	}
	if old != nil && old.Phase == Running && old.alive() == len(old.Components) {
		o.Report("the control plane in %s is already running: %s", old.Layout.Dir, strings.Join(old.names(), ", "))
		return old, false, checkCovers(old, o.Components)
	}
	binaryDir, nodeDir, err := o.Binaries()
	if err != nil {
		return nil, false, err
	}
	kept, err := makeRoom(ctx, old, o.Report)
	if err != nil {
		return nil, false, err
	}
	layout := o.Layout
	if err := checkNode(ctx, layout, o.Report); err != nil {
		return nil, false, err
	}
	if layout.Ports, err = choosePorts(layout.Ports, kept, portHost(layout)); err != nil {
		return nil, false, err
	}
	state = newState(layout, o.Components, binaryDir, nodeDir)
	return state, true, bringUp(ctx, state, o)
}

func lockDir(ctx context.Context, dir string, progress report.Func) (*filelock.Lock, error) {
	return filelock.Acquire(ctx, filepath.Join(dir, "lock"), func() {
		progress("another localkube is at work in %s; waiting for it", dir)
	})
}

// checkCovers refuses a running control plane that lacks what is asked for now:
// to add to it silently would surprise whoever started it.
func checkCovers(running *State, components []component.Component) error {
	for _, c := range components {
		if c.Service != nil && !slices.Contains(running.names(), c.Name) {
			return fmt.Errorf("the control plane in %s runs without %s; run down first, or use another --dir", running.Layout.Dir, c.Name)
		}
	}
	return nil
}

// makeRoom clears away what an earlier run left, and returns the ports of one
// whose data was kept.
func makeRoom(ctx context.Context, old *State, progress report.Func) (component.Ports, error) {
	switch {
	case old == nil:
		return component.Ports{}, nil
	case old.Phase == Stopped && old.alive() == 0:
		progress("using the data that was kept in %s", old.Layout.Dir)
		return old.Layout.Ports, nil
	}
	progress("the control plane in %s is half dead (%d of %d run, it was %s); cleaning up first", old.Layout.Dir, old.alive(), len(old.Components), old.Phase)
	if err := stopWhole(ctx, old, cleanUpGrace, progress); err != nil {
		return component.Ports{}, err
	}
	return component.Ports{}, removeData(old.Layout)
}

func newState(l component.Layout, components []component.Component, binaryDir, nodeDir string) *State {
	state := &State{
		Version:           stateVersion,
		Phase:             Starting,
		KubernetesVersion: component.KubernetesVersion,
		BinaryDir:         binaryDir,
		NodeBinaryDir:     nodeDir,
		Kubeconfig:        l.Kubeconfig(component.UserAdmin),
		APIServerURL:      l.APIServerURL(),
		Layout:            l,
	}
	for _, c := range components {
		if c.Service == nil {
			continue
		}
		binary := filepath.Join(binaryDir, c.Name)
		if c.Module == component.NodeModule {
			binary = filepath.Join(nodeDir, c.Name)
		}
		entry := ComponentState{Name: c.Name, Binary: binary, URL: c.Service.URL(l), Log: l.Log(c.Name)}
		entry.Command = c.Command(binary, l)
		state.Components = append(state.Components, entry)
	}
	return state
}

// bringUp starts everything, or leaves nothing running.
func bringUp(ctx context.Context, state *State, o UpOptions) error {
	startCtx, cancel := context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("gave up after %s (--timeout)", o.Timeout))
	defer cancel()
	began := time.Now()
	err := startAll(startCtx, state, o.Report)
	if err == nil {
		state.Phase = Running
		if err = state.save(); err == nil {
			o.Report("ready after %.1f s at %s", time.Since(began).Seconds(), state.APIServerURL)
			return nil
		}
	}
	o.Report("the start failed; stopping what was started")
	// Neither the deadline nor a ctrl-C that ended the start may end the clean-up.
	if stopErr := stopWhole(context.WithoutCancel(ctx), state, DefaultGrace, o.Report); stopErr != nil {
		return fmt.Errorf("%w\nand then: %w", err, stopErr)
	}
	state.Phase = Failed
	if saveErr := state.save(); saveErr != nil {
		return fmt.Errorf("%w\nand then: %w", err, saveErr)
	}
	return err
}

func startAll(ctx context.Context, state *State, progress report.Func) error {
	l := state.Layout
	for _, dir := range []string{l.Dir, l.Path("logs")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cannot make the folder %s: %w; choose a --dir that you may write to", dir, err)
		}
	}
	// Before anything else is written, so that down finds it.
	if err := state.save(); err != nil {
		return err
	}
	if l.Node != nil {
		if err := node.SetUp(ctx, l, progress); err != nil {
			return err
		}
	}
	if err := writeCredentials(l, time.Now()); err != nil {
		return err
	}
	for i := range state.Components {
		if err := startOne(ctx, state, &state.Components[i], progress); err != nil {
			return err
		}
		if err := afterStart(ctx, state, state.Components[i].Name, progress); err != nil {
			return err
		}
	}
	if err := waitUsable(ctx, l, slices.Contains(state.names(), component.ControllerManager)); err != nil {
		return err
	}
	return waitNode(ctx, l, progress)
}
