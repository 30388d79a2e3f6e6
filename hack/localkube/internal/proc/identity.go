// Package proc starts processes that outlive their starter, recognises them
// later, and stops them without ever touching anyone else's.
package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// procRoot is where the kernel shows processes; tests give a folder of their own.
const procRoot = "/proc"

// Identity names one process for as long as the machine runs. A pid alone does
// not: after its process ends, the kernel gives it to another one.
type Identity struct {
	// PID is 0 for a process that was never started.
	PID int `json:"pid"`
	// StartTime is when it started, in the kernel's clock ticks since boot
	// (field 22 of /proc/PID/stat).
	StartTime uint64 `json:"startTime"`
	// Command is the binary and its arguments. It is compared too, because after
	// a reboot another process may have both the pid and the start time.
	Command []string `json:"command"`
}

// life is how far a process has come.
type life int

const (
	// gone: it holds nothing any more.
	gone life = iota
	// ending: it will not do anything more, but may still hold ports and files.
	ending
	// running: it does its work.
	running
)

// Alive says whether this very process still runs or still holds a port or a
// file. A zombie holds nothing, and who reaps it is not ours to say.
func (id Identity) Alive() bool { return id.lifeIn(procRoot) != gone }

// lifeIn looks twice at a process that was killed. Its files are closed by the
// last of its threads, which may end later than the first one, the one that /proc
// shows under the pid: that is a zombie then, and has lost its command line. The
// next process to listen on the same port would find it in use.
func (id Identity) lifeIn(root string) life {
	if id.PID <= 0 {
		return gone
	}
	stat, err := readStat(root, id.PID)
	if err != nil || stat.startTime != id.StartTime || stat.zombie && stat.threads <= 1 {
		return gone
	}
	command, err := readCommand(root, id.PID)
	switch {
	case err != nil:
		return gone
	case stat.zombie || len(command) == 0:
		return ending
	case slices.Equal(command, id.Command):
		return running
	}
	return gone
}

// identify reads the identity of a process that runs now.
func identify(pid int, command []string) (Identity, error) {
	stat, err := readStat(procRoot, pid)
	if err != nil {
		return Identity{}, err
	}
	return Identity{PID: pid, StartTime: stat.startTime, Command: command}, nil
}

// stat is what matters of /proc/PID/stat.
type stat struct {
	zombie    bool
	threads   uint64
	startTime uint64
}

func readStat(root string, pid int) (stat, error) {
	path := filepath.Join(root, strconv.Itoa(pid), "stat")
	content, err := os.ReadFile(path)
	if err != nil {
		return stat{}, err
	}
	// Field 2 is the program's name in brackets and may itself hold brackets and
	// spaces, so the fields are counted from the last closing bracket on.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	const state, threads, startTime = 0, 17, 19 // fields 3, 20 and 22; what is left begins with the third
	if len(fields) <= startTime {
		return stat{}, fmt.Errorf("%s is not in the form that Linux gives it: %q", path, content)
	}
	read := stat{zombie: fields[state] == "Z" || fields[state] == "X"}
	for field, into := range map[int]*uint64{threads: &read.threads, startTime: &read.startTime} {
		if *into, err = strconv.ParseUint(fields[field], 10, 64); err != nil {
			return stat{}, fmt.Errorf("%s has %q where a number belongs", path, fields[field])
		}
	}
	return read, nil
}

// readCommand returns nothing for a process that is ending.
func readCommand(root string, pid int) ([]string, error) {
	content, err := os.ReadFile(filepath.Join(root, strconv.Itoa(pid), "cmdline"))
	if err != nil || len(content) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(content), "\x00"), "\x00"), nil
}
