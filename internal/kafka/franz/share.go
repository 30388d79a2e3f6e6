package franz

import (
	"maps"

	"mooring.dev/mooring/internal/topic"
)

// sharedConfigs are the configurations that the last different sightings had. Most topics of a cluster are configured like
// others, and a map for each of ten thousand is four megabytes. Nobody changes a sighting, so they can have the same.
type sharedConfigs struct {
	recent [8]map[string]topic.Entry
	next   int
}

// one returns a configuration that is equal, the same as before where there is one.
func (c *sharedConfigs) one(config map[string]topic.Entry) map[string]topic.Entry {
	if len(config) == 0 {
		return config // none and no entry are not alike
	}
	for _, known := range c.recent {
		if len(known) == len(config) && maps.EqualFunc(known, config, sameEntry) {
			return known
		}
	}
	c.recent[c.next] = config
	c.next = (c.next + 1) % len(c.recent)
	return config
}

func sameEntry(a, b topic.Entry) bool {
	return sameText(a.Value, b.Value) && sameText(a.Fallback, b.Fallback) && a.Source == b.Source && a.Type == b.Type && a.ReadOnly == b.ReadOnly
}

func sameText(a, b *string) bool {
	return a == b || (a != nil && b != nil && *a == *b)
}
