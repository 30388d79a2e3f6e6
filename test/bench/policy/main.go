// Command policy measures how long a change of a ProducerProfile takes to be in the contracts of all its N running pods. The
// floor of the same run is a bare program that sends the same patches, as many at a time.
//
//	N=1000 ROUNDS=5 make bench-policy
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"mooring.dev/mooring/test/bench/stage"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench-policy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	b := &bench{}
	if b.n, err = stage.Setting("N", 1000); err != nil {
		return err
	}
	if b.rounds, err = stage.Setting("ROUNDS", 5); err != nil {
		return err
	}
	stage.Say("starting etcd, kube-apiserver and a broker")
	if b.Stage, err = stage.New(ctx, "bench-policy"); err != nil {
		return err
	}
	defer func() {
		if closeErr := b.Close(); err == nil {
			err = closeErr
		}
	}()
	for _, phase := range []func(context.Context) error{b.start, b.makePods, b.change, b.floor} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	b.print()
	return b.judge()
}
