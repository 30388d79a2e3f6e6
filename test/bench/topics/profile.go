package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// phases are the steps of the run, in order.
func (b *bench) phases() []func(context.Context) error {
	if b.profiles == "" {
		return []func(context.Context) error{b.warmUp, b.measureFloor, b.startOperator, b.create, b.change, b.sweep, b.restart, b.remove}
	}
	return []func(context.Context) error{b.warmUp, b.startOperator, b.profiled("create", b.create), b.profiled("change", b.change),
		b.sweep, b.heap("converged"), b.restart, b.heap("restarted"), b.profiled("remove", b.remove)}
}

// profiled keeps profiles of the operator's CPU during a phase, one after the other because nobody knows how long it takes.
// pprof takes them together: go tool pprof bin/mooring folder/create-*.cpu
func (b *bench) profiled(name string, phase func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- phase(ctx) }()
		for i := 0; ; i++ {
			select {
			case err := <-ended:
				return err
			default:
			}
			if err := b.keep(ctx, fmt.Sprintf("%s-%03d.cpu", name, i), "profile?seconds=2"); err != nil {
				return err
			}
		}
	}
}

// heap keeps what is known of the memory: the heap after a collection, the runtime's own figures, and whose stacks there are.
func (b *bench) heap(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		rss, err := b.rss()
		if err != nil {
			return err
		}
		say("  rss=%dMB %s", rss>>20, name)
		for file, what := range map[string]string{".goroutines": "goroutine", ".heap": "heap?gc=1", ".memstats": "heap?debug=1"} {
			if err := b.keep(ctx, name+file, what); err != nil {
				return err
			}
		}
		return nil
	}
}

func (b *bench) keep(ctx context.Context, name, what string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.pprof+"/debug/pprof/"+what, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	file, err := os.Create(filepath.Join(b.profiles, name))
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, resp.Body); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}
