package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka/kafkatest"
)

func TestPlanOffline(t *testing.T) {
	c := kafkatest.Start(t)
	create(t, c, "same", 3, 3, map[string]string{"retention.ms": "3600000"})
	create(t, c, "compacted", 3, 3, map[string]string{"cleanup.policy": "compact"})
	if err := c.Client(t).ProduceSync(t.Context(), &kgo.Record{Topic: "compacted", Key: []byte("k"), Value: []byte("v")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	create(t, c, "compacted-empty", 3, 3, map[string]string{"cleanup.policy": "compact"})
	create(t, c, "differs", 3, 2, map[string]string{"retention.ms": "3600000"})
	tests := map[string]struct {
		reason   string
		manifest string
		want     string
		status   int
	}{
		"no change": {
			reason:   "A topic that is what its manifest says is counted only.",
			manifest: manifestOf("same", "partitions: 3", "replicationFactor: 3", "config: {retention.ms: 3600000}"),
			want: `# without a kube context it is not known whose the existing topics are: they are planned as with adoption: Adopt, and configuration that a manifest no longer names is not seen
1 topic: no change`,
			status: 0,
		},
		"a new topic": {
			reason:   "It is created.",
			manifest: manifestOf("orders", "partitions: 6", "replicationFactor: 3", "minInsyncReplicas: 2"),
			want: `KafkaTopic shop/orders (topic orders on default): Absent
+ create topic orders with 6 partitions, replication factor 3, min.insync.replicas=2

1 topic: 1 to create`,
			status: 2,
		},
		"a topic that differs": {
			reason:   "Whose it is, nobody knows, so the plan is that of Adopt.",
			manifest: manifestOf("differs", "partitions: 6", "minInsyncReplicas: 2", "config: {retention.ms: 7200000}"),
			want: `KafkaTopic shop/differs (topic differs on default): Existing
+ grow topic differs from 3 to 6 partitions
~ set min.insync.replicas to 2 (is 1)
~ set retention.ms to 7200000 (is 3600000)

# without a kube context it is not known whose the existing topics are: they are planned as with adoption: Adopt, and configuration that a manifest no longer names is not seen
1 topic: 1 to change`,
			status: 2,
		},
		"a dangerous change": {
			reason:   "What is refused says how to mean it, and does not hold back the rest.",
			manifest: manifestOf("compacted", "partitions: 6", "config: {retention.ms: 1000, max.message.bytes: 2000000}"),
			want: `KafkaTopic shop/compacted (topic compacted on default): Existing
~ set max.message.bytes to 2000000 (is 1048588)
! AcknowledgeRequired: growing topic compacted from 3 to 6 partitions moves keys to other partitions, and their old values stay uncompacted where they were; if you mean it, add PartitionGrowthOnCompactedTopic to spec.acknowledge
! AcknowledgeRequired: retention.ms from 604800000 to 1000 deletes the records beyond it that are stored now; if you mean it, add RetentionCut to spec.acknowledge

# without a kube context it is not known whose the existing topics are: they are planned as with adoption: Adopt, and configuration that a manifest no longer names is not seen
1 topic: 1 to change, 1 with refusals`,
			status: 2,
		},
		"a dangerous change of an empty topic": {
			reason:   "There is nothing to lose now, and that may be otherwise when the manifest is applied.",
			manifest: manifestOf("compacted-empty", "partitions: 6"),
			want: `KafkaTopic shop/compacted-empty (topic compacted-empty on default): Existing
+ grow topic compacted-empty from 3 to 6 partitions
# the topic holds no record now; with one, this needs spec.acknowledge

# without a kube context it is not known whose the existing topics are: they are planned as with adoption: Adopt, and configuration that a manifest no longer names is not seen
1 topic: 1 to change`,
			status: 2,
		},
		"adoption Refuse": {
			reason:   "It may be this object's topic since long, so it is planned, with a note.",
			manifest: manifestOf("differs", "adoption: Refuse", "partitions: 4"),
			want: `KafkaTopic shop/differs (topic differs on default): Existing
+ grow topic differs from 3 to 4 partitions
# adoption is Refuse: unless this KafkaTopic made the topic, none of this is carried out

# without a kube context it is not known whose the existing topics are: they are planned as with adoption: Adopt, and configuration that a manifest no longer names is not seen
1 topic: 1 to change`,
			status: 2,
		},
		"mode Observe": {
			reason:   "Nothing will be written, and the plan says so.",
			manifest: manifestOf("orders", "mode: Observe"),
			want: `KafkaTopic shop/orders (topic orders on default): Absent
+ create topic orders with the broker's number of partitions, the broker's replication factor
# mode is Observe: none of this is carried out

1 topic: 1 to create`,
			status: 2,
		},
		"two manifests for one topic": {
			reason:   "Only one of them can own it.",
			manifest: manifestOf("orders") + manifestOf("orders2", "topicName: orders"),
			want: `KafkaTopic shop/orders (topic orders on default): Absent
+ create topic orders with the broker's number of partitions, the broker's replication factor

KafkaTopic shop/orders2 (topic orders on default): Absent
! Conflict: KafkaTopic shop/orders in these manifests too is for topic orders; keep one of the two

2 topics: 1 to create, 1 with refusals`,
			status: 2,
		},
		"no topic at all": {
			reason:   "An empty plan is no error.",
			manifest: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
			want:     "0 topics: no change",
			status:   0,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c)
			status := w.run(t, test.manifest, "plan", "-f", "-", "--bootstrap-servers", servers(c))
			same(t, test.reason, test.want, w.out.String())
			if status != test.status {
				t.Errorf("%s The exit status is %d, want %d; it said %s", test.reason, status, test.status, w.err.String())
			}
		})
	}
}

