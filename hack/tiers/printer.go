package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// quiet is how long nothing may be printed before a line says what is under way.
const quiet = 10 * time.Second

// printer turns events into lines for people.
type printer struct {
	counts counts

	mu      sync.Mutex
	last    time.Time
	started time.Time
	running map[string]bool // packages
	output  map[string][]string
	done    chan struct{}
}

func newPrinter() *printer {
	now := time.Now()
	p := &printer{last: now, started: now, running: make(map[string]bool), output: make(map[string][]string), done: make(chan struct{})}
	go p.heartbeat()
	return p
}

func (p *printer) stop() { close(p.done) }

func (p *printer) heartbeat() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return
		case now := <-tick.C:
			p.mu.Lock()
			if now.Sub(p.last) >= quiet {
				p.say("  ... %s, %d passed so far, running: %s", now.Sub(p.started).Round(time.Second), p.counts.passed, p.under())
			}
			p.mu.Unlock()
		}
	}
}

func (p *printer) under() string {
	if len(p.running) == 0 {
		return "the compiler"
	}
	var names []string
	for name := range p.running {
		names = append(names, short(name))
	}
	return strings.Join(names[:min(3, len(names))], ", ")
}

func (p *printer) say(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	p.last = time.Now()
}

func short(name string) string { return strings.TrimPrefix(name, "mooring.dev/mooring/") }

func (p *printer) line(raw []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := decode(raw)
	if !ok {
		p.say("%s", raw)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "start":
		p.running[e.Package] = true
	case "output", "build-output":
		p.keep(e, key)
	case "pass", "fail", "skip":
		p.end(e, key)
	}
}

// progress marks the lines that suites print for people who wait.
const progress = "==> "

// specs is ginkgo's closing line.
var specs = regexp.MustCompile(`(\d+) Passed.* (\d+) Failed.* (\d+) Pending.* (\d+) Skipped`)

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func (p *printer) keep(e event, key string) {
	text := strings.TrimRight(escapes.ReplaceAllString(e.Output, ""), "\n")
	if strings.HasPrefix(text, progress) || strings.HasPrefix(text, "conformance ") {
		p.say("  %s", strings.TrimPrefix(text, progress))
	}
	if strings.Contains(text, "[FLAKED]") {
		p.say("  tried twice: %s", strings.TrimSpace(text))
	}
	if m := specs.FindStringSubmatch(text); m != nil {
		p.countSpecs(m[1:])
	}
	if e.Action == "build-output" {
		p.say("%s", text)
		return
	}
	p.output[key] = append(p.output[key], text)
}

func (p *printer) countSpecs(numbers []string) {
	var n [4]int
	for i := range numbers {
		n[i], _ = strconv.Atoi(numbers[i])
	}
	p.counts.add(counts{passed: n[0], failed: n[1], skipped: n[2] + n[3]})
}

func (p *printer) end(e event, key string) {
	if e.Test == "" {
		p.endPackage(e, key)
		return
	}
	switch e.Action {
	case "pass":
		p.counts.passed++
	case "fail":
		p.counts.failed++
		p.say("  FAIL %s %s", short(e.Package), e.Test)
		for _, text := range p.output[key] {
			p.say("       %s", text)
		}
	case "skip":
		p.counts.skipped++
		p.say("  skip %s %s: %s", short(e.Package), e.Test, strings.Join(p.output[key], " "))
	}
	delete(p.output, key)
}

func (p *printer) endPackage(e event, key string) {
	delete(p.running, e.Package)
	switch e.Action {
	case "pass":
		p.say("  ok   %-50s %6.1f s", short(e.Package), e.Elapsed)
	case "fail":
		p.say("  FAIL %-50s %6.1f s", short(e.Package), e.Elapsed)
		for _, text := range p.output[key] {
			p.say("       %s", text)
		}
	}
	delete(p.output, key)
}
