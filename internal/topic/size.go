package topic

// Sizes are the bytes of replicas, by partition and broker.
type Sizes map[int32]map[int32]int64

// Remaining is what replicas on the move have still to copy: for each new replica, what the largest of its partition's
// other replicas has and it has not. It is an estimate: producers go on writing, and segments are not cut alike everywhere.
func (o Observed) Remaining(sizes Sizes) int64 {
	var remaining int64
	for _, p := range o.Partitions {
		var largest int64
		for _, size := range sizes[p.Number] {
			largest = max(largest, size)
		}
		for _, broker := range p.Adding {
			remaining += largest - sizes[p.Number][broker]
		}
	}
	return remaining
}
