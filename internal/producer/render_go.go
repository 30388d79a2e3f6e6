package producer

import (
	"math"
	"strconv"
	"time"
)

// duration writes a property in milliseconds as a duration, as near as the client takes it.
func (w *writer) duration(name string, ms int64, lo, hi time.Duration) {
	d := longest
	if ms < int64(longest/time.Millisecond) {
		d = time.Duration(max(ms, 0)) * time.Millisecond
	}
	near := min(max(d, lo), hi)
	if near != d {
		w.note("%s takes %s from %s to %s: it is given %s instead of %s", w.client, name, lo, hi, near, d)
	}
	w.set(name, near.String())
}

// ifSet hands on a number that is set.
func (c *Config) ifSet(property string, write func(n int64)) {
	if _, set := c.Get(property); !set {
		return
	}
	if n, ok := c.whole(property); ok {
		write(n)
	}
}

// tries is how often a client without delivery.timeout.ms may try a record: as often as fits into the time, or as often
// as retries says, whatever is less.
func (c *Config) tries() int64 {
	retries, _ := c.whole(propRetries)
	delivery, _ := c.whole(propDeliveryTimeout)
	backoff, _ := c.whole(propRetryBackoff)
	return min(retries, max(1, delivery/max(1, backoff)))
}

func (c *Config) acksNumber() string {
	if text, _ := c.Get(propAcks); text != "all" {
		return text
	}
	return "-1"
}

func (c *Config) compression() string {
	if text, set := c.Get(propCompression); set {
		return text
	}
	return "none"
}

func (c *Config) isRoundRobin() bool {
	class, _ := c.Get(propPartitioner)
	return class == roundRobinClass
}

func saramaSettings(c Config) *writer {
	w := newWriter("sarama")
	unbounded := time.Duration(math.MaxInt64)
	w.set("Version", "2.1.0") // the oldest that Kafka 4 speaks with; zstd and idempotence need no newer one
	if servers, ok := c.Get(propBootstrap); ok {
		w.set("Brokers", servers)
	}
	w.set("Producer.RequiredAcks", c.acksNumber())
	w.set("Producer.Idempotent", strconv.FormatBool(c.truth(propIdempotence)))
	inFlight, _ := c.whole(propInFlight)
	if c.truth(propIdempotence) && inFlight > 1 {
		inFlight = 1
		w.note("sarama is idempotent with one request in flight only (Net.MaxOpenRequests): through the shim it keeps five")
	}
	w.number("Net.MaxOpenRequests", inFlight, 1, math.MaxInt32)
	w.set("Producer.Retry.Max", strconv.FormatInt(c.tries(), 10))
	w.set("Producer.Partitioner", "Hash")
	if c.isRoundRobin() {
		w.set("Producer.Partitioner", "RoundRobin")
	} else {
		w.note("sarama hashes keys with FNV-1a: records with a key go to other partitions than from other clients, unless the application sets NewCustomHashPartitioner with murmur2")
	}
	w.set("Producer.Compression", c.compression())
	c.ifSet(propRetryBackoff, func(n int64) { w.duration("Producer.Retry.Backoff", n, 0, unbounded) })
	c.ifSet(propRequestTimeout, func(n int64) {
		w.duration("Producer.Timeout", n, time.Millisecond, unbounded)
		w.duration("Net.ReadTimeout", n, time.Millisecond, unbounded)
		w.duration("Net.WriteTimeout", n, time.Millisecond, unbounded)
	})
	c.ifSet(propMaxRequestSize, func(n int64) { w.number("Producer.MaxMessageBytes", n, 1, math.MaxInt32) })
	c.ifSet(propLinger, func(n int64) { w.duration("Producer.Flush.Frequency", n, 0, unbounded) })
	if _, lingers := c.Get(propLinger); lingers {
		c.ifSet(propBatchSize, func(n int64) { w.number("Producer.Flush.Bytes", n, 0, math.MaxInt32) })
	}
	c.ifSet(propMetadataMaxAge, func(n int64) { w.duration("Metadata.RefreshFrequency", n, 0, unbounded) })
	c.ifSet(propTransactionTimeout, func(n int64) { w.duration("Producer.Transaction.Timeout", n, time.Millisecond, unbounded) })
	copyText(c, w, map[string]string{propTransactionalID: "Producer.Transaction.ID", propClientID: "ClientID"})
	goSecurity(c.Security, w, "Net.TLS.Enable", "Net.SASL.Mechanism")
	if c.Security.Mechanism != "" {
		w.set("Net.SASL.Enable", "true")
	}
	return w
}

func copyText(c Config, w *writer, names map[string]string) {
	for property, name := range names {
		if text, set := c.Get(property); set && text != "" {
			w.set(name, text)
		}
	}
}

func goSecurity(s Security, w *writer, tls, sasl string) {
	if s.TLS {
		w.set(tls, "true")
		w.note("the application makes its tls.Config from the certificates under %s", DirFiles)
	}
	if s.Mechanism != "" {
		w.set(sasl, s.Mechanism)
		w.note("the application reads the credentials from %s, or uses the shim", s.CredentialsDir)
	}
}

