package contract

import "time"

// Version of the format that Encode writes, "major.minor". A reader refuses another major version, because it could not
// enforce what it does not understand, and ignores the fields that a newer minor version added.
const Version = "1.0"

// MaxSize bounds a contract, in bytes. All annotations of an object together may have 256 KiB, and the rendered files
// travel beside the contract.
const MaxSize = 160 << 10

// Contract is one producer policy, as a pod carries it.
type Contract struct {
	// Version is the format's; Encode fills it in.
	Version string `json:"version"`
	// Profile that the contract was made from.
	Profile Profile `json:"profile"`
	// Cluster that the pod produces to.
	Cluster Cluster `json:"cluster"`
	// Hash of all that follows from the profile and the cluster: the same hash means the same policy.
	Hash string `json:"hash"`
	// Guarantee that producers keep.
	Guarantee Guarantee `json:"guarantee"`
	// Enforcement is what is done about a request that is weaker than the guarantee.
	Enforcement Enforcement `json:"enforcement"`
	// Listeners that the shim opens. An empty address opens none.
	Listeners Listeners `json:"listeners"`
	// TLS towards the brokers; nil means plaintext.
	TLS *TLS `json:"tls,omitempty"`
	// SASL towards the brokers; nil means none.
	SASL *SASL `json:"sasl,omitempty"`
	// SchemaRegistry that the HTTP listener encodes by; nil means none.
	SchemaRegistry *SchemaRegistry `json:"schemaRegistry,omitempty"`
	// Topics that may be written; nil means any.
	Topics *Topics `json:"topics,omitempty"`
	// Limits on what is produced.
	Limits Limits `json:"limits"`
	// Timing of deliveries.
	Timing Timing `json:"timing"`
	// Batching of the HTTP listener's own producer.
	Batching Batching `json:"batching"`
	// Transactions of the HTTP listener's own producer; nil unless the guarantee is Transactional.
	Transactions *Transactions `json:"transactions,omitempty"`
	// Properties are the resolved producer properties, as the Java client spells them: for the audit view, and for people.
	Properties map[string]string `json:"properties,omitempty"`
}

// Profile names a ProducerProfile.
type Profile struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Revision is the profile's metadata.generation; it grows with every change of the spec.
	Revision int64 `json:"revision,omitempty"`
}

// Cluster names a KafkaCluster and says how to reach it.
type Cluster struct {
	Name string `json:"name"`
	// ID is the cluster's own identity. When it is known, the shim speaks to no other cluster.
	ID string `json:"id,omitempty"`
	// BootstrapServers are addresses host:port; at least one.
	BootstrapServers []string `json:"bootstrapServers"`
}

// Guarantee is a ProducerProfile's spec.guarantee.
type Guarantee string

// The guarantees, weakest first.
const (
	AtMostOnce    Guarantee = "AtMostOnce"
	AtLeastOnce   Guarantee = "AtLeastOnce"
	Idempotent    Guarantee = "Idempotent"
	Transactional Guarantee = "Transactional"
)

// Enforcement says what is done about requests that break the policy.
type Enforcement struct {
	// Mode is Audit, Upgrade or Reject.
	Mode Mode `json:"mode"`
	// Acks is the acks that a request must have at least: -1 (all), 1 or 0.
	Acks int16 `json:"acks"`
	// Idempotence says that batches must carry a producer ID.
	Idempotence bool `json:"idempotence"`
	// Unsupported says what is done about a batch that cannot be made idempotent soundly: Count (and let it pass) or
	// Reject. Such are the message formats v0 and v1.
	Unsupported Unsupported `json:"unsupported"`
}

// Mode says what is done about a request that is weaker than the policy.
type Mode string

// The modes.
const (
	// Audit counts it and lets it pass.
	Audit Mode = "Audit"
	// Upgrade makes it as strong as the policy.
	Upgrade Mode = "Upgrade"
	// Reject answers it with POLICY_VIOLATION.
	Reject Mode = "Reject"
)

// Unsupported says what is done about what cannot be upgraded.
type Unsupported string

// What is done about it.
const (
	UnsupportedCount  Unsupported = "Count"
	UnsupportedReject Unsupported = "Reject"
)

// Listeners are the addresses, host:port, that the shim listens on. Empty means that the listener is off.
type Listeners struct {
	// Kafka speaks Kafka's protocol; usually 127.0.0.1:9092.
	Kafka string `json:"kafka,omitempty"`
	// HTTP takes records over HTTP; usually 127.0.0.1:8082.
	HTTP string `json:"http,omitempty"`
}

// TLS says whom to trust and who we are. Nothing in it is secret: the private key is a path.
type TLS struct {
	// CACertificates are PEM certificates to trust; empty means the system's.
	CACertificates string `json:"caCertificates,omitempty"`
	// CertificateFile and KeyFile are paths of a mounted client certificate (PEM) and its key; both or neither.
	CertificateFile string `json:"certificateFile,omitempty"`
	KeyFile         string `json:"keyFile,omitempty"`
	// ServerName is verified in the brokers' certificates instead of the host that was dialled.
	ServerName string `json:"serverName,omitempty"`
}

