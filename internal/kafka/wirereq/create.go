// Package wirereq turns steps into requests of the Kafka protocol and responses into answers per topic. It is pure.
// The protocol's sentinels (-1 for "the broker decides", nil for a reset) exist here and nowhere above.
package wirereq

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// brokerDecides is the protocol's "use num.partitions" and "use default.replication.factor" (KIP-464).
const brokerDecides = -1

// Created is the answer to one Create.
type Created struct {
	ID topic.ID
}

// Create is one CreateTopics request for all the topics.
func Create(steps []topic.Create, timeout time.Duration, validateOnly bool) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = int32(timeout.Milliseconds())
	req.ValidateOnly = validateOnly
	for _, s := range steps {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic = s.Name
		t.NumPartitions, t.ReplicationFactor = brokerDecides, brokerDecides
		if s.Partitions != nil {
			t.NumPartitions = *s.Partitions
		}
		if s.Replication != nil {
			t.ReplicationFactor = *s.Replication
		}
		for _, key := range slices.Sorted(maps.Keys(s.Config)) {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name, c.Value = key, new(s.Config[key])
			t.Configs = append(t.Configs, c)
		}
		req.Topics = append(req.Topics, t)
	}
	return req
}

// CreateAnswers reads the response to Create.
func CreateAnswers(resp *kmsg.CreateTopicsResponse) map[string]Answer[Created] {
	answers := make(map[string]Answer[Created], len(resp.Topics))
	for _, t := range resp.Topics {
		answers[t.Topic] = Answer[Created]{
			Value: Created{ID: topic.ID(t.TopicID)},
			Err:   throttled(kafka.FromCode(t.ErrorCode, t.ErrorMessage), resp.ThrottleMillis),
		}
	}
	return answers
}

// Answer is what the broker said about one topic.
type Answer[T any] struct {
	Value T
	Err   error
}

// throttled notes in a throttling error how long the broker asks to wait.
func throttled(err error, millis int32) error {
	var e *kafka.Error
	if errors.As(err, &e) && e.Class == kafka.ClassThrottled {
		e.RetryAfter = time.Duration(millis) * time.Millisecond
	}
	return err
}
