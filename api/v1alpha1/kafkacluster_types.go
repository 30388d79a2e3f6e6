package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SASLMechanism is a SASL mechanism, spelled as Kafka spells it in sasl.mechanism.
//
// +kubebuilder:validation:Enum=PLAIN;SCRAM-SHA-256;SCRAM-SHA-512;OAUTHBEARER;AWS_MSK_IAM
type SASLMechanism string

// The mechanisms that Mooring speaks.
const (
	SASLPlain       SASLMechanism = "PLAIN"
	SASLScramSHA256 SASLMechanism = "SCRAM-SHA-256"
	SASLScramSHA512 SASLMechanism = "SCRAM-SHA-512"
	SASLOAuthBearer SASLMechanism = "OAUTHBEARER"
	SASLAWSMSKIAM   SASLMechanism = "AWS_MSK_IAM"
)

// Keys of the Secret that spec.sasl.credentialsRef names.
const (
	// SecretKeyUsername and SecretKeyPassword serve PLAIN and SCRAM.
	SecretKeyUsername = "username"
	SecretKeyPassword = "password"
	// SecretKeyToken is a ready OAUTHBEARER token. Without it, the client credentials grant is used, with
	// SecretKeyClientID, SecretKeyClientSecret, SecretKeyTokenURL and optionally SecretKeyScope.
	SecretKeyToken        = "token"
	SecretKeyClientID     = "clientId"
	SecretKeyClientSecret = "clientSecret"
	SecretKeyTokenURL     = "tokenEndpoint"
	SecretKeyScope        = "scope"
	// SecretKeyAccessKeyID, SecretKeySecretAccessKey and optionally SecretKeySessionToken serve AWS_MSK_IAM.
	SecretKeyAccessKeyID     = "accessKeyId"
	SecretKeySecretAccessKey = "secretAccessKey"
	SecretKeySessionToken    = "sessionToken"
	// SecretKeyRegistryUsername and SecretKeyRegistryPassword, in the Secret of a ProducerProfile's spec.credentials, serve HTTP
	// basic authentication at spec.schemaRegistry.
	SecretKeyRegistryUsername = "schemaRegistryUsername"
	SecretKeyRegistryPassword = "schemaRegistryPassword"
)

// KafkaClusterSpec says how to reach a Kafka cluster and who may do what on it.
type KafkaClusterSpec struct {
	// bootstrapServers are the addresses, host:port, that a client dials first. Two or three brokers are enough; one
	// is a single point of failure.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=300
	// +kubebuilder:validation:XValidation:rule="self.all(s, s.matches('^(\\\\[[0-9A-Fa-f:.%]+\\\\]|[^:/\\\\s,]+):([1-9][0-9]{0,4})$'))",message="each entry must be host:port (an IPv6 address in brackets), without a scheme"
	// +listType=set
	// +required
	BootstrapServers []string `json:"bootstrapServers"`

	// tls turns TLS on; absent means plaintext. An empty object ({}) means TLS with the system's certificate authorities.
	// +optional
	TLS *KafkaClusterTLS `json:"tls,omitempty"`

	// sasl turns authentication by SASL on.
	// +optional
	SASL *KafkaClusterSASL `json:"sasl,omitempty"`

	// schemaRegistry is where the HTTP listener of the shim looks schemas up, and registers them. Absent: it takes no records that
	// need one (Avro, JSON Schema, Protobuf).
	// +optional
	SchemaRegistry *SchemaRegistry `json:"schemaRegistry,omitempty"`

	// allowedNamespaces says which namespaces may refer to this cluster. Absent, or with an empty selector: all.
	// +optional
	AllowedNamespaces *NamespaceConsent `json:"allowedNamespaces,omitempty"`

	// drift says how often the topics of this cluster are compared with their manifests.
	// +kubebuilder:default={}
	// +optional
	Drift DriftSpec `json:"drift,omitzero"`

	// topicPolicies are guardrails; the first entry whose namespaces match a topic's namespace applies to it.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	TopicPolicies []TopicPolicy `json:"topicPolicies,omitempty"`

	// producerPolicy bounds what the ProducerProfiles of this cluster may ask for.
	// +optional
	ProducerPolicy *ProducerPolicy `json:"producerPolicy,omitempty"`

	// acceptClusterID lets the operator go on after the bootstrap servers began to answer with another cluster ID
	// (reason ClusterIdentityChanged): set it to the new ID, as a person who has checked it.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	AcceptClusterID string `json:"acceptClusterID,omitempty"`
}

