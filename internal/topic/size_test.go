package topic_test

import (
	"testing"

	"mooring.dev/mooring/internal/topic"
)

func TestRemaining(t *testing.T) {
	tests := map[string]struct {
		reason     string
		partitions []topic.Partition
		sizes      topic.Sizes
		want       int64
	}{
		"nothing moves":              {reason: "a replica that is behind is none that moves", partitions: []topic.Partition{{Replicas: []int32{1, 2}}}, sizes: topic.Sizes{0: {1: 9, 2: 3}}},
		"half of one replica":        {reason: "the new one has a part", partitions: []topic.Partition{{Adding: []int32{3}}}, sizes: topic.Sizes{0: {1: 10, 3: 4}}, want: 6},
		"a replica with nothing yet": {reason: "its broker names it once it has begun", partitions: []topic.Partition{{Adding: []int32{3}}}, sizes: topic.Sizes{0: {1: 10}}, want: 10},
		"two of two partitions":      {reason: "they add up", partitions: []topic.Partition{{Adding: []int32{2, 3}}, {Number: 1, Adding: []int32{3}}}, sizes: topic.Sizes{0: {1: 10, 2: 9}, 1: {1: 5}}, want: 16},
		"the new one has more":       {reason: "never below nothing", partitions: []topic.Partition{{Adding: []int32{3}}}, sizes: topic.Sizes{0: {1: 10, 3: 12}}},
		"nothing is known":           {reason: "no broker answered for it", partitions: []topic.Partition{{Adding: []int32{3}}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := (topic.Observed{Partitions: tt.partitions}).Remaining(tt.sizes); got != tt.want {
				t.Errorf("%s: %d bytes remain, want %d", tt.reason, got, tt.want)
			}
		})
	}
}
