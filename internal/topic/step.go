package topic

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Step is one thing to do to the cluster. The set is closed: Create, Grow, Configure, Reassign, Unthrottle, Elect, Remove.
type Step interface {
	step()
	// Lines says in words what the step does, one change a line.
	Lines() []string
}

// Create makes the topic. Partitions and Replication are nil where the broker decides.
type Create struct {
	Name        string
	Partitions  *int32
	Replication *int16
	Config      map[string]string
}

// Grow adds partitions.
type Grow struct {
	Name     string
	From, To int32
}

// Configure sets and resets keys of the topic, all in one request.
type Configure struct {
	Name    string
	Changes []Change
}

// Change is one key. A nil To resets the key to what it is without an override; a nil From means that nothing was seen.
type Change struct {
	Key      string
	From, To *string
}

// Remove deletes the topic with this ID, and no other that may have its name by now.
type Remove struct {
	Name string
	ID   ID
}

// Unthrottle takes the replication throttle of a finished reassignment off again. Changes are the throttle keys of the
// topic; Brokers lose their throttle rates, if these are still the ones in Rates.
type Unthrottle struct {
	Name    string
	Changes []Change
	Brokers []int32
	Rates   []int64
}

// Elect gives the leadership of partitions back to their preferred replicas (KIP-460).
type Elect struct {
	Name       string
	Partitions []int32
}

func (Create) step()     {}
func (Grow) step()       {}
func (Configure) step()  {}
func (Remove) step()     {}
func (Unthrottle) step() {}
func (Elect) step()      {}

// Lines implements Step.
func (s Create) Lines() []string {
	text := "create topic " + s.Name + " with "
	if s.Partitions == nil {
		text += "the broker's number of partitions"
	} else {
		text += plural(int(*s.Partitions), "partition")
	}
	if s.Replication == nil {
		text += ", the broker's replication factor"
	} else {
		text += fmt.Sprintf(", replication factor %d", *s.Replication)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Config)) {
		text += fmt.Sprintf(", %s=%s", key, s.Config[key])
	}
	return []string{text}
}

// Lines implements Step.
func (s Grow) Lines() []string {
	return []string{fmt.Sprintf("grow topic %s from %d to %s", s.Name, s.From, plural(int(s.To), "partition"))}
}

// Lines implements Step.
func (s Configure) Lines() []string {
	lines := make([]string, 0, len(s.Changes))
	for _, c := range s.Changes {
		lines = append(lines, c.String())
	}
	return lines
}

// String says in words what the change does.
func (c Change) String() string {
	switch {
	case c.To == nil:
		return fmt.Sprintf("reset %s (is %s)", c.Key, shown(c.From))
	case c.From == nil:
		return fmt.Sprintf("set %s to %s", c.Key, shown(c.To))
	default:
		return fmt.Sprintf("set %s to %s (is %s)", c.Key, shown(c.To), shown(c.From))
	}
}

// Lines implements Step.
func (s Remove) Lines() []string {
	return []string{fmt.Sprintf("delete topic %s (topic ID %s) with its records", s.Name, s.ID)}
}

// Lines implements Step.
func (s Unthrottle) Lines() []string {
	return []string{"take the replication throttle off topic " + s.Name}
}

// Lines implements Step.
func (s Elect) Lines() []string {
	return []string{fmt.Sprintf("elect the preferred leaders of %s of topic %s", plural(len(s.Partitions), "partition"), s.Name)}
}

// Lines says in words what the steps do.
func Lines(steps []Step) []string {
	var lines []string
	for _, s := range steps {
		lines = append(lines, s.Lines()...)
	}
	return lines
}

func shown(s *string) string {
	if s == nil {
		return "unset"
	}
	if *s == "" || strings.ContainsAny(*s, " \t") {
		return fmt.Sprintf("%q", *s)
	}
	return *s
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
