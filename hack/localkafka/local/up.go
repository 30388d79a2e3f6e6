package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"
)

// Up brings a cluster up and returns when it is ready for use. In a folder whose cluster runs already and has the same
// settings it says so and returns that one; what is left of one that runs only in part is taken down first.
// When a node does not start, the error is a [StartError]; all that was started is then stopped, and the logs are left.
// When ctx is canceled meanwhile, nothing is left.
func Up(ctx context.Context, cfg Config) (*Cluster, error) {
	cfg, err := fromConfig(cfg)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: cfg.Dir, timeout: cfg.Timeout, report: newReporter(cfg.Progress)}
	unlock, err := lockCluster(ctx, cfg.Dir, c.report)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if running, err := c.reuse(ctx, cfg); running || err != nil {
		return c, err
	}
	if err := c.bringUp(ctx, cfg); err != nil {
		return nil, err
	}
	return c, nil
}

// reuse finds out what is in the folder: a cluster to keep, a wreck to clear away, nothing, or something that is not ours.
func (c *Cluster) reuse(ctx context.Context, cfg Config) (running bool, err error) {
	s, err := loadState(cfg.Dir)
	if errors.Is(err, ErrNoCluster) {
		return false, refuseForeign(cfg.Dir)
	}
	if err != nil {
		return false, err
	}
	if s.Phase == PhaseRunning && allRunning(s.Nodes) {
		// A busy machine can make a good cluster slow to answer: one whose processes all live gets its time.
		ready, cancel := context.WithTimeout(ctx, min(time.Minute, cfg.Timeout))
		defer cancel()
		why := waitReady(ready, s.Nodes)
		if ctx.Err() != nil {
			return false, fmt.Errorf("interrupted while looking at the cluster in %s, which was left as it is: %w", cfg.Dir, ctx.Err())
		}
		if why == nil {
			if !reflect.DeepEqual(s.Settings, cfg.Settings) {
				return false, fmt.Errorf("another cluster already runs in %s, with other settings; take it down first (localkafka down), or name another folder with --dir", cfg.Dir)
			}
			c.remember(s)
			c.report.Sayf("the cluster in %s already runs", cfg.Dir)
			return true, nil
		}
	}
	c.report.Sayf("clearing away what is left of an earlier cluster in %s", cfg.Dir)
	return false, takeDown(ctx, s)
}

func allRunning(nodes []Node) bool {
	for _, n := range nodes {
		if phaseOf(n) != NodeRunning {
			return false
		}
	}
	return true
}

// refuseForeign keeps localkafka from writing into, and later removing from, a folder that is somebody's.
func refuseForeign(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the cluster folder %s can't be read; name another with --dir: %w", dir, err)
	}
	return fmt.Errorf("the folder %s is not empty and holds no cluster (there is %q); name another with --dir", dir, entries[0].Name())
}

func (c *Cluster) bringUp(ctx context.Context, cfg Config) (err error) {
	var j jvm
	if !cfg.Embedded {
		if j, err = toolchain(ctx, cfg.Dir, c.report); err != nil {
			return err
		}
	}
	s, err := newState(cfg)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("the cluster folder %s can't be made; name another with --dir: %w", cfg.Dir, err)
	}
	if err := saveState(s); err != nil {
		return err
	}
	err = c.startAll(ctx, cfg, j, &s)
	if errors.Is(ctx.Err(), context.Canceled) {
		return errors.Join(err, takeDown(context.WithoutCancel(ctx), s)) // nobody wants the logs of what they interrupted
	}
	if err != nil {
		return errors.Join(err, abandon(ctx, s))
	}
	s.Phase = PhaseRunning
	c.remember(s)
	return saveState(s)
}

// abandon stops what was started of a cluster that did not come up, even if ctx has ended, and leaves the logs.
func abandon(ctx context.Context, s State) error {
	s.Phase = PhaseFailed
	return errors.Join(killAll(context.WithoutCancel(ctx), s.Nodes), saveState(s))
}

func toolchain(ctx context.Context, dir string, r *reporter) (jvm, error) {
	java, err := findJava(ctx, r)
	if err != nil {
		return jvm{}, err
	}
	jars, err := fetch(ctx, r)
	if err != nil {
		return jvm{}, err
	}
	return jvm{java: java, jars: jars, log4: filepath.Join(dir, "log4j2.xml")}, nil
}

// startAll writes the files of the nodes, formats them, starts them and waits for them. It keeps s and state.json up to
// date with each process, so that whoever comes after a crash of this program knows what to stop.
func (c *Cluster) startAll(ctx context.Context, cfg Config, j jvm, s *State) error {
	start := func(n Node) (*Process, error) { return launchBroker(j, *s, n) }
	if cfg.Embedded {
		start = c.embeddedStarter(cfg)
	} else {
		if err := writeFiles(*s, j, time.Now()); err != nil {
			return err
		}
		step := "formatting " + count(len(s.Nodes), "node")
		if err := c.report.During(step, func() error { return formatAll(ctx, j, *s) }); err != nil {
			return err
		}
	}
	for i := range s.Nodes {
		process, err := start(s.Nodes[i])
		if err != nil {
			return err
		}
		s.Nodes[i].Process = process
		if err := saveState(*s); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.report.During("waiting for "+count(len(s.Nodes), "node")+" to be ready", func() error {
		return waitReady(ctx, s.Nodes)
	})
}

func writeFiles(s State, j jvm, now time.Time) error {
	if err := writeAtomic(j.log4, log4jConfig, 0o600); err != nil {
		return err
	}
	for _, n := range s.Nodes {
		if err := os.MkdirAll(n.DataDir, 0o700); err != nil {
			return fmt.Errorf("the folder of node %d can't be made; look at the rights of %s: %w", n.ID, s.Dir, err)
		}
		if err := writeAtomic(n.Properties, propertiesOf(s, n).Render(), 0o600); err != nil {
			return err
		}
	}
	return writeCertificates(s, now)
}
