package rig

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// MakeTopic makes a topic and waits until each broker knows it and the leader of each of its partitions. A controller of KRaft
// answers before the brokers have read what it wrote; most clients ask again until then, kafka-go fails.
func MakeTopic(ctx context.Context, servers []string, partitions int32, replicas int16, name string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(servers...))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(ctx, partitions, replicas, nil, name); err != nil {
		return err
	}
	brokers, err := admin.ListBrokers(ctx)
	if err != nil {
		return err
	}
	for _, id := range brokers.NodeIDs() {
		var last error
		if Until(ctx, 20*time.Millisecond, func() bool { last = knows(ctx, client.Broker(int(id)), partitions, name); return last == nil }) != nil {
			return fmt.Errorf("broker %d does not know topic %s: %w", id, name, last)
		}
	}
	return nil
}

// knows is nil if a broker knows a topic and its leaders.
func knows(ctx context.Context, broker *kgo.Broker, partitions int32, name string) error {
	request := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(ctx, broker)
	if err != nil {
		return err
	}
	known := answer.Topics[0]
	if err := kerr.ErrorForCode(known.ErrorCode); err != nil {
		return err
	}
	for _, p := range known.Partitions {
		if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
			return err
		}
	}
	if len(known.Partitions) != int(partitions) {
		return fmt.Errorf("it knows %d partitions of %d", len(known.Partitions), partitions)
	}
	return nil
}
