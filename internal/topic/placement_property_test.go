package topic_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

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

func TestPlaceKeepsItsPromises(t *testing.T) {
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 1))
		pr := randomProblem(r.IntN)
		if why := pr.violated(); why != "" {
			t.Fatalf("seed %d: %s\n%+v", seed, why, pr)
		}
	}
}

// A topic that is spread evenly over brokers in racks of one size is so after growing.
func TestPlaceKeepsAnEvenTopicEven(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 2))
		racks, size := 2+r.IntN(7), 1+r.IntN(4) // a size of 1 is as good as no racks
		pr := problem{minISR: 1}
		for i := range racks * size {
			pr.brokers = append(pr.brokers, topic.Broker{ID: int32(i), Rack: fmt.Sprint("rack-", i%racks)})
		}
		factor, start := 1+r.IntN(racks), r.IntN(racks*size)
		pr.replication = min(racks, factor+r.IntN(3))
		for i := range 1 + r.IntN(60) {
			var replicas []int32
			for j := range factor {
				replicas = append(replicas, int32((start+i*factor+j)%len(pr.brokers)))
			}
			pr.partitions = append(pr.partitions, on(int32(i), replicas...))
		}
		where, refusals := pr.solve()
		loads := pr.loads(where)
		least, most := loads[0], loads[0]
		for _, b := range pr.brokers {
			least, most = min(least, loads[b.ID]), max(most, loads[b.ID])
		}
		if len(refusals) > 0 || most-least > 1 {
			t.Fatalf("seed %d: %d racks of %d, from %d to %d replicas: loads %v, refusals %v", seed, racks, size, factor, pr.replication, loads, refusals)
		}
	}
}

// On small topics every way to grow can be tried: without racks none is more even.
func TestPlaceIsAsEvenAsCanBe(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		pr := problem{replication: 2 + r.IntN(2), minISR: 1, brokers: racked(make([]string, 3+r.IntN(2))...)}
		for i := range 1 + r.IntN(4) {
			pr.partitions = append(pr.partitions, randomPartition(r.IntN, int32(i), 1+r.IntN(2), pr.brokers, 0))
		}
		where, _ := pr.solve()
		best := leastSquares(pr, 0, pr.loads(nil))
		if got := squares(pr.loads(where)); got != best && pr.onlyGrows() {
			t.Fatalf("seed %d: sum of squared loads %d, and %d is possible: %+v to %v", seed, got, best, pr.partitions, where)
		}
	}
}

func (pr problem) onlyGrows() bool {
	return !slices.ContainsFunc(pr.partitions, func(p topic.Partition) bool { return len(p.Replicas) > pr.replication })
}

func squares(loads map[int32]int) int {
	sum := 0
	for _, n := range loads {
		sum += n * n
	}
	return sum
}

// leastSquares tries every way to grow the i-th partition and those behind it.
func leastSquares(pr problem, i int, loads map[int32]int) int {
	if i == len(pr.partitions) {
		return squares(loads)
	}
	p := pr.partitions[i]
	if len(p.Replicas) >= pr.replication {
		return leastSquares(pr, i+1, loads)
	}
	best := 0
	for _, id := range pr.eligible() {
		if slices.Contains(p.Replicas, id) {
			continue
		}
		grown := pr
		grown.partitions = slices.Clone(pr.partitions)
		grown.partitions[i].Replicas = append(slices.Clone(p.Replicas), id)
		loads[id]++
		if sum := leastSquares(grown, i, loads); best == 0 || sum < best {
			best = sum
		}
		loads[id]--
	}
	return best
}

// Small topics have one partition each; the copies of a thousand of them must not all go to the same brokers.
func TestPlaceSpreadsTopicsOfOnePartition(t *testing.T) {
	loads := make(map[int32]int)
	for leader := range int32(6) {
		assignments, _ := topic.Place([]topic.Partition{on(0, leader+1)}, 3, 1, racked("a", "b", "c", "a", "b", "c"))
		for _, id := range assignments[0].Replicas {
			loads[id]++
		}
	}
	counts := make([]int, 0, len(loads))
	for _, n := range loads {
		counts = append(counts, n)
	}
	if slices.SortFunc(counts, cmp.Compare); len(counts) != 6 || counts[0] != 3 || counts[5] != 3 {
		t.Errorf("leaders on six brokers, and copies on %v", loads)
	}
}

func FuzzPlace(f *testing.F) {
	f.Add([]byte{2, 1, 3, 2, 0, 1, 2})
	f.Add([]byte{4, 2, 8, 3, 2, 9, 200, 31, 7, 7, 7, 1, 0, 0, 250})
	f.Fuzz(func(t *testing.T, data []byte) {
		next := func(n int) int {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return int(b) % n
		}
		if pr := randomProblem(next); pr.violated() != "" {
			t.Fatalf("%s\n%+v", pr.violated(), pr)
		}
	})
}

func BenchmarkPlaceTenThousandPartitions(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 4))
	pr := problem{replication: 3, minISR: 2}
	for i := range 30 {
		pr.brokers = append(pr.brokers, topic.Broker{ID: int32(i), Rack: fmt.Sprint("rack-", i%3)})
	}
	for i := range 10000 {
		pr.partitions = append(pr.partitions, randomPartition(r.IntN, int32(i), 1, pr.brokers, 0))
	}
	for b.Loop() {
		pr.solve()
	}
}
