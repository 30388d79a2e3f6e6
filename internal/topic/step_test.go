package topic_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/internal/topic"
)

// The words of a plan are in status, in Events and on the command line: they are part of what users see.
func TestLines(t *testing.T) {
	steps := []topic.Step{
		topic.Create{Name: "a"},
		topic.Create{Name: "b", Partitions: new(int32(1)), Replication: new(int16(3)), Config: map[string]string{"z": "1", "m": "", "a": "x y"}},
		topic.Create{Name: "c", Partitions: new(int32(12))},
		topic.Grow{Name: "b", From: 1, To: 12},
		topic.Configure{Name: "b", Changes: []topic.Change{
			{Key: "k1", To: new("v")},
			{Key: "k2", From: new("old"), To: new("new")},
			{Key: "k3", From: new("old")},
			{Key: "k4", From: new(""), To: new("a b")},
			{Key: "k5"},
		}},
		topic.Elect{Name: "b", Partitions: []int32{1, 2}},
		topic.Unthrottle{Name: "b"},
		topic.Remove{Name: "b", ID: topic.ID{0: 0xff, 15: 0x01}},
	}
	want := []string{
		"create topic a with the broker's number of partitions, the broker's replication factor",
		"create topic b with 1 partition, replication factor 3, a=x y, m=, z=1",
		"create topic c with 12 partitions, the broker's replication factor",
		"grow topic b from 1 to 12 partitions",
		"set k1 to v",
		"set k2 to new (is old)",
		"reset k3 (is old)",
		`set k4 to "a b" (is "")`,
		"reset k5 (is unset)",
		"elect the preferred leaders of 2 partitions of topic b",
		"take the replication throttle off topic b",
		"delete topic b (topic ID _wAAAAAAAAAAAAAAAAAAAQ) with its records",
	}
	if diff := cmp.Diff(want, topic.Lines(steps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := topic.Lines(nil); len(got) != 0 {
		t.Errorf("no steps have lines: %q", got)
	}
}
