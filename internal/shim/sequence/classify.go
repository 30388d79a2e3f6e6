package sequence

import "github.com/twmb/franz-go/pkg/kerr"

// class of an answer to a Produce.
type class int

const (
	written   class = iota
	missing         // not appended, because the sequence does not fit: a gap, or a producer that the broker forgot
	fenced          // not appended: somebody used this producer ID with a later epoch
	refused         // not appended now, and not later either
	held            // not appended now; later perhaps
	uncertain       // appended or not; the same binding again will tell
)

// classify an error code. A code that is not listed says nothing of whether the batch was appended.
func classify(code int16) class {
	switch code {
	case 0, kerr.DuplicateSequenceNumber.Code:
		return written
	case kerr.OutOfOrderSequenceNumber.Code, kerr.UnknownProducerID.Code:
		return missing
	case kerr.InvalidProducerEpoch.Code, kerr.ProducerFenced.Code:
		return fenced
	case kerr.MessageTooLarge.Code, kerr.RecordListTooLarge.Code, kerr.CorruptMessage.Code, kerr.InvalidRecord.Code,
		kerr.InvalidTimestamp.Code, kerr.UnsupportedForMessageFormat.Code, kerr.UnsupportedCompressionType.Code,
		kerr.TopicAuthorizationFailed.Code, kerr.ClusterAuthorizationFailed.Code, kerr.InvalidTopicException.Code,
		kerr.PolicyViolation.Code, kerr.InvalidRequiredAcks.Code, kerr.TransactionalIDAuthorizationFailed.Code,
		kerr.UnsupportedVersion.Code, kerr.InvalidRequest.Code:
		return refused
	case kerr.NotEnoughReplicas.Code:
		return held
	}
	// NOT_LEADER_OR_FOLLOWER is here too: a leader that appended and then lost its office before the followers had the batch
	// answers with it (DelayedProduce in Kafka).
	return uncertain
}

// Retriable says whether the same batch with the same binding may be sent again after this answer with a hope of success.
func Retriable(code int16) bool {
	switch classify(code) {
	case held, missing, fenced:
		return true
	case uncertain:
		err := kerr.TypedErrorForCode(code)
		return err == nil || err.Retriable || code == kerr.UnknownServerError.Code
	}
	return false
}
