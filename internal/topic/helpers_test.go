package topic_test

import (
	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// Two topics that have had the same name.
var (
	ours   = topic.ID{0x0a, 1}
	theirs = topic.ID{0x0b, 2}
)

// adopt is the policy of an object that may do everything except the dangerous, on a topic that it owns.
func adopt() topic.Policy {
	return topic.Policy{
		Mode: v1alpha1.ModeManage, Adoption: v1alpha1.AdoptionAdopt, OnMissing: v1alpha1.MissingAlert,
		Owned: ours, Cluster: brokers(3),
	}
}

func brokers(n int) topic.Cluster {
	var c topic.Cluster
	for i := range n {
		c.Brokers = append(c.Brokers, topic.Broker{ID: int32(i + 1)})
	}
	return c
}

// seen is a healthy topic of ours with n partitions on brokers 1, 2 and 3.
func seen(n int, config map[string]topic.Entry) topic.Observed {
	o := topic.Observed{ID: ours, Config: config, At: 7}
	for i := range n {
		o.Partitions = append(o.Partitions, topic.Partition{
			Number: int32(i), Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3},
		})
	}
	return o
}

// override is a key that is set on the topic itself.
func override(value string, t topic.Type) topic.Entry {
	return topic.Entry{Value: &value, Source: topic.SourceDynamicTopic, Type: t}
}

// inherited is a key that has its value from elsewhere.
func inherited(value string, t topic.Type) topic.Entry {
	return topic.Entry{Value: &value, Source: topic.SourceDefault, Type: t}
}

func reasons(p topic.Plan) []string {
	var all []string
	for _, r := range p.Refusals {
		all = append(all, r.Reason)
	}
	return all
}
