package proxy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"mooring.dev/mooring/internal/contract"
)

// secured is a shim before a cluster that wants SASL.
func secured(t *testing.T, theirs *contract.SASL) *bench {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(1, "orders"), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "shop", "secret"), kfake.Superuser("SCRAM-SHA-512", "shop512", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	b := start(t, contract.Idempotent, contract.Upgrade, func(c *contract.Contract, _ *Options) {
		c.Cluster.BootstrapServers = append([]string{"127.0.0.1:1"}, cluster.ListenAddrs()...) // the first is away
		c.SASL = theirs
	})
	b.cluster = cluster
	return b
}

func credentials(t *testing.T, user, password string) string {
	t.Helper()
	dir := t.TempDir()
	for name, value := range map[string]string{contract.FileUsername: user, contract.FilePassword: password} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheShimAuthenticatesForTheApp(t *testing.T) {
	for _, tt := range []struct {
		mechanism, user string
		opts            []kgo.Opt
	}{
		{"PLAIN", "shop", nil},
		{"SCRAM-SHA-512", "shop512", nil},
		{"SCRAM-SHA-512", "shop512", []kgo.Opt{kgo.SASL(plain.Auth{User: "any", Pass: "thing"}.AsMechanism())}},
	} {
		b := secured(t, &contract.SASL{Mechanism: tt.mechanism, CredentialsDir: credentials(t, tt.user, "secret")})
		client := b.client(append(weak(kgo.LeaderAck()), tt.opts...)...)
		if err := client.ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); err != nil {
			t.Errorf("%s: %v", tt.mechanism, err)
		}
	}
}

func TestRotatedCredentialsNeedNoRestart(t *testing.T) {
	dir := credentials(t, "shop", "wrong")
	b := secured(t, &contract.SASL{Mechanism: "PLAIN", CredentialsDir: dir})
	if err := b.Probe(deadline(t)); err == nil {
		t.Fatal("the password is wrong")
	}
	if err := os.WriteFile(filepath.Join(dir, contract.FilePassword), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Probe(deadline(t)); err != nil {
		t.Error(err)
	}
}

func TestAClientsOwnAuthenticationPassesThroughWhenTheContractHasNone(t *testing.T) {
	b := secured(t, nil)
	opts := append(weak(kgo.LeaderAck()), kgo.SASL(scram.Auth{User: "shop512", Pass: "secret"}.AsSha512Mechanism()))
	if err := b.client(opts...).ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); err != nil {
		t.Error(err)
	}
	if v := b.book.Clients(); len(v) == 0 || v[0].Done.UpgradedBatches != 1 {
		t.Errorf("%+v", v)
	}
}

func TestEachNodeHasALoopbackAddressWhereThereIsRoom(t *testing.T) {
	b := start(t, contract.AtLeastOnce, contract.Upgrade, func(_ *contract.Contract, o *Options) { o.Addresses = AddressesAuto })
	if err := b.Probe(deadline(t)); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int32]string{0: "127.66.0.0", 1: "127.66.0.1", 2: "127.66.0.2", 258: "127.66.1.2"} {
		host, port, err := b.nodes.local(id, "real", 1)
		if err != nil || host != want || int(port) != b.nodes.at.Port {
			t.Errorf("node %d: %s:%d %v, want %s", id, host, port, err, want)
		}
	}
	host, port, err := b.nodes.local(70_000, "real", 1)
	if err != nil || host != "127.0.0.1" || int(port) == b.nodes.at.Port {
		t.Errorf("node 70000 is beyond 127.66/16: %s:%d %v", host, port, err)
	}
	again, samePort, _ := b.nodes.local(70_000, "elsewhere", 2)
	if again != host || samePort != port {
		t.Error("an address has to mean one node for ever")
	}
	if err := b.client(weak(kgo.LeaderAck())...).ProduceSync(deadline(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); err != nil {
		t.Error(err)
	}
}

func TestTheShimSpeaksToNoOtherCluster(t *testing.T) {
	b := start(t, contract.AtLeastOnce, contract.Upgrade, func(c *contract.Contract, _ *Options) { c.Cluster.ID = "another" })
	if err := b.Probe(deadline(t)); err == nil {
		t.Error("the cluster's ID is not the contract's")
	}
}