func franzSettings(c Config) *writer {
	w := newWriter("franz-go")
	if servers, ok := c.Get(propBootstrap); ok {
		w.set("SeedBrokers", servers)
	}
	w.set("RequiredAcks", map[string]string{"-1": "all", "1": "leader", "0": "none"}[c.acksNumber()])
	w.set("RecordPartitioner", "StickyKey")
	if c.isRoundRobin() {
		w.set("RecordPartitioner", "RoundRobin")
	}
	if !c.truth(propIdempotence) {
		w.set("DisableIdempotentWrite", "true")
		inFlight, _ := c.whole(propInFlight)
		w.number("MaxProduceRequestsInflightPerBroker", inFlight, 1, math.MaxInt32)
	}
	w.set("ProducerBatchCompression", c.compression())
	delivery, _ := c.whole(propDeliveryTimeout)
	w.duration("RecordDeliveryTimeout", delivery, time.Second, longest)
	if n, ok := c.whole(propRetries); ok && n != math.MaxInt32 {
		w.number("RecordRetries", n, 0, math.MaxInt32)
	}
	c.ifSet(propRequestTimeout, func(n int64) { w.duration("ProduceRequestTimeout", n, 100*time.Millisecond, longest) })
	c.ifSet(propLinger, func(n int64) { w.duration("ProducerLinger", n, 0, time.Minute) })
	c.ifSet(propMaxRequestSize, func(n int64) {
		w.number("ProducerBatchMaxBytes", n, 512, 1<<30)
		if n > 100<<20 {
			w.number("BrokerMaxWriteBytes", n, 1<<10, 1<<30)
		}
	})
	c.ifSet(propBufferMemory, func(n int64) { w.number("MaxBufferedBytes", n, 1, math.MaxInt64) })
	c.ifSet(propMetadataMaxAge, func(n int64) {
		w.duration("MetadataMaxAge", n, 10*time.Millisecond, time.Hour)
		if n < 5000 {
			w.set("MetadataMinAge", w.values["MetadataMaxAge"])
		}
	})
	c.ifSet(propMaxIdle, func(n int64) { w.duration("ConnIdleTimeout", n, 100*time.Millisecond, 15*time.Minute) })
	c.ifSet(propTransactionTimeout, func(n int64) { w.duration("TransactionTimeout", n, time.Millisecond, longest) })
	copyText(c, w, map[string]string{propTransactionalID: "TransactionalID", propClientID: "ClientID"})
	if id := w.values["ClientID"]; len(id) > 256 {
		delete(w.values, "ClientID")
		w.note("franz-go takes a client.id of at most 256 bytes: it is left out")
	}
	goSecurity(c.Security, w, "DialTLS", "SASL")
	return w
}

// kafkaGoSettings are the fields of kafka.Writer and of its Transport.
func kafkaGoSettings(c Config) *writer {
	w := newWriter("kafka-go")
	if servers, ok := c.Get(propBootstrap); ok {
		w.set("Addr", servers)
	}
	w.set("RequiredAcks", map[string]string{"-1": "all", "1": "one", "0": "none"}[c.acksNumber()])
	w.set("MaxAttempts", strconv.FormatInt(c.tries()+1, 10))
	w.set("Balancer", "Murmur2Balancer")
	if c.isRoundRobin() {
		w.set("Balancer", "RoundRobin")
	}
	w.set("Compression", c.compression())
	linger, _ := c.whole(propLinger)
	// Its own default, which 0 stands for, is a whole second.
	w.duration("BatchTimeout", max(linger, 1), time.Millisecond, longest)
	c.ifSet(propMaxRequestSize, func(n int64) { w.number("BatchBytes", n, 1, math.MaxInt32) })
	c.ifSet(propRetryBackoff, func(n int64) { w.duration("WriteBackoffMin", n, time.Millisecond, longest) })
	c.ifSet(propRetryBackoffMax, func(n int64) { w.duration("WriteBackoffMax", n, time.Millisecond, longest) })
	c.ifSet(propRequestTimeout, func(n int64) {
		w.duration("ReadTimeout", n, time.Millisecond, longest)
		w.duration("WriteTimeout", n, time.Millisecond, longest)
	})
	c.ifSet(propMaxIdle, func(n int64) { w.duration("Transport.IdleTimeout", n, time.Millisecond, longest) })
	c.ifSet(propMetadataMaxAge, func(n int64) { w.duration("Transport.MetadataTTL", n, time.Millisecond, longest) })
	copyText(c, w, map[string]string{propClientID: "Transport.ClientID"})
	if c.truth(propIdempotence) {
		w.note("kafka-go has no idempotence: only through the shim does it keep the guarantee %s", c.Guarantee)
	}
	if _, transactional := c.Get(propTransactionalID); transactional {
		w.note("kafka-go has no transactions")
	}
	goSecurity(c.Security, w, "Transport.TLS", "Transport.SASL")
	return w
}

// typedGo are settings with the types of a client in Go; durations stay text.
func typedGo(values map[string]string, fields map[string]goField) map[string]any {
	typed := make(map[string]any, len(values))
	for name, text := range values {
		kind := fields[name].kind
		typed[name] = typedText(text, kind == goBool, kind == goInt)
		if name == "Brokers" || name == "SeedBrokers" {
			typed[name] = splitList(text)
		}
	}
	return typed
}

func renderSarama(c Config) Rendering {
	w := saramaSettings(c)
	return Rendering{Files: []File{{"sarama.json", jsonFile(typedGo(w.values, saramaFields))}}, Notes: w.notes}
}

func renderFranzGo(c Config) Rendering {
	w := franzSettings(c)
	return Rendering{Files: []File{{"franz-go.json", jsonFile(typedGo(w.values, franzFields))}}, Notes: w.notes}
}

var kafkaGoFields = goFields([]goField{
	{"BatchBytes", goInt, "1048576", 0, anyHigh, nil},
	{"MaxAttempts", goInt, "10", 0, anyHigh, nil},
	{"Transport.TLS", goBool, "false", 0, 0, nil},
})

func renderKafkaGo(c Config) Rendering {
	w := kafkaGoSettings(c)
	return Rendering{Files: []File{{"kafka-go.json", jsonFile(typedGo(w.values, kafkaGoFields))}}, Notes: w.notes}
}
