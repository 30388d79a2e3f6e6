package proxy

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/wire"
)

// The client learns of a new leader while the old one has its first batch and does not answer, and sends the second to the new one.
func TestABatchWaitsForTheOneBeforeItThatAnotherNodeHas(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	arrived, let := make(chan struct{}), make(chan struct{})
	first := true
	b.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		if !first {
			return nil, nil, false
		}
		first = false
		b.cluster.SleepControl(func() { close(arrived); <-let })
		return nil, errors.New("the node is lost, and the batch with it"), true
	})
	old := b.dialLeader()
	if _, err := old.Write(produceOne(1, 1, []byte("app"), "A")); err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := b.cluster.MoveTopicPartition("orders", 0, (b.cluster.LeaderFor("orders", 0)+1)%3); err != nil {
		t.Fatal(err)
	}
	fresh := b.dialLeader()
	if _, err := fresh.Write(produceOne(1, 1, []byte("app"), "B")); err != nil {
		t.Fatal(err)
	}
	// Another app's batches do not wait for it.
	other := b.dialLeader()
	if _, err := other.Write(produceOne(1, 1, []byte("other"), "C")); err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version = 7
	readAnswer(t, wire.NewReader(other, 1<<20), req)
	close(let)
	readAnswer(t, wire.NewReader(old, 1<<20), req)
	readAnswer(t, wire.NewReader(fresh, 1<<20), req)
	if got := strings.Join(b.values("orders", 0), ""); got != "CAB" {
		t.Errorf("the log has %s", got)
	}
}
