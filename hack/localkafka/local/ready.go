package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// waitReady waits until each of the nodes knows all of them, and gives up as soon as one of their processes is gone.
func waitReady(ctx context.Context, nodes []Node) error {
	waiting := append([]Node{}, nodes...)
	var why error
	err := poll(ctx, 200*time.Millisecond, func() (bool, error) {
		for _, n := range nodes {
			if stateOf(n.Process) == processGone {
				return false, startError(n, errors.New("its process is not running; start it, or read why it ended"))
			}
		}
		for len(waiting) > 0 {
			if why = answers(ctx, waiting[0], nodes); why != nil {
				return false, nil //nolint:nilerr // not ready yet is no error; why says what it waits for
			}
			waiting = waiting[1:]
		}
		return true, nil
	})
	if err == nil || len(waiting) == 0 {
		return err
	}
	if _, gone := errors.AsType[*StartError](err); gone {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted while waiting for node %d to be ready: %w", waiting[0].ID, err)
	}
	return startError(waiting[0], fmt.Errorf("it was not ready in time (%w): %w; read its log, and give a slow machine more time", err, why))
}

// answers says why a node is not ready yet, or nil.
func answers(ctx context.Context, node Node, expected []Node) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	known, err := brokersKnownTo(ctx, node)
	if err != nil {
		return err
	}
	var missing []string
	for _, n := range expected {
		if !known[n.ID] {
			missing = append(missing, fmt.Sprint(n.ID))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("node %d does not see the brokers %s", node.ID, strings.Join(missing, ", "))
	}
	// The plaintext listener answers before the last of the others is bound.
	for _, kind := range listenerKinds {
		if _, ok := node.Ports[kind.name]; !ok {
			continue
		}
		conn, err := new(net.Dialer).DialContext(ctx, "tcp4", node.At(kind.name))
		if err != nil {
			return fmt.Errorf("the listener %s of node %d does not accept connections: %w", kind.name, node.ID, err)
		}
		_ = conn.Close()
	}
	return nil
}

// brokersKnownTo asks this very node, not whichever broker a client would choose. Kafka lists live brokers only: one
// that is registered and still fenced is left out.
func brokersKnownTo(ctx context.Context, node Node) (map[int32]bool, error) {
	address := node.At(ListenerPlaintext)
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return nil, fmt.Errorf("a client for %s could not be made: %w", address, err)
	}
	defer client.Close()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none; nil would be all
	resp, err := client.SeedBrokers()[0].Request(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("node %d does not answer at %s: %w", node.ID, address, err)
	}
	known := map[int32]bool{}
	for _, b := range resp.(*kmsg.MetadataResponse).Brokers {
		known[b.NodeID] = true
	}
	return known, nil
}
