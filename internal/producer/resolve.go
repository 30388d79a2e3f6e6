package producer

import (
	"math"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// Where a pod finds what it is given.
const (
	// DirFiles is where the contract and the rendered files are.
	DirFiles = "/etc/mooring"
	// DirCredentials is where the Secret of spec.credentials is mounted.
	DirCredentials = "/etc/mooring-credentials"
)

// Resolve gathers what a profile comes to on a cluster, for producers in a namespace. A nil cluster leaves out what the
// cluster says: linting a manifest needs none.
func Resolve(p *v1alpha1.ProducerProfile, cluster *v1alpha1.KafkaCluster, namespace string) Config {
	c := Config{
		Namespace: p.Namespace, Name: p.Name, Revision: p.Generation,
		PodNamespace: namespace,
		Cluster:      p.Spec.ClusterRef.Name,
		Values:       make(map[string]Value),
		Spec:         defaulted(p.Spec),
	}
	c.Cluster = c.Spec.ClusterRef.Name
	c.Guarantee = c.Spec.Guarantee
	c.setPreset()
	c.setFields()
	for name, value := range c.Spec.Properties {
		c.Values[name] = Value{value.String(), OriginProfile, propertyField(name)}
	}
	c.raiseDeliveryTimeout()
	if cluster != nil {
		c.Known = true
		c.setCluster(cluster)
	}
	return c
}

// defaulted fills in what the API server would have.
func defaulted(s v1alpha1.ProducerProfileSpec) v1alpha1.ProducerProfileSpec {
	if s.ClusterRef.Name == "" {
		s.ClusterRef.Name = "default"
	}
	if s.Guarantee == "" {
		s.Guarantee = v1alpha1.Idempotent
	}
	return s
}

// propertyField is the path of an entry of spec.properties.
func propertyField(name string) string { return "spec.properties[" + name + "]" }

// preset are the values that a guarantee fills in. The four keys of idempotence are always all there: setting one of them
// over an application's own others can keep the Java client from starting.
func preset(g v1alpha1.Guarantee, o v1alpha1.Ordering) map[string]string {
	values := map[string]string{
		propAcks: "all", propIdempotence: "true", propInFlight: "5", propRetries: strconv.Itoa(math.MaxInt32),
		propDeliveryTimeout: "120000",
	}
	switch g {
	case v1alpha1.AtMostOnce:
		// One try: a second one could write the record twice.
		values[propAcks], values[propIdempotence], values[propRetries] = "1", "false", "0"
	case v1alpha1.AtLeastOnce:
		values[propIdempotence] = "false"
		if o == v1alpha1.OrderingStrict {
			values[propInFlight] = "1"
		}
	}
	return values
}

func (c *Config) setPreset() {
	for name, text := range preset(c.Guarantee, c.Spec.Ordering) {
		c.Values[name] = Value{text, OriginPreset, fieldOf(name)}
	}
}

// specField is a property that has a field of its own in the spec.
type specField struct {
	property, field string
	text            func(s *v1alpha1.ProducerProfileSpec) string // "" where it is not set
}

var specFields = []specField{
	{propAcks, "spec.delivery.acks", ofDelivery(func(d *v1alpha1.ProducerDelivery) string { return d.Acks })},
	{propInFlight, "spec.delivery.maxInFlightRequests", ofDelivery(func(d *v1alpha1.ProducerDelivery) string { return count(d.MaxInFlightRequests) })},
	{propRetries, "spec.delivery.retries", ofDelivery(func(d *v1alpha1.ProducerDelivery) string { return count(d.Retries) })},
	{propDeliveryTimeout, "spec.delivery.deliveryTimeout", ofDelivery(func(d *v1alpha1.ProducerDelivery) string { return millis(d.DeliveryTimeout) })},
	{propRequestTimeout, "spec.delivery.requestTimeout", ofDelivery(func(d *v1alpha1.ProducerDelivery) string { return millis(d.RequestTimeout) })},
	{propRetryBackoff, "spec.delivery.retryBackoff", ofDelivery(func(d *v1alpha1.ProducerDelivery) string { return millis(d.RetryBackoff) })},
	{propLinger, "spec.batching.linger", ofBatching(func(b *v1alpha1.ProducerBatching) string { return millis(b.Linger) })},
	{propBatchSize, "spec.batching.batchSize", ofBatching(func(b *v1alpha1.ProducerBatching) string { return bytesText(b.BatchSize) })},
	{propBufferMemory, "spec.batching.bufferMemory", ofBatching(func(b *v1alpha1.ProducerBatching) string { return bytesText(b.BufferMemory) })},
	{propMaxRequestSize, "spec.batching.maxRequestSize", ofBatching(func(b *v1alpha1.ProducerBatching) string { return bytesText(b.MaxRequestSize) })},
	{propCompression, "spec.batching.compression", ofBatching(func(b *v1alpha1.ProducerBatching) string { return string(b.Compression) })},
	{propTransactionalID, "spec.transactions.idTemplate", ofTransactions(func(t *v1alpha1.ProducerTransactions) string { return t.IDTemplate })},
	{propTransactionTimeout, "spec.transactions.timeout", ofTransactions(func(t *v1alpha1.ProducerTransactions) string { return millis(t.Timeout) })},
	{propMetadataMaxAge, "spec.connections.metadataMaxAge", ofConnections(func(n *v1alpha1.ProducerConnections) string { return millis(n.MetadataMaxAge) })},
	{propMaxIdle, "spec.connections.idleTimeout", ofConnections(func(n *v1alpha1.ProducerConnections) string { return millis(n.IdleTimeout) })},
	{propPartitioner, "spec.partitioner", func(s *v1alpha1.ProducerProfileSpec) string {
		if s.Partitioner == v1alpha1.PartitionerRoundRobin {
			return roundRobinClass
		}
		return ""
	}},
	{propClientID, "spec.quota.clientID", func(s *v1alpha1.ProducerProfileSpec) string {
		if s.Quota == nil {
			return ""
		}
		return s.Quota.ClientID // the quota binds only producers that go by that name
	}},
}

const roundRobinClass = "org.apache.kafka.clients.producer.RoundRobinPartitioner"

func (c *Config) setFields() {
	for _, f := range specFields {
		if text := f.text(&c.Spec); text != "" {
			c.Values[f.property] = Value{text, OriginProfile, f.field}
		}
	}
}

// fieldOf is the field that sets a property, or would.
func fieldOf(property string) string {
	for _, f := range specFields {
		if f.property == property {
			return f.field
		}
	}
	if property == propIdempotence {
		return "spec.guarantee"
	}
	return propertyField(property)
}

// raiseDeliveryTimeout keeps the preset out of the profile's way. The Java client raises a delivery.timeout.ms that it was
// not given, and refuses to start with one that it was given.
func (c *Config) raiseDeliveryTimeout() {
	if c.Values[propDeliveryTimeout].Origin != OriginPreset {
		return
	}
	linger, okLinger := c.whole(propLinger)
	request, okRequest := c.whole(propRequestTimeout)
	if !okLinger || !okRequest {
		return
	}
	least := max(120000, min(min(linger, math.MaxInt32)+request, math.MaxInt32))
	c.Values[propDeliveryTimeout] = Value{strconv.FormatInt(least, 10), OriginPreset, fieldOf(propDeliveryTimeout)}
}

func (c *Config) setCluster(k *v1alpha1.KafkaCluster) {
	c.clusterSASL = k.Spec.SASL != nil
	c.Values[propBootstrap] = Value{strings.Join(k.Spec.BootstrapServers, ","), OriginCluster, "KafkaCluster spec.bootstrapServers"}
	if k.Spec.ProducerPolicy != nil {
		c.MinimumGuarantee = k.Spec.ProducerPolicy.MinimumGuarantee
	}
	if tls := k.Spec.TLS; tls != nil {
		c.Security.TLS, c.Security.ServerName = true, tls.ServerName
		if tls.CABundleRef != nil {
			c.Security.CAFile = DirFiles + "/ca.crt"
		}
	}
	if cred := c.Spec.Credentials; cred != nil {
		c.Security.SecretName = cred.SecretRef.Name
		if cred.Mechanism != "" {
			c.Security.Mechanism, c.Security.CredentialsDir = string(cred.Mechanism), DirCredentials
		} else {
			c.Security.CertificateFile, c.Security.KeyFile = DirCredentials+"/tls.crt", DirCredentials+"/tls.key"
		}
	}
	if r := k.Spec.SchemaRegistry; r != nil {
		c.Registry = r.URL
	}
	c.setSecurity()
}

func (c *Config) setSecurity() {
	c.Values[propSecurityProtocol] = Value{c.Security.Protocol(), OriginCluster, "KafkaCluster spec.tls"}
	delete(c.Values, propSASLMechanism)
	if c.Security.Mechanism != "" {
		c.Values[propSASLMechanism] = Value{c.Security.Mechanism, OriginProfile, "spec.credentials.mechanism"}
	}
}

func ofDelivery(get func(*v1alpha1.ProducerDelivery) string) func(*v1alpha1.ProducerProfileSpec) string {
	return func(s *v1alpha1.ProducerProfileSpec) string { return ifSet(s.Delivery, get) }
}

func ofBatching(get func(*v1alpha1.ProducerBatching) string) func(*v1alpha1.ProducerProfileSpec) string {
	return func(s *v1alpha1.ProducerProfileSpec) string { return ifSet(s.Batching, get) }
}

func ofTransactions(get func(*v1alpha1.ProducerTransactions) string) func(*v1alpha1.ProducerProfileSpec) string {
	return func(s *v1alpha1.ProducerProfileSpec) string { return ifSet(s.Transactions, get) }
}

func ofConnections(get func(*v1alpha1.ProducerConnections) string) func(*v1alpha1.ProducerProfileSpec) string {
	return func(s *v1alpha1.ProducerProfileSpec) string { return ifSet(s.Connections, get) }
}

func ifSet[T any](part *T, get func(*T) string) string {
	if part == nil {
		return ""
	}
	return get(part)
}

func count(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// millis counts whole milliseconds; the rule about durations refuses what that cuts off.
func millis(d *metav1.Duration) string {
	if d == nil {
		return ""
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}

func bytesText(q *resource.Quantity) string {
	if q == nil {
		return ""
	}
	return strconv.FormatInt(q.Value(), 10)
}
