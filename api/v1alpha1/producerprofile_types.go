package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Guarantee is what a producer promises about a record that it was told is written.
//
// +kubebuilder:validation:Enum=AtMostOnce;AtLeastOnce;Idempotent;Transactional
type Guarantee string

// The guarantees, weakest first.
const (
	// AtMostOnce may lose records and never waits for all replicas: acks 1 and one try, unless spec.delivery says otherwise.
	AtMostOnce Guarantee = "AtMostOnce"
	// AtLeastOnce loses nothing that was acknowledged; duplicates happen.
	AtLeastOnce Guarantee = "AtLeastOnce"
	// Idempotent loses, duplicates and reorders nothing, per producer session and partition.
	Idempotent Guarantee = "Idempotent"
	// Transactional is Idempotent, and makes writes to several partitions visible together, inside Kafka.
	Transactional Guarantee = "Transactional"
)

// Ordering says whether AtLeastOnce keeps the order of records while it retries.
//
// +kubebuilder:validation:Enum=Strict;Relaxed
type Ordering string

// The orderings.
const (
	// OrderingStrict allows one request in flight, so a retry never overtakes.
	OrderingStrict Ordering = "Strict"
	// OrderingRelaxed allows up to five.
	OrderingRelaxed Ordering = "Relaxed"
)

// Enforcement says whether what breaks the profile is stopped or only reported.
//
// +kubebuilder:validation:Enum=Enforce;Audit
type Enforcement string

// The kinds of enforcement.
const (
	// EnforcementEnforce stops what breaks the profile.
	EnforcementEnforce Enforcement = "Enforce"
	// EnforcementAudit reports what it would have stopped.
	EnforcementAudit Enforcement = "Audit"
)

