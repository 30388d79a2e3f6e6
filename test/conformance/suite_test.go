//go:build conformance

package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mooring.dev/mooring/internal/producer"
)

// seed makes every run judge the same cases.
const seed = 20260101

// cacheDir is where what the suites fetch and build is kept: $MOORING_CACHE, or mooring in the user's cache folder.
func cacheDir(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("MOORING_CACHE")
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatalf("no folder to keep clients in: set MOORING_CACHE: %v", err)
		}
		root = filepath.Join(user, "mooring")
	}
	dir := filepath.Join(append([]string{root, "conformance"}, parts...)...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("set MOORING_CACHE to a folder that may be written: %v", err)
	}
	return dir
}

// say prints a line at once; t.Log would keep it until the test ends.
func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// progress marks the lines for people who wait; hack/tiers shows them at once.
const progress = "==> "

// during announces a step, runs it, and says every few seconds that it still runs.
func during(t *testing.T, step string, cmd *exec.Cmd) {
	t.Helper()
	say(progress+"%s ...", step)
	begin := time.Now()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v; install %s and put it on the PATH", step, err, filepath.Base(cmd.Path))
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	beat := time.NewTicker(5 * time.Second)
	defer beat.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%s failed (%v); what it said:\n%s", step, err, out.String())
			}
			say(progress+"%s: done in %.1f s", step, time.Since(begin).Seconds())
			return
		case <-beat.C:
			say(progress+"%s ... still at it after %.0f s", step, time.Since(begin).Seconds())
		}
	}
}

// testCase is one configuration and what the client does with it.
type testCase struct {
	Settings map[string]string
	Outcome  producer.Outcome `json:"outcome"`
	Message  string           `json:"message"`
}

// askProcess gives a client's runner one configuration a line, and takes one verdict a line.
func askProcess(t *testing.T, cmd *exec.Cmd, settings []map[string]string) []testCase {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer stdin.Close()
		e := json.NewEncoder(stdin)
		for _, s := range settings {
			if e.Encode(s) != nil {
				return // the process has ended; its output says why
			}
		}
	}()
	watchdog := time.AfterFunc(silence, func() { cmd.Process.Kill() })
	defer watchdog.Stop()
	cases := readVerdicts(t, stdout, settings, func() { watchdog.Reset(silence) })
	if err := cmd.Wait(); err != nil || len(cases) != len(settings) {
		t.Fatalf("the runner ended after %d of %d verdicts (%v); what it said:\n%s", len(cases), len(settings), err, stderr.String())
	}
	return cases
}

// silence is how long a runner may say nothing before it is taken for hung, and ended.
const silence = 2 * time.Minute

func readVerdicts(t *testing.T, from io.Reader, settings []map[string]string, alive func()) []testCase {
	t.Helper()
	var cases []testCase
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	last := time.Now()
	for len(cases) < len(settings) && lines.Scan() {
		alive()
		c := testCase{Settings: settings[len(cases)]}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("the runner printed what is no verdict: %q: %v", lines.Text(), err)
		}
		cases = append(cases, c)
		if time.Since(last) > 5*time.Second {
			say("  %d of %d judged", len(cases), len(settings))
			last = time.Now()
		}
	}
	return cases
}

// compare judges each case, prints where we disagree with the client, and the one line that sums up.
func compare(t *testing.T, name string, client producer.Client, cases []testCase, begin time.Time) {
	t.Helper()
	disagreements := 0
	outcomes := make(map[producer.Outcome]int)
	for _, c := range cases {
		outcomes[c.Outcome]++
		verdict := producer.Judge(client, c.Settings)
		if verdict.Outcome == c.Outcome {
			continue
		}
		if disagreements++; disagreements <= 40 {
			t.Errorf("%s: the client says %s (%s), Mooring says %s %v\n\tof %s", name, c.Outcome, c.Message, verdict.Outcome, verdict.Findings, show(c.Settings))
		}
	}
	say("conformance %s: %d cases, %d disagreements, %.1f s (%d accepted, %d refused, %d idempotence off)", name, len(cases), disagreements,
		time.Since(begin).Seconds(), outcomes[producer.Accepted], outcomes[producer.Refused], outcomes[producer.IdempotenceOff])
	if outcomes[producer.Accepted]*10 < len(cases) || outcomes[producer.Refused]*10 < len(cases) {
		t.Errorf("%s: the cases are all of a kind (%v): the comparison says too little", name, outcomes)
	}
}

func show(settings map[string]string) string {
	var parts []string
	for name, value := range settings {
		parts = append(parts, fmt.Sprintf("%s=%q", name, value))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// lookPath finds a tool; where it is missing the suite fails, with what to do about it.
func lookPath(t *testing.T, tool, install string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Fatalf("%s is not on the PATH; install it (Debian: apt-get install %s)", tool, install)
	}
	return path
}
