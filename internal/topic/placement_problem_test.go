package topic_test

import (
	"fmt"
	"reflect"
	"slices"

	"mooring.dev/mooring/internal/topic"
)

// problem is one input of Place.
type problem struct {
	partitions          []topic.Partition
	replication, minISR int
	brokers             []topic.Broker
}

// source yields numbers below n: a seeded generator, or the bytes of a fuzzer.
type source func(n int) int

// randomProblem makes clusters of every kind: racks even, uneven and absent, brokers fenced, cordoned and not listed, and
// topics with one factor or many, in sync or not, with and without leaders, at rest and on the move.
func randomProblem(next source) problem {
	pr := problem{replication: 1 + next(5), minISR: next(4)}
	brokers, racks := 1+next(9), next(5)
	trouble := next(3) // 0: none at all
	for i := range brokers {
		b := topic.Broker{ID: int32(i*3 + next(3)), Fenced: trouble > 0 && next(7) == 0, Cordoned: trouble > 0 && next(7) == 0}
		if racks > 0 && (trouble == 0 || next(9) > 0) {
			b.Rack = fmt.Sprint("rack-", next(racks))
		}
		pr.brokers = append(pr.brokers, b)
	}
	same := next(2) == 0
	factor := 1 + next(min(brokers, 5))
	for i := range 1 + next(20) {
		if !same {
			factor = 1 + next(min(brokers, 5))
		}
		pr.partitions = append(pr.partitions, randomPartition(next, int32(i), factor, pr.brokers, trouble))
	}
	if trouble > 1 {
		pr.brokers = pr.brokers[:max(1, len(pr.brokers)-next(2))]
	}
	return pr
}

func randomPartition(next source, number int32, factor int, brokers []topic.Broker, trouble int) topic.Partition {
	p := topic.Partition{Number: number}
	for _, i := range permutation(next, len(brokers))[:factor] {
		p.Replicas = append(p.Replicas, brokers[i].ID)
	}
	p.ISR = slices.Clone(p.Replicas)
	if trouble > 0 && next(3) == 0 {
		p.ISR = p.ISR[:next(factor+1)]
	}
	p.Leader = -1
	if len(p.ISR) > 0 && (trouble == 0 || next(9) > 0) {
		p.Leader = p.ISR[next(len(p.ISR))]
	}
	if trouble > 0 && factor > 1 && next(6) == 0 {
		p.Adding, p.Removing = p.Replicas[:1:1], p.Replicas[1:1+next(factor-1)]
	}
	return p
}

func permutation(next source, n int) []int {
	order := make([]int, n)
	for i := range order {
		j := next(i + 1)
		order[i] = order[j]
		order[j] = i
	}
	return order
}

func (pr problem) broker(id int32) (topic.Broker, bool) {
	i := slices.IndexFunc(pr.brokers, func(b topic.Broker) bool { return b.ID == id })
	if i < 0 {
		return topic.Broker{ID: id}, false
	}
	return pr.brokers[i], true
}

// rack names the rack of a broker; one without is its own.
func (pr problem) rack(id int32) string {
	if b, _ := pr.broker(id); b.Rack != "" {
		return b.Rack
	}
	return fmt.Sprint("broker ", id)
}

func (pr problem) racks(ids []int32) map[string]int {
	n := make(map[string]int)
	for _, id := range ids {
		n[pr.rack(id)]++
	}
	return n
}

