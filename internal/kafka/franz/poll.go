package franz

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

// Changes is what one look at the whole cluster found different from the look before.
type Changes struct {
	// Topics whose sighting differs.
	Topics []string
	// Info is true when the brokers, the controller, the version, the identity or the number of topics differ.
	Info bool
	// Brokers is true when a broker came, went, or was fenced or unfenced.
	Brokers bool
}

// Poll looks at the whole cluster once: one Metadata, one DescribeCluster, one ListPartitionReassignments, and one
// DescribeConfigs for each thousand observed topics.
func (a *Admin) Poll(ctx context.Context) (Changes, error) {
	keysOf := a.view.trackedKeys()
	at := topic.Version(a.version.Load())
	meta, err := a.allMetadata(ctx)
	if err != nil {
		return Changes{}, kafka.FromClient(err)
	}
	before := a.view.clusterInfo()
	info := infoOf(meta, before)
	if known := live(before.Brokers); len(info.Brokers) != len(a.client.DiscoveredBrokers()) || (len(known) > 0 && !slices.Equal(info.Brokers, known)) {
		a.tellClient(ctx)
	}
	if err := a.addFenced(ctx, &info); err != nil {
		return Changes{}, err
	}
	info.ControllerID = a.controller(ctx, info, before)
	if !slices.Equal(info.Brokers, before.Brokers) || info.KafkaVersion == "" {
		info.KafkaVersion = a.guessVersion(ctx)
	}
	changes := Changes{
		Brokers: !slices.EqualFunc(info.Brokers, before.Brokers, func(a, b kafka.Broker) bool { return a.Broker == b.Broker }),
		Info:    a.view.setInfo(info),
	}
	changes.Topics = a.view.setNames(namesOf(meta))
	answers, err := a.complete(ctx, at, meta, keysOf)
	if err != nil {
		return changes, kafka.FromClient(err)
	}
	for name, answer := range answers {
		if answer.Err == nil && a.view.put(name, keysOf[name], answer.Value) {
			changes.Topics = append(changes.Topics, name)
		}
	}
	return changes, nil
}

// allMetadata asks one broker for all topics. Asked itself, the client keeps a copy of every topic that it is told of, for
// requests that it divides by leader; at ten thousand topics the copies are as much memory as the view. It is asked all the
// same when that broker does not answer, because it knows where else to try.
func (a *Admin) allMetadata(ctx context.Context) (*kmsg.MetadataResponse, error) {
	brokers := a.client.DiscoveredBrokers()
	if len(brokers) == 0 {
		brokers = a.client.SeedBrokers()
	}
	if len(brokers) > 0 {
		if meta, err := wirereq.Metadata(nil).RequestWith(ctx, brokers[rand.IntN(len(brokers))]); err == nil {
			return meta, nil
		}
	}
	return wirereq.Metadata(nil).RequestWith(ctx, a.client)
}

// tellClient makes the client learn which brokers there are. What it does not learn now it learns with the next request that fails.
func (a *Admin) tellClient(ctx context.Context) {
	_, _ = wirereq.Metadata([]string{}).RequestWith(ctx, a.client)
}

// namesOf are the names of all topics but Kafka's own, sorted.
func namesOf(meta *kmsg.MetadataResponse) []string {
	names := make([]string, 0, len(meta.Topics))
	for _, t := range meta.Topics {
		if t.Topic != nil && !t.IsInternal && !strings.HasPrefix(*t.Topic, "__") {
			names = append(names, *t.Topic)
		}
	}
	slices.Sort(names)
	return names
}

func infoOf(meta *kmsg.MetadataResponse, before kafka.ClusterInfo) kafka.ClusterInfo {
	info := kafka.ClusterInfo{ControllerID: meta.ControllerID, KafkaVersion: before.KafkaVersion}
	if meta.ClusterID != nil {
		info.ClusterID = *meta.ClusterID
	}
	for _, b := range meta.Brokers {
		broker := kafka.Broker{Broker: topic.Broker{ID: b.NodeID}, Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			broker.Rack = *b.Rack
		}
		info.Brokers = append(info.Brokers, broker)
	}
	for _, t := range meta.Topics {
		if !t.IsInternal {
			info.Topics++
		}
	}
	sortBrokers(info.Brokers)
	return info
}

// quorumTimeout is short: without a quorum nobody can say who leads it, and the rest of a look does not need to know.
const quorumTimeout = 2 * time.Second

// controller is the node that leads the KRaft quorum (KIP-595). What Metadata calls the controller is in KRaft any live
// broker, another one with each answer: a status that showed it would be written at every look. A principal that may not
// ask gets the one before for as long as it lives.
func (a *Admin) controller(ctx context.Context, now, before kafka.ClusterInfo) int32 {
	ctx, cancel := context.WithTimeout(ctx, quorumTimeout)
	defer cancel()
	resp, err := wirereq.Quorum().RequestWith(ctx, a.client)
	if err != nil && kafka.ClassOf(kafka.FromClient(err)) == kafka.ClassUnsupported {
		return now.ControllerID // not KRaft, and then there is one controller
	}
	if err == nil {
		if leader, ok := wirereq.QuorumLeader(resp); ok {
			return leader
		}
	}
	if slices.ContainsFunc(now.Brokers, func(b kafka.Broker) bool { return b.ID == before.ControllerID && !b.Fenced }) {
		return before.ControllerID
	}
	return now.ControllerID
}

// addFenced adds the brokers that are registered and do not serve, where the cluster tells (DescribeCluster v2,
// KIP-1073, Kafka 4.0). Metadata lists live brokers only.
func (a *Admin) addFenced(ctx context.Context, info *kafka.ClusterInfo) error {
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeFencedBrokers = true
	resp, err := req.RequestWith(ctx, a.client)
	if err != nil {
		if kafka.ClassOf(kafka.FromClient(err)) == kafka.ClassUnsupported {
			info.Before28 = true
			return nil
		}
		return kafka.FromClient(err)
	}
	if resp.ErrorCode != 0 {
		return nil // the live brokers are known; the fenced ones are a courtesy
	}
	for _, b := range resp.Brokers {
		known := slices.ContainsFunc(info.Brokers, func(k kafka.Broker) bool { return k.ID == b.NodeID })
		if known || !b.IsFenced {
			continue
		}
		fenced := kafka.Broker{Broker: topic.Broker{ID: b.NodeID, Fenced: true}, Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			fenced.Rack = *b.Rack
		}
		info.Brokers = append(info.Brokers, fenced)
	}
	sortBrokers(info.Brokers)
	return nil
}

func live(brokers []kafka.Broker) []kafka.Broker {
	return slices.DeleteFunc(slices.Clone(brokers), func(b kafka.Broker) bool { return b.Fenced })
}

func sortBrokers(brokers []kafka.Broker) {
	slices.SortFunc(brokers, func(a, b kafka.Broker) int { return cmp.Compare(a.ID, b.ID) })
}

// guessVersion is what the brokers that answer seem to run: one version, or all of them during a rolling upgrade. It is
// for people to read; nothing is decided by it.
func (a *Admin) guessVersion(ctx context.Context) string {
	versions, err := kadm.NewClient(a.client).ApiVersions(ctx)
	if err != nil {
		return ""
	}
	var guesses []string
	for _, broker := range versions.Sorted() {
		if broker.Err == nil {
			guesses = append(guesses, broker.VersionGuess())
		}
	}
	slices.Sort(guesses)
	return strings.Join(slices.Compact(guesses), ", ")
}
