package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/test/shim/rig"
)

var (
	//go:embed clients/ledger.py
	pythonSource []byte
	//go:embed clients/Ledger.java
	javaSource []byte
)

const librdkafka = "confluent-kafka==2.16.1"

// plan is what a run is asked to be.
type plan struct {
	clients    []string
	records    int // at least so many acknowledged
	faults     int // at least so many
	partitions int
	seed       uint64
}

// Two processes of each client that has no idempotence by itself, and one of Java's, which has.
var defaultClients = []string{"kafka-go", "kafka-go", "sarama", "sarama", "librdkafka", "librdkafka", "java"}

// process is a worker that runs.
type process struct {
	client, me, ledger string
	command            *exec.Cmd
	input              io.WriteCloser
	acked, failed      atomic.Int64
	ended              chan error
	said               strings.Builder
}

// run is one run: with the shim between the clients and the brokers, or without.
func (r *stage) run(ctx context.Context, p plan, through bool) (result, error) {
	name := map[bool]string{true: "shim", false: "direct"}[through]
	dir := filepath.Join(r.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return result{}, err
	}
	one := result{through: through}
	topic := "ledger-" + name
	if err := r.without(ctx); err != nil {
		return one, err
	}
	admin, err := r.admin()
	if err != nil {
		return one, err
	}
	defer admin.Close()
	if _, err := admin.CreateTopic(ctx, int32(p.partitions), 3, nil, topic); err != nil {
		return one, err
	}
	relay, err := rig.NewRelay(r.brokers())
	if err != nil {
		return one, err
	}
	defer relay.Close()
	bootstrap := relay.Bootstrap()
	var shim *rig.Shim
	if through {
		c := rig.Contract(relay.Bootstrap(), contract.Idempotent, contract.Upgrade)
		if shim, err = rig.StartShim(ctx, r.program, dir, c); err != nil {
			return one, err
		}
		defer shim.Kill()
		relay.Owner.Store(int64(shim.PID()))
		bootstrap = []string{shim.Kafka}
	}
	rig.Say("%s: at least %d records and %d faults", name, p.records, p.faults)
	begin := time.Now()
	workers, skipped, err := r.hire(ctx, p, dir, topic, bootstrap)
	one.skipped = skipped
	defer func() {
		for _, w := range workers {
			w.command.Process.Kill() //nolint:errcheck // it has ended
		}
	}()
	if err != nil {
		return one, err
	}
	f := &faults{stage: r, relay: relay, admin: admin, topic: topic, plan: p}
	err = r.drive(ctx, f, workers, p)
	one.faults, one.counts, one.joined = f.done, f.counts, relay.Accepted(added)
	if err != nil {
		return one, err
	}
	if err := r.settle(ctx, workers, shim, relay, &one); err != nil {
		return one, err
	}
	one.took = time.Since(begin)
	return one, r.verify(ctx, workers, topic, &one)
}

func (r *stage) admin() (*kadm.Client, error) {
	return kadm.NewOptClient(kgo.SeedBrokers(slices.Collect(maps.Values(r.brokers()))...), kgo.MetadataMinAge(100*time.Millisecond))
}

// hire starts the workers; those of a client that cannot be had here are named, and left out.
func (r *stage) hire(ctx context.Context, p plan, dir, topic string, bootstrap []string) (workers []*process, skipped []string, err error) {
	// Each does its part of the records in the time that the faults take, at six seconds each.
	rate := max(200, float64(p.records)/float64(len(p.clients))/float64(6*p.faults))
	for i, client := range p.clients {
		me := fmt.Sprintf("%s-%d", client, i)
		w := &process{client: client, me: me, ledger: filepath.Join(dir, me+".ledger"), ended: make(chan error, 1)}
		args := []string{strings.Join(bootstrap, ","), topic, fmt.Sprint(p.partitions), me, fmt.Sprint(rate), w.ledger}
		w.command, err = r.command(ctx, client, args)
		if errors.Is(err, rig.ErrMissing) {
			skipped = append(skipped, fmt.Sprintf("%s: %v", me, err))
			rig.Say("skipped: %s: %v", me, err)
			continue
		}
		if err == nil {
			err = w.start()
		}
		if err != nil {
			return workers, skipped, fmt.Errorf("%s: %w", me, err)
		}
		workers = append(workers, w)
	}
	return workers, skipped, nil
}

