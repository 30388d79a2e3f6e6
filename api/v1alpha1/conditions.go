package v1alpha1

// Condition types. Every condition carries the generation it was judged at.
const (
	// ConditionReady is true when the object is what its manifest says.
	ConditionReady = "Ready"
	// ConditionReconciling is true while the operator works towards Ready, or waits for something that will pass (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is true when only a person can bring the object forward (kstatus).
	ConditionStalled = "Stalled"
	// ConditionInSync is false when the topic was found changed behind the manifest's back.
	ConditionInSync = "InSync"
	// ConditionDurable is true when what is acknowledged to acks=all survives the loss of one broker.
	ConditionDurable = "Durable"
	// ConditionValid is true when a ProducerProfile breaks no rule.
	ConditionValid = "Valid"
)

// Reasons of Ready=True.
const (
	// ReasonReady: the object is what its manifest says.
	ReasonReady = "Ready"
)

// Reasons of Reconciling=True: they pass by themselves.
const (
	// ReasonProgressing: steps have been carried out and their effect is awaited.
	ReasonProgressing = "Progressing"
	// ReasonCreating: the topic is about to be created, with adoption Refuse. Should the operator die before it can say that
	// the topic is its own, this tells the next one that it may be.
	ReasonCreating = "Creating"
	// ReasonReassigning: replicas are moving.
	ReasonReassigning = "Reassigning"
	// ReasonClusterNotReady: the KafkaCluster does not exist yet or is not connected.
	ReasonClusterNotReady = "ClusterNotReady"
	// ReasonClusterUnreachable: no bootstrap server answers.
	ReasonClusterUnreachable = "ClusterUnreachable"
	// ReasonAuthenticationFailed: the brokers refuse the user, the password or the token.
	ReasonAuthenticationFailed = "AuthenticationFailed"
	// ReasonTLSVerificationFailed: one side does not trust the other's certificate.
	ReasonTLSVerificationFailed = "TLSVerificationFailed"
	// ReasonSecretInvalid: a Secret is missing, or lacks a key, or holds something else.
	ReasonSecretInvalid = "SecretInvalid"
	// ReasonBrokerError: the broker refused for a reason that may pass; it is tried again.
	ReasonBrokerError = "BrokerError"
	// ReasonThrottled: the controller mutation quota (KIP-599) is used up for the moment.
	ReasonThrottled = "Throttled"
	// ReasonDeleting: the topic is being deleted.
	ReasonDeleting = "Deleting"
	// ReasonTopicNotEmpty: deletionPolicy DeleteIfEmpty, and there are records.
	ReasonTopicNotEmpty = "TopicNotEmpty"
	// ReasonInUse: a KafkaCluster is being deleted while objects refer to it.
	ReasonInUse = "InUse"
)

// Reasons of Stalled=True: a person is needed.
const (
	// ReasonConflict: another, older KafkaTopic owns the same topic, or another ProducerProfile the same quota.
	ReasonConflict = "Conflict"
	// ReasonAdoptionReview: the topic exists and differs; the plan waits for adoption: Adopt.
	ReasonAdoptionReview = "AdoptionReview"
	// ReasonAdoptionRefused: the topic exists and adoption is Refuse.
	ReasonAdoptionRefused = "AdoptionRefused"
	// ReasonTopicReplaced: a topic of the same name and another topic ID is in its place.
	ReasonTopicReplaced = "TopicReplaced"
	// ReasonTopicMissing: the topic was deleted behind our back, and onMissing is Alert.
	ReasonTopicMissing = "TopicMissing"
	// ReasonClusterIdentityChanged: the bootstrap servers answer with another cluster ID than before.
	ReasonClusterIdentityChanged = "ClusterIdentityChanged"
	// ReasonPartitionsShrink: fewer partitions are wanted than exist.
	ReasonPartitionsShrink = "PartitionsShrink"
	// ReasonReplicationFactorTooLarge: more replicas are wanted than there are brokers that could hold them.
	ReasonReplicationFactorTooLarge = "ReplicationFactorTooLarge"
	// ReasonMinInsyncReplicasTooLarge: more in-sync replicas are wanted than there are replicas or live brokers.
	ReasonMinInsyncReplicasTooLarge = "MinInsyncReplicasTooLarge"
	// ReasonAcknowledgeRequired: a dangerous change waits to be named in spec.acknowledge.
	ReasonAcknowledgeRequired = "AcknowledgeRequired"
	// ReasonInvalidConfig: the broker refuses a configuration key or value.
	ReasonInvalidConfig = "InvalidConfig"
	// ReasonReadOnlyConfig: the key cannot be set on a topic.
	ReasonReadOnlyConfig = "ReadOnlyConfig"
	// ReasonValueNotTaken: the broker accepted a value and shows another one; it is not sent again.
	ReasonValueNotTaken = "ValueNotTaken"
	// ReasonAuthorizationFailed: the operator's principal lacks an ACL.
	ReasonAuthorizationFailed = "AuthorizationFailed"
	// ReasonDeletionDisabled: the brokers have delete.topic.enable=false.
	ReasonDeletionDisabled = "DeletionDisabled"
	// ReasonPolicyViolation: a guardrail of the KafkaCluster, or the broker's create.topic.policy, refuses the topic.
	ReasonPolicyViolation = "PolicyViolation"
	// ReasonNamespaceNotAllowed: the KafkaCluster does not let this namespace refer to it.
	ReasonNamespaceNotAllowed = "NamespaceNotAllowed"
	// ReasonInvalidSpec: the manifest cannot be carried out as it is.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonUnsupported: the cluster's Kafka version cannot do it.
	ReasonUnsupported = "Unsupported"
)

// Reasons of InSync and Durable, and of a KafkaTopic in mode Observe.
const (
	// ReasonInSync: the topic agrees with the manifest.
	ReasonInSync = "InSync"
	// ReasonDrifted: something changed the topic.
	ReasonDrifted = "Drifted"
	// ReasonPlanPending: mode Observe, and the topic differs from the manifest.
	ReasonPlanPending = "PlanPending"
	// ReasonDurable: the loss of any one broker loses nothing that was acknowledged with acks=all.
	ReasonDurable = "Durable"
	// ReasonAtRisk: the loss of one broker can lose acknowledged records, or stop producers.
	ReasonAtRisk = "AtRisk"
	// ReasonBlocked: fewer replicas are in sync than min.insync.replicas: acks=all producers fail now.
	ReasonBlocked = "Blocked"
	// ReasonUnknown: not observed yet.
	ReasonUnknown = "Unknown"
)

// Reasons of a ProducerProfile's Valid and Durable, and of its quota and ACLs.
const (
	// ReasonValid: the profile breaks no rule; the message holds the warnings, if there are any.
	ReasonValid = "Valid"
	// ReasonGuaranteeWeaker: AtMostOnce does not wait for the replicas, so no topic can make it durable.
	ReasonGuaranteeWeaker = "GuaranteeWeaker"
	// ReasonNoTopics: spec.topics names no topic, or selects none now, so there is none to judge.
	ReasonNoTopics = "NoTopics"
	// ReasonQuotaExists: the quota entity has another value that this profile did not set.
	ReasonQuotaExists = "QuotaExists"
)
