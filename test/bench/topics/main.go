// Command topics measures the operator on N topics: create, change one key, sweep, restart, delete. Each phase that has one
// is set beside its floor, measured in the same run by a bare program that sends the same requests in the largest chunks and
// writes the same objects and statuses, so that the ratio holds on a noisy machine.
//
//	N=1000 KAFKA=apache|embedded make bench-topics
//
// PROFILE=folder keeps profiles of the operator there, of its CPU in each phase and of its heap after the sweep; such a run has
// no floor, and its times are those of a profiled process.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench-topics:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	n := 1000
	if text := os.Getenv("N"); text != "" {
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			return fmt.Errorf("N is %q: it must be a number of topics", text)
		}
	}
	b, err := newBench(n)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := b.close(); err == nil {
			err = closeErr
		}
	}()
	if err := b.start(ctx); err != nil {
		return err
	}
	for _, phase := range b.phases() {
		started := time.Now()
		if err := phase(ctx); err != nil {
			return err
		}
		say("  took %s", time.Since(started).Round(10*time.Millisecond))
	}
	b.print()
	return nil
}

func say(format string, args ...any) {
	fmt.Printf("%s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}
