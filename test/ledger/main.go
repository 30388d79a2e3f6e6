// Command ledger asks whether an acknowledged record is there, exactly once and in order, whatever happens: clients at their
// defaults write numbered records through the shim while brokers are killed, frozen and cut off and leaders move; each client
// keeps a ledger of what it was told, and afterwards every partition is read. The same again without the shim.
//
//	RECORDS=1000000 FAULTS=30 make ledger
//	CLIENTS=http make ledger
//
// It ends with status 1 if the run with the shim has anything lost, duplicated or reordered. docs/ledger.md says more.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"mooring.dev/mooring/hack/localkafka/local"
	"mooring.dev/mooring/test/shim/rig"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		exit(work(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "serve-embedded" {
		exit(local.ServeEmbedded(context.Background(), os.Args[len(os.Args)-1]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(full(ctx))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func full(ctx context.Context) error {
	p := plan{clients: defaultClients, partitions: 12, seed: 1}
	records, faults := 1_000_000, 40
	if os.Getenv("CLIENTS") == "http" {
		records, faults = 100_000, 20 // a request for each few records: they take longer
	}
	var err error
	for _, s := range []struct {
		name      string
		into      *int
		otherwise int
	}{{"RECORDS", &p.records, records}, {"FAULTS", &p.faults, faults}} {
		if *s.into, err = setting(s.name, s.otherwise); err != nil {
			return err
		}
	}
	if text := os.Getenv("SEED"); text != "" {
		if p.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return fmt.Errorf("SEED is %q: it must be a number", text)
		}
	}
	switch clients := os.Getenv("CLIENTS"); clients {
	case "", "kafka":
	case "http":
		return fullHTTP(ctx, p)
	default:
		return fmt.Errorf("CLIENTS is %q: it must be kafka or http", clients)
	}
	r, err := open(ctx)
	if err != nil {
		return err
	}
	defer r.close()
	results := make([]result, 0, 2)
	for _, through := range []bool{true, false} {
		if only := os.Getenv("ONLY"); (only == "shim" && !through) || (only == "direct" && through) {
			continue
		}
		one, err := r.run(ctx, p, through)
		if err != nil {
			return err
		}
		rig.Say("%s", one.summary())
		results = append(results, one)
	}
	print(results)
	for _, one := range results {
		if one.through && one.total().wrong() {
			return errors.New("the shim did not keep its promise: see the table")
		}
	}
	return nil
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

// stage is a cluster of three brokers and the shim's program.
type stage struct {
	dir     string
	program string
	cluster *local.Cluster
}

func open(ctx context.Context) (_ *stage, err error) {
	r := &stage{}
	if r.dir, err = os.MkdirTemp("", "mooring-ledger-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.program, err = rig.BuildShim(ctx, r.dir); err != nil {
		return nil, err
	}
	config := local.Config{Dir: filepath.Join(r.dir, "kafka"), Progress: func(line string) { rig.Say("%s", line) }}
	switch kafka := os.Getenv("KAFKA"); kafka {
	case "", "apache":
		config.Brokers, config.FastJVM = added, true // the last is stopped until it is added
		config.Properties = map[string]string{"min.insync.replicas": "2", "default.replication.factor": "3"}
	case "embedded":
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		config.EmbeddedCommand = []string{self, "serve-embedded"}
	default:
		return nil, fmt.Errorf("KAFKA is %q: it must be apache or embedded", kafka)
	}
	r.cluster, err = local.Up(ctx, config)
	return r, err
}

func (r *stage) close() {
	if r.cluster != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.cluster.Down(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "ledger: the brokers did not go:", err)
		}
	}
	if os.Getenv("KEEP") == "" {
		os.RemoveAll(r.dir)
	} else {
		rig.Say("ledgers and logs are kept in %s", r.dir)
	}
}

// added is the node that joins in the middle of a run.
const added = 4

// brokers are the addresses of the plaintext listeners, by node, of those that are there when a run begins.
func (r *stage) brokers() map[int32]string {
	at := make(map[int32]string)
	for _, n := range r.cluster.State().Nodes {
		if n.ID != added {
			at[n.ID] = n.At(local.ListenerPlaintext)
		}
	}
	return at
}

// without takes the node away that joins later.
func (r *stage) without(ctx context.Context) error {
	if r.cluster.State().Settings.Embedded {
		return nil
	}
	nodes, err := r.cluster.Status()
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.ID == added && n.Phase == local.NodeRunning {
			return r.cluster.Stop(ctx, added)
		}
	}
	return nil
}
