package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ProducerProfileStatus is what the profile comes to.
type ProducerProfileStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// configuration is the resolved producer configuration, as the Java client spells it.
	// +optional
	Configuration map[string]string `json:"configuration,omitempty"`
	// hash of the configuration: two profiles with the same hash configure a producer alike.
	// +optional
	Hash string `json:"hash,omitempty"`
	// pods that are bound to the profile.
	// +optional
	Pods *PodCounts `json:"pods,omitempty"`
	// topics that the profile writes, and whether they keep what it promises. Of more than 256 the gravest are listed.
	// +kubebuilder:validation:MaxItems=256
	// +listType=map
	// +listMapKey=name
	// +optional
	Topics []TopicDurability `json:"topics,omitempty"`
	// managed is what this profile has put on the brokers, or is about to: it is kept, and goes with the profile. What is
	// not in it was there before, and is left alone.
	// +optional
	Managed *ManagedAccess `json:"managed,omitempty"`
	// conditions: Ready, Reconciling, Stalled, Valid, Durable.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// PodCounts counts the pods that are bound to a profile.
type PodCounts struct {
	// bound to the profile.
	// +required
	Bound int32 `json:"bound"`
	// current: they carry its present contract.
	// +required
	Current int32 `json:"current"`
	// stale: their contract is being replaced.
	// +required
	Stale int32 `json:"stale"`
	// needRestart: what changed cannot be changed in a running pod.
	// +required
	NeedRestart int32 `json:"needRestart"`
	// missed: they ask for the profile and were never injected.
	// +required
	Missed int32 `json:"missed"`
}

// TopicDurability says whether one topic keeps what a profile promises.
type TopicDurability struct {
	// name of the topic in Kafka.
	// +required
	Name string `json:"name"`
	// durability: Durable, AtRisk, Blocked or Unknown.
	// +required
	Durability string `json:"durability"`
	// message says why.
	// +optional
	Message string `json:"message,omitempty"`
}

// ManagedAccess is what a profile has put on the brokers of one cluster.
type ManagedAccess struct {
	// cluster is the name of the KafkaCluster.
	// +required
	Cluster string `json:"cluster"`
	// clusterID is the cluster's own identity.
	// +required
	ClusterID string `json:"clusterID"`
	// quota that the profile has set.
	// +optional
	Quota *ManagedQuota `json:"quota,omitempty"`
	// acls that the profile has created; all of them allow, from any host.
	// +kubebuilder:validation:MaxItems=2048
	// +listType=atomic
	// +optional
	ACLs []ManagedACL `json:"acls,omitempty"`
}

// ManagedQuota are the keys of one quota entity that a profile has set (KIP-546).
type ManagedQuota struct {
	// user of the entity; absent in a quota of a client ID alone.
	// +optional
	User string `json:"user,omitempty"`
	// clientID of the entity; absent in a quota of a user alone.
	// +optional
	ClientID string `json:"clientID,omitempty"`
	// values by their keys, as Kafka spells them: producer_byte_rate.
	// +required
	Values map[string]string `json:"values"`
}

// ManagedACL is what one principal may do on one resource.
type ManagedACL struct {
	// principal as Kafka spells it: User:checkout.
	// +required
	Principal string `json:"principal"`
	// resource is the type: TOPIC, CLUSTER or TRANSACTIONAL_ID.
	// +required
	Resource string `json:"resource"`
	// pattern is LITERAL or PREFIXED.
	// +required
	Pattern string `json:"pattern"`
	// name of the resource, or what names begin with.
	// +required
	Name string `json:"name"`
	// operations that are allowed: WRITE, DESCRIBE, IDEMPOTENT_WRITE.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +required
	Operations []string `json:"operations"`
}
