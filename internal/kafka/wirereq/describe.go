package wirereq

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// Metadata asks for the named topics; nil asks for all of them. It never creates one.
func Metadata(names []string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	if names == nil {
		return req // a nil Topics is the protocol's "all"
	}
	req.Topics = make([]kmsg.MetadataRequestTopic, 0, len(names))
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = new(name)
		req.Topics = append(req.Topics, t)
	}
	return req
}

// MetadataAnswers reads the topics of a metadata response. A topic that does not exist is a zero Observed.
func MetadataAnswers(resp *kmsg.MetadataResponse) map[string]Answer[topic.Observed] {
	answers := make(map[string]Answer[topic.Observed], len(resp.Topics))
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		err := kafka.FromCode(t.ErrorCode, nil)
		switch kafka.ClassOf(err) {
		case kafka.ClassAbsent:
			answers[*t.Topic] = Answer[topic.Observed]{}
			continue
		case kafka.ClassTransient: // LEADER_NOT_AVAILABLE: the topic is there, and its partitions say which lacks a leader
			err = nil
		}
		answers[*t.Topic] = Answer[topic.Observed]{Value: observedTopic(t), Err: err}
	}
	return answers
}

func observedTopic(t kmsg.MetadataResponseTopic) topic.Observed {
	o := topic.Observed{ID: topic.ID(t.TopicID), Internal: t.IsInternal}
	for _, p := range t.Partitions {
		o.Partitions = append(o.Partitions, topic.Partition{Number: p.Partition, Leader: p.Leader, Replicas: p.Replicas, ISR: p.ISR})
	}
	slices.SortFunc(o.Partitions, func(a, b topic.Partition) int { return cmp.Compare(a.Number, b.Number) })
	return o
}

// DescribeConfigs asks for keys of topics; nil keys ask for all of a topic's. It asks for synonyms too, because they tell what
// a reset would lead to (KIP-226).
func DescribeConfigs(keysOf map[string][]string, order []string) *kmsg.DescribeConfigsRequest {
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.IncludeSynonyms = true
	for _, name := range order {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType = kmsg.ConfigResourceTypeTopic
		r.ResourceName = name
		r.ConfigNames = keysOf[name]
		req.Resources = append(req.Resources, r)
	}
	return req
}

// DescribeConfigsAnswers reads the response to DescribeConfigs.
func DescribeConfigsAnswers(resp *kmsg.DescribeConfigsResponse) map[string]Answer[map[string]topic.Entry] {
	answers := make(map[string]Answer[map[string]topic.Entry], len(resp.Resources))
	for _, r := range resp.Resources {
		entries := make(map[string]topic.Entry, len(r.Configs))
		for _, c := range r.Configs {
			entries[c.Name] = topic.Entry{
				Value: c.Value, Fallback: fallback(c), Source: topic.Source(c.Source), Type: topic.Type(c.ConfigType), ReadOnly: c.ReadOnly,
			}
		}
		answers[r.ResourceName] = Answer[map[string]topic.Entry]{Value: entries, Err: kafka.FromCode(r.ErrorCode, r.ErrorMessage)}
	}
	return answers
}

// Reassignments marks the partitions that a ListPartitionReassignments response says are on the move.
func Reassignments(resp *kmsg.ListPartitionReassignmentsResponse, observed map[string]Answer[topic.Observed]) {
	for _, t := range resp.Topics {
		answer, ok := observed[t.Topic]
		if !ok {
			continue
		}
		for _, moving := range t.Partitions {
			i := slices.IndexFunc(answer.Value.Partitions, func(p topic.Partition) bool { return p.Number == moving.Partition })
			if i >= 0 {
				answer.Value.Partitions[i].Adding = moving.AddingReplicas
				answer.Value.Partitions[i].Removing = moving.RemovingReplicas
			}
		}
	}
}
