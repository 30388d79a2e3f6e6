package topic_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"mooring.dev/mooring/internal/topic"
)

func TestPlaceKeepsItsPromises(t *testing.T) {
	for seed := range uint64(8000) {
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
		for i := range len(pr.brokers) * (1 + r.IntN(4)) { // whole rounds, or it is not even before
			var replicas []int32
			for j := range factor {
				replicas = append(replicas, int32((start+i+j)%len(pr.brokers)))
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
