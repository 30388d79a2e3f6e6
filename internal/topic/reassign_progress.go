package topic

// Progress is how far a change of the replication factor is, in partitions.
type Progress struct {
	// Total partitions of the topic; Done have the wanted replication factor; InFlight are on the move. The others wait.
	Total, Done, InFlight int
}

// ReassignmentOf says how far the topic is on its way to the wanted replication factor; nil when it is there, or when the
// manifest wants none. Moves in flight of a topic that is there are somebody's rebalancing, and none of ours.
func ReassignmentOf(d Desired, o Observed) *Progress {
	if d.Replication == nil {
		return nil
	}
	progress := Progress{Total: len(o.Partitions)}
	for _, p := range o.Partitions {
		switch {
		case len(p.Target()) == int(*d.Replication) && !p.resizing():
			progress.Done++
		case p.Moving():
			progress.InFlight++
		}
	}
	if progress.Done == progress.Total {
		return nil
	}
	return &progress
}

// resizing says whether the reassignment in flight changes how many replicas the partition has.
func (p Partition) resizing() bool { return len(p.Adding) != len(p.Removing) }
