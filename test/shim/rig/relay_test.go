package rig

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func fakeBehindRelay(t *testing.T) (*kfake.Cluster, *Relay) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(3, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	brokers := make(map[int32]string)
	for i, address := range cluster.ListenAddrs() {
		brokers[int32(i)] = address
	}
	relay, err := NewRelay(brokers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.Close)
	return cluster, relay
}

func produce(t *testing.T, relay *Relay, records int, opts ...kgo.Opt) {
	t.Helper()
	ours := make(map[string]bool)
	for _, a := range relay.Bootstrap() {
		ours[a] = true
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if !ours[address] {
			t.Errorf("%s is dialled, which is no address of the relay", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(relay.Bootstrap()...), kgo.Dialer(dial), kgo.DefaultProduceTopic("t"),
		kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }), kgo.MetadataMinAge(20 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range records {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Key: fmt.Append(nil, i), Value: fmt.Append(nil, i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheRelayTakesTheBrokersPlace(t *testing.T) {
	cluster, relay := fakeBehindRelay(t)
	produce(t, relay, 20)
	produce(t, relay, 10, kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()))
	c := relay.Counts()
	if c.AcksOf(-1) != 20 || c.AcksOf(1) != 10 || c.Idempotent.Load() != 20 || c.Plain.Load() != 10 {
		t.Errorf("acks: %d of -1, %d of 1; %d idempotent, %d plain", c.AcksOf(-1), c.AcksOf(1), c.Idempotent.Load(), c.Plain.Load())
	}
	read := 0
	if err := ReadAll(t.Context(), cluster.ListenAddrs(), "t", func(*kgo.Record) { read++ }); err != nil || read != 30 {
		t.Errorf("%d records are there: %v", read, err)
	}
}

// A request that is torn has not been written, one whose answer is lost has: idempotence tells them apart.
func TestFaultsHit(t *testing.T) {
	cluster, relay := fakeBehindRelay(t)
	for id := range int32(3) {
		relay.Deafen(id, 2)
		relay.Tear(id, 2)
	}
	produce(t, relay, 60)
	left := int32(0)
	for id := range int32(3) { // a node that leads nothing answers no Produce
		left += relay.Tear(id, 0) + relay.Deafen(id, 0)
	}
	if cuts := relay.Counts().Cuts.Load(); cuts < 8 || cuts+int64(left) != 12 {
		t.Errorf("%d connections were cut, and %d faults are left", cuts, left)
	}
	seen := make(map[string]int)
	if err := ReadAll(t.Context(), cluster.ListenAddrs(), "t", func(r *kgo.Record) { seen[string(r.Value)]++ }); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if n := seen[strconv.Itoa(i)]; n != 1 {
			t.Errorf("record %d is there %d times", i, n)
		}
	}
	if relay.Refuse(0, true); relay.Cut(0) != 0 {
		t.Error("there are connections to a node that refuses them")
	}
}

// Who connects is known: this process, or another.
func TestTheCensusTellsProcessesApart(t *testing.T) {
	_, relay := fakeBehindRelay(t)
	relay.Owner.Store(int64(os.Getpid()))
	produce(t, relay, 5)
	c := relay.Counts()
	if c.Accepted.Load() == 0 || c.Foreign.Load() > 0 {
		t.Fatalf("%d connections, %d of another process", c.Accepted.Load(), c.Foreign.Load())
	}
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()         //nolint:errcheck // it was killed
	defer other.Process.Kill() //nolint:errcheck // it has ended
	relay.Owner.Store(int64(other.Process.Pid))
	before := c.Accepted.Load()
	produce(t, relay, 5)
	if n := c.Accepted.Load() - before; c.Foreign.Load()+c.Unknown.Load() != n || c.Foreign.Load() == 0 {
		t.Errorf("of %d connections %d are another's, and %d unknown", n, c.Foreign.Load(), c.Unknown.Load())
	}
}
