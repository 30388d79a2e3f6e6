//go:build kafka

package local

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// TestKafka brings Apache Kafka up once and goes through everything that needs it, in order: the last parts hurt it.
func TestKafka(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cfg := Config{
		Dir:      t.TempDir() + "/cluster",
		Progress: func(line string) { t.Log(line) },
		Settings: Settings{Authorizer: true, Properties: map[string]string{"log.retention.hours": "1"}},
	}
	cluster, err := Up(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Down(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	t.Run("Up again finds it running", func(t *testing.T) {
		again, err := Up(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := again.State().ClusterID, cluster.State().ClusterID; got != want {
			t.Fatalf("Up made the cluster %s where %s was running", got, want)
		}
	})
	t.Run("Racks", func(t *testing.T) { testRacks(ctx, t, cluster.State()) })
	t.Run("Listeners let in", func(t *testing.T) { testListeners(ctx, t, cluster.State()) })
	t.Run("Listeners refuse", func(t *testing.T) { testRefusals(ctx, t, cluster.State()) })
	t.Run("The limited user may do nothing", func(t *testing.T) { testLimited(ctx, t, cluster.State()) })
	t.Run("A console tool", func(t *testing.T) { testTool(ctx, t, cluster) })
	t.Run("Kill and start", func(t *testing.T) { testKill(ctx, t, cluster) })
	t.Run("Stop and start", func(t *testing.T) { testStop(ctx, t, cluster) })
	t.Run("Pause and resume", func(t *testing.T) { testPause(ctx, t, cluster) })
	t.Run("Down leaves nothing", func(t *testing.T) { testDown(ctx, t, cluster) })
}

// TestStartFails asks for something that formats well and that the broker itself chokes on.
func TestStartFails(t *testing.T) {
	dir := t.TempDir() + "/cluster"
	_, err := Up(t.Context(), Config{Dir: dir, Settings: Settings{
		Brokers:    1,
		Properties: map[string]string{"metric.reporters": "dev.mooring.NoSuchReporter"},
	}})
	failure, ok := errors.AsType[*StartError](err)
	if !ok {
		t.Fatalf("Up returned %v, want a StartError", err)
	}
	if failure.Node != 1 || !strings.Contains(failure.Tail, "NoSuchReporter") || !strings.HasSuffix(failure.Log, "broker.log") {
		t.Errorf("the error does not lead to the cause: %v", err)
	}
	cluster, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range cluster.State().Nodes {
		if stateOf(n.Process) != processGone {
			t.Errorf("node %d was left running after a failed start", n.ID)
		}
	}
	if err := cluster.Down(t.Context()); err != nil {
		t.Error(err)
	}
}

func admin(t *testing.T, seeds []string, opts ...kgo.Opt) *kadm.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(seeds...), kgo.RetryTimeout(30*time.Second))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kadm.NewClient(client)
}

func testRacks(ctx context.Context, t *testing.T, s State) {
	meta, err := admin(t, s.Bootstrap.Plaintext).BrokerMetadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range meta.Brokers {
		node, err := s.Node(b.NodeID)
		if err != nil {
			t.Error(err)
		} else if b.Rack == nil || *b.Rack != node.Rack {
			t.Errorf("broker %d says it is in the rack %v, want %s", b.NodeID, b.Rack, node.Rack)
		}
	}
	if len(meta.Brokers) != 3 {
		t.Errorf("there are %d brokers, want 3", len(meta.Brokers))
	}
}

func mechanisms(user, password string) map[string]sasl.Mechanism {
	pass := scram.Auth{User: user, Pass: password}
	return map[string]sasl.Mechanism{
		"PLAIN":         plain.Auth{User: user, Pass: password}.AsMechanism(),
		"SCRAM-SHA-256": pass.AsSha256Mechanism(),
		"SCRAM-SHA-512": pass.AsSha512Mechanism(),
		"OAUTHBEARER":   oauth.Auth{Token: UnsecuredToken(user, time.Now(), time.Hour)}.AsMechanism(),
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func testListeners(ctx context.Context, t *testing.T, s State) {
	config := must[*tls.Config](t)
	creates := func(topic string, seeds []string, opts ...kgo.Opt) {
		t.Run(topic, func(t *testing.T) {
			resp, err := admin(t, seeds, opts...).CreateTopic(ctx, 1, 3, nil, topic)
			if err != nil || resp.Err != nil {
				t.Fatal(err, resp.Err)
			}
		})
	}
	creates("plaintext", s.Bootstrap.Plaintext)
	creates("tls", s.Bootstrap.TLS, kgo.DialTLSConfig(config(s.TLSConfig())))
	creates("mtls", s.Bootstrap.MTLS, kgo.DialTLSConfig(config(s.MTLSConfig(s.Certificates.Admin))))
	named := config(s.TLSConfig())
	named.ServerName = WrongName
	creates("wrong-name", s.Bootstrap.TLSWrongName, kgo.DialTLSConfig(named))
	user := must[User](t)(s.User(AdminUser))
	for name, mechanism := range mechanisms(user.Name, user.Password) {
		creates("sasl-plaintext-"+name, s.Bootstrap.SASLPlaintext, kgo.SASL(mechanism))
		creates("sasl-ssl-"+name, s.Bootstrap.SASLSSL, kgo.SASL(mechanism), kgo.DialTLSConfig(config(s.TLSConfig())))
	}
}

func testRefusals(ctx context.Context, t *testing.T, s State) {
	config := must[*tls.Config](t)
	refused := func(name string, is func(error) bool, seeds []string, opts ...kgo.Opt) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			opts = append(opts, kgo.RequestRetries(0), kgo.RetryTimeout(10*time.Second))
			_, err := admin(t, seeds, opts...).BrokerMetadata(ctx)
			if err == nil || !is(err) {
				t.Errorf("the answer was %v, want a refusal of another kind", err)
			}
		})
	}
	foreign := config(s.TLSConfig())
	foreign.RootCAs = x509.NewCertPool()
	foreign.RootCAs.AppendCertsFromPEM(must[[]byte](t)(os.ReadFile(s.Certificates.UntrustedCA)))
	badName := func(err error) bool { _, ok := errors.AsType[x509.HostnameError](err); return ok }
	badCA := func(err error) bool { _, ok := errors.AsType[x509.UnknownAuthorityError](err); return ok }
	anyway := func(error) bool { return true } // a server that refuses a certificate says it in many ways
	badLogin := func(err error) bool { return errors.Is(err, kerr.SaslAuthenticationFailed) }

	refused("wrong name", badName, s.Bootstrap.TLSWrongName, kgo.DialTLSConfig(config(s.TLSConfig())))
	refused("untrusted CA", badCA, s.Bootstrap.TLS, kgo.DialTLSConfig(foreign))
	refused("no client certificate", anyway, s.Bootstrap.MTLS, kgo.DialTLSConfig(config(s.TLSConfig())))
	refused("untrusted client certificate", anyway, s.Bootstrap.MTLS, kgo.DialTLSConfig(config(s.MTLSConfig(s.Certificates.Untrusted))))
	wrong := mechanisms(AdminUser, "wrong")
	for _, name := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		refused("password "+name, badLogin, s.Bootstrap.SASLPlaintext, kgo.SASL(wrong[name]))
	}
	stale := oauth.Auth{Token: UnsecuredToken(AdminUser, time.Now().Add(-time.Hour), time.Minute)}
	refused("expired token", anyway, s.Bootstrap.SASLPlaintext, kgo.SASL(stale.AsMechanism()))
}

