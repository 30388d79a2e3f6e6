package report

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/topic"
)

var update = flag.Bool("update", false, "write the golden files")

// everything is a plan with all that a plan may have.
func everything() Plan {
	at := func(line int) manifest.Source {
		return manifest.Source{File: "topics.yaml", Document: line, Line: line}
	}
	return Plan{
		Ownership: OwnershipLive,
		Clusters:  []Cluster{{Name: "default", ID: "kfake-one"}},
		Notes:     []string{"not planned: KafkaTopic shop/z is for KafkaCluster other"},
		Topics: []Topic{
			{Source: at(1), Namespace: "shop", Name: "orders", Cluster: "default", TopicName: "orders", State: "Absent", Verdict: VerdictAccepted,
				Steps: []topic.Step{topic.Create{Name: "orders", Partitions: new(int32(6)), Replication: new(int16(3)), Config: map[string]string{"min.insync.replicas": "2"}}}},
			{Source: at(2), Namespace: "shop", Name: "audit", Cluster: "default", TopicName: "Audit", State: "Owned", Verdict: VerdictUnknown,
				Steps: []topic.Step{
					topic.Grow{Name: "Audit", From: 3, To: 6},
					topic.Configure{Name: "Audit", Changes: []topic.Change{
						{Key: "retention.ms", From: new("86400000"), To: new("604800000")},
						{Key: "segment.bytes", From: new("1000")},
						{Key: "x.y", To: new("1")},
					}},
				},
				Refusals: []topic.Refusal{{Reason: "AcknowledgeRequired", Message: "cleanup.policy from compact to delete deletes the last value of every key once it is older than retention.ms; if you mean it, add CompactionRemoved to spec.acknowledge"}},
				Notes:    []string{"replicas are moving: 1 partitions of 3"}},
			{Source: at(3), Namespace: "shop", Name: "old", Cluster: "default", TopicName: "old", State: "Foreign", Verdict: VerdictAccepted, Waits: "Review",
				Steps:    []topic.Step{topic.Configure{Name: "old", Changes: []topic.Change{{Key: "retention.ms", From: new("1"), To: new("2")}}}},
				Refusals: []topic.Refusal{{Reason: "AdoptionReview", Message: "topic old exists and differs from this manifest in 1 setting"}}},
			{Source: at(4), Namespace: "shop", Name: "watched", Cluster: "default", TopicName: "watched", State: "Owned", Verdict: VerdictNotAsked, Waits: "Observe",
				Steps: []topic.Step{topic.Reassign{Name: "watched", Pending: 3, AtOnce: 10, Replication: 3, ThrottleBytesPerSecond: 50 << 20}, topic.Elect{Name: "watched", Partitions: []int32{1}}, topic.Unthrottle{Name: "watched"}}},
			{Source: at(5), Namespace: "shop", Name: "same", Cluster: "default", TopicName: "same", State: "Owned"},
			{Source: at(6), Namespace: "shop", Name: "hidden", Cluster: "default", TopicName: "hidden", State: "Unknown", Error: "look at topic hidden: TOPIC_AUTHORIZATION_FAILED: Not authorized\nto access \x1b[31mtopics"},
		},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (write it anew with go test -update) (-want +got)\n%s", path, diff)
	}
}

func TestText(t *testing.T) {
	golden(t, "everything.txt", []byte(everything().Text(false)))
	golden(t, "everything-unchanged-too.txt", []byte(everything().Text(true)))
}

func TestJSON(t *testing.T) {
	text, err := everything().JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "everything.json", text)
	broken := Plan{Ownership: OwnershipAssumed, Failure: "no broker at a:1 answers",
		Problems: []manifest.Problem{{Source: manifest.Source{File: "a.yaml", Document: 2, Line: 9}, Object: "KafkaTopic shop/a", Field: "spec.partitions", Message: "must be <= 3"}}}
	if text, err = broken.JSON(); err != nil {
		t.Fatal(err)
	}
	golden(t, "broken.json", text)
}

func TestExitStatus(t *testing.T) {
	step := []topic.Step{topic.Grow{Name: "a", From: 1, To: 2}}
	refusal := []topic.Refusal{{Reason: "PartitionsShrink", Message: "no"}}
	tests := map[string]struct {
		reason string
		plan   Plan
		want   int
	}{
		"nothing":                {"No topic, no change.", Plan{}, ExitUnchanged},
		"no change":              {"All topics are what they should be.", Plan{Topics: []Topic{{}, {}}}, ExitUnchanged},
		"a change":               {"One is enough.", Plan{Topics: []Topic{{}, {Steps: step}}}, ExitChanges},
		"a refusal":              {"The topic is not what the manifest says, so it is no success.", Plan{Topics: []Topic{{Refusals: refusal}}}, ExitChanges},
		"a refusal that fails":   {"CI wants to stop a change that cannot be carried out.", Plan{RefusalFails: true, Topics: []Topic{{Refusals: refusal}}}, ExitFailed},
		"a change, strictly":     {"Only refusals fail.", Plan{RefusalFails: true, Topics: []Topic{{Steps: step}}}, ExitChanges},
		"a topic not planned":    {"What could not be seen is no plan.", Plan{Topics: []Topic{{Steps: step}, {Error: "x"}}}, ExitFailed},
		"a manifest not taken":   {"Applying it would fail.", Plan{Problems: []manifest.Problem{{Message: "x"}}}, ExitFailed},
		"a cluster that is away": {"Nothing was planned.", Plan{Failure: "x"}, ExitFailed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.plan.ExitStatus(); got != test.want {
				t.Errorf("%s Got exit status %d, want %d", test.reason, got, test.want)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	for want, plan := range map[string]Plan{
		"0 topics: no change": {},
		"1 topic: no change":  {Topics: []Topic{{}}},
		"2 topics: 1 to change, 1 unchanged, 1 with refusals": {Topics: []Topic{{}, {Steps: []topic.Step{topic.Grow{}}, Refusals: []topic.Refusal{{}}}}},
	} {
		if got := plan.Summary().String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
