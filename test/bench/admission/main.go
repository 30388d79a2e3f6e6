// Command admission measures what injection costs at admission, with PROFILES profiles in the cache: pods are created as dry
// runs, with and without the annotation, and the same creates without our webhooks are the floor of the same run. The handler
// alone is measured too, on the cache of the same API server.
//
//	PROFILES=1000 PODS=5000 PARALLEL=8 make bench-admission
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"mooring.dev/mooring/test/bench/stage"
)

func main() {
	runtime.GOMAXPROCS(2)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench-admission:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	b := &bench{}
	for _, s := range []struct {
		into      *int
		name      string
		otherwise int
	}{{&b.profiles, "PROFILES", 1000}, {&b.pods, "PODS", 5000}, {&b.parallel, "PARALLEL", 8}} {
		if *s.into, err = stage.Setting(s.name, s.otherwise); err != nil {
			return err
		}
	}
	stage.Say("starting etcd, kube-apiserver and a broker")
	if b.Stage, err = stage.New(ctx, "bench-admission"); err != nil {
		return err
	}
	defer func() {
		if closeErr := b.Close(); err == nil {
			err = closeErr
		}
	}()
	for _, phase := range []func(context.Context) error{b.makeProfiles, b.floor, b.start, b.unannotated, b.annotated, b.withdraw, b.floor, b.alone} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	b.print()
	return b.judge()
}