// TestPlanAsksTheBrokers: what only the brokers know is in the plan.
func TestPlanAsksTheBrokers(t *testing.T) {
	const two = "config: {max.message.bytes: 2000000, retention.ms: 7200000}"
	tests := map[string]struct {
		reason   string
		manifest string
		fault    func(c *kafkatest.Cluster)
		want     string
		status   int
	}{
		"a create that a policy refuses": {
			reason:   "It is a refusal, in the brokers' words.",
			manifest: manifestOf("new", "partitions: 3"),
			fault:    func(c *kafkatest.Cluster) { c.FailAll(kmsg.CreateTopics, kerr.PolicyViolation, -1) },
			want:     "KafkaTopic shop/new (topic new on default): Absent\n! PolicyViolation: the brokers refuse to create topic new with 3 partitions, the broker's replication factor: POLICY_VIOLATION: ",
			status:   2,
		},
		"a principal that may only look": {
			reason:   "CI should not need more; that the brokers do not tell is a note.",
			manifest: manifestOf("there", two),
			fault:    func(c *kafkatest.Cluster) { c.Deny(kmsg.IncrementalAlterConfigs, "there") },
			want:     "KafkaTopic shop/there (topic there on default): Existing\n~ set max.message.bytes to 2000000 (is 1048588)\n~ set retention.ms to 7200000 (is 3600000)\n# the brokers were asked whether they accept this, and do not tell this principal\n",
			status:   2,
		},
		"one of two keys that the brokers refuse": {
			reason:   "The other one is carried out, as the operator does.",
			manifest: manifestOf("there", two),
			fault:    func(c *kafkatest.Cluster) { c.FailTopic(kmsg.IncrementalAlterConfigs, "there", kerr.InvalidConfig, 2) },
			want:     "KafkaTopic shop/there (topic there on default): Existing\n~ set retention.ms to 7200000 (is 3600000)\n! InvalidConfig: the brokers refuse to set max.message.bytes to 2000000 (is 1048588): INVALID_CONFIG: ",
			status:   2,
		},
		"growth that the brokers refuse": {
			reason:   "The operator stops at the first step that fails.",
			manifest: manifestOf("there", "partitions: 9", two),
			fault:    func(c *kafkatest.Cluster) { c.FailTopic(kmsg.CreatePartitions, "there", kerr.PolicyViolation, -1) },
			want:     "KafkaTopic shop/there (topic there on default): Existing\n~ set max.message.bytes to 2000000 (is 1048588)\n~ set retention.ms to 7200000 (is 3600000)\n! PolicyViolation: the brokers refuse to grow topic there from 3 to 9 partitions: POLICY_VIOLATION: ",
			status:   2,
		},
		"a topic that may not be looked at": {
			reason:   "It is not missing, and it is not planned.",
			manifest: manifestOf("there", two),
			fault:    func(c *kafkatest.Cluster) { c.Deny(kmsg.DescribeConfigs, "there") },
			want:     "KafkaTopic shop/there (topic there on default): not planned\n! look at topic there: TOPIC_AUTHORIZATION_FAILED: ",
			status:   1,
		},
		"brokers that fail": {
			reason:   "An answer that is none is an error, not a verdict.",
			manifest: manifestOf("there", two),
			fault: func(c *kafkatest.Cluster) {
				c.FailTopic(kmsg.IncrementalAlterConfigs, "there", kerr.UnknownServerError, -1)
			},
			want:   "KafkaTopic shop/there (topic there on default): not planned\n! ask the brokers whether they would set max.message.bytes to 2000000 (is 1048588): UNKNOWN_SERVER_ERROR: ",
			status: 1,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := kafkatest.Start(t)
			create(t, c, "there", 3, 3, map[string]string{"retention.ms": "3600000"})
			test.fault(c)
			w := newWorld(t, c)
			status := w.run(t, test.manifest, "plan", "-f", "-", "--bootstrap-servers", servers(c))
			if got := w.out.String(); !strings.HasPrefix(got, test.want) {
				t.Errorf("%s\ngot  %s\nwant %s...", test.reason, got, test.want)
			}
			if status != test.status {
				t.Errorf("%s The exit status is %d, want %d", test.reason, status, test.status)
			}
		})
	}
}

