//go:build kafka

package main

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets this test program be its own workers.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		exit(work(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// Through the shim, clients at their defaults lose nothing, and have nothing twice or out of order, while every kind of fault
// happens once or twice. The full run, and the one without the shim, is make ledger.
func TestLedger(t *testing.T) {
	r, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	p := plan{clients: []string{"kafka-go", "sarama", "librdkafka", "java"}, records: 40_000, faults: len(kinds) + 1, partitions: 6, seed: 3}
	one, err := r.run(t.Context(), p, true)
	if err != nil {
		t.Fatal(err)
	}
	total := one.total()
	fmt.Printf("conformance ledger: %d records acknowledged, %d faults, %d lost, %d duplicated, %d reordered, %d leaks of %d connections, %.0f s\n",
		total.acknowledged, one.faults, total.lost, total.duplicated, total.reordered, one.foreign, one.accepted, one.took.Seconds())
	for _, skipped := range one.skipped {
		fmt.Printf("conformance ledger: skipped: %s\n", skipped)
	}
	for _, e := range one.examples {
		t.Log(e)
	}
	for client, c := range one.clients {
		if c.wrong() {
			t.Errorf("%s: %+v", client, *c)
		}
		if c.acknowledged == 0 || c.bare > 0 {
			t.Errorf("%s: %d records acknowledged, %d without a producer ID", client, c.acknowledged, c.bare)
		}
	}
	if one.joined == 0 {
		t.Error("nobody has connected to the broker that was added")
	}
	if one.foreign > 0 || one.weak > 0 {
		t.Errorf("%d connections past the shim, %d Produce requests with less than acks=-1", one.foreign, one.weak)
	}
}
