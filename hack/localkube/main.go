// Command localkube gives a machine that has only Go a real Kubernetes control
// plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler and
// kubectl, built from their Go modules and run as plain processes.
//
// README.md beside this file says what there is and where it lies.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// errSilent is an error whose explanation has already been given.
var errSilent = errors.New("failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRootCommand().ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errSilent) {
			fmt.Fprintf(os.Stderr, "localkube: %v\n", err)
		}
		os.Exit(1)
	}
}
