package wirereq

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/topic"
)

// fallback is what a reset of an override would lead to: the first synonym that is not the override itself. Brokers list
// them in the order in which they count (KIP-226), each under its own name and in its own unit.
func fallback(c kmsg.DescribeConfigsResponseResourceConfig) *string {
	if topic.Source(c.Source) != topic.SourceDynamicTopic {
		return nil
	}
	for _, s := range c.ConfigSynonyms {
		if topic.Source(s.Source) != topic.SourceDynamicTopic && s.Value != nil {
			return inUnitOf(s.Name, *s.Value)
		}
	}
	if preset, ok := unlisted[c.Name]; ok && len(c.ConfigSynonyms) > 0 {
		return &preset
	}
	return nil
}

// unlisted are defaults that brokers leave out of the synonyms, because the default is that of another key, in another unit:
// log.retention.hours and log.roll.hours are 168 (Kafka 2.x to 4.x). When one of them is set, it is listed.
var unlisted = map[string]string{"retention.ms": "604800000", "segment.ms": "604800000"}

// perUnit are the milliseconds of the units in which a broker's own key may be, where the topic's key is in milliseconds:
// log.retention.hours, log.retention.minutes and log.roll.hours (ServerTopicConfigSynonyms, Kafka 3.x and 4.x).
var perUnit = map[string]int64{".hours": 3_600_000, ".minutes": 60_000}

// inUnitOf is a broker's value as the topic's key would have it; nil when it cannot be said.
func inUnitOf(name, value string) *string {
	for suffix, factor := range perUnit {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil || n > (1<<63-1)/factor:
			return nil
		case n < 0:
			return &value // -1, no bound, has no unit
		}
		return new(strconv.FormatInt(n*factor, 10))
	}
	return &value
}
