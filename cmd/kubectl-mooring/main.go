// Command kubectl-mooring is a kubectl plugin that plans and imports Kafka topics. It also works by itself.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"mooring.dev/mooring/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.New().Run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}
