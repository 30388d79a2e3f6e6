package sequence

import (
	"slices"
	"time"
)

// Table finds resends: it has the lanes of all connections of a pod.
type Table struct {
	lanes map[Partition][]*Lane
}

// Add a lane.
func (t *Table) Add(l *Lane) {
	if t.lanes == nil {
		t.lanes = make(map[Partition][]*Lane)
	}
	t.lanes[l.Partition] = append(t.lanes[l.Partition], l)
}

// Remove a lane.
func (t *Table) Remove(l *Lane) {
	rest := slices.DeleteFunc(t.lanes[l.Partition], func(other *Lane) bool { return other == l })
	if len(rest) == 0 {
		delete(t.lanes, l.Partition)
		return
	}
	t.lanes[l.Partition] = rest
}

// Find the first copy of a batch: one that was given up on, or whose owner is gone. A copy that somebody still waits for on
// a connection that lives is none: then these are new records.
func (t *Table) Find(p Partition, print Print, gone func(*Entry) bool) *Entry {
	for _, l := range t.lanes[p] {
		for _, e := range l.entries {
			if e.Print == print && (e.Owner == nil || gone(e)) {
				return e
			}
		}
	}
	return nil
}

// Waits says whether a batch that somebody seeks the outcome of, and of which before is true, is unsettled in another lane of the
// partition than l.
func (t *Table) Waits(p Partition, l *Lane, before func(*Entry) bool) bool {
	for _, other := range t.lanes[p] {
		if other == l {
			continue
		}
		for _, e := range other.entries {
			if (e.State == Open || e.State == Unwritten) && e.Owner != nil && before(e) {
				return true
			}
		}
	}
	return false
}

// Expire drops what nobody sent again since before then, and the lanes that hold nothing and nobody uses. It returns how
// many batches had an unknown outcome.
func (t *Table) Expire(before time.Time, used func(*Lane) bool) int {
	unknown := 0
	for _, lanes := range t.lanes {
		for _, l := range slices.Clone(lanes) {
			l.entries = slices.DeleteFunc(l.entries, func(e *Entry) bool {
				old := e.Owner == nil && e.At.Before(before)
				if old && e.State == Orphan {
					unknown++
				}
				return old
			})
			if l.Clean() && !used(l) {
				t.Remove(l)
			}
		}
	}
	return unknown
}

// Lanes is how many there are.
func (t *Table) Lanes() int {
	n := 0
	for _, lanes := range t.lanes {
		n += len(lanes)
	}
	return n
}
