package stage

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Load is what a number of calls took.
type Load struct {
	Took  time.Duration
	Calls []time.Duration // sorted
}

// Run calls a function n times, some at a time, and stops at the first error.
func Run(n, parallel int, call func(i int) error) (Load, error) {
	took := make([]time.Duration, n)
	next := make(chan int)
	failed := make(chan error, parallel)
	var group sync.WaitGroup
	begin := time.Now()
	for range parallel {
		group.Go(func() {
			for i := range next {
				started := time.Now()
				if err := call(i); err != nil {
					failed <- err
					for range next { // drain, so that the sender ends
					}
					return
				}
				took[i] = time.Since(started)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	l := Load{Took: time.Since(begin), Calls: took}
	slices.Sort(l.Calls)
	select {
	case err := <-failed:
		return l, err
	default:
		return l, nil
	}
}

// Add makes one load of two that came one after the other.
func (l Load) Add(other Load) Load {
	all := slices.Concat(l.Calls, other.Calls)
	slices.Sort(all)
	return Load{Took: l.Took + other.Took, Calls: all}
}

// Quantile is the time that this part of the calls did not exceed.
func (l Load) Quantile(q float64) time.Duration {
	if len(l.Calls) == 0 {
		return 0
	}
	return l.Calls[min(len(l.Calls)-1, int(q*float64(len(l.Calls))))]
}

// Rate is calls a second.
func (l Load) Rate() float64 { return float64(len(l.Calls)) / l.Took.Seconds() }

// String implements fmt.Stringer.
func (l Load) String() string {
	return fmt.Sprintf("rate=%.0f/s p50=%s p99=%s", l.Rate(), Millis(l.Quantile(0.5)), Millis(l.Quantile(0.99)))
}

// Millis prints a time in milliseconds.
func Millis(d time.Duration) string { return fmt.Sprintf("%.2fms", float64(d.Microseconds())/1000) }

// Setting is a whole number from the environment.
func Setting(name string, otherwise int) (int, error) {
	text := os.Getenv(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is %q: it must be a number from 1 on", name, text)
	}
	return n, nil
}

// Say prints what happens.
func Say(format string, args ...any) {
	fmt.Printf("%s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}
