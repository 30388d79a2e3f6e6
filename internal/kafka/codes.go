package kafka

import "github.com/twmb/franz-go/pkg/kerr"

// codeClasses classifies every error code that an admin request of ours can meet. Codes of other APIs (groups,
// transactions, fetch sessions, share groups, telemetry) are not here, which makes them ClassUnexpected; the test over all
// codes lists them, so that a new one is noticed.
var codeClasses = map[Class][]*kerr.Error{
	ClassTransient: {
		kerr.LeaderNotAvailable, kerr.NotLeaderForPartition, kerr.BrokerNotAvailable, kerr.ReplicaNotAvailable,
		kerr.StaleControllerEpoch, kerr.NetworkException, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable,
		kerr.NotCoordinator, kerr.NotController, kerr.KafkaStorageError, kerr.ReassignmentInProgress, kerr.StaleBrokerEpoch,
		kerr.PreferredLeaderNotAvailable, kerr.EligibleLeadersNotAvailable, kerr.ElectionNotNeeded,
		kerr.NoReassignmentInProgress, kerr.OperationNotAttempted, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend,
		kerr.OffsetNotAvailable, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.NewLeaderElected, kerr.RebootstrapRequired,
		kerr.ListenerNotFound,
	},
	ClassOutcomeUnknown: {kerr.RequestTimedOut, kerr.UnknownServerError},
	ClassThrottled:      {kerr.ThrottlingQuotaExceeded},
	ClassAbsent:         {kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.InconsistentTopicID, kerr.ResourceNotFound},
	ClassExists:         {kerr.TopicAlreadyExists},
	ClassUnauthorized: {
		kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.GroupAuthorizationFailed,
		kerr.TransactionalIDAuthorizationFailed, kerr.DelegationTokenAuthorizationFailed,
	},
	ClassUnauthenticated: {
		kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.IllegalSaslState, kerr.UnacceptableCredential,
	},
	ClassInvalidConfig: {kerr.InvalidConfig},
	ClassInvalid: {
		kerr.InvalidTopicException, kerr.InvalidPartitions, kerr.InvalidReplicationFactor, kerr.InvalidReplicaAssignment,
		kerr.InvalidRequest, kerr.DuplicateResource, kerr.BrokerIDNotRegistered,
	},
	ClassPolicy:           {kerr.PolicyViolation},
	ClassDeletionDisabled: {kerr.TopicDeletionDisabled},
	ClassUnsupported:      {kerr.UnsupportedVersion, kerr.UnsupportedForMessageFormat, kerr.MismatchedEndpointType, kerr.UnsupportedEndpointType},
	ClassIdentityChanged:  {kerr.InconsistentClusterID},
	ClassNoAuthorizer:     {kerr.SecurityDisabled},
}

var classByCode = func() map[int16]Class {
	classes := make(map[int16]Class)
	for class, errs := range codeClasses {
		for _, e := range errs {
			classes[e.Code] = class
		}
	}
	return classes
}()

func classOfCode(e *kerr.Error) Class { return classByCode[e.Code] }
