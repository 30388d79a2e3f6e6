package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/filelock"
	"mooring.dev/mooring/hack/localkube/internal/proc"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

// DefaultGrace is how long a component has to end after SIGTERM before it is
// killed. One that is well needs a second or two; an API server without its etcd
// would wait for a minute.
const DefaultGrace = 10 * time.Second

// DownOptions say what is brought down.
type DownOptions struct {
	// Dir is the control plane's folder, absolute.
	Dir string
	// KeepData leaves the data, the keys, the ports and the logs for the next Up.
	KeepData bool
	// Grace is how long a component has to end after SIGTERM; 0 kills at once.
	Grace time.Duration
	// Report is told each step.
	Report report.Func
}

// Down stops all components in the reverse order of their start, and returns
// when all are gone. Where nothing runs it only removes what is left.
func Down(ctx context.Context, o DownOptions) error {
	state, lock, err := lockState(ctx, o.Dir, o.Report)
	if err != nil {
		return err
	}
	if state == nil {
		o.Report("nothing runs in %s", o.Dir)
		return nil
	}
	if err := stopWhole(ctx, state, o.Grace, o.Report); err != nil {
		lock.Release()
		return err
	}
	if o.KeepData {
		defer lock.Release()
		o.Report("kept the data in %s; run down without --keep-data to remove it", o.Dir)
		// Data of a start that failed is in no state to go on with.
		if state.Phase == Running || state.Phase == Stopped {
			state.Phase = Stopped
		}
		return state.save()
	}
	err = removeData(state.Layout)
	lock.Remove()
	// The folder goes too, unless somebody keeps something else in it.
	_ = os.Remove(o.Dir)
	if err == nil {
		o.Report("removed the data in %s", o.Dir)
	}
	return err
}

// lockState returns no state and no lock when nothing was ever started in dir, and
// otherwise the state and the lock that the caller must release. It makes
// nothing in a folder that is not ours.
func lockState(ctx context.Context, dir string, progress report.Func) (*State, *filelock.Lock, error) {
	if _, err := os.Stat(statePath(dir)); errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	lock, err := lockDir(ctx, dir, progress)
	if err != nil {
		return nil, nil, err
	}
	state, err := loadState(dir)
	switch {
	case err != nil:
		lock.Release()
		return nil, nil, err
	case state == nil:
		// A down that we waited for removed it.
		lock.Remove()
		_ = os.Remove(dir)
		return nil, nil, nil
	}
	return state, lock, nil
}

// stopAll stops every component, the last one started first: a controller that
// loses its API server only fills its log. It tries all, whatever fails.
func stopAll(ctx context.Context, state *State, grace time.Duration, progress report.Func) error {
	var failures []error
	for _, entry := range slices.Backward(state.Components) {
		began := time.Now()
		outcome, err := proc.Stop(ctx, entry.Identity, grace)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if outcome == proc.WasGone {
			continue
		}
		progress("%s %s after %.1f s (pid %d)", entry.Name, outcome, time.Since(began).Seconds(), entry.PID)
	}
	return errors.Join(failures...)
}

// removeData removes what localkube writes, by name: the folder may hold other
// things that somebody put there.
func removeData(l component.Layout) error {
	for _, name := range []string{"etcd", "node", "pki", "logs", "kubeconfig", "kubeconfig.tmp", "state.json", "state.json.tmp"} {
		if err := os.RemoveAll(l.Path(name)); err != nil {
			return fmt.Errorf("cannot remove the data: %w; remove %s by hand", err, l.Dir)
		}
	}
	return nil
}