func (r *stage) command(ctx context.Context, client string, args []string) (*exec.Cmd, error) {
	switch client {
	case "librdkafka":
		python, err := rig.Python(ctx, librdkafka)
		if err != nil {
			return nil, err
		}
		script := filepath.Join(r.dir, "ledger.py")
		return exec.Command(python, append([]string{script}, args...)...), os.WriteFile(script, pythonSource, 0o644)
	case "java":
		source := filepath.Join(r.dir, "Ledger.java")
		if err := os.WriteFile(source, javaSource, 0o644); err != nil {
			return nil, err
		}
		return rig.Java(ctx, source, args...)
	}
	self, err := os.Executable()
	return exec.Command(self, append([]string{"worker", client}, args...)...), err
}

func (w *process) start() error {
	var err error
	if w.input, err = w.command.StdinPipe(); err != nil {
		return err
	}
	out, err := w.command.StdoutPipe()
	if err != nil {
		return err
	}
	w.command.Stderr = &w.said
	if err := w.command.Start(); err != nil {
		return err
	}
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var acked, failed int64
			if n, _ := fmt.Sscan(lines.Text(), &acked, &failed); n == 2 {
				w.acked.Store(acked)
				w.failed.Store(failed)
			}
		}
		w.ended <- w.command.Wait()
	}()
	return nil
}

func acknowledged(workers []*process) (n int64) {
	for _, w := range workers {
		n += w.acked.Load()
	}
	return n
}

// drive lets the workers write and things break until there is enough of both.
func (r *stage) drive(ctx context.Context, f *faults, workers []*process, p plan) error {
	warm, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := rig.Until(warm, 100*time.Millisecond, func() bool {
		for _, w := range workers {
			if w.acked.Load() == 0 {
				return false
			}
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("not all clients have begun to write after a minute: %s", stand(workers))
	}
	for f.done < p.faults || acknowledged(workers) < int64(p.records) {
		if f.done < p.faults {
			if err := f.next(ctx); err != nil {
				return err
			}
		}
		rig.Say("%d faults, %s", f.done, stand(workers))
		for _, w := range workers {
			if len(w.ended) > 0 {
				return fmt.Errorf("%s ended before its time: %w: %s", w.me, <-w.ended, w.said.String())
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(f.gap()):
		}
	}
	return nil
}

func stand(workers []*process) string {
	var parts []string
	for _, w := range workers {
		text := fmt.Sprintf("%s %d", w.me, w.acked.Load())
		if n := w.failed.Load(); n > 0 {
			text += fmt.Sprintf(" (%d failed)", n)
		}
		parts = append(parts, text)
	}
	return fmt.Sprintf("%d records acknowledged: %s", acknowledged(workers), strings.Join(parts, ", "))
}

// settle ends the workers, and then the shim, once it has nothing more to do.
func (r *stage) settle(ctx context.Context, workers []*process, shim *rig.Shim, relay *rig.Relay, one *result) error {
	for _, w := range workers {
		w.input.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, 6*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	errs := make([]error, len(workers))
	for i, w := range workers {
		all.Go(func() {
			select {
			case err := <-w.ended:
				if err != nil {
					errs[i] = fmt.Errorf("%s: %w: %s", w.me, err, w.said.String())
				}
			case <-ctx.Done():
				errs[i] = fmt.Errorf("%s does not end: %s", w.me, w.said.String())
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if shim == nil {
		return nil
	}
	err := rig.Until(ctx, 100*time.Millisecond, func() bool {
		a, errA := shim.Metric(ctx, "mooring_shim_in_flight")
		b, errB := shim.Metric(ctx, "mooring_shim_unsettled_batches")
		return errA == nil && errB == nil && a == 0 && b == 0
	})
	if err != nil {
		return fmt.Errorf("the shim has batches in flight for ever: %w", err)
	}
	if one.audit, err = shim.Audit(ctx); err != nil {
		return err
	}
	one.message, err = shim.Stop(ctx)
	c := relay.Counts()
	one.accepted, one.foreign, one.unknown = c.Accepted.Load(), c.Foreign.Load(), c.Unknown.Load()
	one.strong, one.weak = c.AcksOf(-1), c.AcksOf(0)+c.AcksOf(1)
	one.idempotent, one.plain, one.cuts = c.Idempotent.Load(), c.Plain.Load(), c.Cuts.Load()
	return err
}
