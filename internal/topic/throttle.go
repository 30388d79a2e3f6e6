package topic

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A replication throttle (KIP-73) has two parts. Keys of the topic name the replicas that it is for, each as
// partition:broker; keys of each broker give the rate. A replica that is named on a broker without a rate is not
// throttled. Neither is an in-sync replica, whatever the lists say (ReplicaManager.shouldLeaderThrottle,
// ReplicaFetcherThread.shouldFollowerThrottle): producers with acks=all do not wait for a throttle.
//
// On the leader's side a pair names the broker that is read from, not the one that reads. It slows every replica that is
// behind on the partition, those that fell behind for other reasons too: a throttle that is left behind makes brokers
// slow to recover for ever after. So it has to come off again.
const (
	KeyThrottledLeaderReplicas   = keyThrottledLeader
	KeyThrottledFollowerReplicas = keyThrottledFollower
	// KeyThrottledLeaderRate and KeyThrottledFollowerRate are keys of a broker, in bytes a second.
	KeyThrottledLeaderRate   = "leader.replication.throttled.rate"
	KeyThrottledFollowerRate = "follower.replication.throttled.rate"
)

// everyReplica in place of a list throttles all replicas of the topic.
const everyReplica = "*"

// pair is one throttled replica.
type pair struct{ partition, broker int32 }

// ThrottleFor is what the two throttle keys of the topic have to name for these moves: as leaders all replicas that there
// are, because any of them may become the leader on the way, and as followers those that are new. It is what
// kafka-reassign-partitions sets. Moves that copy nothing need none, and have none.
func ThrottleFor(moves []Move) (leaders, followers string) {
	var from, to []pair
	for _, m := range moves {
		added := m.Added()
		if len(added) == 0 {
			continue
		}
		for _, id := range m.From {
			from = append(from, pair{m.Partition, id})
		}
		for _, id := range added {
			to = append(to, pair{m.Partition, id})
		}
	}
	return joinPairs(from), joinPairs(to)
}

// MergeThrottle adds our pairs to the value of a throttle key. What others put there stays, as they wrote it.
func MergeThrottle(value, ours string) string {
	if strings.TrimSpace(value) == everyReplica {
		return value
	}
	items := listItems(value)
	for _, item := range listItems(ours) {
		if !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	return strings.Join(items, ",")
}

// RemoveThrottle takes our pairs out of the value of a throttle key. Empty means that the key can be reset.
func RemoveThrottle(value, ours string) string {
	if strings.TrimSpace(value) == everyReplica {
		return value
	}
	mine := listItems(ours)
	items := slices.DeleteFunc(listItems(value), func(item string) bool { return item == "" || slices.Contains(mine, item) })
	return strings.Join(items, ",")
}

// LeftoverThrottle are the pairs in the value of a throttle key whose partition does not move. After a restart nobody
// remembers which pairs were ours; a throttle on a partition that is at rest serves nobody.
func LeftoverThrottle(value string, o Observed) string {
	var left []pair
	for _, pr := range pairsOf(value) {
		if p, ok := o.partition(pr.partition); !ok || !p.Moving() {
			left = append(left, pr)
		}
	}
	return joinPairs(left)
}

// ThrottledBrokers are the brokers that a throttle value of ours names, so those that need the rate: the leaders' value
// says which need KeyThrottledLeaderRate, the followers' which need KeyThrottledFollowerRate. It leaves out those that do
// not serve: a client that wants to configure such a broker waits for it (KAFKA-13392), and it neither sends nor
// receives. Without a list of brokers it leaves out none.
func ThrottledBrokers(value string, brokers []Broker) []int32 {
	l := newLayout(nil, brokers)
	var ids []int32
	for _, pr := range pairsOf(value) {
		if len(brokers) == 0 || !l.fenced(pr.broker) {
			ids = append(ids, pr.broker)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// pairsOf reads the value of a throttle key. "*" and what is no pair have none.
func pairsOf(value string) []pair {
	var pairs []pair
	for _, item := range listItems(value) {
		partition, broker, ok := strings.Cut(item, ":")
		p, errP := strconv.ParseInt(partition, 10, 32)
		b, errB := strconv.ParseInt(broker, 10, 32)
		if ok && errP == nil && errB == nil {
			pairs = append(pairs, pair{int32(p), int32(b)})
		}
	}
	return pairs
}

// joinPairs writes pairs as a value, in order and once each.
func joinPairs(pairs []pair) string {
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.broker, b.broker))
	})
	var items []string
	for _, p := range slices.Compact(pairs) {
		items = append(items, strconv.Itoa(int(p.partition))+":"+strconv.Itoa(int(p.broker)))
	}
	return strings.Join(items, ",")
}