// ProducerProfileSpec is one producer policy. The guarantee alone is a whole profile: it fills in the rest.
//
// The validations are the rows of the rule table in internal/producer that CEL can say; a test holds them together.
//
// +kubebuilder:validation:XValidation:rule="self.guarantee == 'AtMostOnce' || self.?delivery.?acks.orValue('all') in ['all', '-1']",message="guarantees other than AtMostOnce need acks all: with 1 or 0 a record that was acknowledged can be lost with one broker; remove spec.delivery.acks, or set spec.guarantee to AtMostOnce",fieldPath=".delivery.acks"
// +kubebuilder:validation:XValidation:rule="!(self.guarantee in ['Idempotent', 'Transactional']) || self.?delivery.?maxInFlightRequests.orValue(5) <= 5",message="idempotence allows at most 5 requests in flight, because brokers remember five batches of a producer; set spec.delivery.maxInFlightRequests to 5 or less, or remove it",fieldPath=".delivery.maxInFlightRequests"
// +kubebuilder:validation:XValidation:rule="self.guarantee != 'AtLeastOnce' || self.?delivery.?maxInFlightRequests.orValue(1) <= (self.?ordering.orValue('Relaxed') == 'Strict' ? 1 : 5)",message="AtLeastOnce allows 5 requests in flight, and with ordering Strict 1: without idempotence a retry overtakes what was sent after it; lower spec.delivery.maxInFlightRequests, or use the guarantee Idempotent, which keeps order with 5",fieldPath=".delivery.maxInFlightRequests"
// +kubebuilder:validation:XValidation:rule="self.guarantee == 'AtMostOnce' || self.?delivery.?retries.orValue(1) > 0",message="with 0 retries every leader change loses records; remove spec.delivery.retries (spec.delivery.deliveryTimeout bounds how long is tried), or set spec.guarantee to AtMostOnce",fieldPath=".delivery.retries"
// +kubebuilder:validation:XValidation:rule="!has(self.transactions) || self.guarantee == 'Transactional'",message="spec.transactions is for the guarantee Transactional; set spec.guarantee to Transactional, or remove spec.transactions",fieldPath=".transactions"
// +kubebuilder:validation:XValidation:rule="!has(self.guarantee) || self.guarantee != 'Transactional' || (has(self.transactions) && has(self.transactions.idTemplate) && size(self.transactions.idTemplate) > 0)",message="the guarantee Transactional needs spec.transactions.idTemplate, for example {namespace}-{workload}-{ordinal}",fieldPath=".transactions.idTemplate"
// +kubebuilder:validation:XValidation:rule="!has(self.transactions) || !has(self.transactions.idTemplate) || self.transactions.idTemplate.matches('^([^{}]|\\\\{(namespace|workload|pod|ordinal|container)\\\\})*$')",message="spec.transactions.idTemplate knows {namespace}, {workload}, {pod}, {ordinal} and {container}, and no other braces; mend the placeholder",fieldPath=".transactions.idTemplate"
// +kubebuilder:validation:XValidation:rule="!has(self.transactions) || !has(self.transactions.idTemplate) || size(self.transactions.idTemplate) == 0 || self.transactions.idTemplate.contains('{pod}') || self.transactions.idTemplate.contains('{ordinal}')",message="without {pod} or {ordinal} all replicas have one transactional.id, and each that starts fences the one before; add {ordinal} (StatefulSets) or {pod} to spec.transactions.idTemplate",fieldPath=".transactions.idTemplate"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || !('transaction.two.phase.commit.enable' in self.properties) || string(self.properties['transaction.two.phase.commit.enable']).trim().lowerAscii() != 'true' || !has(self.transactions) || !has(self.transactions.timeout)",message="with transaction.two.phase.commit.enable transactions never expire, and the Java client does not start with a transaction.timeout.ms beside it; remove spec.transactions.timeout",fieldPath=".transactions.timeout"
// +kubebuilder:validation:XValidation:rule="!has(self.delivery) || !has(self.delivery.deliveryTimeout) || (duration(self.delivery.deliveryTimeout) >= duration('1ms') && duration(self.delivery.deliveryTimeout) <= duration('2147483647ms'))",message="spec.delivery.deliveryTimeout must be 1ms to 596h; Kafka keeps it in 32 bits of milliseconds",fieldPath=".delivery.deliveryTimeout"
// +kubebuilder:validation:XValidation:rule="!has(self.delivery) || !has(self.delivery.requestTimeout) || (duration(self.delivery.requestTimeout) >= duration('1ms') && duration(self.delivery.requestTimeout) <= duration('2147483647ms'))",message="spec.delivery.requestTimeout must be 1ms to 596h; Kafka keeps it in 32 bits of milliseconds",fieldPath=".delivery.requestTimeout"
// +kubebuilder:validation:XValidation:rule="!has(self.delivery) || !has(self.delivery.retryBackoff) || (duration(self.delivery.retryBackoff) >= duration('0ms') && duration(self.delivery.retryBackoff) <= duration('2147483647ms'))",message="spec.delivery.retryBackoff must be 0s to 596h; Kafka keeps it in 32 bits of milliseconds",fieldPath=".delivery.retryBackoff"
// +kubebuilder:validation:XValidation:rule="!has(self.batching) || !has(self.batching.linger) || (duration(self.batching.linger) >= duration('0ms') && duration(self.batching.linger) <= duration('2147483647ms'))",message="spec.batching.linger must be 0s to 596h; Kafka keeps it in 32 bits of milliseconds",fieldPath=".batching.linger"
// +kubebuilder:validation:XValidation:rule="!has(self.transactions) || !has(self.transactions.timeout) || (duration(self.transactions.timeout) >= duration('1ms') && duration(self.transactions.timeout) <= duration('2147483647ms'))",message="spec.transactions.timeout must be 1ms to 596h; Kafka keeps it in 32 bits of milliseconds",fieldPath=".transactions.timeout"
// +kubebuilder:validation:XValidation:rule="!has(self.connections) || !has(self.connections.metadataMaxAge) || (duration(self.connections.metadataMaxAge) >= duration('1ms') && duration(self.connections.metadataMaxAge) <= duration('2147483647ms'))",message="spec.connections.metadataMaxAge must be 1ms to 596h; Kafka keeps it in 32 bits of milliseconds",fieldPath=".connections.metadataMaxAge"
// +kubebuilder:validation:XValidation:rule="!has(self.connections) || !has(self.connections.idleTimeout) || (duration(self.connections.idleTimeout) >= duration('1ms') && duration(self.connections.idleTimeout) <= duration('2147483647ms'))",message="spec.connections.idleTimeout must be 1ms to 596h; Kafka keeps it in 32 bits of milliseconds",fieldPath=".connections.idleTimeout"
// +kubebuilder:validation:XValidation:rule="!has(self.shim) || !has(self.shim.drain) || (duration(self.shim.drain) >= duration('0ms') && duration(self.shim.drain) <= duration('2147483647ms'))",message="spec.shim.drain must be 0s to 596h; Kafka keeps it in 32 bits of milliseconds",fieldPath=".shim.drain"
// +kubebuilder:validation:XValidation:rule="!has(self.delivery) || !has(self.delivery.deliveryTimeout) || duration(self.delivery.deliveryTimeout) >= duration(self.?batching.?linger.orValue('5ms')) + duration(self.?delivery.?requestTimeout.orValue('30s'))",message="spec.delivery.deliveryTimeout must be at least spec.batching.linger (5ms unless set) plus spec.delivery.requestTimeout (30s unless set), or the Java client does not start; raise it, or lower spec.delivery.requestTimeout",fieldPath=".delivery.deliveryTimeout"
// +kubebuilder:validation:XValidation:rule="!has(self.batching) || !has(self.batching.batchSize) || (quantity(string(self.batching.batchSize)).isInteger() && !quantity(string(self.batching.batchSize)).isLessThan(quantity('0')) && !quantity(string(self.batching.batchSize)).isGreaterThan(quantity('2147483647')))",message="spec.batching.batchSize must be a whole number of bytes from 0 (no batching) to 2147483647, for example 64Ki",fieldPath=".batching.batchSize"
// +kubebuilder:validation:XValidation:rule="!has(self.batching) || !has(self.batching.bufferMemory) || (quantity(string(self.batching.bufferMemory)).isInteger() && !quantity(string(self.batching.bufferMemory)).isLessThan(quantity('1')) && !quantity(string(self.batching.bufferMemory)).isGreaterThan(quantity('9223372036854775807')))",message="spec.batching.bufferMemory must be a whole number of bytes from 1, for example 32Mi",fieldPath=".batching.bufferMemory"
// +kubebuilder:validation:XValidation:rule="!has(self.batching) || !has(self.batching.maxRequestSize) || (quantity(string(self.batching.maxRequestSize)).isInteger() && !quantity(string(self.batching.maxRequestSize)).isLessThan(quantity('1')) && !quantity(string(self.batching.maxRequestSize)).isGreaterThan(quantity('2147483647')))",message="spec.batching.maxRequestSize must be a whole number of bytes from 1 to 2147483647, for example 1Mi",fieldPath=".batching.maxRequestSize"
// +kubebuilder:validation:XValidation:rule="!has(self.batching) || !(has(self.batching.bufferMemory) ? quantity(string(self.batching.bufferMemory)) : quantity('33554432')).isLessThan(has(self.batching.batchSize) ? quantity(string(self.batching.batchSize)) : quantity('16384'))",message="spec.batching.bufferMemory (32Mi unless set) must hold at least one spec.batching.batchSize (16Ki unless set), or send() fails for every record; raise the one, or lower the other",fieldPath=".batching.bufferMemory"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || !self.properties.exists(k, k in ['acks', 'batch.size', 'buffer.memory', 'compression.type', 'connections.max.idle.ms', 'delivery.timeout.ms', 'enable.idempotence', 'linger.ms', 'max.in.flight.requests.per.connection', 'max.request.size', 'metadata.max.age.ms', 'request.timeout.ms', 'retries', 'retry.backoff.ms', 'transaction.timeout.ms', 'transactional.id'])",message="spec.properties is for what has no field of its own; acks, retries, timeouts, batching, transactions and connections are set in spec.delivery, spec.batching, spec.transactions and spec.connections, and enable.idempotence follows from spec.guarantee; move it there",fieldPath=".properties"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || !self.properties.exists(k, k in ['bootstrap.servers', 'config.providers', 'sasl.mechanism', 'security.protocol', 'ssl.endpoint.identification.algorithm', 'ssl.keystore.location', 'ssl.keystore.type', 'ssl.truststore.location', 'ssl.truststore.type'])",message="how brokers are reached and trusted is the KafkaCluster's and spec.credentials' to say, for every client alike; remove it from spec.properties",fieldPath=".properties"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || !self.properties.exists(k, k in ['sasl.jaas.config', 'sasl.oauthbearer.assertion.private.key.passphrase', 'sasl.oauthbearer.client.credentials.client.secret', 'ssl.key.password', 'ssl.keystore.certificate.chain', 'ssl.keystore.key', 'ssl.keystore.password', 'ssl.truststore.certificates', 'ssl.truststore.password'])",message="a secret does not belong into a ProducerProfile, which many may read; put it into a Secret and name that in spec.credentials",fieldPath=".properties"
// +kubebuilder:validation:XValidation:rule="!has(self.partitioner) || !has(self.properties) || !('partitioner.class' in self.properties)",message="spec.partitioner and partitioner.class in spec.properties say the same thing twice; remove one"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || !('client.id' in self.properties) || !has(self.quota) || !has(self.quota.clientID)",message="spec.quota.clientID already is the producers' client.id, so that the quota applies to them; remove client.id from spec.properties"
// +kubebuilder:validation:XValidation:rule="!has(self.topics) || has(self.topics.names) || has(self.topics.prefixes) || has(self.topics.selector)",message="spec.topics selects nothing, so that nothing might be written; add names, prefixes or a selector, or remove spec.topics to allow every topic",fieldPath=".topics"
// +kubebuilder:validation:XValidation:rule="!has(self.topics) || !has(self.topics.names) || self.topics.names.all(n, n.matches('^[a-zA-Z0-9._-]{1,249}$') && n != '.' && n != '..' && !n.startsWith('__'))",message="a topic's name has letters, digits, '.', '_' and '-', at most 249 of them, is not '.' or '..', and does not begin with '__' (Kafka's own topics); mend spec.topics.names",fieldPath=".topics.names"
// +kubebuilder:validation:XValidation:rule="!has(self.topics) || !has(self.topics.prefixes) || self.topics.prefixes.all(p, p.matches('^[a-zA-Z0-9._-]{1,249}$') && !p.startsWith('__'))",message="a prefix of topic names has letters, digits, '.', '_' and '-', at most 249 of them, and does not begin with '__' (Kafka's own topics); mend spec.topics.prefixes",fieldPath=".topics.prefixes"
// +kubebuilder:validation:XValidation:rule="!has(self.quota) || has(self.quota.producerByteRate) || has(self.quota.requestPercentage)",message="spec.quota bounds nothing; set producerByteRate or requestPercentage, or remove spec.quota",fieldPath=".quota"
// +kubebuilder:validation:XValidation:rule="!has(self.quota) || !has(self.quota.producerByteRate) || (quantity(string(self.quota.producerByteRate)).isInteger() && quantity(string(self.quota.producerByteRate)).isGreaterThan(quantity('0')))",message="spec.quota.producerByteRate must be a whole number of bytes per second above 0, for example 10Mi",fieldPath=".quota.producerByteRate"
type ProducerProfileSpec struct {
	// clusterRef names the KafkaCluster.
	// +kubebuilder:default={name: default}
	// +optional
	ClusterRef ClusterReference `json:"clusterRef,omitzero"`

	// guarantee that the producers keep.
	// +kubebuilder:default=Idempotent
	// +optional
	Guarantee Guarantee `json:"guarantee,omitempty"`

	// ordering matters for AtLeastOnce only: Idempotent and Transactional always keep order. Absent: Relaxed.
	// +optional
	Ordering Ordering `json:"ordering,omitempty"`

	// delivery tunes acknowledgements, retries and timeouts within the guarantee.
	// +optional
	Delivery *ProducerDelivery `json:"delivery,omitempty"`

	// batching tunes how records are gathered.
	// +optional
	Batching *ProducerBatching `json:"batching,omitempty"`

	// partitioner says how a record finds its partition, in every language the same.
	// +optional
	Partitioner Partitioner `json:"partitioner,omitempty"`

	// transactions is for the guarantee Transactional.
	// +optional
	Transactions *ProducerTransactions `json:"transactions,omitempty"`

	// connections tunes metadata and idle connections.
	// +optional
	Connections *ProducerConnections `json:"connections,omitempty"`

	// properties are any other producer properties, as the Java client spells them. Refused are unknown ones, those that
	// have a field of their own above, those that the KafkaCluster and the credentials say, and secrets.
	// +kubebuilder:validation:MaxProperties=64
	// +optional
	Properties map[string]ConfigValue `json:"properties,omitempty"`

	// topics that these producers may write; absent: any.
	// +optional
	Topics *ProducerTopics `json:"topics,omitempty"`

	// credentials that the producers use; the Secret is in the namespace of the pod.
	// +optional
	Credentials *ProducerCredentials `json:"credentials,omitempty"`

	// quota of these producers on the brokers, kept with AlterClientQuotas.
	// +optional
	Quota *ProducerQuota `json:"quota,omitempty"`

	// authorization: None, or Manage the ACLs that these producers need.
	// +optional
	Authorization *ProducerAuthorization `json:"authorization,omitempty"`

	// selector binds pods without an annotation, in namespaces labelled kafka.mooring.dev/injection: enabled.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`

	// allowedNamespaces says who else may refer to this profile. Absent: its own namespace only.
	// +optional
	AllowedNamespaces *NamespaceConsent `json:"allowedNamespaces,omitempty"`

	// injection says what pods are given.
	// +optional
	Injection *ProducerInjection `json:"injection,omitempty"`

	// shim says what the producer shim in the pod does.
	// +optional
	Shim *ProducerShim `json:"shim,omitempty"`

	// enforcement: Enforce stops what breaks the profile, Audit only reports it.
	// +kubebuilder:default=Enforce
	// +optional
	Enforcement Enforcement `json:"enforcement,omitempty"`
}

