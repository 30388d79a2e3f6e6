// Command demo shows Mooring's main job: a KafkaTopic becomes a topic, on a real API server and a Kafka cluster, and an
// application's pod gets its producer policy, on a real node. All are started here unless KUBECONFIG and
// KAFKA_BOOTSTRAP_SERVERS name others. The node needs root on Linux; without it, the shim of the pod runs as a process.
//
// Environment: ONCE=1 ends after the tour. KAFKA=apache uses three real Apache Kafka brokers (needs Java 17; installed
// with apt where that is possible), KAFKA=embedded, the default, kfake. NODE=0 does without a node.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	started := time.Now()
	s, err := newStage()
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := s.close(); err == nil {
			err = closeErr
		}
	}()
	for _, act := range []func(context.Context) error{s.startKubernetes, s.startKafka, s.install} {
		if err := act(ctx); err != nil {
			return interruptedOr(ctx, err)
		}
	}
	t := tour{stage: s}
	if err := t.all(ctx); err != nil {
		if ctx.Err() == nil {
			s.operatorWords()
		}
		return interruptedOr(ctx, err)
	}
	say("The tour took %s.", time.Since(started).Round(100*time.Millisecond))
	if os.Getenv("ONCE") == "1" {
		return nil
	}
	say("Everything stays up until Ctrl-C. In another terminal:")
	fmt.Printf("\n  export KUBECONFIG=%s\n  export KAFKA_BOOTSTRAP_SERVERS=%s\n  %s get kafkatopics -w\n\n", s.kubeconfig, s.bootstrap(), s.kubectlPath)
	select {
	case <-ctx.Done():
		fmt.Println()
		return nil
	case err := <-s.operatorEnded:
		return fmt.Errorf("the operator ended: %w; its log is %s", err, s.operatorLog)
	}
}

// interruptedOr keeps a Ctrl-C from looking like a fault.
func interruptedOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted; everything that was started is being stopped")
	}
	return err
}

func say(format string, args ...any) {
	fmt.Printf("\n\033[1m==> "+format+"\033[0m\n", args...)
}
