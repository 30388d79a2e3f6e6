package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DeletionPolicy says what happens to the topic when its KafkaTopic is deleted.
//
// +kubebuilder:validation:Enum=Retain;DeleteIfEmpty;Delete
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionRetain leaves the topic and its records alone.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionDeleteIfEmpty deletes the topic when no partition holds a record, and waits otherwise.
	DeletionDeleteIfEmpty DeletionPolicy = "DeleteIfEmpty"
	// DeletionDelete deletes the topic with its records.
	DeletionDelete DeletionPolicy = "Delete"
)

// AdoptionPolicy says what the first contact with a topic that already exists does.
//
// +kubebuilder:validation:Enum=Review;Adopt;Refuse
type AdoptionPolicy string

// The adoption policies.
const (
	// AdoptionReview takes over a topic that agrees with the manifest; a differing one waits, with the plan in status.
	AdoptionReview AdoptionPolicy = "Review"
	// AdoptionAdopt takes the topic over and makes it agree.
	AdoptionAdopt AdoptionPolicy = "Adopt"
	// AdoptionRefuse never takes over a topic that this object did not create.
	AdoptionRefuse AdoptionPolicy = "Refuse"
)

// ConfigOwnership says which dynamic configuration of the topic is ours.
//
// +kubebuilder:validation:Enum=Merge;Exact
type ConfigOwnership string

// The kinds of ownership.
const (
	// ConfigMerge owns the keys that the manifest names, and no others.
	ConfigMerge ConfigOwnership = "Merge"
	// ConfigExact owns every dynamic override: those the manifest does not name are reset.
	ConfigExact ConfigOwnership = "Exact"
)

// TopicMode says whether the operator writes.
//
// +kubebuilder:validation:Enum=Manage;Observe
type TopicMode string

// The modes.
const (
	// ModeManage makes the topic agree with the manifest.
	ModeManage TopicMode = "Manage"
	// ModeObserve only reports what it would do, and what the broker says of it.
	ModeObserve TopicMode = "Observe"
)

// MissingPolicy says what to do about a topic that was ours and is gone.
//
// +kubebuilder:validation:Enum=Alert;Recreate
type MissingPolicy string

// The policies for a missing topic.
const (
	// MissingAlert reports it and creates nothing: an empty topic in the place of a lost one hides the loss.
	MissingAlert MissingPolicy = "Alert"
	// MissingRecreate creates it again, empty.
	MissingRecreate MissingPolicy = "Recreate"
)

// DangerousChange names a change that is refused until spec.acknowledge names it.
//
// +kubebuilder:validation:Enum=PartitionGrowthOnCompactedTopic;RetentionCut;ReplicationFactorOne;CompactionRemoved
type DangerousChange string

// The dangerous changes.
const (
	// PartitionGrowthOnCompactedTopic: keys move to other partitions, and their old values stay where they were.
	PartitionGrowthOnCompactedTopic DangerousChange = "PartitionGrowthOnCompactedTopic"
	// RetentionCut: records that are stored now are deleted.
	RetentionCut DangerousChange = "RetentionCut"
	// ReplicationFactorOne: the loss of one broker loses records.
	ReplicationFactorOne DangerousChange = "ReplicationFactorOne"
	// CompactionRemoved: cleanup.policy from compact to delete; the last value of every key is deleted in time.
	CompactionRemoved DangerousChange = "CompactionRemoved"
)