// ProducerDelivery tunes delivery. What is absent comes from the guarantee.
type ProducerDelivery struct {
	// acks: all, -1, 1 or 0, as the Java client spells them.
	// +kubebuilder:validation:Enum=all;"-1";"1";"0"
	// +optional
	Acks string `json:"acks,omitempty"`
	// maxInFlightRequests is max.in.flight.requests.per.connection.
	// +kubebuilder:validation:Minimum=1
	// +optional
	MaxInFlightRequests *int32 `json:"maxInFlightRequests,omitempty"`
	// retries of one record, within deliveryTimeout.
	// +kubebuilder:validation:Minimum=0
	// +optional
	Retries *int32 `json:"retries,omitempty"`
	// deliveryTimeout is delivery.timeout.ms: how long a record may take from send to acknowledgement. Absent: 2m, or as
	// long as linger and requestTimeout together where that is longer. At least that, if it is set.
	// +optional
	DeliveryTimeout *metav1.Duration `json:"deliveryTimeout,omitempty"`
	// requestTimeout is request.timeout.ms: how long one request may take.
	// +optional
	RequestTimeout *metav1.Duration `json:"requestTimeout,omitempty"`
	// retryBackoff is retry.backoff.ms: the first pause between two tries.
	// +optional
	RetryBackoff *metav1.Duration `json:"retryBackoff,omitempty"`
}