func TestPlanJSON(t *testing.T) {
	c := kafkatest.Start(t)
	w := newWorld(t, c)
	status := w.run(t, manifestOf("orders", "partitions: 6"), "plan", "-f", "-", "--bootstrap-servers", servers(c), "-o", "json")
	var got struct {
		ExitStatus int
		Ownership  string
		Clusters   []struct{ ID string }
		Topics     []struct {
			State, Verdict, File string
			Changes              []struct{ Action, Text string }
		}
	}
	if err := json.Unmarshal(w.out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, w.out.String())
	}
	if status != 2 || got.ExitStatus != 2 || got.Ownership != "Assumed" || got.Clusters[0].ID != "kfake-one" ||
		got.Topics[0].State != "Absent" || got.Topics[0].Verdict != "Accepted" || got.Topics[0].Changes[0].Action != "create" {
		t.Errorf("exit status %d, plan %+v", status, got)
	}
	status = w.run(t, manifestOf("orders", "partition: 6"), "plan", "-f", "-", "--bootstrap-servers", servers(c), "-o", "json")
	if status != 1 || !strings.Contains(w.out.String(), `"field": "spec.partition"`) || !strings.Contains(w.err.String(), "error: standard input:1: KafkaTopic shop/orders: spec.partition:") {
		t.Errorf("a problem is to be in the JSON and on standard error: exit status %d, %s %s", status, w.out.String(), w.err.String())
	}
}

func TestPlanFiles(t *testing.T) {
	c := kafkatest.Start(t)
	dir := t.TempDir()
	write(t, dir, "b.yaml", manifestOf("b"))
	a := write(t, dir, "a.json", `{"apiVersion":"kafka.mooring.dev/v1alpha1","kind":"KafkaTopic","metadata":{"name":"a"}}`)
	write(t, dir, "README.md", "no manifest")
	write(t, dir, "deeper/c.yml", manifestOf("c"))
	write(t, dir, "empty/x.txt", "")
	write(t, dir, "kustomized/kustomization.yaml", "resources: [a.yaml]\n")
	write(t, dir, "kustomized/a.yaml", manifestOf("k"))
	huge := write(t, dir, "huge.txt", strings.Repeat(" ", maxManifest+1))
	tests := map[string]struct {
		reason string
		args   []string
		want   string // of standard output, or of standard error where the status is 1
		status int
	}{
		"a folder":           {"Its YAML and JSON files, by name.", []string{"-f", dir}, "2 topics: 2 to create", 2},
		"and what is below":  {"With --recursive only.", []string{"-f", dir, "-R"}, "4 topics: 4 to create", 2},
		"kustomize":          {"Its own file is no manifest, and no obstacle.", []string{"-f", filepath.Join(dir, "kustomized")}, "1 topic: 1 to create", 2},
		"a file twice":       {"It is read once.", []string{"-f", dir, "-f", a}, "2 topics: 2 to create", 2},
		"nothing":            {"The flag is named.", nil, "error: which manifests? name them with -f FILE", 1},
		"a file that is not": {"The file is named.", []string{"-f", filepath.Join(dir, "nope.yaml")}, "error: " + filepath.Join(dir, "nope.yaml") + ": no such file or directory", 1},
		"an empty folder":    {"Most likely the wrong one.", []string{"-f", filepath.Join(dir, "empty")}, "error: " + filepath.Join(dir, "empty") + ": no file there ends in .yaml, .yml or .json; --recursive looks", 1},
		"a huge file":        {"It is no manifest.", []string{"-f", huge}, "error: " + huge + " is larger than 64 MiB", 1},
		"an odd output":      {"Told what there is.", []string{"-f", dir, "-o", "xml"}, "error: --output xml: want text or json", 1},
		"an odd flag":        {"It is named.", []string{"-f", dir, "--frob"}, "error: unknown flag: --frob", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c)
			status := w.run(t, "", append([]string{"plan", "--bootstrap-servers", servers(c)}, test.args...)...)
			said := w.out.String()
			if test.status == 1 {
				said = w.err.String()
			}
			if status != test.status || !strings.Contains(said, test.want) {
				t.Errorf("%s Exit status %d, want %d; it said\n%s\nwant\n%s", test.reason, status, test.status, said, test.want)
			}
		})
	}
}

func TestPlanUnreachable(t *testing.T) {
	c := kafkatest.Start(t)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no broker":  {[]string{"--bootstrap-servers", "127.0.0.1:1"}, "error: no broker at 127.0.0.1:1 answers: "},
		"no address": {[]string{"--tls"}, "error: no Kafka cluster is named; give --bootstrap-servers"},
		"no kube":    {nil, "error: no Kubernetes cluster in this test"},
		"a URL":      {[]string{"--bootstrap-servers", "kafka://x"}, `error: bootstrap server "kafka://x": want host:port`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c)
			status := w.run(t, manifestOf("orders"), append([]string{"plan", "-f", "-", "--timeout", "5s"}, test.args...)...)
			if status != 1 || !strings.HasPrefix(w.err.String(), test.want) || strings.Count(w.err.String(), "\n") != 1 {
				t.Errorf("exit status %d, it said %q, want %q in one line", status, w.err.String(), test.want)
			}
		})
	}
}
