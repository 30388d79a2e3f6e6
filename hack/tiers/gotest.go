package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// counts of tests, subtests included; a ginkgo suite counts as its specs.
type counts struct{ passed, failed, skipped int }

func (c *counts) add(d counts) {
	c.passed += d.passed
	c.failed += d.failed
	c.skipped += d.skipped
}

// event is one line of go test -json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// run runs go test and shows one line for each package that ends, the output of what fails, every line that a suite
// marks as progress, and every ten seconds of silence what is under way.
func (s suite) run(ctx context.Context, env []string) (counts, error) {
	args := []string{"test"}
	if s.dir != "" {
		args = append(args, "-C", s.dir)
	}
	args = append(append(args, "-json"), s.args...)
	fmt.Printf("$ go %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	// An interrupt lets the suites stop what they started.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 2 * time.Minute
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return counts{}, err
	}
	if err := cmd.Start(); err != nil {
		return counts{}, err
	}
	p := newPrinter()
	scanner := bufio.NewScanner(pipe)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		p.line(scanner.Bytes())
	}
	p.stop()
	if err := cmd.Wait(); err != nil {
		return p.counts, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return p.counts, nil
}

// decode returns the event of a line, or false for a line that is none (a build error, for example).
func decode(line []byte) (event, bool) {
	var e event
	err := json.Unmarshal(line, &e)
	return e, err == nil && e.Action != ""
}
