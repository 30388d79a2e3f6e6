// Command http measures the HTTP listener of the shim, its own program, beside bare handlers of net/http that do nothing but call the same producer,
// in one run and in turns, so that the ratios hold on a noisy machine. The brokers are kfake's and forget what they are sent.
// Servers and brokers are processes of their own: memory and CPU are theirs alone.
//
//	ROUNDS=5 SECONDS=3 make bench-http
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"mooring.dev/mooring/test/shim/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 2 {
		err = role(ctx, os.Args[1], os.Args[2:])
	} else {
		err = run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-http:", err)
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
	seconds, err := setting("SECONDS", 3)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mooring-bench-http-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := rig.BuildShim(ctx, dir)
	if err != nil {
		return err
	}
	brokers, err := spawn(ctx, "brokers", "-")
	if err != nil {
		return err
	}
	defer brokers.stop()
	fmt.Printf("%d rounds of %d s each; medians\n", rounds, seconds)
	fmt.Printf("%-28s %-9s %11s %11s %7s %9s %9s %9s %9s\n", "work", "server", "requests/s", "records/s", "ratio", "p50", "p99", "RSS", "CPU/rec")
	for _, w := range works() {
		if only := os.Getenv("ONLY"); only != "" && only != w.name {
			continue
		}
		if err := measure(ctx, w, program, brokers.address, rounds, time.Duration(seconds)*time.Second); err != nil {
			return err
		}
	}
	return direct(ctx, brokers.address, time.Duration(seconds)*time.Second)
}
