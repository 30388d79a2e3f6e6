package topic

import "testing"

func TestReassignSettled(t *testing.T) {
	step := Reassign{Moves: []Move{{Partition: 3, From: []int32{1}, To: []int32{1, 2}}}}
	tests := map[string]struct {
		reason    string
		partition Partition
		want      bool
	}{
		"not yet":   {"brokers learn of it one by one", Partition{Number: 3, Replicas: []int32{1}}, false},
		"begun":     {"the controller has it", Partition{Number: 3, Replicas: []int32{1, 2}, Adding: []int32{2}}, true},
		"arrived":   {"there was little to copy", Partition{Number: 3, Replicas: []int32{1, 2}}, true},
		"elsewhere": {"somebody else moved it", Partition{Number: 3, Replicas: []int32{1, 4}}, false},
		"gone":      {"no such partition", Partition{Number: 4, Replicas: []int32{1, 2}}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := step.settled(Observed{Partitions: []Partition{tt.partition}}); got != tt.want {
				t.Errorf("%s: settled = %t, want %t", tt.reason, got, tt.want)
			}
		})
	}
}

func TestReassignmentDefaults(t *testing.T) {
	if got, want := (Reassignment{BytesPerSecond: -1}).orDefault(), (Reassignment{PartitionsAtOnce: 10, BytesPerSecond: 50 << 20}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := (Reassignment{PartitionsAtOnce: 2, BytesPerSecond: 7}).orDefault(), (Reassignment{PartitionsAtOnce: 2, BytesPerSecond: 7}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