// KafkaTopicSpec is what a topic should be. A field that is absent is left to the cluster.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minInsyncReplicas) || !has(self.replicationFactor) || self.minInsyncReplicas <= self.replicationFactor",fieldPath=".minInsyncReplicas",message="minInsyncReplicas must not be above replicationFactor: that many replicas can never be in sync; lower minInsyncReplicas or raise replicationFactor"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.partitions) || !has(self.partitions) || self.partitions >= oldSelf.partitions",fieldPath=".partitions",message="partitions can only grow, because Kafka cannot remove a partition without its records; keep the number, or make a new topic and move to it"
type KafkaTopicSpec struct {
	// clusterRef names the KafkaCluster. It cannot be changed: a topic does not move between clusters.
	// +kubebuilder:default={name: default}
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="clusterRef cannot be changed: a topic does not move between clusters; make a KafkaTopic for the other cluster"
	// +optional
	ClusterRef ClusterReference `json:"clusterRef,omitzero"`

	// topicName is the topic's name in Kafka. Default: metadata.name. It cannot be changed.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9._-]+$') && self != '.' && self != '..'",message="topicName may hold letters, digits, '.', '_' and '-' only, and must not be '.' or '..'"
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('__')",message="topicName must not begin with '__': such topics are Kafka's own, and managing them can stop consumer groups and transactions"
	// +optional
	TopicName string `json:"topicName,omitempty"`

	// partitions is the number of partitions. It can only grow. Absent: the broker's num.partitions at creation.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Partitions *int32 `json:"partitions,omitempty"`

	// replicationFactor is the number of copies of each partition. A change is carried out by reassignment. Absent: the
	// broker's default.replication.factor at creation.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	ReplicationFactor *int32 `json:"replicationFactor,omitempty"`

	// minInsyncReplicas is min.insync.replicas: how many copies must have a record before acks=all acknowledges it.
	// Absent: the broker's.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MinInsyncReplicas *int32 `json:"minInsyncReplicas,omitempty"`

	// config holds topic configuration keys as Kafka spells them.
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="!('min.insync.replicas' in self)",message="set spec.minInsyncReplicas instead of min.insync.replicas in config"
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[A-Za-z0-9._-]{1,128}$'))",message="config keys hold letters, digits, '.', '_' and '-' only, at most 128 of them"
	// +kubebuilder:validation:XValidation:rule="self.all(k, type(self[k]) != string || !string(self[k]).matches('^[+-]?[0-9][0-9.]*[eE][+]?[0-9]+$'))",message="config values must be plain digits: 1e+06 is 1000000; quote the number in the template that wrote it"
	// +optional
	Config map[string]ConfigValue `json:"config,omitempty"`

	// configOwnership: Merge owns only the keys named in config; Exact resets every other dynamic override.
	// +kubebuilder:default=Merge
	// +optional
	ConfigOwnership ConfigOwnership `json:"configOwnership,omitempty"`

	// unmanagedConfig are keys that are left alone, whoever sets them: Exact does not reset them, and a key that moves
	// from config to here keeps the value it has.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:MinLength=1
	// +listType=set
	// +optional
	UnmanagedConfig []string `json:"unmanagedConfig,omitempty"`

	// adoption says what first contact with a topic that exists does.
	// +kubebuilder:default=Review
	// +optional
	Adoption AdoptionPolicy `json:"adoption,omitempty"`

	// deletionPolicy says what deleting this object does to the topic.
	// +kubebuilder:default=Retain
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// mode: Manage writes to the cluster; Observe only plans.
	// +kubebuilder:default=Manage
	// +optional
	Mode TopicMode `json:"mode,omitempty"`

	// onMissing says what to do when the topic was deleted behind our back.
	// +kubebuilder:default=Alert
	// +optional
	OnMissing MissingPolicy `json:"onMissing,omitempty"`

	// reassignment bounds what moving replicas may cost.
	// +kubebuilder:default={}
	// +optional
	Reassignment ReassignmentSpec `json:"reassignment,omitzero"`

	// acknowledge names the dangerous changes that you mean.
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	// +optional
	Acknowledge []DangerousChange `json:"acknowledge,omitempty"`

	// acceptTopicID lets this object take over a topic that was recreated by somebody else (reason TopicReplaced): set
	// it to the new topic ID, as a person who has checked it.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	AcceptTopicID string `json:"acceptTopicID,omitempty"`
}

// ReassignmentSpec bounds a move of replicas.
type ReassignmentSpec struct {
	// bytesPerSecond is the replication throttle, per broker, while replicas move. Default 50Mi.
	// +kubebuilder:default="50Mi"
	// +optional
	BytesPerSecond *resource.Quantity `json:"bytesPerSecond,omitempty"`

	// partitionsAtOnce is how many partitions of the topic move at a time. Default 10.
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	PartitionsAtOnce *int32 `json:"partitionsAtOnce,omitempty"`
}

