// Command shim measures the shim's Kafka listener beside the same clients without it, and beside a relay that only copies
// bytes, which is the least that anything in between costs. All are measured in one run and in turns, so that the ratios hold on
// a noisy machine. Brokers, relay and shims are processes of their own: CPU and memory are theirs alone.
//
//	ROUNDS=5 MILLIS=1500 KAFKA=embedded|apache make bench-shim
//
// KAFKA=embedded (the default) is kfake, which forgets what it is sent.
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
	var err error
	if len(os.Args) > 2 {
		err = role(os.Args[1], os.Args[2:])
	} else {
		err = run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-shim:", err)
		os.Exit(1)
	}
}

func setting(name string, otherwise int) (int, error) {
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

func run(ctx context.Context) error {
	rounds, err := setting("ROUNDS", 5)
	if err != nil {
		return err
	}
	millis, err := setting("MILLIS", 1500)
	if err != nil {
		return err
	}
	b := &bench{rounds: rounds, took: time.Duration(millis) * time.Millisecond}
	defer b.close()
	if err := b.open(ctx); err != nil {
		return err
	}
	if err := b.measure(ctx); err != nil {
		return err
	}
	b.print()
	return nil
}
