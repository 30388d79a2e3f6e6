package principal

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Keys of client quotas that a profile sets (KIP-13, KIP-124, KIP-546).
const (
	KeyProducerByteRate  = "producer_byte_rate"
	KeyRequestPercentage = "request_percentage"
)

// Entity is whom a client quota is for: a user, a client ID, or a client ID of a user. An empty part is absent, and both
// empty is no entity.
type Entity struct{ User, ClientID string }

// String is the entity in words.
func (e Entity) String() string {
	switch {
	case e.ClientID == "":
		return "user " + e.User
	case e.User == "":
		return "client ID " + e.ClientID
	}
	return fmt.Sprintf("user %s with client ID %s", e.User, e.ClientID)
}

// Limits are the values of a quota entity by their keys.
type Limits map[string]float64

// Texts are the limits as strings, for status.
func (l Limits) Texts() map[string]string {
	texts := make(map[string]string, len(l))
	for key, value := range l {
		texts[key] = number(value)
	}
	return texts
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// Quota is an entity with its limits.
type Quota struct {
	Entity
	Limits Limits
}

// QuotaChange sets one key of a quota entity, or removes it where To is nil.
type QuotaChange struct {
	Key string
	To  *float64
}

func (c QuotaChange) line(e Entity) string {
	if c.To == nil {
		return fmt.Sprintf("remove the quota %s of %s", c.Key, e)
	}
	return fmt.Sprintf("set the quota %s of %s to %s", c.Key, e, number(*c.To))
}

func (l Limits) keys() []string { return slices.Sorted(maps.Keys(l)) }
