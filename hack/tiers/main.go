// Command tiers runs the tests, tier by tier, each on its real parts, and closes with what ran, on what, and for how long.
// What this machine lacks is installed or built where that is possible; what could then not run is listed, and fails the
// run where CI is set, but for a tier that needs root: nothing is skipped in silence.
//
//	tiers [unit] [envtest] [fleet] [kafka] [conformance] [e2e]     the default is all of them
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tiers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	var reports []report
	for _, t := range chosen {
		fmt.Printf("\n==> tier %s: %s\n", t.name, t.what)
		started := time.Now()
		r := t.run(ctx)
		r.tier, r.took = t, time.Since(started)
		reports = append(reports, r)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted during tier %s", t.name)
		}
	}
	return summarize(reports)
}

func choose(names []string) ([]tier, error) {
	if len(names) == 0 {
		return tiers, nil
	}
	var chosen []tier
	for _, t := range tiers {
		if slices.Contains(names, t.name) {
			chosen = append(chosen, t)
		}
	}
	if len(chosen) != len(names) {
		known := make([]string, len(tiers))
		for i, t := range tiers {
			known[i] = t.name
		}
		return nil, fmt.Errorf("there are the tiers %s, and not all of %s are among them", strings.Join(known, ", "), strings.Join(names, ", "))
	}
	return chosen, nil
}

// report is how one tier went.
type report struct {
	tier    tier
	took    time.Duration
	counts  counts
	missing string // why the tier could not run; empty when it ran
	err     error
}

func summarize(reports []report) error {
	fmt.Printf("\n%-12s %-74s %7s %7s %8s %9s\n", "TIER", "REAL PARTS", "PASSED", "FAILED", "SKIPPED", "TOOK")
	var total counts
	var notRun, failed, needed []string
	for _, r := range reports {
		fmt.Printf("%-12s %-74s %7d %7d %8d %9s\n", r.tier.name, r.tier.parts, r.counts.passed, r.counts.failed, r.counts.skipped, r.took.Round(time.Second))
		total.add(r.counts)
		if r.missing != "" {
			notRun = append(notRun, fmt.Sprintf("tier %s did not run: %s", r.tier.name, r.missing))
			if !r.tier.optional {
				needed = append(needed, notRun[len(notRun)-1])
			}
		}
		if r.err != nil {
			failed = append(failed, fmt.Sprintf("tier %s failed: %v", r.tier.name, r.err))
		}
	}
	for _, line := range append(notRun, failed...) {
		fmt.Println(line)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", total.passed, total.failed, total.skipped+len(notRun))
	switch {
	case len(failed) > 0:
		return fmt.Errorf("%s", strings.Join(failed, "; "))
	case len(needed) > 0 && os.Getenv("CI") != "":
		return fmt.Errorf("CI is set, and %s", strings.Join(needed, "; "))
	}
	return nil
}
