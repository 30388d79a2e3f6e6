package topic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/internal/topic"
)

func TestParseID(t *testing.T) {
	tests := map[string]struct {
		text string
		want topic.ID
		ok   bool
	}{
		"as kafka-topics prints it":    {"AAECAwQFBgcICQoLDA0ODw", topic.ID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, true},
		"URL-safe characters":          {"_-7__________________w", topic.ID{0xff, 0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, true},
		"empty is the zero ID":         {"", topic.ID{}, true},
		"too short":                    {"AAECAwQFBgcICQoLDA0O", topic.ID{}, false},
		"too long":                     {"AAECAwQFBgcICQoLDA0ODxA", topic.ID{}, false},
		"with padding":                 {"AAECAwQFBgcICQoLDA0ODw==", topic.ID{}, false},
		"the other base64":             {"++//AwQFBgcICQoLDA0ODw", topic.ID{}, false},
		"a UUID with dashes":           {"00010203-0405-0607-0809-0a0b0c0d0e0f", topic.ID{}, false},
		"a space at the end is a typo": {"AAECAwQFBgcICQoLDA0ODw ", topic.ID{}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := topic.ParseID(tt.text)
			if (err == nil) != tt.ok || got != tt.want {
				t.Fatalf("ParseID(%q) = %v, %v", tt.text, got, err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("the error does not show the text: %v", err)
			}
			if err == nil && got.String() != tt.text {
				t.Errorf("String() = %q, want %q", got.String(), tt.text)
			}
		})
	}
}

// Every ID survives its text.
func FuzzID(f *testing.F) {
	f.Add([]byte("0123456789abcdef"))
	f.Add(make([]byte, 16))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) == 16 {
			id := topic.ID(raw)
			back, err := topic.ParseID(id.String())
			if err != nil || back != id {
				t.Errorf("%v came back as %v, %v", id, back, err)
			}
		}
		if id, err := topic.ParseID(string(raw)); err == nil && len(raw) > 0 && len(id.String()) != 22 {
			t.Errorf("ParseID(%q) = %v", raw, id)
		}
	})
}

func TestObservedCounts(t *testing.T) {
	mixed := topic.Observed{Partitions: []topic.Partition{
		{Number: 0, Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}},
		{Number: 1, Leader: -1, Replicas: []int32{1, 2, 3}, ISR: []int32{2}},
		// Moving from 1, 2, 3 to 1, 4: two replicas in the end, and both are in sync.
		{Number: 2, Leader: 1, Replicas: []int32{4, 1, 2, 3}, ISR: []int32{1, 2, 3, 4}, Adding: []int32{4}, Removing: []int32{2, 3}},
	}}
	type counts struct{ Replication, Offline, UnderReplicated, LeastISR int }
	of := func(o topic.Observed) counts {
		return counts{o.Replication(), o.Offline(), o.UnderReplicated(), o.LeastISR()}
	}
	if diff := cmp.Diff(counts{Replication: 2, Offline: 1, UnderReplicated: 1, LeastISR: 1}, of(mixed)); diff != "" {
		t.Errorf("mixed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(counts{}, of(topic.Observed{})); diff != "" {
		t.Errorf("absent (-want +got):\n%s", diff)
	}
	if !mixed.Partitions[2].Moving() || mixed.Partitions[0].Moving() {
		t.Error("partition 2 moves, and 0 does not")
	}
	if diff := cmp.Diff([]int32{4, 1}, mixed.Partitions[2].Target()); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int32{4, 1, 2, 3}, mixed.Partitions[2].Replicas); diff != "" {
		t.Errorf("Target changed the replicas (-want +got):\n%s", diff)
	}
	if !(topic.Partition{Adding: []int32{1}}).Moving() || !(topic.Partition{Removing: []int32{1}}).Moving() {
		t.Error("one side is enough to be on the move")
	}
}

func TestExists(t *testing.T) {
	if (topic.Observed{At: 9}).Exists() {
		t.Error("a version alone is no topic")
	}
	if !(topic.Observed{ID: ours}).Exists() {
		t.Error("a topic whose partitions are on their way exists")
	}
	if !(topic.Observed{Partitions: make([]topic.Partition, 1)}).Exists() {
		t.Error("a broker from before topic IDs has topics too")
	}
}

func TestLiveBrokers(t *testing.T) {
	c := topic.Cluster{Brokers: []topic.Broker{{ID: 1}, {ID: 2, Fenced: true}, {ID: 3, Cordoned: true}}}
	if got := c.Live(); got != 2 {
		t.Errorf("Live() = %d, want 2: a cordoned broker serves, a fenced one does not", got)
	}
}
