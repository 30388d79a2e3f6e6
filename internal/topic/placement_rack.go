package topic

// RackSpread counts the partitions whose replicas stand in fewer racks than they could, moves in flight counted as done.
// A partition could use one rack for each replica, as far as there are racks that take new replicas or that it uses
// already. Brokers without a rack are racks of their own, so a cluster without racks has none to count. A fenced broker's
// rack counts: it is a place to be, and the number must not change with every restart.
func RackSpread(o Observed, brokers []Broker) (violations int) {
	l := newLayout(nil, brokers)
	for _, p := range o.Partitions {
		used, usable := make(map[rack]bool), make(map[rack]bool)
		for _, b := range l.brokers {
			if !b.Cordoned {
				usable[b.rack()] = true
			}
		}
		for _, id := range p.Target() {
			used[l.rackOf(id)], usable[l.rackOf(id)] = true, true
		}
		if len(used) < min(len(p.Target()), len(usable)) {
			violations++
		}
	}
	return violations
}
