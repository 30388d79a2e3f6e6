package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process names a process so that it can't be mistaken for another: a pid alone is given to someone else once its
// process is gone. The kernel's start time, and the boot it counts from, settle which one is meant.
type Process struct {
	PID int `json:"pid"`
	// StartTime is when the process started, in clock ticks since the boot (field 22 of /proc/PID/stat).
	StartTime uint64 `json:"startTime"`
	// BootID is the kernel's id of that boot.
	BootID string `json:"bootID"`
}

// identify records a process that is known to be the right one: the caller has just started it.
func identify(pid int) (Process, error) {
	stat, err := readStat(pid)
	if err != nil {
		return Process{}, fmt.Errorf("the process %d that was just started can't be found in /proc (localkafka needs Linux): %w", pid, err)
	}
	boot, err := bootID()
	if err != nil {
		return Process{}, fmt.Errorf("the boot id can't be read (localkafka needs Linux's /proc): %w", err)
	}
	return Process{PID: pid, StartTime: stat.startTime, BootID: boot}, nil
}

// processState is what became of a process.
type processState string

const (
	processGone    processState = "Gone"
	processRunning processState = "Running"
	processPaused  processState = "Paused"
)

// stateOf looks the process up.
func stateOf(p *Process) processState {
	if p == nil {
		return processGone
	}
	boot, err := bootID()
	if err != nil || boot != p.BootID {
		return processGone
	}
	stat, err := readStat(p.PID)
	switch {
	case err != nil, stat.startTime != p.StartTime, stat.Ended():
		return processGone
	case stat.state == 'T', stat.state == 't':
		return processPaused
	default:
		return processRunning
	}
}

// signal sends a signal to this process and to no other, and does nothing when it is gone. The handle is taken before
// the start time is compared: it stays bound to the process it found, so that a pid which is given away between the
// comparison and the signal is not hit.
func signal(p *Process, sig syscall.Signal) error {
	if p == nil {
		return nil
	}
	handle, err := os.FindProcess(p.PID)
	if err != nil {
		return nil
	}
	defer handle.Release()
	if stateOf(p) == processGone {
		return nil
	}
	if err := handle.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("the signal %q could not be sent to process %d; run this as the user who started it: %w", sig, p.PID, err)
	}
	return nil
}

// waitGone returns when the process is gone.
func waitGone(ctx context.Context, p *Process) error {
	return poll(ctx, 20*time.Millisecond, func() (bool, error) { return stateOf(p) == processGone, nil })
}

type procStat struct {
	state     byte
	threads   int
	startTime uint64
}

// Ended says that nothing of the process is left but its entry, because its parent has not collected it (a zombie).
// Its first thread becomes a zombie before the others have ended. Until they have, the ports and locked files are still
// taken, and whoever starts the node again finds them so.
func (s procStat) Ended() bool {
	return s.state == 'X' || s.state == 'Z' && s.threads <= 1
}

func readStat(pid int) (procStat, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, err
	}
	return parseStat(string(raw))
}

// parseStat reads the third field, the 20th and the 22nd. The second is the program's name in parentheses and may itself hold
// spaces and parentheses, so that the fields are counted from the last closing one.
func parseStat(raw string) (procStat, error) {
	end := strings.LastIndexByte(raw, ')')
	if end < 0 {
		return procStat{}, fmt.Errorf("a /proc stat line without a program name: %q", raw)
	}
	fields := strings.Fields(raw[end+1:])
	if len(fields) < 20 {
		return procStat{}, fmt.Errorf("a /proc stat line with %d fields after the name where 20 are needed: %q", len(fields), raw)
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return procStat{}, fmt.Errorf("a /proc stat line whose start time is no number: %w", err)
	}
	threads, err := strconv.Atoi(fields[17])
	if err != nil {
		return procStat{}, fmt.Errorf("a /proc stat line whose count of threads is no number: %w", err)
	}
	return procStat{state: fields[0][0], threads: threads, startTime: start}, nil
}

func bootID() (string, error) {
	raw, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(raw)), err
}
