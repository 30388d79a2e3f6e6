package topic

import (
	"slices"
	"strconv"
	"strings"
)

// Topic configuration keys that rules of this package speak of.
const (
	KeyMinInsyncReplicas     = "min.insync.replicas"
	KeyUncleanLeaderElection = "unclean.leader.election.enable"
	KeyCleanupPolicy         = "cleanup.policy"
	KeyRetentionMs           = "retention.ms"
	KeyRetentionBytes        = "retention.bytes"
	keyThrottledLeader       = "leader.replication.throttled.replicas"
	keyThrottledFollower     = "follower.replication.throttled.replicas"
)

// Source says where a value in force comes from. The numbers are those of the protocol (DescribeConfigs).
type Source int8

// The sources.
const (
	SourceUnknown Source = iota
	SourceDynamicTopic
	SourceDynamicBroker
	SourceDynamicDefaultBroker
	SourceStaticBroker
	SourceDefault
)

// Type is the type of a key. The numbers are those of the protocol (DescribeConfigs v3 and later).
type Type int8

// The types.
const (
	TypeUnknown Type = iota
	TypeBoolean
	TypeString
	TypeInt
	TypeShort
	TypeLong
	TypeDouble
	TypeList
	TypeClass
	TypePassword
)

// Entry is one key of a topic as the broker reports it. Value is nil for a sensitive key.
type Entry struct {
	Value *string
	// Fallback is the value that a reset of an override leads to: the broker's own. Nil when the broker did not say.
	Fallback *string
	Source   Source
	Type     Type
	ReadOnly bool
}

// Equal compares two values as the broker would: it answers with parsed values, so "0.50" comes back as "0.5", "1" as
// "1.0" and a list without its spaces. Compared as text, such a key would be set again for ever.
func (t Type) Equal(a, b string) bool {
	if a == b {
		return true
	}
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	switch t {
	case TypeInt, TypeShort, TypeLong:
		x, errX := strconv.ParseInt(a, 10, 64)
		y, errY := strconv.ParseInt(b, 10, 64)
		return errX == nil && errY == nil && x == y
	case TypeDouble:
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		return errX == nil && errY == nil && x == y
	case TypeBoolean:
		return strings.EqualFold(a, b)
	case TypeList:
		return slices.Equal(listItems(a), listItems(b))
	default:
		return a == b
	}
}

// listItems splits a list value and drops what the broker drops: the white space around items, and empty text.
func listItems(s string) []string {
	if s == "" {
		return nil
	}
	items := strings.Split(s, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// isThrottleKey says whether a key is one that a reassignment sets while it runs. It is nobody's drift.
func isThrottleKey(key string) bool { return key == keyThrottledLeader || key == keyThrottledFollower }

// KnownValueType is the type of a key when the broker does not say (before DescribeConfigs v3, or in a create that only
// planned): enough of Kafka's topic keys to compare values of.
func KnownValueType(key string) Type {
	switch key {
	case "min.cleanable.dirty.ratio":
		return TypeDouble
	case KeyCleanupPolicy, keyThrottledLeader, keyThrottledFollower:
		return TypeList
	case "preallocate", KeyUncleanLeaderElection, "remote.storage.enable", "remote.log.copy.disable", "remote.log.delete.on.disable":
		return TypeBoolean
	case KeyMinInsyncReplicas, "segment.bytes", "max.message.bytes", "index.interval.bytes", "segment.index.bytes":
		return TypeInt
	}
	if strings.HasSuffix(key, ".ms") || strings.HasSuffix(key, ".bytes") || key == "flush.messages" {
		return TypeLong
	}
	return TypeString
}
