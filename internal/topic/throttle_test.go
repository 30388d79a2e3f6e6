package topic_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mooring.dev/mooring/internal/topic"
)

func TestThrottleFor(t *testing.T) {
	tests := map[string]struct {
		reason             string
		moves              []topic.Move
		leaders, followers string
	}{
		"grow": {
			reason: "any replica that there is may lead on the way; the new ones follow",
			moves:  []topic.Move{{Partition: 0, From: []int32{2, 1}, To: []int32{2, 1, 3}}}, leaders: "0:1,0:2", followers: "0:3",
		},
		"numbers, not text": {
			reason: "the order is the same whatever the order of the moves",
			moves:  []topic.Move{{Partition: 10, From: []int32{1}, To: []int32{1, 2}}, {Partition: 9, From: []int32{10}, To: []int32{10, 9}}}, leaders: "9:10,10:1", followers: "9:9,10:2",
		},
		"replace": {
			reason: "the one that goes is read from until then",
			moves:  []topic.Move{{Partition: 0, From: []int32{1, 2}, To: []int32{2, 3}}}, leaders: "0:1,0:2", followers: "0:3",
		},
		"shrink": {
			reason: "nothing is copied, and a throttle would slow a replica that is catching up",
			moves:  []topic.Move{{Partition: 0, From: []int32{1, 2}, To: []int32{1}}},
		},
		"none": {reason: "no moves"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if leaders, followers := topic.ThrottleFor(tt.moves); leaders != tt.leaders || followers != tt.followers {
				t.Errorf("%s: %q and %q, want %q and %q", tt.reason, leaders, followers, tt.leaders, tt.followers)
			}
		})
	}
}

func TestMergeAndRemoveThrottle(t *testing.T) {
	tests := map[string]struct{ reason, value, ours, merged, removed string }{
		"alone":          {"nobody else throttles", "", "0:1,0:2", "0:1,0:2", ""},
		"somebody else":  {"theirs stay, in their order", "7:3,7:1", "0:1", "7:3,7:1,0:1", "7:3,7:1"},
		"in both":        {"once is enough; and it goes with ours, because a pair has no owner", "0:1,7:3", "0:1", "0:1,7:3", "7:3"},
		"with spaces":    {"the broker drops them too", " 7:3 , 7:1 ", "7:1", "7:3,7:1", "7:3"},
		"everything":     {"all replicas are throttled already, by somebody else", "*", "0:1", "*", "*"},
		"nothing":        {"a shrink throttles nothing", "7:3", "", "7:3", "7:3"},
		"not 1 but 11":   {"pairs are compared whole", "0:11,10:1", "0:1", "0:11,10:1,0:1", "0:11,10:1"},
		"nothing at all": {"the key can be reset", "", "", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			merged := topic.MergeThrottle(tt.value, tt.ours)
			if merged != tt.merged || topic.MergeThrottle(merged, tt.ours) != merged {
				t.Errorf("%s: merged %q, want %q, and the same again", tt.reason, merged, tt.merged)
			}
			for _, value := range []string{tt.value, merged} {
				if removed := topic.RemoveThrottle(value, tt.ours); removed != tt.removed {
					t.Errorf("%s: removed from %q: %q, want %q", tt.reason, value, removed, tt.removed)
				}
			}
		})
	}
}

func TestLeftoverThrottle(t *testing.T) {
	o := observed(on(0, 1, 2), moving(1, []int32{1}, []int32{1, 2}))
	tests := map[string]struct{ reason, value, want string }{
		"at rest":    {"partition 0 does not move, and partition 5 is not there", "0:1,1:1,0:2,5:1", "0:1,0:2,5:1"},
		"on the way": {"the throttle is in use", "1:1,1:2", ""},
		"everything": {"not ours: we name pairs", "*", ""},
		"nonsense":   {"the broker would not have taken it", "x,1,:2,3:", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := topic.LeftoverThrottle(tt.value, o); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
			}
		})
	}
}

func TestThrottledBrokers(t *testing.T) {
	leaders, followers := topic.ThrottleFor([]topic.Move{
		{Partition: 0, From: []int32{2, 1}, To: []int32{2, 1, 3}},
		{Partition: 1, From: []int32{1, 9}, To: []int32{1, 9, 4}},
	})
	all := but(racked("", "", "", ""), 2, fence)
	if got := topic.ThrottledBrokers(leaders, all); !slices.Equal(got, []int32{1}) {
		t.Errorf("leaders %v, want 1: broker 2 is fenced and 9 not listed, and neither can be configured", got)
	}
	if got := topic.ThrottledBrokers(followers, all); !slices.Equal(got, []int32{3, 4}) {
		t.Errorf("followers %v, want 3 and 4", got)
	}
	if got := topic.ThrottledBrokers(leaders, nil); !slices.Equal(got, []int32{1, 2, 9}) {
		t.Errorf("leaders %v, want all, because no brokers are known", got)
	}
}

// Every new replica is throttled as a follower, on a broker that gets the rate, and every old one as a leader; taken off
// again, what is left is what others set.
func TestThrottleGoesOnAndOff(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 6))
		pr := randomProblem(r.IntN)
		where, _ := pr.solve()
		var moves []topic.Move
		for _, p := range pr.partitions {
			if to := where[p.Number]; len(to) > len(p.Replicas) {
				moves = append(moves, topic.Move{Partition: p.Number, From: p.Replicas, To: to})
			}
		}
		leaders, followers := topic.ThrottleFor(moves)
		for _, m := range moves {
			for i, id := range m.To {
				list := leaders
				if i >= len(m.From) {
					list = followers
				}
				text := strconv.Itoa(int(m.Partition)) + ":" + strconv.Itoa(int(id))
				if !slices.Contains(strings.Split(list, ","), text) || !slices.Contains(topic.ThrottledBrokers(list, nil), id) {
					t.Fatalf("seed %d: %s is not in %q, or its broker has no rate", seed, text, list)
				}
			}
		}
		theirs := "1000:1,1001:2"
		if got := topic.RemoveThrottle(topic.MergeThrottle(theirs, leaders), leaders); got != theirs {
			t.Fatalf("seed %d: on and off leaves %q of %q", seed, got, theirs)
		}
	}
}

func FuzzThrottle(f *testing.F) {
	f.Add("0:1,7:3", "0:1")
	f.Add("*", "0:1")
	f.Add(" 0:1 ,,", "")
	f.Fuzz(func(t *testing.T, value, ours string) {
		merged := topic.MergeThrottle(value, ours)
		if again := topic.MergeThrottle(merged, ours); again != merged {
			t.Errorf("merged %q, and again %q", merged, again)
		}
		removed := topic.RemoveThrottle(merged, ours)
		if again := topic.RemoveThrottle(removed, ours); again != removed {
			t.Errorf("removed %q, and again %q", removed, again)
		}
		topic.LeftoverThrottle(value, topic.Observed{})
		topic.ThrottledBrokers(value, nil)
	})
}
