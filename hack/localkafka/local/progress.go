package local

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Heartbeat is how often a long step says that it is still at it.
const heartbeatEvery = 5 * time.Second

// reporter hands lines to a Progress function, one at a time, whoever speaks.
type reporter struct {
	mu  sync.Mutex
	say func(string)
}

func newReporter(say func(string)) *reporter { return &reporter{say: say} }

func (r *reporter) Sayf(format string, args ...any) {
	if r == nil || r.say == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.say(fmt.Sprintf(format, args...))
}

// During announces a step, runs it, and says every few seconds that it still runs, so that nobody takes a slow machine
// for a hanging program.
func (r *reporter) During(step string, run func() error) error {
	r.Sayf("%s ...", step)
	begin := time.Now()
	done := make(chan struct{})
	var beats sync.WaitGroup
	beats.Go(func() {
		ticker := time.NewTicker(heartbeatEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				r.Sayf("%s ... still at it after %s", step, time.Since(begin).Round(time.Second))
			}
		}
	})
	err := run()
	close(done)
	beats.Wait()
	if err == nil {
		r.Sayf("%s: done in %s", step, time.Since(begin).Round(100*time.Millisecond))
	}
	return err
}

// count writes "1 node" and "3 nodes".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprint(n, " ", noun)
}

// poll calls check until it says true or fails, or until ctx ends; it then returns ctx's error.
func poll(ctx context.Context, every time.Duration, check func() (bool, error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if ok, err := check(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
