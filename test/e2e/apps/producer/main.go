// Command producer is what tests put into pods: an app with a plain Kafka client, at its defaults or worse, that knows nothing
// of Mooring. It writes numbered records to where KAFKA_BOOTSTRAP_SERVERS points, and ends with a count of what it was told.
//
//	producer [flags]      write, until --count records are written or SIGTERM
//	producer read FILE    print a file
//	producer env NAME     print an environment variable
//
// A record is the run's id and a number, from 1. The last line, which is the container's termination message too, is:
// id=ID sent=N acknowledged=N failed=N, and the first failure. With acks=0 the client calls a record acknowledged once it is in the socket.
// A run that may not come to its last line says on the way, again and again: id=ID acknowledged all up to N.
// SIGUSR1 makes it take memory until it is killed for that.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "producer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "env":
		fmt.Println(os.Getenv(args[1]))
		return nil
	case len(args) == 2 && args[0] == "read":
		content, err := os.ReadFile(args[1])
		if err == nil {
			_, err = os.Stdout.Write(content)
		}
		return err
	}
	a, err := parse(args)
	if err != nil {
		return err
	}
	go hog()
	if a.transactional != "" {
		return a.transact(ctx)
	}
	return a.produce(ctx)
}

// hog waits for SIGUSR1, and then takes memory without end.
func hog() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	<-asked
	var all [][]byte
	for {
		block := make([]byte, 4<<20)
		for i := 0; i < len(block); i += 1024 {
			block[i] = 1 // memory that was never written is none
		}
		all = append(all, block)
		fmt.Fprintln(os.Stderr, "took", len(all)*4, "MB")
	}
}

// app is one run.
type app struct {
	topic, acks, transactional string
	count, rate                int64
	id                         string

	sent                 int64
	acknowledged, failed atomic.Int64
	low                  watermark
	why                  atomic.Pointer[string] // the first failure
}

func parse(args []string) (*app, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	a := &app{id: host + "-" + strconv.FormatInt(time.Now().UnixNano(), 36), transactional: os.Getenv("KAFKA_TRANSACTIONAL_ID")}
	flags := flag.NewFlagSet("producer", flag.ContinueOnError)
	flags.StringVar(&a.topic, "topic", "", "topic to write")
	flags.StringVar(&a.acks, "acks", "0", "acks that the app asks for: 0, 1 or all; none of them with idempotence")
	flags.Int64Var(&a.count, "count", 0, "records to write; 0: until SIGTERM")
	flags.Int64Var(&a.rate, "rate", 0, "records a second; 0: as fast as it goes")
	return a, flags.Parse(args)
}

func (a *app) client(more ...kgo.Opt) (*kgo.Client, error) {
	seeds := os.Getenv("KAFKA_BOOTSTRAP_SERVERS")
	if seeds == "" {
		return nil, errors.New("KAFKA_BOOTSTRAP_SERVERS is not set")
	}
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(strings.Split(seeds, ",")...), kgo.ClientID("e2e-producer"), kgo.DefaultProduceTopic(a.topic),
	}, more...)...)
}

func (a *app) produce(ctx context.Context) error {
	acks, ok := map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}[a.acks]
	if !ok {
		return fmt.Errorf("--acks %q is none of 0, 1, all", a.acks)
	}
	client, err := a.client(kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
	if err != nil {
		return err
	}
	defer client.Close()
	for a.next(ctx) {
		// Not under ctx: what was handed over is for Flush to settle.
		number := a.sent
		client.Produce(context.WithoutCancel(ctx), a.record(), func(_ *kgo.Record, err error) { a.settle(number, number, err) })
	}
	flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := client.Flush(flushing); err != nil {
		fmt.Fprintln(os.Stderr, "flush:", err)
	}
	return a.end()
}

// transact writes ten records a transaction.
func (a *app) transact(ctx context.Context) error {
	client, err := a.client(kgo.TransactionalID(a.transactional))
	if err != nil {
		return err
	}
	defer client.Close()
	unhurried := context.WithoutCancel(ctx)
	for more := true; more; {
		if err := client.BeginTransaction(); err != nil {
			return err
		}
		records := make([]*kgo.Record, 0, 10)
		for len(records) < 10 && more {
			if more = a.next(ctx); more {
				records = append(records, a.record())
			}
		}
		err := client.ProduceSync(unhurried, records...).FirstErr()
		a.settle(a.sent-int64(len(records))+1, a.sent, errors.Join(err, client.EndTransaction(unhurried, kgo.TransactionEndTry(err == nil))))
	}
	return a.end()
}

// next waits for the time of the next record; false is the end.
func (a *app) next(ctx context.Context) bool {
	if a.count > 0 && a.sent == a.count || ctx.Err() != nil {
		return false
	}
	if a.rate > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Second / time.Duration(a.rate)):
		}
	}
	a.sent++
	return true
}

func (a *app) record() *kgo.Record {
	return kgo.StringRecord(a.id + " " + strconv.FormatInt(a.sent, 10))
}

// settle the records of these numbers.
func (a *app) settle(first, last int64, err error) {
	if err != nil {
		a.failed.Add(last - first + 1)
		a.why.CompareAndSwap(nil, new(err.Error()))
		fmt.Fprintln(os.Stderr, "failed:", err)
		return
	}
	a.acknowledged.Add(last - first + 1)
	for number := first; number <= last; number++ {
		if up := a.low.reached(number); up%100 == 0 && up > 0 {
			fmt.Printf("id=%s acknowledged all up to %d\n", a.id, up)
		}
	}
}

// watermark is the number up to which everything is acknowledged; partitions acknowledge each in its own time.
type watermark struct {
	mu    sync.Mutex
	up    int64
	ahead map[int64]bool
}

// reached returns the watermark if this number moved it, and otherwise 0.
func (w *watermark) reached(number int64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if number != w.up+1 {
		if w.ahead == nil {
			w.ahead = make(map[int64]bool)
		}
		w.ahead[number] = true
		return 0
	}
	for w.up = number; w.ahead[w.up+1]; w.up++ {
		delete(w.ahead, w.up+1)
	}
	return w.up
}

func (a *app) end() error {
	line := fmt.Sprintf("id=%s sent=%d acknowledged=%d failed=%d", a.id, a.sent, a.acknowledged.Load(), a.failed.Load())
	if why := a.why.Load(); why != nil {
		line += " first failure: " + *why
	}
	fmt.Println(line)
	// Kubernetes makes the file, for root or not; elsewhere there is none.
	_ = os.WriteFile("/dev/termination-log", []byte(line), 0o600)
	return nil
}