// SASL says how to authenticate. Nothing in it is secret.
type SASL struct {
	// Mechanism as Kafka spells it in sasl.mechanism.
	Mechanism string `json:"mechanism"`
	// CredentialsDir is where the Secret is mounted: a folder with one file for each of its keys (see the File constants).
	// Files are read again when the brokers ask for a new authentication, so a changed Secret needs no restart.
	CredentialsDir string `json:"credentialsDir"`
}

// Files in SASL.CredentialsDir; they are the keys of the Secret.
const (
	FileUsername        = "username"
	FilePassword        = "password"
	FileToken           = "token"
	FileClientID        = "clientId"
	FileClientSecret    = "clientSecret"
	FileTokenURL        = "tokenEndpoint"
	FileScope           = "scope"
	FileAccessKeyID     = "accessKeyId"
	FileSecretAccessKey = "secretAccessKey"
	FileSessionToken    = "sessionToken"
	// These two are HTTP basic authentication at the schema registry.
	FileRegistryUsername = "schemaRegistryUsername"
	FileRegistryPassword = "schemaRegistryPassword"
)

// SchemaRegistry is one with the API of Confluent's. Nothing in it is secret.
type SchemaRegistry struct {
	// URL of it, http or https.
	URL string `json:"url"`
	// CACertificates are PEM certificates to trust; empty means the system's.
	CACertificates string `json:"caCertificates,omitempty"`
	// CredentialsDir is where the Secret with FileRegistryUsername and FileRegistryPassword is mounted; empty, and a folder
	// without them, mean that it takes none. Files are read again for each request.
	CredentialsDir string `json:"credentialsDir,omitempty"`
}

// Topics that may be written: those with one of the names, and those that begin with one of the prefixes.
type Topics struct {
	Names    []string `json:"names,omitempty"`
	Prefixes []string `json:"prefixes,omitempty"`
}

// Limits on what is produced. Zero, and an empty list, mean that there is no limit, except where a field says otherwise.
type Limits struct {
	// MaxInFlight is how many produce requests a client connection may have unanswered at once; at least 1. At the bound
	// the shim stops reading.
	MaxInFlight int32 `json:"maxInFlight"`
	// MaxRequestSize bounds one produce request, in bytes (max.request.size).
	MaxRequestSize int32 `json:"maxRequestSize,omitempty"`
	// BufferMemory bounds what waits in the shim's own producer, in bytes (buffer.memory).
	BufferMemory int64 `json:"bufferMemory,omitempty"`
	// Compression lists the codecs that batches may have: none, gzip, snappy, lz4, zstd.
	Compression []string `json:"compression,omitempty"`
}

// Millis is a duration in milliseconds, as Kafka's own properties count.
type Millis int64

// Duration of the milliseconds.
func (m Millis) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// Timing of deliveries. Zero means the client's own default, except where a field says otherwise.
type Timing struct {
	// DeliveryTimeout is delivery.timeout.ms; at least 1.
	DeliveryTimeout Millis `json:"deliveryTimeoutMs"`
	// RequestTimeout is request.timeout.ms.
	RequestTimeout Millis `json:"requestTimeoutMs,omitempty"`
	// RetryBackoff is retry.backoff.ms.
	RetryBackoff Millis `json:"retryBackoffMs,omitempty"`
	// MetadataMaxAge is metadata.max.age.ms.
	MetadataMaxAge Millis `json:"metadataMaxAgeMs,omitempty"`
	// ConnectionsMaxIdle is connections.max.idle.ms.
	ConnectionsMaxIdle Millis `json:"connectionsMaxIdleMs,omitempty"`
	// Drain is how long the shim may take to flush after SIGTERM; zero means not at all.
	Drain Millis `json:"drainMs"`
}

// Batching of the HTTP listener's own producer. Nil and empty mean the client's own default.
type Batching struct {
	// Linger is linger.ms. Zero is a value: do not wait.
	Linger *Millis `json:"lingerMs,omitempty"`
	// BatchSize is batch.size, in bytes.
	BatchSize *int32 `json:"batchSize,omitempty"`
	// Compression is compression.type.
	Compression string `json:"compression,omitempty"`
	// Partitioner is Default or RoundRobin; empty is Default.
	Partitioner string `json:"partitioner,omitempty"`
}

// Transactions of the HTTP listener's own producer.
type Transactions struct {
	// ID is the transactional.id; placeholders are already filled in where admission knows them.
	ID string `json:"id"`
	// Timeout is transaction.timeout.ms; zero means 60000.
	Timeout Millis `json:"timeoutMs,omitempty"`
}
