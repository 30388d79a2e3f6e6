package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Class of an outcome: what it means for whoever sent the record.
type Class uint8

// The classes.
const (
	// Written: acknowledged under the profile.
	Written Class = iota
	// Unknown: no answer within the delivery timeout. It may be written, or be written yet.
	Unknown
	// TimedOut: given up after the delivery timeout, and not acknowledged.
	TimedOut
	// NoTopic: the topic does not exist.
	NoTopic
	// NoPartition: the topic has no partition of that number.
	NoPartition
	// Forbidden: the brokers' ACLs, or the profile, do not allow it.
	Forbidden
	// TooLarge: larger than max.request.size, or than the topic's max.message.bytes.
	TooLarge
	// Refused: the brokers will never take it as it is.
	Refused
	// Full: no room in the buffer.
	Full
	// Away: the cluster cannot be reached, or is not able to take it now.
	Away
	// Draining: the shim is stopping.
	Draining
	// Aborted: not written, because another record of the same atomic request was not.
	Aborted
	// Failed: anything else.
	Failed
)

func (c Class) String() string {
	return [...]string{"written", "unknown", "timed_out", "no_topic", "no_partition", "forbidden", "too_large", "refused", "full",
		"away", "draining", "aborted", "failed"}[c]
}

// Classes are all of them.
func Classes() []Class {
	all := make([]Class, 0, Failed+1)
	for c := Written; c <= Failed; c++ {
		all = append(all, c)
	}
	return all
}

// Outcome of one record.
type Outcome struct {
	Class Class
	// Partition, Offset and Timestamp (milliseconds) of a record that was written. The offset is -1 with acks 0.
	Partition int32
	Offset    int64
	Timestamp int64
	// Reason in words, of one that was not.
	Reason string
}

// classes of Kafka's errors; those that are not here are Away if Kafka calls them retriable, and Failed otherwise.
var classes = map[error]Class{
	kerr.UnknownTopicOrPartition:            NoTopic,
	kerr.UnknownTopicID:                     Away, // the topic was made anew; the next attempt finds it
	kerr.TopicAuthorizationFailed:           Forbidden,
	kerr.ClusterAuthorizationFailed:         Forbidden,
	kerr.TransactionalIDAuthorizationFailed: Forbidden,
	kerr.MessageTooLarge:                    TooLarge,
	kerr.RecordListTooLarge:                 TooLarge,
	kerr.InvalidTopicException:              Refused,
	kerr.InvalidRecord:                      Refused,
	kerr.InvalidTimestamp:                   Refused,
	kerr.PolicyViolation:                    Refused,
	kerr.UnsupportedForMessageFormat:        Refused,
	kerr.UnsupportedCompressionType:         Refused,
	kerr.SaslAuthenticationFailed:           Away, // our credential, and not the sender's
}

// Classify what a producer said about a record.
func Classify(err error) Class {
	switch {
	case err == nil:
		return Written
	case errors.Is(err, kgo.ErrAborting):
		return Aborted
	case errors.Is(err, errUnconfirmed):
		return Unknown
	case errors.Is(err, kgo.ErrRecordTimeout), errors.Is(err, kgo.ErrRecordRetries), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return TimedOut
	case errors.Is(err, kgo.ErrMaxBuffered):
		return Full
	case errors.Is(err, kgo.ErrClientClosed):
		return Draining
	}
	var code *kerr.Error
	if !errors.As(err, &code) {
		return Failed
	}
	if class, ok := classes[code]; ok {
		return class
	}
	if code.Retriable {
		return Away
	}
	return Failed
}

// Retriable says whether sending the record again, as it is, can help.
func (c Class) Retriable() bool {
	switch c {
	case Unknown, TimedOut, Full, Away, Draining, Aborted:
		return true
	}
	return false
}

func reason(class Class, err error, topic string) string {
	switch class {
	case NoTopic:
		return fmt.Sprintf("the topic %q does not exist", topic)
	case TimedOut:
		return fmt.Sprintf("not acknowledged within the delivery timeout: %v", err)
	}
	return err.Error()
}
