package cluster

import (
	"context"
	"fmt"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/proc"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

// startOne starts one component with the command in its state, saves the state,
// and waits until it is ready.
func startOne(ctx context.Context, state *State, entry *ComponentState, progress report.Func) error {
	c, err := component.Get(entry.Name)
	if err != nil || c.Service == nil {
		return fmt.Errorf("the state file names the component %q, which this localkube does not run; use the one that started it", entry.Name)
	}
	logged := fileSize(entry.Log)
	process, err := proc.SpawnIn(placeOf(c, state, entry), entry.Command, state.Layout.Dir, entry.Log)
	if err != nil {
		return err
	}
	entry.Identity, entry.Halted = process.Identity, false
	// Saved before the wait, so that whoever comes after a killed localkube knows
	// what to stop.
	if err := state.save(); err != nil {
		return err
	}
	began := time.Now()
	if err := waitReady(ctx, c, state.Layout, process.Exited); err != nil {
		return withLog(fmt.Errorf("%s did not get ready: %w", c.Name, err), entry.Log, logged)
	}
	progress("%s is ready after %.1f s (pid %d, %s)", entry.Name, time.Since(began).Seconds(), entry.PID, entry.URL)
	return nil
}

// SingleOptions say which component is started or stopped.
type SingleOptions struct {
	// Dir is the control plane's folder, absolute.
	Dir string
	// Name is the component's.
	Name string
	// Timeout is how long a start may take, or how long a stopping process has
	// after SIGTERM; 0 kills it at once.
	Timeout time.Duration
	// Report is told each step.
	Report report.Func
}

// StartComponent starts a stopped component of a control plane again, with the
// same ports, flags and data, and waits until it is ready.
func StartComponent(ctx context.Context, o SingleOptions) error {
	return withComponent(ctx, o, func(state *State, entry *ComponentState) error {
		if err := proc.WaitEnded(ctx, entry.Identity); err != nil {
			return err
		}
		if entry.Alive() {
			o.Report("%s is already running (pid %d)", entry.Name, entry.PID)
			return nil
		}
		startCtx, cancel := context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("gave up after %s (--timeout)", o.Timeout))
		defer cancel()
		return startOne(startCtx, state, entry, o.Report)
	})
}

// StopComponent stops one component of a control plane and keeps its data.
func StopComponent(ctx context.Context, o SingleOptions) error {
	return withComponent(ctx, o, func(state *State, entry *ComponentState) error {
		outcome, err := proc.Stop(ctx, entry.Identity, o.Timeout)
		if err != nil {
			return err
		}
		o.Report("%s %s", entry.Name, outcome)
		entry.Halted = true
		return state.save()
	})
}

func withComponent(ctx context.Context, o SingleOptions, do func(*State, *ComponentState) error) error {
	state, lock, err := lockState(ctx, o.Dir, o.Report)
	if err != nil {
		return err
	}
	if state == nil {
		return fmt.Errorf("nothing was started in %s; run up first, or give the right --dir", o.Dir)
	}
	defer lock.Release()
	if state.Phase != Running {
		return fmt.Errorf("the control plane in %s is %s, not running; run up first", o.Dir, state.Phase)
	}
	entry, err := state.find(o.Name)
	if err != nil {
		return err
	}
	return do(state, entry)
}
