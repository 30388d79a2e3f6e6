package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mooring.dev/mooring/internal/contract"
)

func TestFlags(t *testing.T) {
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.crt")
	if err := os.WriteFile(ca, []byte("pem"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, args, wrong string
		check             func(options) bool
	}{
		{"a contract is enough", "--contract c.json", "", func(o options) bool { return o.contractFile == "c.json" && o.kafkaListen == "" }},
		{"brokers are enough", "--bootstrap-servers a:1,b:2", "", func(o options) bool {
			c := o.contract
			return len(c.Cluster.BootstrapServers) == 2 && c.Enforcement.Idempotence && c.Enforcement.Mode == contract.Upgrade && o.kafkaListen == "127.0.0.1:9092"
		}},
		{"a weaker guarantee", "--bootstrap-servers a:1 --guarantee AtLeastOnce --mode Reject", "", func(o options) bool {
			return !o.contract.Enforcement.Idempotence && o.contract.Enforcement.Acks == -1 && o.contract.Enforcement.Unsupported == contract.UnsupportedReject
		}},
		{"a CA turns TLS on", "--bootstrap-servers a:1 --tls-ca " + ca, "", func(o options) bool { return o.contract.TLS.CACertificates == "pem" }},
		{"SASL from a mounted Secret", "--bootstrap-servers a:1 --sasl-mechanism PLAIN --sasl-username-file /s/username --sasl-password-file /s/password", "", func(o options) bool { return o.contract.SASL.CredentialsDir == "/s" }},
		{"waiting for a shim needs no contract", "--await --status-listen :9099", "", func(o options) bool { return o.await && o.statusListen == ":9099" }},
		{"a schema registry", "--bootstrap-servers a:1 --schema-registry https://r:8081 --schema-registry-ca " + ca + " --schema-registry-credentials /s", "", func(o options) bool {
			r := o.contract.SchemaRegistry
			return r.URL == "https://r:8081" && r.CACertificates == "pem" && r.CredentialsDir == "/s"
		}},
		{"a port is no address", "--bootstrap-servers a:1 --kafka-listen 9092", `--kafka-listen is "9092": it must be host:port`, nil},
		{"a CA that is not there", "--bootstrap-servers a:1 --tls-ca /nowhere/ca.crt", "--tls-ca: open /nowhere/ca.crt", nil},
		{"a schema registry that is no URL", "--bootstrap-servers a:1 --schema-registry r:8081", "must be like https://registry:8081", nil},
		{"nothing at all", "", "is needed", nil},
		{"both", "--contract c --bootstrap-servers a:1", "exclude each other", nil},
		{"an address without a port", "--bootstrap-servers a", "host:port", nil},
		{"a mode that there is not", "--bootstrap-servers a:1 --mode Loud", "Audit, Upgrade or Reject", nil},
		{"a key without its certificate", "--bootstrap-servers a:1 --tls-ca " + ca + " --tls-key k", "needs both", nil},
		{"SASL files in two folders", "--bootstrap-servers a:1 --sasl-mechanism PLAIN --sasl-username-file /s/username --sasl-password-file /t/password", "one folder", nil},
		{"a word too many", "--bootstrap-servers a:1 extra", `"extra" is not a flag`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := parse(strings.Fields(tt.args), &bytes.Buffer{})
			switch {
			case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
				t.Errorf("%v, want %q", err, tt.wrong)
			case tt.wrong == "" && (err != nil || !tt.check(o)):
				t.Errorf("%v %+v", err, o)
			}
		})
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	var out bytes.Buffer
	if _, err := parse([]string{"--help"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, name := range []string{"contract", "bootstrap-servers", "kafka-listen", "status-listen", "guarantee", "mode", "tls-ca", "sasl-mechanism", "schema-registry", "termination-message"} {
		if !strings.Contains(out.String(), "-"+name) {
			t.Errorf("--help says nothing of --%s", name)
		}
	}
}
