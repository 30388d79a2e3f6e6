package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/hack/localkafka/local"
	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/test/shim/rig"
)

const (
	topic      = "bench"
	partitions = 6
)

// way is one way to the brokers.
type way struct {
	name string
	pid  int // of what is in between; 0 is nothing
	idle int64
	// opts are where to.
	opts []kgo.Opt
	// of each work, one sample a round.
	samples map[string][]sample
}

// sample of one round.
type sample struct {
	rate, megabytes float64 // a second
	p50, p99        time.Duration
	cpu             float64 // seconds a GB
	rss             int64
}

type bench struct {
	rounds  int
	took    time.Duration
	dir     string
	apache  bool
	cluster *local.Cluster
	brokers []string
	ways    []*way
	ends    []func()
}

func (b *bench) close() {
	for _, end := range slices.Backward(b.ends) {
		end()
	}
}

func (b *bench) open(ctx context.Context) error {
	var err error
	if b.dir, err = os.MkdirTemp("", "mooring-bench-shim-"); err != nil {
		return err
	}
	b.ends = append(b.ends, func() { os.RemoveAll(b.dir) })
	switch kafka := os.Getenv("KAFKA"); kafka {
	case "", "embedded":
		err = b.fake(ctx)
	case "apache":
		b.apache, err = true, b.real(ctx)
	default:
		err = fmt.Errorf("KAFKA is %q: it must be embedded or apache", kafka)
	}
	if err != nil {
		return err
	}
	b.ways = append(b.ways, &way{name: "direct", opts: []kgo.Opt{kgo.SeedBrokers(b.brokers...)}})
	for _, r := range []struct{ role, name string }{{"relay", "relay, splice"}, {"copier", "relay, copying"}} {
		if err := b.throughRelay(ctx, r.role, r.name); err != nil {
			return err
		}
	}
	program, err := rig.BuildShim(ctx, b.dir)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		name string
		g    contract.Guarantee
		mode contract.Mode
	}{
		{"shim, Audit", contract.Idempotent, contract.Audit},
		{"shim, Upgrade of acks", contract.AtLeastOnce, contract.Upgrade},
		{"shim, Upgrade to idempotence", contract.Idempotent, contract.Upgrade},
	} {
		if err := b.throughShim(ctx, program, s.name, rig.Contract(b.brokers, s.g, s.mode)); err != nil {
			return err
		}
	}
	for _, w := range b.ways {
		w.samples = make(map[string][]sample)
	}
	return nil
}

func (b *bench) fake(ctx context.Context) error {
	brokers, err := rig.Spawn(ctx, "brokers", "-")
	if err != nil {
		return err
	}
	b.ends = append(b.ends, brokers.Stop)
	b.brokers = brokers.Addresses
	return nil
}

func (b *bench) real(ctx context.Context) (err error) {
	b.cluster, err = local.Up(ctx, local.Config{Dir: filepath.Join(b.dir, "kafka"), Progress: func(line string) { rig.Say("%s", line) },
		Settings: local.Settings{Properties: map[string]string{"min.insync.replicas": "2"}}})
	if err != nil {
		return err
	}
	b.ends = append(b.ends, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := b.cluster.Down(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "bench-shim: the brokers did not go:", err)
		}
	})
	b.brokers = b.cluster.State().Bootstrap.Plaintext
	admin, err := kadm.NewOptClient(kgo.SeedBrokers(b.brokers...))
	if err != nil {
		return err
	}
	defer admin.Close()
	// What was written is forgotten soon: the disk is not what is measured.
	small, soon := "67108864", "1000"
	_, err = admin.CreateTopic(ctx, partitions, 3, map[string]*string{"retention.bytes": &small, "segment.bytes": &small, "file.delete.delay.ms": &soon}, topic)
	return err
}

// Where the ways stand in bench.ways.
const (
	direct = iota
	splicing
	copier
	auditing
	acks
	idempotent
)

// throughRelay has the client dial the relay where it would dial a broker: the relay itself knows nothing of Kafka.
func (b *bench) throughRelay(ctx context.Context, role, name string) error {
	c, err := rig.Spawn(ctx, role, strings.Join(b.brokers, ","))
	if err != nil {
		return err
	}
	b.ends = append(b.ends, c.Stop)
	instead := make(map[string]string)
	for i, address := range b.brokers {
		instead[address] = c.Addresses[i]
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		other, ok := instead[address]
		if !ok {
			return nil, fmt.Errorf("%s is no broker", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, other)
	}
	w := &way{name: name, pid: c.Command.Process.Pid, opts: []kgo.Opt{kgo.SeedBrokers(b.brokers...), kgo.Dialer(dial)}}
	w.idle, err = rss(w.pid)
	b.ways = append(b.ways, w)
	return err
}

func (b *bench) throughShim(ctx context.Context, program, name string, c contract.Contract) error {
	dir, err := os.MkdirTemp(b.dir, "shim-")
	if err != nil {
		return err
	}
	s, err := rig.StartShim(ctx, program, dir, c)
	if err != nil {
		return err
	}
	b.ends = append(b.ends, s.Kill)
	w := &way{name: name, pid: s.PID(), opts: []kgo.Opt{kgo.SeedBrokers(s.Kafka)}}
	w.idle, err = rss(w.pid)
	b.ways = append(b.ways, w)
	return err
}
