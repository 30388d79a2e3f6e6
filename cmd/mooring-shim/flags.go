package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"mooring.dev/mooring/internal/contract"
)

type options struct {
	contractFile, kafkaListen, httpListen, statusListen, terminationMessage, nodeAddresses string
	logLevel                                                                               slog.Level
	version, await                                                                         bool
	// contract is what the flags say where there is no file.
	contract contract.Contract
}

const usage = `mooring-shim keeps the guarantee of a producer policy for any Kafka client.

It listens where the app's bootstrap.servers point to, and passes everything on to the brokers; what a client
produces more weakly than the policy wants is counted, upgraded or refused.

In a pod:      mooring-shim --contract /etc/mooring/contract.json
On a laptop:   mooring-shim --bootstrap-servers kafka:9092 --kafka-listen 127.0.0.1:9092

Flags:
`

type laptop struct {
	bootstrap, guarantee, mode, ca, cert, key, mechanism, userFile, passwordFile string
	registry                                                                     registryFlags
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	var l laptop
	f := flag.NewFlagSet("mooring-shim", flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() {
		fmt.Fprint(out, usage)
		f.PrintDefaults()
	}
	f.StringVar(&o.contractFile, "contract", "", "`file` with the contract; a change of it takes effect within a second")
	f.StringVar(&o.kafkaListen, "kafka-listen", "", "`address` of the Kafka listener (default the contract's, else 127.0.0.1:9092)")
	f.StringVar(&o.httpListen, "http-listen", "", "`address` of the HTTP listener (default the contract's, else none)")
	f.StringVar(&o.statusListen, "status-listen", "127.0.0.1:9095", "`address` of /livez, /readyz, /metrics and /audit; empty turns them off")
	f.StringVar(&o.nodeAddresses, "node-addresses", "", "how brokers are told apart: Loopback (127.66.x.y), Ports, or empty for Loopback where it can be had")
	f.StringVar(&o.terminationMessage, "termination-message", "/dev/termination-log", "`file` for the last message, if it exists; empty writes none")
	f.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	f.BoolVar(&o.version, "version", false, "print the version")
	f.BoolVar(&o.await, "await", false, "wait until the shim with this --status-listen has opened its listeners, a minute at most; nothing else")
	f.StringVar(&l.bootstrap, "bootstrap-servers", "", "without --contract: `addresses` of brokers, with commas between them")
	f.StringVar(&l.guarantee, "guarantee", "Idempotent", "without --contract: AtMostOnce, AtLeastOnce or Idempotent")
	f.StringVar(&l.mode, "mode", "Upgrade", "without --contract: Audit, Upgrade or Reject")
	f.StringVar(&l.ca, "tls-ca", "", "without --contract: `file` with CA certificates; it turns TLS on")
	f.StringVar(&l.cert, "tls-cert", "", "without --contract: `file` with the client certificate")
	f.StringVar(&l.key, "tls-key", "", "without --contract: `file` with its key")
	f.StringVar(&l.mechanism, "sasl-mechanism", "", "without --contract: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	f.StringVar(&l.userFile, "sasl-username-file", "", "without --contract: `file` with the user name, called username")
	f.StringVar(&l.passwordFile, "sasl-password-file", "", "without --contract: `file` with the password, called password, in the same folder")
	l.registry.define(f)
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is not a flag; see --help", f.Arg(0))
	}
	for _, listen := range [][2]string{{"kafka", o.kafkaListen}, {"http", o.httpListen}, {"status", o.statusListen}} {
		if _, _, err := net.SplitHostPort(listen[1]); listen[1] != "" && err != nil {
			return o, fmt.Errorf("--%s-listen is %q: it must be host:port, such as 127.0.0.1:9092", listen[0], listen[1])
		}
	}
	if o.version || o.await || o.contractFile != "" {
		if l.bootstrap != "" {
			return o, errors.New("--contract and --bootstrap-servers exclude each other: the contract names the brokers")
		}
		return o, nil
	}
	if l.bootstrap == "" {
		return o, errors.New("--contract or --bootstrap-servers is needed; see --help")
	}
	if o.kafkaListen == "" {
		o.kafkaListen = "127.0.0.1:9092"
	}
	var err error
	o.contract, err = l.contract()
	return o, err
}

// contract that the flags amount to.
func (l laptop) contract() (contract.Contract, error) {
	g := contract.Guarantee(l.guarantee)
	c := contract.Contract{
		Version:   contract.Version,
		Profile:   contract.Profile{Name: "flags"},
		Cluster:   contract.Cluster{Name: "flags", BootstrapServers: strings.Split(l.bootstrap, ",")},
		Guarantee: g,
		Enforcement: contract.Enforcement{
			Mode: contract.Mode(l.mode), Acks: -1, Idempotence: g == contract.Idempotent || g == contract.Transactional, Unsupported: contract.UnsupportedCount,
		},
		Limits: contract.Limits{MaxInFlight: 5},
		Timing: contract.Timing{DeliveryTimeout: 120000, Drain: 30000},
	}
	if g == contract.AtMostOnce {
		c.Enforcement.Acks = 0
	}
	if c.Enforcement.Mode == contract.Reject {
		c.Enforcement.Unsupported = contract.UnsupportedReject
	}
	if l.ca != "" || l.cert != "" {
		c.TLS = &contract.TLS{CertificateFile: l.cert, KeyFile: l.key}
		if l.ca != "" {
			pem, err := os.ReadFile(l.ca)
			if err != nil {
				return c, fmt.Errorf("--tls-ca: %w", err)
			}
			c.TLS.CACertificates = string(pem)
		}
	}
	if l.mechanism != "" {
		dir := filepath.Dir(l.userFile)
		if l.userFile != filepath.Join(dir, contract.FileUsername) || l.passwordFile != filepath.Join(dir, contract.FilePassword) {
			return c, errors.New("--sasl-username-file and --sasl-password-file have to be files called username and password in one folder, as a mounted Secret has them")
		}
		c.SASL = &contract.SASL{Mechanism: l.mechanism, CredentialsDir: dir}
	}
	var err error
	if c.SchemaRegistry, err = l.registry.settings(); err != nil {
		return c, err
	}
	return c, c.Validate()
}
