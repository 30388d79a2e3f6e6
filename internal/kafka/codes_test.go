package kafka

import (
	"math"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

// otherAPIs are codes that no request of ours is answered with: those of producing and fetching, groups, transactions,
// delegation tokens, log directories, features, KRaft's own requests, telemetry and share groups. One of them where we do
// not expect it is ClassUnexpected: retried slowly, and shown.
var otherAPIs = []*kerr.Error{
	// Produce and Fetch.
	kerr.OffsetOutOfRange, kerr.CorruptMessage, kerr.InvalidFetchSize, kerr.MessageTooLarge, kerr.OffsetMetadataTooLarge,
	kerr.RecordListTooLarge, kerr.InvalidRequiredAcks, kerr.InvalidTimestamp, kerr.UnsupportedCompressionType, kerr.InvalidRecord,
	kerr.FetchSessionIDNotFound, kerr.InvalidFetchSessionEpoch, kerr.FetchSessionTopicIDError, kerr.OffsetMovedToTieredStorage,
	kerr.PositionOutOfRange, kerr.SnapshotNotFound,
	// Groups.
	kerr.IllegalGeneration, kerr.InconsistentGroupProtocol, kerr.InvalidGroupID, kerr.UnknownMemberID, kerr.InvalidSessionTimeout,
	kerr.RebalanceInProgress, kerr.InvalidCommitOffsetSize, kerr.NonEmptyGroup, kerr.GroupIDNotFound, kerr.MemberIDRequired,
	kerr.GroupMaxSizeReached, kerr.FencedInstanceID, kerr.GroupSubscribedToTopic, kerr.UnstableOffsetCommit, kerr.FencedMemberEpoch,
	kerr.UnreleasedInstanceID, kerr.UnsupportedAssignor, kerr.StaleMemberEpoch, kerr.InvalidRegularExpression,
	kerr.StreamsInvalidTopology, kerr.StreamsInvalidTopologyEpoch, kerr.StreamsTopologyFenced, kerr.GroupDeletionFailed,
	kerr.StreamsTopologyDescriptionUpdateFailed,
	// Transactions.
	kerr.OutOfOrderSequenceNumber, kerr.DuplicateSequenceNumber, kerr.InvalidProducerEpoch, kerr.InvalidTxnState,
	kerr.InvalidProducerIDMapping, kerr.InvalidTransactionTimeout, kerr.ConcurrentTransactions, kerr.TransactionCoordinatorFenced,
	kerr.UnknownProducerID, kerr.ProducerFenced, kerr.TransactionalIDNotFound, kerr.TransactionAbortable,
	// Delegation tokens and principals.
	kerr.DelegationTokenAuthDisabled, kerr.DelegationTokenNotFound, kerr.DelegationTokenOwnerMismatch,
	kerr.DelegationTokenRequestNotAllowed, kerr.DelegationTokenExpired, kerr.InvalidPrincipalType, kerr.PrincipalDeserializationFailure,
	// Log directories.
	kerr.LogDirNotFound,
	// Features, KRaft and the brokers among themselves.
	kerr.InvalidUpdateVersion, kerr.FeatureUpdateFailed, kerr.InconsistentVoterSet, kerr.DuplicateBrokerRegistration,
	kerr.IneligibleReplica, kerr.UnknownControllerID, kerr.InvalidRegistration, kerr.InvalidVoterKey, kerr.DuplicateVoter,
	kerr.VoterNotFound, kerr.ControllerIDNotRegistered,
	// Telemetry and share groups.
	kerr.UnknownSubscriptionID, kerr.TelemetryTooLarge, kerr.InvalidRecordState, kerr.ShareSessionNotFound,
	kerr.InvalidShareSessionEpoch, kerr.FencedStateEpoch, kerr.ShareSessionLimitReached,
}

// TestEveryCodeIsClassified ranges over all codes that the library knows. A new one has to be put into a class, or into the
// list above: nobody finds out in production what it means.
func TestEveryCodeIsClassified(t *testing.T) {
	known := 0
	for code := math.MinInt16; code <= math.MaxInt16; code++ {
		e := kerr.TypedErrorForCode(int16(code))
		if e == nil || e.Code != int16(code) {
			continue
		}
		known++
		_, classified := classByCode[e.Code]
		other := slices.Contains(otherAPIs, e)
		switch {
		case !classified && !other:
			t.Errorf("%s (%d) has no class: put it into codeClasses, or into otherAPIs", e.Message, e.Code)
		case classified && other:
			t.Errorf("%s (%d) is in codeClasses and in otherAPIs", e.Message, e.Code)
		}
	}
	if known < 130 {
		t.Errorf("only %d codes were found: the loop does not find the library's codes", known)
	}
	seen := make(map[int16]Class)
	for class, errs := range codeClasses {
		for _, e := range errs {
			if before, twice := seen[e.Code]; twice {
				t.Errorf("%s is in class %d and in class %d", e.Message, before, class)
			}
			seen[e.Code] = class
		}
	}
}
