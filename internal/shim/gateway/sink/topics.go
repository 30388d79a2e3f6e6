package sink

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Partition of a topic.
type Partition struct {
	ID, Leader    int32
	Replicas, ISR []int32
}

// Topic is a topic as the brokers describe it, partitions by number.
type Topic struct {
	Name       string
	Partitions []Partition
}

// Topics that exist and may be written, by name. Kafka's internal ones are left out.
func (s *Sink) Topics(ctx context.Context) ([]string, error) {
	resp, err := s.metadata(ctx, nil)
	if err != nil {
		return nil, err
	}
	allowed := s.Contract().Topics
	names := make([]string, 0, len(resp.Topics))
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic != nil && !t.IsInternal && t.ErrorCode == 0 && allowed.Allow(*t.Topic) {
			names = append(names, *t.Topic)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Describe one topic. A Kafka error is one of kerr's.
func (s *Sink) Describe(ctx context.Context, name string) (Topic, error) {
	resp, err := s.metadata(ctx, []string{name})
	if err != nil {
		return Topic{}, err
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic == nil || *t.Topic != name {
			continue
		}
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return Topic{}, err
		}
		out := Topic{Name: name}
		for j := range t.Partitions {
			p := &t.Partitions[j]
			out.Partitions = append(out.Partitions, Partition{p.Partition, p.Leader, p.Replicas, p.ISR})
		}
		slices.SortFunc(out.Partitions, func(a, b Partition) int { return int(a.ID - b.ID) })
		return out, nil
	}
	return Topic{}, kerr.UnknownTopicOrPartition
}

// ClusterID is the cluster's own identity; the contract's, if it knows it.
func (s *Sink) ClusterID(ctx context.Context) (string, error) {
	if id := s.Contract().Cluster.ID; id != "" {
		return id, nil
	}
	resp, err := s.metadata(ctx, []string{})
	if err != nil {
		return "", err
	}
	if resp.ClusterID == nil {
		return "", nil
	}
	return *resp.ClusterID, nil
}

// metadata of topics; of all if names is nil.
func (s *Sink) metadata(ctx context.Context, names []string) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	if names != nil {
		req.Topics = []kmsg.MetadataRequestTopic{}
	}
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	return req.RequestWith(ctx, s.current.Load().client)
}
