package producer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// Names of properties that this package speaks of.
const (
	propAcks               = "acks"
	propIdempotence        = "enable.idempotence"
	propInFlight           = "max.in.flight.requests.per.connection"
	propRetries            = "retries"
	propDeliveryTimeout    = "delivery.timeout.ms"
	propRequestTimeout     = "request.timeout.ms"
	propRetryBackoff       = "retry.backoff.ms"
	propRetryBackoffMax    = "retry.backoff.max.ms"
	propLinger             = "linger.ms"
	propBatchSize          = "batch.size"
	propBufferMemory       = "buffer.memory"
	propMaxRequestSize     = "max.request.size"
	propCompression        = "compression.type"
	propPartitioner        = "partitioner.class"
	propTransactionalID    = "transactional.id"
	propTransactionTimeout = "transaction.timeout.ms"
	propTwoPhaseCommit     = "transaction.two.phase.commit.enable"
	propMetadataMaxAge     = "metadata.max.age.ms"
	propMaxIdle            = "connections.max.idle.ms"
	propMaxBlock           = "max.block.ms"
	propClientID           = "client.id"
	propBootstrap          = "bootstrap.servers"
	propSecurityProtocol   = "security.protocol"
	propSASLMechanism      = "sasl.mechanism"
)

// Origin says where a value comes from.
type Origin string

// The origins.
const (
	// OriginPreset: the guarantee fills it in.
	OriginPreset Origin = "preset"
	// OriginProfile: the ProducerProfile sets it.
	OriginProfile Origin = "profile"
	// OriginCluster: the KafkaCluster says it.
	OriginCluster Origin = "cluster"
	// OriginSettings: it was given as it is, without a profile (see Judge).
	OriginSettings Origin = "settings"
)

// Value is one property with where it comes from.
type Value struct {
	Text   string
	Origin Origin
	// Field is the path of the field that sets it, or that would: spec.delivery.acks.
	Field string
}

// Config is what a profile comes to on a cluster: every property that is set, and where the rest of the profile is
// needed to judge or to render it, the profile.
type Config struct {
	// Namespace and Name of the profile, and its metadata.generation.
	Namespace, Name string
	Revision        int64
	// PodNamespace is where the producers run.
	PodNamespace string
	// Cluster is the KafkaCluster's name; Known says that it was there to resolve against.
	Cluster string
	Known   bool
	// Guarantee of the profile; MinimumGuarantee of the cluster, or "".
	Guarantee, MinimumGuarantee v1alpha1.Guarantee
	// Values are the properties that are set, by their Java names. What is not here is left to the client.
	Values map[string]Value
	// Security is how producers reach the brokers.
	Security Security
	// Spec of the profile, with the API's defaults.
	Spec v1alpha1.ProducerProfileSpec

	// java is the major version of the Java client whose rules are asked, 4 where it is 0.
	java int
	// alone says that these settings are all that the client gets (see Judge).
	alone bool
	// clusterSASL says that the operator itself authenticates with SASL on the cluster.
	clusterSASL bool
	// Registry is the URL of the KafkaCluster's schema registry, "" for none.
	Registry string
}

// Security is how producers reach the brokers. It holds paths and names, never a secret.
type Security struct {
	// TLS is on. CAFile is "" where the system's certificates are trusted.
	TLS                bool
	CAFile, ServerName string
	// CertificateFile and KeyFile are the client certificate, "" for none.
	CertificateFile, KeyFile string
	// Mechanism of SASL, "" for none; CredentialsDir is where the Secret is mounted.
	Mechanism      string
	CredentialsDir string
	// SecretName of the credentials, "" for none.
	SecretName string
}

// Protocol is security.protocol.
func (s Security) Protocol() string {
	switch {
	case s.TLS && s.Mechanism != "":
		return "SASL_SSL"
	case s.TLS:
		return "SSL"
	case s.Mechanism != "":
		return "SASL_PLAINTEXT"
	}
	return "PLAINTEXT"
}

// Get is the text of a property, and whether it is set.
func (c Config) Get(name string) (string, bool) {
	v, ok := c.Values[name]
	return v.Text, ok
}

// Bootstrap are the bootstrap servers.
func (c Config) Bootstrap() []string { return splitList(c.Values[propBootstrap].Text) }

// Properties are the names and texts of all that is set.
func (c Config) Properties() map[string]string {
	texts := make(map[string]string, len(c.Values))
	for name, v := range c.Values {
		texts[name] = v.Text
	}
	return texts
}

// Names of the properties that are set, sorted.
func (c Config) Names() []string { return slices.Sorted(maps.Keys(c.Values)) }

// Hash is equal for two configurations that configure a producer alike, wherever their values come from.
func (c Config) Hash() string {
	var text strings.Builder
	for _, name := range c.Names() {
		fmt.Fprintf(&text, "%q=%q\n", name, c.Values[name].Text)
	}
	fmt.Fprintf(&text, "%q %+v\n", c.Guarantee, c.Security)
	if t := c.Spec.Topics; t != nil {
		fmt.Fprintf(&text, "topics %q %q\n", t.Names, t.Prefixes)
	}
	if s := c.Spec.Shim; s != nil {
		fmt.Fprintf(&text, "shim %q %q\n", s.Listeners, s.Mode)
		if s.Drain != nil {
			fmt.Fprintf(&text, "drain %s\n", s.Drain.Duration)
		}
	}
	if c.Registry != "" {
		fmt.Fprintf(&text, "registry %q\n", c.Registry)
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:8])
}

// ThroughShim is the configuration of an application that speaks to the shim in its pod: the address is the shim's, and
// the shim alone authenticates.
func (c Config) ThroughShim(address string) Config {
	c.Values = maps.Clone(c.Values)
	c.Security = Security{}
	c.setSecurity()
	c.Values[propBootstrap] = Value{address, OriginProfile, "spec.shim.listeners"}
	return c
}

// WithTransactionalID is the configuration of one producer, whose transactional.id is known.
func (c Config) WithTransactionalID(id string) Config {
	v, ok := c.Values[propTransactionalID]
	if !ok {
		return c
	}
	c.Values = maps.Clone(c.Values)
	v.Text = id
	c.Values[propTransactionalID] = v
	return c
}

// whole is a property as an integer: what is set, or the Java client's default. It is false where what is set is no
// integer, which the rule property-value reports.
func (c *Config) whole(name string) (int64, bool) {
	p := propertyByName[name]
	text, set := c.Get(name)
	if !set {
		text = p.Default
		if name == propLinger && c.java == 3 {
			text = "0" // Kafka 4.0 made it 5
		}
	}
	n, err := strconv.ParseInt(javaTrim(text), 10, bits(p.Type))
	return n, err == nil
}

// truth is a property as a boolean: what is set, or the Java client's default.
func (c *Config) truth(name string) bool {
	text, set := c.Get(name)
	if !set {
		text = propertyByName[name].Default
	}
	return strings.EqualFold(javaTrim(text), "true")
}

// FillID fills the placeholders of transactions.idTemplate. Those that are not in values stay as they are.
func FillID(template string, values map[string]string) string {
	for _, name := range idPlaceholders {
		if value, ok := values[name]; ok {
			template = strings.ReplaceAll(template, "{"+name+"}", value)
		}
	}
	return template
}

var idPlaceholders = []string{"namespace", "workload", "pod", "ordinal", "container"}
