//go:build kafka

package kafka

import (
	"context"
	"strings"

	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/topic"
)

// dynamicTopicConfig is the source of a value that is set on the topic itself.
const dynamicTopicConfig = kmsg.ConfigSourceDynamicTopicConfig

// look is a topic as the brokers show it to a client that is not the operator's.
func (b *Brokers) look(ctx context.Context, g Gomega, name string) (kadm.TopicDetail, map[string]kadm.Config) {
	topics, err := b.admin.ListTopics(ctx, name)
	g.Expect(err).NotTo(HaveOccurred())
	detail := topics[name]
	g.Expect(detail.Err).NotTo(HaveOccurred())
	resources, err := b.admin.DescribeTopicConfigs(ctx, name)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(resources).To(HaveLen(1))
	g.Expect(resources[0].Err).NotTo(HaveOccurred())
	configs := make(map[string]kadm.Config)
	for _, c := range resources[0].Configs {
		configs[c.Key] = c
	}
	return detail, configs
}

// ExpectOnBrokers waits until the brokers show a topic with so many partitions, this replication factor, and these values
// set on the topic itself (key, value, ...). It returns the topic's ID. Brokers learn of a change one by one, so that one
// look may be too early.
func (b *Brokers) ExpectOnBrokers(ctx context.Context, name string, partitions int, replicas int32, pairs ...string) string {
	var id string
	Eventually(ctx, func(g Gomega) {
		detail, configs := b.look(ctx, g, name)
		g.Expect(detail.Partitions).To(HaveLen(partitions))
		for _, p := range detail.Partitions {
			g.Expect(p.Replicas).To(HaveLen(int(replicas)))
		}
		for i := 0; i < len(pairs); i += 2 {
			c := configs[pairs[i]]
			g.Expect(c.MaybeValue()).To(Equal(pairs[i+1]), pairs[i])
			g.Expect(c.Source).To(Equal(dynamicTopicConfig), pairs[i]+" is not set on the topic")
		}
		id = idOf(detail)
	}).Should(Succeed(), "topic %s on the brokers", name)
	return id
}

// ExpectNotSet waits until a key of a topic is back at what the brokers say without an override.
func (b *Brokers) ExpectNotSet(ctx context.Context, name, key string) {
	Eventually(ctx, func(g Gomega) {
		_, configs := b.look(ctx, g, name)
		g.Expect(configs[key].Source).NotTo(Equal(dynamicTopicConfig), key+" is still set on the topic")
	}).Should(Succeed(), "topic %s on the brokers", name)
}

// ExpectNoTopic waits until no broker of ours shows the topic.
func (b *Brokers) ExpectNoTopic(ctx context.Context, name string) {
	Eventually(ctx, func(g Gomega) {
		topics, err := b.admin.ListTopics(ctx, name)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(topics[name].Err).To(MatchError(kerr.UnknownTopicOrPartition))
	}).Should(Succeed(), "topic %s is still on the brokers", name)
}

// idsOf are the topic IDs by name of the topics with a prefix.
func (b *Brokers) idsOf(ctx context.Context, g Gomega, prefix string) map[string]string {
	topics, err := b.admin.ListTopics(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	ids := make(map[string]string)
	for name, detail := range topics {
		if strings.HasPrefix(name, prefix) {
			ids[name] = idOf(detail)
		}
	}
	return ids
}

func idOf(d kadm.TopicDetail) string { return topic.ID(d.ID).String() }

// Make creates a topic behind the operator's back, and returns its ID.
func (b *Brokers) Make(ctx context.Context, name string, partitions int32, replicas int32, pairs ...string) string {
	configs := make(map[string]*string)
	for i := 0; i < len(pairs); i += 2 {
		configs[pairs[i]] = &pairs[i+1]
	}
	resp, err := b.admin.CreateTopic(ctx, partitions, int16(replicas), configs, name)
	Expect(err).NotTo(HaveOccurred())
	Expect(resp.Err).NotTo(HaveOccurred())
	return b.ExpectOnBrokers(ctx, name, int(partitions), replicas, pairs...)
}

// Remove deletes a topic behind the operator's back.
func (b *Brokers) Remove(ctx context.Context, name string) {
	resp, err := b.admin.DeleteTopic(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	Expect(resp.Err).NotTo(HaveOccurred())
	b.ExpectNoTopic(ctx, name)
}

// Set changes configuration behind the operator's back.
func (b *Brokers) Set(ctx context.Context, name, key, value string) {
	resp, err := b.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, name)
	Expect(err).NotTo(HaveOccurred())
	Expect(resp[0].Err).NotTo(HaveOccurred())
}