func testLimited(ctx context.Context, t *testing.T, s State) {
	denied := func(name string, seeds []string, opts ...kgo.Opt) {
		t.Run(name, func(t *testing.T) {
			resp, err := admin(t, seeds, opts...).CreateTopic(ctx, 1, 3, nil, "denied")
			if !errors.Is(resp.Err, kerr.TopicAuthorizationFailed) {
				t.Errorf("creating a topic gave %v, %v; want %v", err, resp.Err, kerr.TopicAuthorizationFailed)
			}
		})
	}
	user := must[User](t)(s.User(LimitedUser))
	for name, mechanism := range mechanisms(user.Name, user.Password) {
		denied(name, s.Bootstrap.SASLPlaintext, kgo.SASL(mechanism))
	}
	denied("certificate", s.Bootstrap.MTLS, kgo.DialTLSConfig(must[*tls.Config](t)(s.MTLSConfig(s.Certificates.Limited))))
}

func testTool(ctx context.Context, t *testing.T, c *Cluster) {
	tool, err := c.Tool(ctx, "kafka-topics", "--list")
	if err != nil {
		t.Fatal(err)
	}
	out, err := tool.Output()
	if err != nil || !strings.Contains(string(out), "sasl-ssl-OAUTHBEARER\n") {
		t.Errorf("kafka-topics --list gave %v and:\n%s", err, out)
	}
}

func testKill(ctx context.Context, t *testing.T, c *Cluster) {
	before, err := c.State().Node(2)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Kill(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if stateOf(before.Process) != processGone {
		t.Fatal("node 2 lives on after Kill")
	}
	if _, ok := errors.AsType[*StartError](c.WaitReady(ctx)); !ok {
		t.Error("WaitReady did not say that node 2 is gone")
	}
	if err := c.Start(ctx, 2); err != nil {
		t.Fatal(err)
	}
	after, err := c.State().Node(2)
	if err != nil {
		t.Fatal(err)
	}
	if after.Ports[ListenerPlaintext] != before.Ports[ListenerPlaintext] || *after.Process == *before.Process {
		t.Errorf("node 2 came back as %v on %v, and was %v on %v", after.Process, after.Ports, before.Process, before.Ports)
	}
	if err := c.WaitReady(ctx); err != nil {
		t.Error(err)
	}
}

func testStop(ctx context.Context, t *testing.T, c *Cluster) {
	other, err := Load(c.State().Dir) // as another process would
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Stop(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if err := other.Stop(ctx, 1); err != nil {
		t.Errorf("stopping a stopped node failed: %v", err)
	}
	if err := c.Start(ctx, 1); err != nil {
		t.Error(err)
	}
}

func testPause(ctx context.Context, t *testing.T, c *Cluster) {
	if err := c.Pause(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx, 3); err == nil {
		t.Error("a paused node was started")
	}
	s := c.State()
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if known, err := brokersKnownTo(short, s.Nodes[2]); err == nil {
		t.Errorf("the paused node answered with %v", known)
	}
	if err := c.Resume(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitReady(ctx); err != nil {
		t.Error(err)
	}
}

func testDown(ctx context.Context, t *testing.T, c *Cluster) {
	s := c.State()
	if err := c.Down(ctx); err != nil {
		t.Fatal(err)
	}
	if exists(s.Dir) {
		t.Errorf("%s is still there", s.Dir)
	}
	for _, n := range s.Nodes {
		if stateOf(n.Process) != processGone {
			t.Errorf("node %d (process %d) is still there", n.ID, n.Process.PID)
		}
		for listener, port := range n.Ports {
			l, err := net.Listen("tcp4", at(DefaultAddress, port))
			if err != nil {
				t.Errorf("the port of %s of node %d is not free: %v", listener, n.ID, err)
				continue
			}
			_ = l.Close()
		}
	}
	if err := c.Down(ctx); err != nil {
		t.Errorf("a second Down failed: %v", err)
	}
}
