package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	// pollEvery is how often a stopping process is looked at. The kernel tells
	// only a parent, and the process that stops is seldom the one that started.
	pollEvery = 20 * time.Millisecond
	// killBound is how long a killed process may take to be gone. The kernel
	// needs microseconds, unless the process hangs in a system call.
	killBound = 10 * time.Second
)

// Outcome says how a process came to its end.
type Outcome string

const (
	// WasGone: it did not run any more.
	WasGone Outcome = "was not running"
	// Terminated: it ended after SIGTERM.
	Terminated Outcome = "stopped"
	// Killed: it had to be sent SIGKILL, or was meant to be.
	Killed Outcome = "killed"
)

// Stop sends SIGTERM, then SIGKILL after grace, and returns when the process is
// gone. A grace of 0 kills at once. A process that is not the one id names is
// left alone. When ctx ends, the rest of grace is given up and the kill comes at
// once: nobody who interrupts a stop wants the process to stay.
func Stop(ctx context.Context, id Identity, grace time.Duration) (Outcome, error) {
	if !id.Alive() {
		return WasGone, nil
	}
	// FindProcess holds on to the process itself (a pidfd), so that what is
	// verified next is what is signalled, even if the pid changes hands between.
	process, err := os.FindProcess(id.PID)
	if err != nil {
		return "", fmt.Errorf("cannot look up pid %d (%s): %w", id.PID, id.Command[0], err)
	}
	defer process.Release()
	if !id.Alive() {
		return WasGone, nil
	}
	if grace > 0 {
		if err := signal(process, id, syscall.SIGTERM); err != nil {
			return "", err
		}
		graceCtx, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if waitGone(graceCtx, id) {
			return Terminated, nil
		}
	}
	if err := signal(process, id, syscall.SIGKILL); err != nil {
		return "", err
	}
	killCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killBound)
	defer cancel()
	if !waitGone(killCtx, id) {
		return "", fmt.Errorf("pid %d (%s) is still there %s after SIGKILL; it hangs in the kernel: look at /proc/%d/stack", id.PID, id.Command[0], killBound, id.PID)
	}
	return Killed, nil
}

// WaitEnded returns when a process that was killed, by whomever, has given its
// ports and files back. A process that runs it does not wait for.
func WaitEnded(ctx context.Context, id Identity) error {
	ctx, cancel := context.WithTimeout(ctx, killBound)
	defer cancel()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for id.lifeIn(procRoot) == ending {
		select {
		case <-ctx.Done():
			return fmt.Errorf("pid %d (%s) was killed but does not end: %w; look at /proc/%d/stack", id.PID, id.Command[0], ctx.Err(), id.PID)
		case <-ticker.C:
		}
	}
	return nil
}

func signal(process *os.Process, id Identity, sig syscall.Signal) error {
	err := process.Signal(sig)
	if err == nil || errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return fmt.Errorf("cannot send %s to pid %d (%s): %w; run as the user who started it", sig, id.PID, id.Command[0], err)
}

func waitGone(ctx context.Context, id Identity) bool {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for id.Alive() {
		select {
		case <-ctx.Done():
			return !id.Alive()
		case <-ticker.C:
		}
	}
	return true
}