// Compression is a compression.type.
//
// +kubebuilder:validation:Enum=none;gzip;snappy;lz4;zstd
type Compression string

// ProducerBatching tunes batches. What is absent is left to the client.
type ProducerBatching struct {
	// linger is linger.ms: how long a batch waits for more records.
	// +optional
	Linger *metav1.Duration `json:"linger,omitempty"`
	// batchSize is batch.size.
	// +optional
	BatchSize *resource.Quantity `json:"batchSize,omitempty"`
	// bufferMemory is buffer.memory.
	// +optional
	BufferMemory *resource.Quantity `json:"bufferMemory,omitempty"`
	// maxRequestSize is max.request.size.
	// +optional
	MaxRequestSize *resource.Quantity `json:"maxRequestSize,omitempty"`
	// compression is compression.type.
	// +optional
	Compression Compression `json:"compression,omitempty"`
}

// Partitioner says how a record finds its partition.
//
// +kubebuilder:validation:Enum=Default;RoundRobin
type Partitioner string

// The partitioners.
const (
	// PartitionerDefault hashes the key with murmur2, and keeps to one partition per batch without a key.
	PartitionerDefault Partitioner = "Default"
	// PartitionerRoundRobin spreads records over all partitions, whatever their key.
	PartitionerRoundRobin Partitioner = "RoundRobin"
)