func (pr problem) eligible() []int32 {
	var ids []int32
	for _, b := range pr.brokers {
		if !b.Fenced && !b.Cordoned {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// solution is where each partition is to be; a partition that was refused is not in it.
func (pr problem) solve() (map[int32][]int32, []topic.Refusal) {
	assignments, refusals := topic.Place(pr.partitions, pr.replication, pr.minISR, pr.brokers)
	where := make(map[int32][]int32)
	for _, a := range assignments {
		where[a.Partition] = a.Replicas
	}
	return where, refusals
}

// violated says which promise of Place an answer breaks; empty when none.
func (pr problem) violated() string {
	before := fmt.Sprintf("%+v", pr)
	where, refusals := pr.solve()
	if fmt.Sprintf("%+v", pr) != before {
		return "it changes its input"
	}
	if len(where) < len(pr.partitions) && len(refusals) == 0 || len(where) == len(pr.partitions) && len(refusals) > 0 {
		return "a partition without an assignment goes with a refusal"
	}
	for _, p := range pr.partitions {
		to, ok := where[p.Number]
		if !ok {
			continue
		}
		if why := pr.partitionViolated(p, to); why != "" {
			return fmt.Sprintf("partition %d to %v: %s", p.Number, to, why)
		}
	}
	if why := pr.unsettled(where); why != "" {
		return why
	}
	return pr.uneven(where)
}

func (pr problem) partitionViolated(p topic.Partition, to []int32) string {
	from := p.Target()
	if distinct := slices.Compact(slices.Sorted(slices.Values(to))); len(distinct) != len(to) {
		return "a broker twice"
	}
	switch {
	case p.Moving() || len(from) == pr.replication:
		if !slices.Equal(from, to) {
			return "moved without need"
		}
	case len(to) != pr.replication:
		return "not the wanted count"
	case len(to) > len(from):
		return pr.growthViolated(from, to)
	default:
		return pr.cutViolated(p, to)
	}
	return ""
}

func (pr problem) growthViolated(from, to []int32) string {
	if !slices.Equal(to[:len(from)], from) {
		return "what was there is not kept in order"
	}
	used := pr.racks(to)
	for _, id := range to[len(from):] {
		if !slices.Contains(pr.eligible(), id) {
			return "a new replica on a broker that takes none"
		}
		for _, other := range pr.eligible() {
			if !slices.Contains(to, other) && used[pr.rack(other)]+1 < used[pr.rack(id)] {
				return fmt.Sprintf("%d is in a crowded rack while %d is free", id, other)
			}
		}
	}
	return ""
}

func (pr problem) cutViolated(p topic.Partition, to []int32) string {
	from := p.Target()
	inSync := func(ids []int32) int {
		return len(slices.DeleteFunc(slices.Clone(ids), func(id int32) bool { return !slices.Contains(p.ISR, id) }))
	}
	switch {
	case slices.ContainsFunc(to, func(id int32) bool { return !slices.Contains(from, id) }):
		return "a cut adds a replica"
	case p.Leader >= 0 && slices.Contains(from, p.Leader) && to[0] != p.Leader:
		return "the leader is not the preferred one"
	case inSync(to[:1]) == 0:
		return "the preferred leader is not in sync"
	case inSync(to) < min(len(to), inSync(from)):
		return "an in-sync replica went while one that is behind stays"
	case inSync(to) < min(pr.minISR, pr.replication):
		return "fewer in sync than min ISR"
	}
	return ""
}

// unsettled says whether a second look changes anything once the first answer is carried out, or whether the order of the
// brokers matters.
func (pr problem) unsettled(where map[int32][]int32) string {
	again := pr
	again.brokers = slices.Clone(pr.brokers)
	slices.Reverse(again.brokers)
	if other, _ := again.solve(); !reflect.DeepEqual(where, other) {
		return fmt.Sprintf("the order of the brokers matters: %v and %v", where, other)
	}
	again.partitions = slices.Clone(pr.partitions)
	for i, p := range again.partitions {
		if to, ok := where[p.Number]; ok && !p.Moving() {
			again.partitions[i] = on(p.Number, to...)
		}
	}
	then, _ := again.solve()
	for number, to := range where {
		if !slices.Equal(to, then[number]) {
			return fmt.Sprintf("partition %d goes to %v, and from there to %v", number, to, then[number])
		}
	}
	return ""
}

// loads counts the topic's replicas on each eligible broker.
func (pr problem) loads(where map[int32][]int32) map[int32]int {
	n := make(map[int32]int)
	for _, p := range pr.partitions {
		to, ok := where[p.Number]
		if !ok {
			to = p.Target()
		}
		for _, id := range to {
			n[id]++
		}
	}
	return n
}

// uneven says whether one new replica could go to a broker with two fewer, with no rack the worse for it.
func (pr problem) uneven(where map[int32][]int32) string {
	loads := pr.loads(where)
	for _, p := range pr.partitions {
		to := where[p.Number]
		used := pr.racks(to)
		for _, id := range to[min(len(p.Target()), len(to)):] {
			for _, other := range pr.eligible() {
				racksPermit := pr.rack(id) == pr.rack(other) || used[pr.rack(other)] < used[pr.rack(id)]
				if loads[other]+2 <= loads[id] && racksPermit && !slices.Contains(to, other) {
					return fmt.Sprintf("partition %d has a new replica on %d (%d replicas) and could have it on %d (%d)", p.Number, id, loads[id], other, loads[other])
				}
			}
		}
	}
	return ""
}
