package main

import (
	"context"
	"log/slog"
	"net"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/gateway"
	"mooring.dev/mooring/internal/shim/upstream"
)

// connectHTTP says how the HTTP listener's producer reaches the brokers: as the Kafka listener does. A connection comes back
// authenticated. It is closed by the brokers when they want a new authentication (KIP-368), and the producer makes another.
func connectHTTP(c contract.Contract) ([]kgo.Opt, error) {
	settings := upstream.Settings{TLS: c.TLS, SASL: c.SASL}
	return []kgo.Opt{
		kgo.ClientID(upstream.ClientID + "-http"),
		kgo.SeedBrokers(c.Cluster.BootstrapServers...),
		kgo.Dialer(func(ctx context.Context, _, address string) (net.Conn, error) {
			conn, err := upstream.Dial(ctx, settings, address)
			if err != nil {
				return nil, err // and not a nil *Conn in an interface
			}
			return conn, nil
		}),
	}, nil
}

// listenHTTP starts the HTTP listener, if the contract has one; nil if not.
func listenHTTP(c contract.Contract, log *slog.Logger) (*gateway.Gateway, error) {
	if c.Listeners.HTTP == "" {
		return nil, nil
	}
	c, err := gateway.FillTransactionalID(c, os.Getenv)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Listeners.HTTP)
	if err != nil {
		return nil, err
	}
	g, err := gateway.New(c, connectHTTP)
	if err != nil {
		l.Close()
		return nil, err
	}
	log.Info("listening over HTTP", "address", l.Addr().String())
	go func() {
		if err := g.Serve(l); err != nil {
			log.Error("the HTTP listener has ended", "err", err)
		}
	}()
	return g, nil
}

// drainHTTP drains the HTTP listener beside the Kafka listener: both have the same time. The channel has one report, or is closed
// without if there is no such listener.
func drainHTTP(ctx context.Context, g *gateway.Gateway) <-chan gateway.Report {
	report := make(chan gateway.Report, 1)
	if g == nil {
		close(report)
		return report
	}
	go func() { report <- g.Drain(ctx) }()
	return report
}

// reloadHTTP puts another contract in force for the HTTP listener, if there is one.
func reloadHTTP(g *gateway.Gateway, c contract.Contract) error {
	if g == nil {
		return nil
	}
	c, err := gateway.FillTransactionalID(c, os.Getenv)
	if err != nil {
		return err
	}
	return g.Reload(c)
}
