package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/test/shim/rig"
)

// httpResult is a run of writers over HTTP.
type httpResult struct {
	result
	// restarts of the shim, by SIGTERM, under load; lastWords are what it said at the end of each.
	restarts  int
	lastWords []string
}

// httpEvery is how long the shim runs before it is asked to end, and started again.
const httpEvery = 9 * time.Second

// server is a shim with an HTTP listener that ends and starts again, at the same address.
type server struct {
	stage    *stage
	contract contract.Contract
	relay    *rig.Relay
	dir      string
	shim     *rig.Shim
	restarts int
	words    []string
	stops    []time.Time // when it was told to end
}

func (s *server) start(ctx context.Context) error {
	dir := filepath.Join(s.dir, fmt.Sprintf("shim-%d", s.restarts))
	s.relay.Owner.Store(0) // until it is known who that is
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		s.shim, err = rig.StartShim(ctx, s.stage.program, dir, s.contract)
	}
	if err == nil {
		s.relay.Owner.Store(int64(s.shim.PID()))
	}
	return err
}

// again and again: SIGTERM under load, as a rollout does, until the context ends.
func (s *server) again(ctx context.Context) error {
	for {
		if pause(ctx, httpEvery) != nil {
			return nil
		}
		// What is under way is ended also when the run is over.
		at, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Minute)
		defer cancel()
		begin := time.Now()
		s.stops = append(s.stops, begin)
		words, err := s.shim.Stop(at)
		if err != nil {
			return err
		}
		s.words, s.restarts = append(s.words, words), s.restarts+1
		if err := s.start(at); err != nil {
			return err
		}
		rig.Say("the shim ended with %q and is back, in %.1f s", words, time.Since(begin).Seconds())
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// runHTTP is a run whose clients write over HTTP, while brokers break, the shim is restarted, and clients lose patience.
func (r *stage) runHTTP(ctx context.Context, p plan) (one httpResult, err error) {
	one.through = true
	dir, topic := filepath.Join(r.dir, "http"), "ledger-http"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return one, err
	}
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
	s := &server{stage: r, contract: rig.Contract(relay.Bootstrap(), contract.Idempotent, contract.Upgrade), relay: relay, dir: dir}
	if s.contract.Listeners.HTTP, err = freeAddress(); err != nil {
		return one, err
	}
	if err := s.start(ctx); err != nil {
		return one, err
	}
	defer func() { s.shim.Kill() }()
	begin := time.Now()
	workers, _, err := r.hire(ctx, p, dir, topic, []string{"http://" + s.contract.Listeners.HTTP})
	defer func() {
		for _, w := range workers {
			w.command.Process.Kill() //nolint:errcheck // it has ended
		}
	}()
	if err != nil {
		return one, err
	}
	f := &faults{stage: r, relay: relay, admin: admin, topic: topic, plan: p}
	err = during(ctx, s.again, func(ctx context.Context) error { return r.drive(ctx, f, workers, p) })
	one.faults, one.counts, one.joined, one.restarts = f.done, f.counts, relay.Accepted(added), s.restarts
	if err != nil {
		return one, err
	}
	if err := r.settle(ctx, workers, s.shim, relay, &one.result); err != nil {
		return one, err
	}
	one.took, one.lastWords, one.stops = time.Since(begin), append(s.words, one.message), s.stops
	return one, r.verify(ctx, workers, topic, &one.result)
}

// during runs one thing until another is done; an error of either ends both.
func during(ctx context.Context, beside, main func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() {
		err := beside(ctx)
		if err != nil {
			cancel(err)
		}
		ended <- err
	}()
	err := main(ctx)
	cancel(nil)
	return errors.Join(<-ended, err)
}

// wrong with a run over HTTP, as sentences. Those that repeat with a key must have each record once, and none that failed.
func (r httpResult) wrongs() (all []string) {
	for client, c := range r.clients {
		if c.wrong() || c.acknowledged == 0 || c.bare > 0 {
			all = append(all, fmt.Sprintf("%s: %+v", client, *c))
		}
		if strings.HasSuffix(client, "-key") && (c.failed > 0 || c.read-c.forgotten != c.acknowledged) {
			all = append(all, fmt.Sprintf("%s: each record once is what the key is for, and of %d that were acknowledged %d are there, and %d failed", client, c.acknowledged, c.read, c.failed))
		}
	}
	for _, words := range r.lastWords {
		if !strings.Contains(words, "lost=0; http") || !strings.HasSuffix(words, "lost=0") {
			all = append(all, "the shim's last words are "+words)
		}
	}
	if r.alien > 0 || r.weak > 0 || r.foreign > 0 {
		all = append(all, fmt.Sprintf("%d records that nobody wrote, %d Produce requests with less than acks=-1, %d connections past the shim", r.alien, r.weak, r.foreign))
	}
	return all
}

func (r httpResult) line() string {
	t := r.total()
	return fmt.Sprintf("ledger over HTTP: %d records acknowledged, %d in doubt (%d of them written), %d faults, %d restarts of the shim (%d records repeated over one are twice), %d lost, %d duplicated, %d reordered, %.0f s",
		t.acknowledged, t.failed, t.written, r.faults, r.restarts, t.forgotten, t.lost, t.duplicated, t.reordered, r.took.Seconds())
}

// fullHTTP is make ledger CLIENTS=http.
func fullHTTP(ctx context.Context, p plan) error {
	p.clients = httpClients
	r, err := open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	one, err := r.runHTTP(ctx, p)
	if err != nil {
		return err
	}
	print([]result{one.result})
	fmt.Println(one.line())
	wrongs := one.wrongs()
	for _, w := range wrongs {
		fmt.Println("  " + w)
	}
	if len(wrongs) > 0 {
		return errors.New("the HTTP listener did not keep its promise: see above")
	}
	return nil
}