// KafkaClusterTLS says whom to trust and who we are.
type KafkaClusterTLS struct {
	// caBundleRef names the Secret key, in the operator's namespace, with the PEM certificates to trust. Absent: the system's.
	// +optional
	CABundleRef *SecretKeyReference `json:"caBundleRef,omitempty"`

	// clientCertificateRef names a Secret of type kubernetes.io/tls, in the operator's namespace, for mutual TLS.
	// +optional
	ClientCertificateRef *SecretReference `json:"clientCertificateRef,omitempty"`

	// serverName is the name to verify in the brokers' certificates instead of the host that was dialled.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ServerName string `json:"serverName,omitempty"`
}

// KafkaClusterSASL says how to authenticate.
type KafkaClusterSASL struct {
	// mechanism as Kafka spells it.
	// +required
	Mechanism SASLMechanism `json:"mechanism"`

	// credentialsRef names the Secret in the operator's namespace: username and password for PLAIN and SCRAM; token, or
	// clientId, clientSecret and tokenEndpoint (and scope), for OAUTHBEARER; accessKeyId, secretAccessKey (and
	// sessionToken) for AWS_MSK_IAM.
	// +required
	CredentialsRef SecretReference `json:"credentialsRef"`
}

// SchemaRegistry is one with the API of Confluent's schema registry. Who the producers are to it says the Secret of the
// ProducerProfile's spec.credentials: with the keys schemaRegistryUsername and schemaRegistryPassword they authenticate (HTTP basic).
type SchemaRegistry struct {
	// url of the registry, http or https.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^@/?#\\\\s]+(/[^@?#\\\\s]*)?$')",message="the url must be like https://registry:8081, without credentials, which belong into the Secret of the profile's spec.credentials"
	// +required
	URL string `json:"url"`

	// caBundleRef names the Secret key, in the operator's namespace, with the PEM certificates to trust. Absent: the system's.
	// +optional
	CABundleRef *SecretKeyReference `json:"caBundleRef,omitempty"`
}

// NamespaceConsent selects namespaces by their labels.
type NamespaceConsent struct {
	// selector over the labels of a namespace; empty selects all.
	// +optional
	Selector metav1.LabelSelector `json:"selector,omitzero"`
}