// KafkaTopicStatus is what was seen on the cluster.
type KafkaTopicStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// topicName in Kafka.
	// +optional
	TopicName string `json:"topicName,omitempty"`
	// topicID that this object owns. A topic of the same name with another ID is somebody else's.
	// +optional
	TopicID string `json:"topicID,omitempty"`
	// clusterID of the cluster that the topic is on.
	// +optional
	ClusterID string `json:"clusterID,omitempty"`
	// partitions that exist.
	// +optional
	Partitions *int32 `json:"partitions,omitempty"`
	// replicationFactor: the smallest number of replicas that any partition has (or is being given).
	// +optional
	ReplicationFactor *int32 `json:"replicationFactor,omitempty"`
	// minInsyncReplicas in force, whoever set it.
	// +optional
	MinInsyncReplicas *int32 `json:"minInsyncReplicas,omitempty"`
	// underReplicatedPartitions: partitions with fewer in-sync replicas than replicas.
	// +optional
	UnderReplicatedPartitions *int32 `json:"underReplicatedPartitions,omitempty"`
	// offlinePartitions: partitions without a leader.
	// +optional
	OfflinePartitions *int32 `json:"offlinePartitions,omitempty"`
	// managedConfig holds the keys set on the topic by this object. Only these are reset when the manifest drops them.
	// +optional
	ManagedConfig map[string]string `json:"managedConfig,omitempty"`
	// plan holds what is not done yet and why.
	// +optional
	Plan *PlanStatus `json:"plan,omitempty"`
	// drift lists the settings in which the topic differs from the manifest now. What was corrected is an Event and a count.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=key
	// +optional
	Drift []DriftStatus `json:"drift,omitempty"`
	// reassignment tells how far a move of replicas is.
	// +optional
	Reassignment *ReassignmentStatus `json:"reassignment,omitempty"`
	// conditions: Ready, Reconciling, Stalled, InSync, Durable.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// PlanStatus is a plan in words.
type PlanStatus struct {
	// steps that would be, or are still to be, carried out, in order.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Steps []string `json:"steps,omitempty"`
	// refusals are the parts of the manifest that will not be carried out, each with its reason and mend.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Refusals []RefusalStatus `json:"refusals,omitempty"`
	// verdict is the broker's own answer to the plan (validateOnly), in mode Observe: "accepted", or its error.
	// +optional
	Verdict string `json:"verdict,omitempty"`
}

// RefusalStatus is one part of the manifest that is not carried out.
type RefusalStatus struct {
	// reason as in the condition.
	// +required
	Reason string `json:"reason"`
	// message says what, why, and how to mend it.
	// +required
	Message string `json:"message"`
}

// DriftStatus is one setting that was found changed.
type DriftStatus struct {
	// key is a configuration key, or "partitions" or "replicationFactor".
	// +required
	Key string `json:"key"`
	// wanted by the manifest.
	// +required
	Wanted string `json:"wanted"`
	// found on the cluster.
	// +required
	Found string `json:"found"`
}

// ReassignmentStatus is the progress of a move of replicas.
type ReassignmentStatus struct {
	// total partitions to move.
	// +required
	Total int32 `json:"total"`
	// done are those that have arrived.
	// +required
	Done int32 `json:"done"`
	// bytesRemaining is about what the replicas that are moving now have still to copy. Absent when the brokers do not say.
	// +optional
	BytesRemaining *int64 `json:"bytesRemaining,omitempty"`
}

// KafkaTopic is one topic on one Kafka cluster.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=kt,categories=mooring
// +kubebuilder:selectablefield:JSONPath=`.spec.clusterRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.topicName`
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterRef.name`
// +kubebuilder:printcolumn:name="Topic",type=string,JSONPath=`.status.topicName`
// +kubebuilder:printcolumn:name="Partitions",type=integer,JSONPath=`.status.partitions`
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.status.replicationFactor`
// +kubebuilder:printcolumn:name="Min-ISR",type=integer,JSONPath=`.status.minInsyncReplicas`
// +kubebuilder:printcolumn:name="URP",type=integer,JSONPath=`.status.underReplicatedPartitions`
// +kubebuilder:printcolumn:name="Durable",type=string,JSONPath=`.status.conditions[?(@.type=="Durable")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="(has(self.spec.topicName) ? self.spec.topicName : self.metadata.name) == (has(oldSelf.spec.topicName) ? oldSelf.spec.topicName : oldSelf.metadata.name)",fieldPath=".spec.topicName",message="topicName cannot be changed: a topic has no second name; make a new KafkaTopic, and remove this one (deletionPolicy says what becomes of the topic)"
// +kubebuilder:validation:XValidation:rule="has(self.spec.topicName) || size(self.metadata.name) <= 249",fieldPath=".spec.topicName",message="metadata.name is longer than the 249 characters that a topic name may have: set spec.topicName"
type KafkaTopic struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what is wanted. An empty spec is a topic with the broker's defaults.
	// +kubebuilder:default={}
	// +optional
	Spec KafkaTopicSpec `json:"spec,omitzero"`
	// status is what was seen.
	// +optional
	Status KafkaTopicStatus `json:"status,omitzero"`
}

// TopicName is the topic's name in Kafka.
func (t *KafkaTopic) TopicName() string {
	if t.Spec.TopicName != "" {
		return t.Spec.TopicName
	}
	return t.Name
}

// KafkaTopicList is a list of KafkaTopics.
//
// +kubebuilder:object:root=true
type KafkaTopicList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []KafkaTopic `json:"items"`
}
