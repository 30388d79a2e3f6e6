// Package report is how localkube tells a person what it is doing: one line for
// each step, and a sign of life where a step takes long.
package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Func writes one line of progress; it is given like fmt.Printf's arguments.
type Func func(format string, args ...any)

// To returns a Func that writes lines to w, each as one write, so that lines of
// several goroutines do not mix.
func To(w io.Writer) Func {
	var mu sync.Mutex
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.WriteString(w, "localkube: "+fmt.Sprintf(format, args...)+"\n")
	}
}

// Heartbeat calls beat with the time since its own call, again and again, until
// the function it returns is called. Nothing is beating when that returns.
func Heartbeat(every time.Duration, beat func(elapsed time.Duration)) (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	start := time.Now()
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				beat(time.Since(start))
			}
		}
	}()
	return func() {
		close(done)
		<-stopped
	}
}

// Seconds is a duration as people say it: "40 s".
func Seconds(d time.Duration) string { return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds())) }

// LastLines returns the last n lines of text that are not empty.
func LastLines(text string, n int) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-n):]
}