// DriftSpec says how often the cluster is looked at.
type DriftSpec struct {
	// interval between two looks at the cluster, jittered by a tenth. Default 30s.
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s')",message="the interval must be at least 1s"
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`
}

// TopicPolicy is one guardrail. What is absent is not bounded.
type TopicPolicy struct {
	// namespaces that the entry is for; empty selects all.
	// +optional
	Namespaces metav1.LabelSelector `json:"namespaces,omitzero"`

	// namePattern is a regular expression (RE2) that the whole topic name must match; {{ .Namespace }} stands for the
	// namespace of the KafkaTopic.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	NamePattern string `json:"namePattern,omitempty"`

	// partitions bounds spec.partitions.
	// +optional
	Partitions *Int32Range `json:"partitions,omitempty"`
	// replicationFactor bounds spec.replicationFactor.
	// +optional
	ReplicationFactor *Int32Range `json:"replicationFactor,omitempty"`
	// minInsyncReplicas bounds spec.minInsyncReplicas.
	// +optional
	MinInsyncReplicas *Int32Range `json:"minInsyncReplicas,omitempty"`

	// config says which configuration keys a topic may set, and how far.
	// +optional
	Config *TopicConfigPolicy `json:"config,omitempty"`

	// quota bounds what one namespace may have on this cluster.
	// +optional
	Quota *TopicQuota `json:"quota,omitempty"`
}

// TopicConfigPolicy bounds spec.config.
type TopicConfigPolicy struct {
	// allowed are the keys a topic may set; * stands for any run of characters. Absent: every key.
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	// +optional
	Allowed []string `json:"allowed,omitempty"`

	// bounds of numeric keys.
	// +kubebuilder:validation:MaxProperties=64
	// +optional
	Bounds map[string]ConfigBounds `json:"bounds,omitempty"`
}

// ConfigBounds bound a numeric configuration value. They are strings because JSON numbers lose digits above 2^53.
type ConfigBounds struct {
	// min is the smallest value allowed.
	// +kubebuilder:validation:Pattern=`^-?[0-9]+$`
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Min string `json:"min,omitempty"`
	// max is the largest value allowed.
	// +kubebuilder:validation:Pattern=`^-?[0-9]+$`
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Max string `json:"max,omitempty"`
}

// TopicQuota bounds the sum over one namespace.
type TopicQuota struct {
	// topics is the most KafkaTopics of one namespace on this cluster.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Topics *int32 `json:"topics,omitempty"`
	// partitions is the most partitions of one namespace on this cluster, replicas not counted.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Partitions *int32 `json:"partitions,omitempty"`
}

// ProducerPolicy bounds ProducerProfiles.
type ProducerPolicy struct {
	// minimumGuarantee is the weakest guarantee that a profile may ask for.
	// +optional
	MinimumGuarantee Guarantee `json:"minimumGuarantee,omitempty"`
}

// KafkaClusterStatus is what the last probe saw.
type KafkaClusterStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// clusterID is the cluster's own identity. Once known, another one stops every write.
	// +optional
	ClusterID string `json:"clusterID,omitempty"`
	// kafkaVersion is guessed from the APIs that the brokers offer; during a rolling upgrade it names each version.
	// +optional
	KafkaVersion string `json:"kafkaVersion,omitempty"`
	// controllerID is the node ID of the controller, in KRaft of the quorum's leader; -1 when there is none.
	// +optional
	ControllerID *int32 `json:"controllerID,omitempty"`
	// brokers that are registered, in order of their IDs.
	// +listType=map
	// +listMapKey=id
	// +optional
	Brokers []BrokerStatus `json:"brokers,omitempty"`
	// liveBrokers counts the brokers that serve.
	// +optional
	LiveBrokers *int32 `json:"liveBrokers,omitempty"`
	// topics counts what is on the cluster and what of it is managed here.
	// +optional
	Topics *TopicCounts `json:"topics,omitempty"`
	// conditions: Ready, Reconciling, Stalled.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// BrokerStatus is one registered broker.
type BrokerStatus struct {
	// id is the node ID.
	// +required
	ID int32 `json:"id"`
	// host that the broker advertises.
	// +optional
	Host string `json:"host,omitempty"`
	// port that the broker advertises.
	// +optional
	Port int32 `json:"port,omitempty"`
	// rack that the broker is in (broker.rack).
	// +optional
	Rack string `json:"rack,omitempty"`
	// fenced is true for a broker that is registered and does not serve (KIP-631; seen with DescribeCluster v2, KIP-1073).
	// +optional
	Fenced bool `json:"fenced,omitempty"`
}

// TopicCounts counts topics; internal ones are left out.
type TopicCounts struct {
	// total topics on the cluster.
	// +required
	Total int32 `json:"total"`
	// managed by a KafkaTopic.
	// +required
	Managed int32 `json:"managed"`
	// drifted: managed, and different from their manifest at the last look.
	// +required
	Drifted int32 `json:"drifted"`
}

// KafkaCluster says how to reach a Kafka cluster, and who may do what on it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=kc,categories=mooring
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.kafkaVersion`
// +kubebuilder:printcolumn:name="Brokers",type=integer,JSONPath=`.status.liveBrokers`
// +kubebuilder:printcolumn:name="Topics",type=integer,JSONPath=`.status.topics.total`
// +kubebuilder:printcolumn:name="Managed",type=integer,JSONPath=`.status.topics.managed`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Cluster-ID",type=string,priority=1,JSONPath=`.status.clusterID`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type KafkaCluster struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what is wanted.
	// +required
	Spec KafkaClusterSpec `json:"spec"`
	// status is what was seen.
	// +optional
	Status KafkaClusterStatus `json:"status,omitzero"`
}

// KafkaClusterList is a list of KafkaClusters.
//
// +kubebuilder:object:root=true
type KafkaClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []KafkaCluster `json:"items"`
}