// ProducerTransactions is for the guarantee Transactional.
type ProducerTransactions struct {
	// idTemplate of transactional.id: {namespace}, {workload}, {pod}, {ordinal}, {container}. It must come out different
	// for every replica and the same for the next pod of the same replica.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +optional
	IDTemplate string `json:"idTemplate,omitempty"`
	// timeout is transaction.timeout.ms.
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`
}

// ProducerConnections tunes connections.
type ProducerConnections struct {
	// metadataMaxAge is metadata.max.age.ms.
	// +optional
	MetadataMaxAge *metav1.Duration `json:"metadataMaxAge,omitempty"`
	// idleTimeout is connections.max.idle.ms.
	// +optional
	IdleTimeout *metav1.Duration `json:"idleTimeout,omitempty"`
}

// ProducerTopics selects topics. A topic that any of the three selects may be written.
type ProducerTopics struct {
	// names of topics in Kafka.
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=249
	// +listType=set
	// +optional
	Names []string `json:"names,omitempty"`
	// prefixes of topic names.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=249
	// +listType=set
	// +optional
	Prefixes []string `json:"prefixes,omitempty"`
	// selector over the labels of the KafkaTopics in the profile's namespace.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// ProducerProfile is one producer policy.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=pp,categories=mooring
// +kubebuilder:selectablefield:JSONPath=`.spec.clusterRef.name`
// +kubebuilder:printcolumn:name="Guarantee",type=string,JSONPath=`.spec.guarantee`
// +kubebuilder:printcolumn:name="Pods",type=integer,JSONPath=`.status.pods.bound`
// +kubebuilder:printcolumn:name="Current",type=integer,JSONPath=`.status.pods.current`
// +kubebuilder:printcolumn:name="Valid",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Valid")].status`
// +kubebuilder:printcolumn:name="Durable",type=string,JSONPath=`.status.conditions[?(@.type=="Durable")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ProducerProfile struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what is wanted.
	// +kubebuilder:default={}
	// +optional
	Spec ProducerProfileSpec `json:"spec,omitzero"`
	// status is what was seen.
	// +optional
	Status ProducerProfileStatus `json:"status,omitzero"`
}

// ProducerProfileList is a list of ProducerProfiles.
//
// +kubebuilder:object:root=true
type ProducerProfileList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []ProducerProfile `json:"items"`
}
