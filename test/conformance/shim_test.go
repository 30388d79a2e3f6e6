//go:build conformance && kafka

package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/hack/localkafka/local"
	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/audit"
	"mooring.dev/mooring/test/shim/rig"
)

func isMissing(err error) bool { return errors.Is(err, rig.ErrMissing) }

// counting consumes in a group, and calls it enough when it has what it wants.
type counting struct {
	want   int32
	have   atomic.Int32
	enough context.CancelFunc
}

func (c *counting) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (c *counting) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (c *counting) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for m := range claim.Messages() {
		s.MarkMessage(m, "")
		if c.have.Add(1) >= c.want {
			c.enough()
		}
	}
	return nil
}

var shimCluster struct {
	once    sync.Once
	cluster *local.Cluster
	err     error
}

// shimBrokers are three brokers of the suite's own, whose request logs are on.
func shimBrokers(t *testing.T) *local.Cluster {
	t.Helper()
	s := &shimCluster
	s.once.Do(func() {
		dir, err := os.MkdirTemp("", "mooring-conformance-")
		if err != nil {
			s.err = err
			return
		}
		s.cluster, s.err = local.Up(context.Background(), local.Config{
			Dir: filepath.Join(dir, "kafka"), Progress: func(line string) { say(progress+"%s", line) },
			Settings: local.Settings{FastJVM: true, Properties: map[string]string{"min.insync.replicas": "2"}},
		})
		if s.err == nil {
			s.err = logRequests(s.cluster)
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.cluster
}

// TestMain takes the brokers down that a test brought up.
func TestMain(m *testing.M) {
	code := m.Run()
	if c := shimCluster.cluster; c != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.Down(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "the brokers did not go:", err)
			code = 1
		}
		os.RemoveAll(filepath.Dir(c.State().Dir))
	}
	os.Exit(code)
}

// upstreams are the ways from the shim to the brokers.
var upstreams = []struct {
	name   string
	adjust func(t *testing.T, s local.State, c *contract.Contract)
}{
	{"plain", func(_ *testing.T, s local.State, c *contract.Contract) {
		c.Cluster.BootstrapServers = s.Bootstrap.Plaintext
	}},
	{"tls", func(t *testing.T, s local.State, c *contract.Contract) {
		c.Cluster.BootstrapServers, c.TLS = s.Bootstrap.TLS, &contract.TLS{CACertificates: pem(t, s)}
	}},
	{"scram", func(t *testing.T, s local.State, c *contract.Contract) {
		user, err := s.User(local.AdminUser)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for name, content := range map[string]string{contract.FileUsername: user.Name, contract.FilePassword: user.Password} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c.Cluster.BootstrapServers, c.TLS = s.Bootstrap.SASLSSL, &contract.TLS{CACertificates: pem(t, s)}
		c.SASL = &contract.SASL{Mechanism: "SCRAM-SHA-512", CredentialsDir: dir}
	}},
}

func pem(t *testing.T, s local.State) string {
	t.Helper()
	raw, err := os.ReadFile(s.Certificates.CA)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Unmodified clients do all their work through the shim, whatever is between it and the brokers; and however weakly they are
// configured, every batch on the brokers has a producer ID, and every Produce that the brokers saw had acks=-1.
func TestShim(t *testing.T) {
	program, err := rig.BuildShim(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cluster := shimBrokers(t)
	control(t, cluster)
	for _, up := range upstreams {
		t.Run(up.name, func(t *testing.T) {
			c := rig.Contract([]string{"later:1"}, contract.Idempotent, contract.Upgrade)
			up.adjust(t, cluster.State(), &c)
			shim, err := rig.StartShim(t.Context(), program, t.TempDir(), c)
			if err != nil {
				t.Fatal(err)
			}
			defer shim.Kill()
			from, begin := logSizes(t, cluster), time.Now()
			asked := throughShim(t, cluster, shim, up.name)
			views, err := shim.Audit(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			checkAudit(t, views)
			requests, weak := 0, 0
			for client, counts := range acksAtTheBrokers(t, cluster, from) {
				for acks, n := range counts {
					requests += n
					if acks != "-1" {
						weak += n
						t.Errorf("%s: %d Produce requests reached the brokers with acks=%s", client, n, acks)
					}
				}
			}
			if requests < asked {
				t.Errorf("the brokers logged %d Produce requests, and %d clients produced", requests, asked)
			}
			say("conformance shim, %s: %d of %d clients asked, %d Produce requests at the brokers, %d of them with less than acks=-1; %.1f s",
				up.name, asked, len(shimClients), requests, weak, time.Since(begin).Seconds())
		})
	}
}

// throughShim lets every client do its work, three at a time. It returns how many did.
func throughShim(t *testing.T, cluster *local.Cluster, shim *rig.Shim, up string) int {
	var asked atomic.Int32
	places := make(chan struct{}, 3)
	t.Run("clients", func(t *testing.T) {
		for _, client := range shimClients {
			t.Run(client.name+"-"+client.how, func(t *testing.T) {
				t.Parallel()
				places <- struct{}{}
				defer func() { <-places }()
				topic := fmt.Sprintf("shim-%s-%s-%s", up, client.name, client.how)
				if err := rig.MakeTopic(t.Context(), cluster.State().Bootstrap.Plaintext, 3, 3, topic); err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				d := client.run(t, shim.Kafka, topic, client.how)
				if d.Produced != shimRecords || d.Consumed != shimRecords {
					t.Errorf("%d records produced and %d consumed, and not %d", d.Produced, d.Consumed, shimRecords)
				}
				records, batches := readBatches(t, cluster, topic)
				if records != shimRecords {
					t.Errorf("%d records are on the brokers, and %d were produced", records, shimRecords)
				}
				for id := range batches {
					if id < 0 {
						t.Errorf("%d records are in batches without a producer ID", batches[id])
					}
				}
				asked.Add(1)
				say("  through the shim, %s: %s, %s: %d records, %d producer IDs; %s (%.1f s)", up, client.name, client.how, records, len(batches), d.Admin, time.Since(begin).Seconds())
			})
		}
	})
	return int(asked.Load())
}

// readBatches reads a topic as the brokers have it: how many committed records, and how many of them for each producer ID.
func readBatches(t *testing.T, cluster *local.Cluster, topic string) (int, map[int64]int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	records, batches, seen := 0, make(map[int64]int), make(map[string]int)
	err := rig.ReadAll(ctx, cluster.State().Bootstrap.Plaintext, topic, func(r *kgo.Record) {
		records++
		batches[r.ProducerID]++
		if seen[string(r.Value)]++; seen[string(r.Value)] > 1 {
			t.Errorf("%q is there twice", r.Value)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, batches
}

// The audit view names the clients that are weaker than the policy, and what it saw, without being told of either.
func checkAudit(t *testing.T, views []audit.View) {
	t.Helper()
	find := func(library, acks string) bool {
		for _, v := range views {
			if strings.Contains(v.Library, library) && v.Seen.Acks[acks] > 0 && len(v.Findings) > 0 {
				return true
			}
		}
		return false
	}
	if !find("kafka-go", "0") {
		t.Errorf("the audit view does not name kafka-go's acks=0: %s", names(views))
	}
	if !find("sarama", "1") {
		t.Errorf("the audit view does not name sarama's acks=1: %s", names(views))
	}
}

func names(views []audit.View) string {
	var all []string
	for _, v := range views {
		all = append(all, fmt.Sprintf("%q %q %q acks %v", v.ClientID, v.Library, v.LibraryVersion, v.Seen.Acks))
	}
	return strings.Join(all, "; ")
}
