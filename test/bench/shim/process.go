package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// hertz is the kernel's unit of CPU time in /proc: USER_HZ, which is 100 on every Linux.
const hertz = 100

// cpu that a process has used.
func cpu(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	user, errU := strconv.Atoi(fields[11])
	system, errS := strconv.Atoi(fields[12])
	if errU != nil || errS != nil {
		return 0, fmt.Errorf("/proc/%d/stat has no CPU time", pid)
	}
	return time.Duration(user+system) * time.Second / hertz, nil
}

// rss is how much memory a process has, in bytes.
func rss(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.Fields(text)[0], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmRSS", pid)
}
