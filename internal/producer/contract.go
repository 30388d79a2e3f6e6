package producer

import (
	"slices"
	"strconv"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/contract"
)

// Addresses of the shim's listeners in a pod.
const (
	ShimKafkaAddress = "127.0.0.1:9092"
	ShimHTTPAddress  = "127.0.0.1:8082"
)

// PodFacts are what a contract says beyond the configuration: what is known of the cluster and of the pod.
type PodFacts struct {
	// ClusterID is the cluster's own identity, "" while it is not known.
	ClusterID string
	// CACertificates are PEM certificates to trust, "" for the system's.
	CACertificates string
	// RegistryCACertificates are those to trust of the schema registry, "" for the system's.
	RegistryCACertificates string
	// SelectedTopics are the names that spec.topics.selector selects now.
	SelectedTopics []string
	// TransactionalID is the filled-in template, for the guarantee Transactional.
	TransactionalID string
	// Listeners override spec.shim.listeners; "" leaves them.
	Listeners v1alpha1.ShimListeners
}

// Contract is what a pod carries for the shim.
func (c Config) Contract(f PodFacts) contract.Contract {
	out := contract.Contract{
		Profile:     contract.Profile{Namespace: c.Namespace, Name: c.Name, Revision: c.Revision},
		Cluster:     contract.Cluster{Name: c.Cluster, ID: f.ClusterID, BootstrapServers: c.Bootstrap()},
		Hash:        c.Hash(),
		Guarantee:   contract.Guarantee(c.Guarantee),
		Enforcement: c.enforcement(),
		Listeners:   listeners(c.Spec.Shim, f.Listeners),
		Topics:      c.allowed(f.SelectedTopics),
		Limits: contract.Limits{
			MaxInFlight:    int32(c.wholeOr(propInFlight, 5)),
			MaxRequestSize: int32(c.setOr(propMaxRequestSize, 0)),
			BufferMemory:   c.setOr(propBufferMemory, 0),
		},
		Timing:     c.timing(),
		Batching:   c.batching(),
		Properties: c.Properties(),
	}
	s := c.Security
	if s.TLS {
		out.TLS = &contract.TLS{CACertificates: f.CACertificates, CertificateFile: s.CertificateFile, KeyFile: s.KeyFile, ServerName: s.ServerName}
	}
	if s.Mechanism != "" {
		out.SASL = &contract.SASL{Mechanism: s.Mechanism, CredentialsDir: s.CredentialsDir}
	}
	if c.Registry != "" && out.Listeners.HTTP != "" {
		out.SchemaRegistry = &contract.SchemaRegistry{URL: c.Registry, CACertificates: f.RegistryCACertificates}
		if s.SecretName != "" {
			out.SchemaRegistry.CredentialsDir = DirCredentials
		}
	}
	if c.Guarantee == v1alpha1.Transactional && f.TransactionalID != "" {
		out.Transactions = &contract.Transactions{ID: f.TransactionalID, Timeout: contract.Millis(c.setOr(propTransactionTimeout, 0))}
	}
	return out
}

func (c *Config) enforcement() contract.Enforcement {
	mode := contract.Upgrade
	if s := c.Spec.Shim; s != nil && s.Mode != "" {
		mode = contract.Mode(s.Mode)
	}
	if c.Spec.Enforcement == v1alpha1.EnforcementAudit {
		mode = contract.Audit
	}
	unsupported := contract.UnsupportedCount
	if mode == contract.Reject {
		unsupported = contract.UnsupportedReject
	}
	acks, _ := strconv.ParseInt(c.acksNumber(), 10, 16)
	return contract.Enforcement{Mode: mode, Acks: int16(acks), Idempotence: c.isIdempotent(), Unsupported: unsupported}
}

func listeners(s *v1alpha1.ProducerShim, override v1alpha1.ShimListeners) contract.Listeners {
	which := v1alpha1.ShimNone
	if s != nil && s.Listeners != "" {
		which = s.Listeners
	}
	if override != "" {
		which = override
	}
	var l contract.Listeners
	if which == v1alpha1.ShimKafka || which == v1alpha1.ShimAll {
		l.Kafka = ShimKafkaAddress
	}
	if which == v1alpha1.ShimHTTP || which == v1alpha1.ShimAll {
		l.HTTP = ShimHTTPAddress
	}
	return l
}

// allowed are the topics that may be written; nil means any.
func (c *Config) allowed(selected []string) *contract.Topics {
	t := c.Spec.Topics
	if t == nil {
		return nil
	}
	names := slices.Compact(slices.Sorted(slices.Values(slices.Concat(t.Names, selected))))
	return &contract.Topics{Names: names, Prefixes: t.Prefixes}
}

func (c *Config) timing() contract.Timing {
	delivery := c.wholeOr(propDeliveryTimeout, 120000)
	drain := delivery
	if s := c.Spec.Shim; s != nil && s.Drain != nil {
		drain = s.Drain.Milliseconds()
	}
	return contract.Timing{
		DeliveryTimeout:    contract.Millis(delivery),
		RequestTimeout:     contract.Millis(c.setOr(propRequestTimeout, 0)),
		RetryBackoff:       contract.Millis(c.setOr(propRetryBackoff, 0)),
		MetadataMaxAge:     contract.Millis(c.setOr(propMetadataMaxAge, 0)),
		ConnectionsMaxIdle: contract.Millis(c.setOr(propMaxIdle, 0)),
		Drain:              contract.Millis(drain),
	}
}

func (c *Config) batching() contract.Batching {
	b := contract.Batching{Partitioner: string(c.Spec.Partitioner)}
	c.ifSet(propLinger, func(n int64) { b.Linger = new(contract.Millis(n)) })
	c.ifSet(propBatchSize, func(n int64) { b.BatchSize = new(int32(n)) })
	b.Compression, _ = c.Get(propCompression)
	return b
}

// wholeOr is a property as an integer, as set or by the client's default.
func (c *Config) wholeOr(name string, otherwise int64) int64 {
	if n, ok := c.whole(name); ok {
		return n
	}
	return otherwise
}

// setOr is a property as an integer where it is set.
func (c *Config) setOr(name string, otherwise int64) int64 {
	n := otherwise
	c.ifSet(name, func(set int64) { n = set })
	return n
}
