package topic

import (
	"maps"
	"slices"
)

// Settled says whether an observation shows the effect of a step. Brokers learn of a change one by one, so an answer that
// does not show it yet is no sign that it failed. id is what Create was answered; zero when it was not.
func Settled(s Step, o Observed, id ID) bool {
	switch s := s.(type) {
	case Create:
		if !o.Exists() || (id != ID{} && o.ID != id) || o.Offline() > 0 || len(o.Partitions) == 0 {
			return false
		}
		return s.Partitions == nil || len(o.Partitions) >= int(*s.Partitions)
	case Grow:
		return len(o.Partitions) >= int(s.To) && o.Offline() == 0
	case Configure:
		for _, c := range s.Changes {
			if !c.settled(o) {
				return false
			}
		}
		return true
	case Reassign:
		return s.settled(o)
	case Unthrottle:
		return Settled(Configure{Name: s.Name, Changes: s.Changes}, o, id)
	case Remove:
		return o.ID != s.ID
	}
	return true
}

func (c Change) settled(o Observed) bool {
	entry, known := o.Config[c.Key]
	if c.To == nil {
		return !known || entry.Source != SourceDynamicTopic
	}
	return known && entry.Value != nil && entry.typeOf(c.Key).Equal(*entry.Value, *c.To)
}

// Unsettled are the configuration changes among the steps that an observation does not show.
func Unsettled(steps []Step, o Observed) []Change {
	var changes []Change
	for _, s := range steps {
		configure, ok := s.(Configure)
		if !ok {
			continue
		}
		for _, c := range configure.Changes {
			if !c.settled(o) {
				changes = append(changes, c)
			}
		}
	}
	return changes
}

// Without leaves out the changes of keys that the broker refused.
func (s Configure) Without(refused map[string]Refusal) Configure {
	s.Changes = slices.DeleteFunc(slices.Clone(s.Changes), func(c Change) bool {
		_, is := refused[c.Key]
		return is
	})
	return s
}

// Without moves what the broker refused from the steps to the refusals.
func (p Plan) Without(refused map[string]Refusal) Plan {
	if len(refused) == 0 {
		return p
	}
	var steps []Step
	for _, s := range p.Steps {
		if c, ok := s.(Configure); ok {
			if c = c.Without(refused); len(c.Changes) == 0 {
				continue
			}
			s = c
		}
		steps = append(steps, s)
	}
	p.Steps = steps
	p.Refusals = slices.Clone(p.Refusals)
	for _, key := range slices.Sorted(maps.Keys(refused)) {
		p.Refusals = append(p.Refusals, refused[key])
	}
	return p
}
