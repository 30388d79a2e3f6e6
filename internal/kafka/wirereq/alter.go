package wirereq

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// Configure is one IncrementalAlterConfigs request for all the topics.
func Configure(steps []topic.Configure, validateOnly bool) *kmsg.IncrementalAlterConfigsRequest {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.ValidateOnly = validateOnly
	for _, s := range steps {
		r := kmsg.NewIncrementalAlterConfigsRequestResource()
		r.ResourceType = kmsg.ConfigResourceTypeTopic
		r.ResourceName = s.Name
		for _, change := range s.Changes {
			c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			c.Name, c.Value, c.Op = change.Key, change.To, kmsg.IncrementalAlterConfigOpSet
			if change.To == nil {
				c.Op = kmsg.IncrementalAlterConfigOpDelete
			}
			r.Configs = append(r.Configs, c)
		}
		req.Resources = append(req.Resources, r)
	}
	return req
}

// ConfigureAnswers reads the response to Configure.
func ConfigureAnswers(resp *kmsg.IncrementalAlterConfigsResponse) map[string]Answer[struct{}] {
	answers := make(map[string]Answer[struct{}], len(resp.Resources))
	for _, r := range resp.Resources {
		answers[r.ResourceName] = Answer[struct{}]{Err: throttled(kafka.FromCode(r.ErrorCode, r.ErrorMessage), resp.ThrottleMillis)}
	}
	return answers
}

// Grow is one CreatePartitions request for all the topics.
func Grow(steps []topic.Grow, timeout time.Duration, validateOnly bool) *kmsg.CreatePartitionsRequest {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = int32(timeout.Milliseconds())
	req.ValidateOnly = validateOnly
	for _, s := range steps {
		t := kmsg.NewCreatePartitionsRequestTopic()
		t.Topic, t.Count = s.Name, s.To
		req.Topics = append(req.Topics, t)
	}
	return req
}

// GrowAnswers reads the response to Grow.
func GrowAnswers(resp *kmsg.CreatePartitionsResponse) map[string]Answer[struct{}] {
	answers := make(map[string]Answer[struct{}], len(resp.Topics))
	for _, t := range resp.Topics {
		answers[t.Topic] = Answer[struct{}]{Err: throttled(kafka.FromCode(t.ErrorCode, t.ErrorMessage), resp.ThrottleMillis)}
	}
	return answers
}

// Remove is one DeleteTopics request for all the topics, by topic ID, never by name (KIP-516, DeleteTopics v6).
func Remove(steps []topic.Remove, timeout time.Duration) *kmsg.DeleteTopicsRequest {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = int32(timeout.Milliseconds())
	for _, s := range steps {
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.TopicID = s.ID
		req.Topics = append(req.Topics, t)
	}
	return req
}

// RemoveAnswers reads the response to Remove. Brokers answer by ID; a name is not always there.
func RemoveAnswers(resp *kmsg.DeleteTopicsResponse) map[topic.ID]Answer[struct{}] {
	answers := make(map[topic.ID]Answer[struct{}], len(resp.Topics))
	for _, t := range resp.Topics {
		answers[topic.ID(t.TopicID)] = Answer[struct{}]{Err: throttled(kafka.FromCode(t.ErrorCode, t.ErrorMessage), resp.ThrottleMillis)}
	}
	return answers
}
