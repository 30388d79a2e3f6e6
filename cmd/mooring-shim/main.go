// Command mooring-shim runs beside an app and keeps the guarantee of a producer policy for whatever Kafka client the app has.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/audit"
	"mooring.dev/mooring/internal/shim/config"
	"mooring.dev/mooring/internal/shim/gateway"
	"mooring.dev/mooring/internal/shim/health"
	"mooring.dev/mooring/internal/shim/proxy"
)

func main() {
	limitMemory(kafkaGarbage)
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "mooring-shim:", err)
		os.Exit(2)
	case o.version:
		fmt.Println("mooring-shim", version())
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if o.await {
		if err := await(ctx, o.statusListen); err != nil {
			fmt.Fprintln(os.Stderr, "mooring-shim:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "mooring-shim:", err)
		terminate(o.terminationMessage, "failed: "+err.Error())
		os.Exit(1)
	}
}

// How much garbage there may be, in percent of what is in use. Of the Kafka listener's memory under load most are buffers that are
// used again, so collecting often costs little. A request over HTTP leaves some kilobytes behind, most of them net/http's own, and
// collecting often would cost a fifth of the throughput (make bench-http).
const (
	kafkaGarbage = 25
	httpGarbage  = 75
)

// limitMemory makes the garbage collector thrifty, unless the environment says how it should be. The limit is soft, and above what a
// busy shim needs: it is for bursts.
func limitMemory(garbage int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(48 << 20)
	}
}

func run(ctx context.Context, o options) error {
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: o.logLevel}))
	c, sum := o.contract, config.Sum{}
	if o.contractFile != "" {
		var err error
		if c, sum, err = config.Load(o.contractFile); err != nil {
			return err
		}
	}
	if o.kafkaListen != "" {
		c.Listeners.Kafka = o.kafkaListen
	}
	if o.httpListen != "" {
		c.Listeners.HTTP = o.httpListen
	}
	if c.Listeners.Kafka == "" && c.Listeners.HTTP == "" {
		return errors.New("the contract has no listener, and neither --kafka-listen nor --http-listen names one")
	}
	book := &audit.Book{}
	server := proxy.New(c, book, proxy.Options{Addresses: proxy.Addresses(o.nodeAddresses), Log: log})
	status := &health.Status{Book: book, Contract: server.Contract, Version: version()}
	var statusListener net.Listener
	if o.statusListen != "" {
		var err error
		if statusListener, err = net.Listen("tcp", o.statusListen); err != nil {
			return err
		}
		defer statusListener.Close()
		log.Info("status", "address", statusListener.Addr().String())
	}
	kafka := "" // the address that it got, which differs where port 0 was asked for
	if c.Listeners.Kafka != "" {
		at, err := server.Listen(c.Listeners.Kafka)
		if err != nil {
			return err
		}
		kafka = at.String()
	}
	web, err := listenHTTP(c, log)
	if err != nil {
		return err
	}
	if web != nil {
		limitMemory(httpGarbage)
		status.AlsoMetrics(web.WriteMetrics)
	}
	if statusListener != nil { // it answers once the others are open, which is what --await waits for
		go status.Serve(statusListener) //nolint:errcheck // it ends with the listener
	}
	log.Info("listening", "version", version(), "kafka", kafka, "http", c.Listeners.HTTP, "profile", c.Profile.Namespace+"/"+c.Profile.Name,
		"guarantee", c.Guarantee, "mode", c.Enforcement.Mode, "cluster", c.Cluster.BootstrapServers)
	go probe(ctx, server, status, log)
	if o.contractFile != "" {
		go config.Watch(ctx, o.contractFile, sum, reload(server, web, book, log), func(err error) {
			book.ReloadFailures.Add(1)
			log.Error("the new contract cannot be used; the one before stays in effect", "err", err)
		})
	}
	<-ctx.Done()
	drain(server, web, status, log, o)
	return nil
}

// reload takes up a new contract. The listeners stay where they are.
func reload(server *proxy.Server, web *gateway.Gateway, book *audit.Book, log *slog.Logger) func(contract.Contract) {
	return func(c contract.Contract) {
		if old := server.Contract(); c.Listeners.Kafka != old.Listeners.Kafka {
			log.Warn("the contract names another listener; it takes a restart", "listening", old.Listeners.Kafka, "wanted", c.Listeners.Kafka)
			c.Listeners.Kafka = old.Listeners.Kafka
		}
		if err := reloadHTTP(web, c); err != nil {
			book.ReloadFailures.Add(1)
			log.Error("the HTTP listener cannot use the new contract; the one before stays in effect", "err", err)
			return
		}
		server.Reload(c)
		book.Reloads.Add(1)
		log.Info("contract", "revision", c.Profile.Revision, "hash", c.Hash, "guarantee", c.Guarantee, "mode", c.Enforcement.Mode)
	}
}

// probe until the cluster answers.
func probe(ctx context.Context, server *proxy.Server, status *health.Status, log *slog.Logger) {
	for backoff := 100 * time.Millisecond; ; backoff = min(2*backoff, 5*time.Second) {
		err := server.Probe(ctx)
		if err == nil {
			status.SetReady("")
			log.Info("ready")
			return
		}
		if ctx.Err() != nil {
			return
		}
		log.Warn("the cluster does not answer yet", "err", err)
		status.SetReady("the cluster does not answer: " + err.Error())
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff):
		}
	}
}

func drain(server *proxy.Server, web *gateway.Gateway, status *health.Status, log *slog.Logger, o options) {
	status.SetReady("draining")
	limit := server.Contract().Timing.Drain.Duration()
	log.Info("draining", "limit", limit.String())
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	overHTTP := drainHTTP(ctx, web)
	s := server.Drain(ctx)
	message := fmt.Sprintf("acknowledged=%d flushed=%d lost=%d", s.Acknowledged, s.Flushed, s.Lost)
	if r, ok := <-overHTTP; ok {
		message += "; " + r.String()
		log.Info("drained over HTTP", "acknowledged", r.Acknowledged, "flushed", r.Flushed, "failed", r.Failed, "lost", r.Lost)
	}
	log.Info("drained", "acknowledged", s.Acknowledged, "flushed", s.Flushed, "lost", s.Lost)
	terminate(o.terminationMessage, message)
}

// terminate leaves a message for the kubelet, where there is one.
func terminate(path, message string) {
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0) // the kubelet makes the file; elsewhere there is none
	if err != nil {
		return
	}
	defer f.Close()
	f.WriteString(message) //nolint:errcheck // nobody is left to tell
}

// version is the module's, or the commit's that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return info.Main.Version + " (" + s.Value[:12] + ")"
		}
	}
	return info.Main.Version
}
