package kafka

import (
	"context"

	"mooring.dev/mooring/internal/topic"
)

// Interest is which topics somebody wants to see together.
type Interest struct {
	// Names of topics, there or not.
	Names []string
	// Prefixes of names. Kafka's own topics (__*) are left out.
	Prefixes []string
	// Keys of the configuration to look at; nil means all.
	Keys []string
}

// Surveyor sees many topics at once, for somebody who changes none of them.
type Surveyor interface {
	// Survey returns the topics of an interest, by name, as the last look at the cluster saw them; what it did not see is
	// looked at now, together with what others wait for. A name that is not on the cluster is a zero Observed; a prefix
	// stands for the names that the last look found. From now on each look at the cluster includes them, and a change wakes
	// whoever listens to the pool. The interest replaces the one before of the same observer.
	Survey(ctx context.Context, observer string, i Interest) (map[string]Sighting, error)

	// Leave ends the interest of an observer.
	Leave(observer string)
}

// Sighting is one topic, or why it cannot be seen.
type Sighting struct {
	topic.Observed
	Err error
}
