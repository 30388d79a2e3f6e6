package franz

import (
	"io"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/coalesce"
	"mooring.dev/mooring/internal/topic"
)

func sightingOf(at topic.Version) topic.Observed {
	return topic.Observed{
		ID: topic.ID{1}, At: at,
		Config:     map[string]topic.Entry{"k": {Value: new("v"), Source: topic.SourceDynamicTopic, Type: topic.TypeString}},
		Partitions: []topic.Partition{{Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}}},
	}
}

// What wakes a reconcile, and what does not: a rolling restart of the brokers must not wake every topic for nothing.
func TestAlike(t *testing.T) {
	tests := map[string]struct {
		change func(*topic.Observed)
		alike  bool
	}{
		"nothing":                  {func(*topic.Observed) {}, true},
		"when it was seen":         {func(o *topic.Observed) { o.At = 99 }, true},
		"another leader":           {func(o *topic.Observed) { o.Partitions[0].Leader = 3 }, true},
		"broker 0 leads":           {func(o *topic.Observed) { o.Partitions[0].Leader = 0 }, true},
		"the order of the ISR":     {func(o *topic.Observed) { o.Partitions[0].ISR = []int32{3, 1, 2} }, true},
		"no leader":                {func(o *topic.Observed) { o.Partitions[0].Leader = -1 }, false},
		"a replica out of sync":    {func(o *topic.Observed) { o.Partitions[0].ISR = []int32{1, 2} }, false},
		"other replicas":           {func(o *topic.Observed) { o.Partitions[0].Replicas = []int32{1, 2, 4} }, false},
		"a replica on the move":    {func(o *topic.Observed) { o.Partitions[0].Adding = []int32{4} }, false},
		"a replica on its way out": {func(o *topic.Observed) { o.Partitions[0].Removing = []int32{3} }, false},
		"another partition":        {func(o *topic.Observed) { o.Partitions = append(o.Partitions, topic.Partition{Number: 1}) }, false},
		"another topic ID":         {func(o *topic.Observed) { o.ID = topic.ID{2} }, false},
		"gone":                     {func(o *topic.Observed) { *o = topic.Observed{} }, false},
		"another value": {func(o *topic.Observed) {
			o.Config = map[string]topic.Entry{"k": {Value: new("w"), Source: topic.SourceDynamicTopic, Type: topic.TypeString}}
		}, false},
		"the same value by default": {func(o *topic.Observed) {
			o.Config = map[string]topic.Entry{"k": {Value: new("v"), Source: topic.SourceDefault, Type: topic.TypeString}}
		}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before, after := sightingOf(1), sightingOf(1)
			tt.change(&after)
			if alike(before, after) != tt.alike || alike(after, before) != tt.alike {
				t.Errorf("alike = %t, want %t", !tt.alike, tt.alike)
			}
			if before.Partitions[0].Leader != 1 || !slices.Equal(before.Partitions[0].ISR, []int32{1, 2, 3}) {
				t.Error("the comparison changed what it compared")
			}
		})
	}
}

func TestPut(t *testing.T) {
	v := newView()
	if v.put("a", nil, sightingOf(1)) || len(v.seen) != 0 {
		t.Error("a topic that nobody observes is kept: it would be kept for ever")
	}
	v.track("a", nil)
	if v.put("a", nil, sightingOf(5)) {
		t.Error("the first sighting is no change")
	}
	changed := sightingOf(6)
	changed.Partitions[0].ISR = []int32{1}
	if !v.put("a", nil, changed) {
		t.Error("a change was not noticed")
	}
	if v.put("a", nil, sightingOf(5)) {
		t.Error("an older look, that ended later, counts as a change")
	}
	if o, _ := v.get("a", nil); o.At != 6 || len(o.Partitions[0].ISR) != 1 {
		t.Errorf("an older look replaced a newer one: %+v", o)
	}
	v.forget("a")
	if _, ok := v.get("a", nil); ok {
		t.Error("a forgotten topic is known")
	}
	if v.put("a", nil, sightingOf(7)); len(v.seen) != 0 || len(v.trackedKeys()) != 0 {
		t.Error("a look that was under way brought a forgotten topic back")
	}
}

func TestCovers(t *testing.T) {
	tests := []struct {
		have, want []string
		covers     bool
	}{
		{nil, nil, true},
		{nil, []string{"a"}, true},
		{[]string{"a"}, nil, false},
		{[]string{"a", "b"}, []string{"b"}, true},
		{[]string{"a"}, []string{"a", "b"}, false},
		{[]string{}, []string{}, true},
		{[]string{}, []string{"a"}, false},
	}
	for _, tt := range tests {
		if got := covers(tt.have, tt.want); got != tt.covers {
			t.Errorf("covers(%v, %v) = %t", tt.have, tt.want, got)
		}
	}
}

func TestUnionKeys(t *testing.T) {
	if got := unionKeys([]string{"b", "a"}, []string{"c", "a"}); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%v", got)
	}
	if unionKeys(nil, []string{"a"}) != nil || unionKeys([]string{"a"}, nil) != nil {
		t.Error("all keys, and one more, are all keys")
	}
}

// A refusal of the whole batch that may be one item's is tried again in halves; one that halves would meet too is not, and
// nothing is sent twice that was carried out for some.
func TestSplitAllRefused(t *testing.T) {
	result := func(class kafka.Class) coalesce.Result[int] {
		return coalesce.Result[int]{Err: kafka.NewError(class, "?")}
	}
	type results = map[string]coalesce.Result[int]
	tests := map[string]struct {
		results results
		err     error
		split   bool
	}{
		"all got a policy violation":         {results: results{"a": result(kafka.ClassPolicy), "b": result(kafka.ClassPolicy)}, split: true},
		"all were invalid":                   {results: results{"a": result(kafka.ClassInvalid), "b": result(kafka.ClassInvalid)}, split: true},
		"one got through":                    {results: results{"a": result(kafka.ClassPolicy), "b": {Value: 1}}, split: false},
		"one failed for a reason of its own": {results: results{"a": result(kafka.ClassPolicy), "b": result(kafka.ClassExists)}, split: false},
		"all exist":                          {results: results{"a": result(kafka.ClassExists), "b": result(kafka.ClassExists)}, split: false},
		"all are throttled":                  {results: results{"a": result(kafka.ClassThrottled), "b": result(kafka.ClassThrottled)}, split: false},
		"one alone":                          {results: results{"a": result(kafka.ClassPolicy)}, split: false},
		"none":                               {split: false},
		"the request was invalid":            {err: kerr.InvalidRequest, split: true},
		"the request broke a policy":         {err: kerr.PolicyViolation, split: true},
		"the request was denied":             {err: kerr.ClusterAuthorizationFailed, split: false},
		"the network broke":                  {err: io.EOF, split: false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := splitAllRefused(tt.results, tt.err); got != tt.split {
				t.Errorf("split = %t", got)
			}
		})
	}
}
