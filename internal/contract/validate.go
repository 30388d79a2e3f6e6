package contract

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
)

// maxListed bounds the lists of a contract, so that a check against them stays cheap.
const maxListed = 4096

// Validate says what in the contract could not be enforced, as an error that names the field.
func (c Contract) Validate() error {
	checks := []func(Contract) error{
		checkNames, checkBootstrap, checkEnforcement, checkListeners, checkTLS, checkSASL, checkRegistry, checkTopics, checkLimits,
		checkTiming, checkBatching, checkTransactions,
	}
	for _, check := range checks {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

func invalid(field, format string, args ...any) error {
	return fmt.Errorf("contract: %s %s", field, fmt.Sprintf(format, args...))
}

func checkNames(c Contract) error {
	switch {
	case c.Profile.Name == "":
		return invalid("profile.name", "is missing; it is the ProducerProfile's name")
	case c.Cluster.Name == "":
		return invalid("cluster.name", "is missing; it is the KafkaCluster's name")
	}
	return nil
}

func checkBootstrap(c Contract) error {
	servers := c.Cluster.BootstrapServers
	if len(servers) == 0 {
		return invalid("cluster.bootstrapServers", "is empty; at least one host:port is needed")
	}
	if len(servers) > maxListed {
		return invalid("cluster.bootstrapServers", "has %d entries; at most %d are taken", len(servers), maxListed)
	}
	for i, s := range servers {
		if !isAddress(s) {
			return invalid(fmt.Sprintf("cluster.bootstrapServers[%d]", i), "is %.100q; it must be host:port", s)
		}
	}
	return nil
}

func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	n, errPort := strconv.ParseUint(port, 10, 16)
	return err == nil && errPort == nil && host != "" && n > 0
}

func checkEnforcement(c Contract) error {
	e := c.Enforcement
	switch {
	case !slices.Contains([]Guarantee{AtMostOnce, AtLeastOnce, Idempotent, Transactional}, c.Guarantee):
		return invalid("guarantee", "is %.100q; it must be AtMostOnce, AtLeastOnce, Idempotent or Transactional", c.Guarantee)
	case !slices.Contains([]Mode{Audit, Upgrade, Reject}, e.Mode):
		return invalid("enforcement.mode", "is %.100q; it must be Audit, Upgrade or Reject", e.Mode)
	case !slices.Contains([]Unsupported{UnsupportedCount, UnsupportedReject}, e.Unsupported):
		return invalid("enforcement.unsupported", "is %.100q; it must be Count or Reject", e.Unsupported)
	case e.Acks < -1 || e.Acks > 1:
		return invalid("enforcement.acks", "is %d; it must be -1 (all), 1 or 0", e.Acks)
	case e.Acks != -1 && c.Guarantee != AtMostOnce:
		return invalid("enforcement.acks", "is %d, and guarantee %s needs -1 (all)", e.Acks, c.Guarantee)
	case e.Idempotence != (c.Guarantee == Idempotent || c.Guarantee == Transactional):
		return invalid("enforcement.idempotence", "is %t, which is not what guarantee %s means", e.Idempotence, c.Guarantee)
	}
	return nil
}

func checkListeners(c Contract) error {
	for _, l := range []struct{ field, address string }{{"listeners.kafka", c.Listeners.Kafka}, {"listeners.http", c.Listeners.HTTP}} {
		if l.address == "" {
			continue
		}
		if _, port, err := net.SplitHostPort(l.address); err != nil || port == "" {
			return invalid(l.field, "is %.100q; it must be host:port, or empty for none", l.address)
		}
	}
	return nil
}

func checkTLS(c Contract) error {
	if c.TLS != nil && (c.TLS.CertificateFile == "") != (c.TLS.KeyFile == "") {
		return invalid("tls", "has one of certificateFile and keyFile; a client certificate needs both")
	}
	return nil
}

func checkSASL(c Contract) error {
	mechanisms := []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"}
	switch {
	case c.SASL == nil:
		return nil
	case !slices.Contains(mechanisms, c.SASL.Mechanism):
		return invalid("sasl.mechanism", "is %.100q; it must be one of %v", c.SASL.Mechanism, mechanisms)
	case c.SASL.CredentialsDir == "":
		return invalid("sasl.credentialsDir", "is missing; it is the folder that the Secret is mounted on")
	}
	return nil
}

func checkRegistry(c Contract) error {
	if c.SchemaRegistry == nil {
		return nil
	}
	u, err := url.Parse(c.SchemaRegistry.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return invalid("schemaRegistry.url", "is %.100q; it must be like https://registry:8081", c.SchemaRegistry.URL)
	}
	if u.User != nil {
		return invalid("schemaRegistry.url", "has a user name in it; credentials belong into the Secret")
	}
	return nil
}

func checkTopics(c Contract) error {
	if c.Topics == nil {
		return nil
	}
	for _, list := range []struct {
		field string
		items []string
	}{{"topics.names", c.Topics.Names}, {"topics.prefixes", c.Topics.Prefixes}} {
		if len(list.items) > maxListed {
			return invalid(list.field, "has %d entries; at most %d are taken", len(list.items), maxListed)
		}
		if i := slices.Index(list.items, ""); i >= 0 {
			return invalid(fmt.Sprintf("%s[%d]", list.field, i), "is empty; an empty prefix would allow every topic, which is said by leaving topics out")
		}
	}
	return nil
}

func checkLimits(c Contract) error {
	l := c.Limits
	switch {
	case l.MaxInFlight < 1:
		return invalid("limits.maxInFlight", "is %d; it must be at least 1", l.MaxInFlight)
	case l.MaxInFlight > 5 && c.Enforcement.Idempotence:
		return invalid("limits.maxInFlight", "is %d, and idempotence allows at most 5: brokers remember five batches of a producer", l.MaxInFlight)
	case l.MaxRequestSize < 0:
		return invalid("limits.maxRequestSize", "is %d; it must be at least 0", l.MaxRequestSize)
	case l.BufferMemory < 0:
		return invalid("limits.bufferMemory", "is %d; it must be at least 0", l.BufferMemory)
	}
	for i, codec := range l.Compression {
		if !isCodec(codec) {
			return invalid(fmt.Sprintf("limits.compression[%d]", i), "is %.100q; it must be none, gzip, snappy, lz4 or zstd", codec)
		}
	}
	return nil
}

func isCodec(s string) bool {
	return slices.Contains([]string{"none", "gzip", "snappy", "lz4", "zstd"}, s)
}

func checkTiming(c Contract) error {
	t := c.Timing
	if t.DeliveryTimeout < 1 || t.DeliveryTimeout > maxMillis {
		return invalid("timing.deliveryTimeoutMs", "is %d; it must be 1 to %d", t.DeliveryTimeout, maxMillis)
	}
	for _, m := range []struct {
		field string
		value Millis
	}{
		{"timing.requestTimeoutMs", t.RequestTimeout},
		{"timing.retryBackoffMs", t.RetryBackoff},
		{"timing.metadataMaxAgeMs", t.MetadataMaxAge},
		{"timing.connectionsMaxIdleMs", t.ConnectionsMaxIdle},
		{"timing.drainMs", t.Drain},
	} {
		if m.value < 0 || m.value > maxMillis {
			return invalid(m.field, "is %d; it must be 0 to %d", m.value, maxMillis)
		}
	}
	return nil
}

// maxMillis is what Kafka's 32-bit timeouts can hold; more would overflow on the wire, or as a time.Duration.
const maxMillis = 1<<31 - 1

func checkBatching(c Contract) error {
	b := c.Batching
	switch {
	case b.Linger != nil && (*b.Linger < 0 || *b.Linger > maxMillis):
		return invalid("batching.lingerMs", "is %d; it must be 0 to %d", *b.Linger, maxMillis)
	case b.BatchSize != nil && *b.BatchSize < 0:
		return invalid("batching.batchSize", "is %d; it must be at least 0", *b.BatchSize)
	case b.Compression != "" && !isCodec(b.Compression):
		return invalid("batching.compression", "is %.100q; it must be none, gzip, snappy, lz4 or zstd", b.Compression)
	case !slices.Contains([]string{"", "Default", "RoundRobin"}, b.Partitioner):
		return invalid("batching.partitioner", "is %.100q; it must be Default or RoundRobin", b.Partitioner)
	}
	return nil
}

func checkTransactions(c Contract) error {
	t := c.Transactions
	switch {
	case t == nil:
		return nil
	case c.Guarantee != Transactional:
		return invalid("transactions", "is set, and the guarantee is %s and not Transactional", c.Guarantee)
	case t.ID == "":
		return invalid("transactions.id", "is empty; it is the transactional.id")
	case t.Timeout < 0 || t.Timeout > maxMillis:
		return invalid("transactions.timeoutMs", "is %d; it must be 0 to %d", t.Timeout, maxMillis)
	}
	return nil
}
