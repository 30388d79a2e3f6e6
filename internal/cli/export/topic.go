package export

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mooring.dev/mooring/internal/topic"
)

// Topic is a manifest to be written.
type Topic struct {
	Name, Namespace string
	ClusterRef      string
	// TopicName is empty when it is Name.
	TopicName         string
	Partitions        int
	ReplicationFactor int // 0: left out
	MinInsyncReplicas int // 0: left out
	Config            map[string]string
	// Comments for whoever reads the manifest; they say what it leaves out.
	Comments []string
}

// Options are what the cluster does not know.
type Options struct {
	Namespace  string
	ClusterRef string
}

// FromObserved says what a topic is: what was set on it, not what it inherits, so that a changed default of the brokers goes
// on to reach it.
func FromObserved(topicName, name string, o topic.Observed, options Options) Topic {
	t := Topic{
		Name: name, Namespace: options.Namespace, ClusterRef: options.ClusterRef,
		Partitions: len(o.Partitions), Config: make(map[string]string),
	}
	if name != topicName {
		t.TopicName = topicName
	}
	t.replication(o)
	for _, key := range slices.Sorted(maps.Keys(o.Config)) {
		entry := o.Config[key]
		if entry.Source != topic.SourceDynamicTopic {
			continue
		}
		switch {
		case key == topic.KeyThrottledLeaderReplicas || key == topic.KeyThrottledFollowerReplicas:
			// A reassignment sets them while it runs.
		case entry.Value == nil:
			t.comment("%s is set, and the brokers do not show its value, so it is left out.", key)
		case entry.ReadOnly:
			t.comment("%s is read-only on this cluster, so it is left out.", key)
		case key == topic.KeyMinInsyncReplicas:
			t.minInsync(*entry.Value)
		default:
			t.Config[key] = *entry.Value
		}
	}
	return t
}

// replication leaves out the factor of a topic that has several: any number would move replicas.
func (t *Topic) replication(o topic.Observed) {
	partitionsOf := make(map[int][]int32)
	for _, p := range o.Partitions {
		factor := len(p.Target())
		partitionsOf[factor] = append(partitionsOf[factor], p.Number)
	}
	if len(partitionsOf) == 1 {
		t.ReplicationFactor = o.Replication()
		return
	}
	var parts []string
	for _, factor := range slices.Sorted(maps.Keys(partitionsOf)) {
		parts = append(parts, fmt.Sprintf("%d for %s", factor, numbers(partitionsOf[factor])))
	}
	t.comment("The partitions have several replication factors: %s. spec.replicationFactor is left out; setting it moves replicas until all have that many.", strings.Join(parts, ", "))
}

// minInsync leaves out what no manifest may say.
func (t *Topic) minInsync(value string) {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 1:
		t.comment("min.insync.replicas is %q, which is no number that a manifest may have, so it is left out.", value)
	case t.ReplicationFactor > 0 && n > t.ReplicationFactor:
		t.comment("min.insync.replicas is %d, above the replication factor %d: no producer with acks=all can write. It is left out; set spec.minInsyncReplicas to mend it.", n, t.ReplicationFactor)
	default:
		t.MinInsyncReplicas = n
	}
}

func (t *Topic) comment(format string, args ...any) {
	t.Comments = append(t.Comments, fmt.Sprintf(format, args...))
}

// numbers writes partitions as people do: partitions 0-2, 5.
func numbers(partitions []int32) string {
	slices.Sort(partitions)
	var runs []string
	for i := 0; i < len(partitions); {
		end := i
		for end+1 < len(partitions) && partitions[end+1] == partitions[end]+1 {
			end++
		}
		run := strconv.Itoa(int(partitions[i]))
		if end > i {
			run += "-" + strconv.Itoa(int(partitions[end]))
		}
		runs = append(runs, run)
		i = end + 1
	}
	if len(partitions) == 1 {
		return "partition " + runs[0]
	}
	return "partitions " + strings.Join(runs, ", ")
}

// LeftOut says why a topic has no manifest; empty when it has one.
func LeftOut(name string, internal bool) string {
	switch {
	case internal:
		return "internal"
	case strings.HasPrefix(name, "__"):
		return "begins with __, as Kafka's own and its tools' topics do"
	}
	return ""
}
