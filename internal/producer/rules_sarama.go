package producer

import (
	"strconv"
	"strings"
	"time"
)

const saramaSource = "Config.Validate of IBM/sarama 1.61"

// saramaFields are the fields of sarama.Config that matter to a producer, with the bounds of Config.Validate.
// RequiredAcks is a number: -1 is WaitForAll.
var saramaFields = goFields([]goField{
	{"Brokers", goString, "", 0, 0, nil},
	{"ClientID", goString, "sarama", 0, 0, nil},
	{"Version", goString, "2.1.0", 0, 0, nil},
	{"Metadata.RefreshFrequency", goDuration, "10m", 0, anyHigh, nil},
	{"Metadata.Retry.Backoff", goDuration, "250ms", 0, anyHigh, nil},
	{"Metadata.Retry.Max", goInt, "3", 0, anyHigh, nil},
	{"Net.DialTimeout", goDuration, "30s", 1, anyHigh, nil},
	{"Net.MaxOpenRequests", goInt, "5", 1, anyHigh, nil},
	{"Net.ReadTimeout", goDuration, "30s", 1, anyHigh, nil},
	{"Net.WriteTimeout", goDuration, "30s", 1, anyHigh, nil},
	{"Net.SASL.Enable", goBool, "false", 0, 0, nil},
	{"Net.SASL.Mechanism", goString, "", 0, 0, nil},
	{"Net.TLS.Enable", goBool, "false", 0, 0, nil},
	{"Producer.Compression", goString, "none", 0, 0, strings.Fields("none gzip snappy lz4 zstd")},
	{"Producer.CompressionLevel", goInt, "-1000", anyLow, anyHigh, nil},
	{"Producer.Flush.Bytes", goInt, "0", 0, anyHigh, nil},
	{"Producer.Flush.Frequency", goDuration, "0s", 0, anyHigh, nil},
	{"Producer.Flush.MaxMessages", goInt, "0", 0, anyHigh, nil},
	{"Producer.Flush.Messages", goInt, "0", 0, anyHigh, nil},
	{"Producer.Idempotent", goBool, "false", 0, 0, nil},
	{"Producer.MaxMessageBytes", goInt, "1048576", 1, anyHigh, nil},
	{"Producer.Partitioner", goString, "Hash", 0, 0, strings.Fields("Hash RoundRobin")},
	{"Producer.RequiredAcks", goInt, "1", -1, anyHigh, nil},
	{"Producer.Retry.Backoff", goDuration, "100ms", 0, anyHigh, nil},
	{"Producer.Retry.Max", goInt, "3", 0, anyHigh, nil},
	{"Producer.Timeout", goDuration, "10s", 1, anyHigh, nil},
	{"Producer.Transaction.ID", goString, "", 0, 0, nil},
	{"Producer.Transaction.Timeout", goDuration, "1m", anyLow, anyHigh, nil},
})

var saramaRule = goRules(ClientSarama, saramaFields, saramaSource)

var saramaRules = []Rule{
	goValues(ClientSarama, saramaFields, saramaSource),
	saramaRule("version", "Version", "Version must be a release of Kafka, like 2.1.0; mend it", func(s goSettings) bool {
		_, ok := kafkaVersion(s.get("Version"))
		return !ok
	}),
	saramaRule("flush-messages", "Producer.Flush.MaxMessages", "Producer.Flush.MaxMessages must be at least Producer.Flush.Messages, or 0; raise it", func(s goSettings) bool {
		most := s.number("Producer.Flush.MaxMessages")
		return most > 0 && most < s.number("Producer.Flush.Messages")
	}),
	saramaRule("lz4-version", "Version", "lz4 needs Version 0.10.0.0 or later; raise it", func(s goSettings) bool {
		return s.get("Producer.Compression") == "lz4" && !s.atLeast(0, 10)
	}),
	saramaRule("zstd-version", "Version", "zstd needs Version 2.1.0 or later; raise it", func(s goSettings) bool {
		return s.get("Producer.Compression") == "zstd" && !s.atLeast(2, 1)
	}),
	saramaRule("gzip-level", "Producer.CompressionLevel", "gzip takes the levels -3 to 9, and -1000 for its default; mend it", func(s goSettings) bool {
		level := s.number("Producer.CompressionLevel")
		return s.get("Producer.Compression") == "gzip" && level != -1000 && (level < -3 || level > 9)
	}),
	saramaRule("idempotent-version", "Version", "Producer.Idempotent needs Version 0.11.0.0 or later; raise it", func(s goSettings) bool {
		return s.is("Producer.Idempotent") && !s.atLeast(0, 11)
	}),
	saramaRule("idempotent-retries", "Producer.Retry.Max", "Producer.Idempotent needs Producer.Retry.Max of at least 1; raise it", func(s goSettings) bool {
		return s.is("Producer.Idempotent") && s.number("Producer.Retry.Max") == 0
	}),
	saramaRule("idempotent-acks", "Producer.RequiredAcks", "Producer.Idempotent needs Producer.RequiredAcks WaitForAll (-1); set it", func(s goSettings) bool {
		return s.is("Producer.Idempotent") && s.number("Producer.RequiredAcks") != -1
	}),
	saramaRule("idempotent-open-requests", "Net.MaxOpenRequests", "Producer.Idempotent needs Net.MaxOpenRequests of 1; lower it", func(s goSettings) bool {
		return s.is("Producer.Idempotent") && s.number("Net.MaxOpenRequests") > 1
	}),
	saramaRule("transaction-idempotent", "Producer.Transaction.ID", "Producer.Transaction.ID needs Producer.Idempotent; turn it on", func(s goSettings) bool {
		return s.get("Producer.Transaction.ID") != "" && !s.is("Producer.Idempotent")
	}),
}

// atLeast says whether sarama is told that brokers are of a release or a later one.
func (s goSettings) atLeast(major, minor int) bool {
	v, ok := kafkaVersion(s.get("Version"))
	return ok && (v[0] > major || v[0] == major && v[1] >= minor)
}

// kafkaVersion reads major.minor.patch, and 0.minor.patch.build of the releases before 1.0.
func kafkaVersion(text string) ([4]int, bool) {
	var v [4]int
	parts := strings.Split(text, ".")
	if len(parts) != 3 && (len(parts) != 4 || parts[0] != "0") {
		return v, false
	}
	if parts[0] == "0" && len(parts) != 4 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return v, false
		}
		v[i] = int(n)
	}
	return v, true
}

const franzSource = "kgo.NewClient of franz-go 1.22"

// franzFields are options of kgo that matter to a producer, with the bounds of its validation.
var franzFields = goFields([]goField{
	{"SeedBrokers", goString, "127.0.0.1", 0, 0, nil},
	{"BrokerMaxWriteBytes", goInt, "104857600", 1 << 10, 1 << 30, nil},
	{"ClientID", goString, "kgo", 0, 0, nil},
	{"ConnIdleTimeout", goDuration, "30s", float64(100 * time.Millisecond), float64(15 * time.Minute), nil},
	{"DialTLS", goBool, "false", 0, 0, nil},
	{"DisableIdempotentWrite", goBool, "false", 0, 0, nil},
	{"MaxBufferedBytes", goInt, "0", 0, anyHigh, nil},
	{"MaxBufferedRecords", goInt, "50000", 1, anyHigh, nil},
	{"MaxProduceRequestsInflightPerBroker", goInt, "1", anyLow, anyHigh, nil},
	{"MetadataMaxAge", goDuration, "5m", anyLow, float64(time.Hour), nil},
	{"MetadataMinAge", goDuration, "5s", float64(10 * time.Millisecond), anyHigh, nil},
	{"ProduceRequestTimeout", goDuration, "10s", float64(100 * time.Millisecond), float64(longest), nil},
	{"ProducerBatchCompression", goString, "snappy", 0, 0, strings.Fields("none gzip snappy lz4 zstd")},
	{"ProducerBatchMaxBytes", goInt, "1000012", 512, 1 << 30, nil},
	{"ProducerLinger", goDuration, "10ms", anyLow, float64(time.Minute), nil},
	{"RecordDeliveryTimeout", goDuration, "0s", anyLow, anyHigh, nil},
	{"RecordPartitioner", goString, "UniformBytes", 0, 0, strings.Fields("StickyKey RoundRobin UniformBytes")},
	{"RecordRetries", goInt, strconv.FormatInt(anyHigh, 10), anyLow, anyHigh, nil},
	{"RequiredAcks", goString, "all", 0, 0, strings.Fields("all leader none")},
	{"SASL", goString, "", 0, 0, nil},
	{"TransactionTimeout", goDuration, "40s", anyLow, float64(longest), nil},
	{"TransactionalID", goString, "", 0, 0, nil},
})

var franzRule = goRules(ClientFranzGo, franzFields, franzSource)

var franzRules = []Rule{
	goValues(ClientFranzGo, franzFields, franzSource),
	franzRule("idempotent-acks", "RequiredAcks", "idempotence needs RequiredAcks all; set it, or DisableIdempotentWrite", func(s goSettings) bool {
		return !s.is("DisableIdempotentWrite") && s.get("RequiredAcks") != "all"
	}),
	franzRule("idempotent-in-flight", "MaxProduceRequestsInflightPerBroker", "with idempotence the client itself keeps 5 in flight, and MaxProduceRequestsInflightPerBroker must stay 1; remove it", func(s goSettings) bool {
		return !s.is("DisableIdempotentWrite") && s.number("MaxProduceRequestsInflightPerBroker") != 1
	}),
	franzRule("in-flight", "MaxProduceRequestsInflightPerBroker", "MaxProduceRequestsInflightPerBroker must be at least 1; raise it", func(s goSettings) bool {
		return s.is("DisableIdempotentWrite") && s.number("MaxProduceRequestsInflightPerBroker") <= 0
	}),
	franzRule("transaction-idempotent", "TransactionalID", "TransactionalID needs idempotence; remove DisableIdempotentWrite", func(s goSettings) bool {
		return s.set("TransactionalID") && s.is("DisableIdempotentWrite")
	}),
	franzRule("transaction-id", "TransactionalID", "TransactionalID must not be empty, nor longer than 16382 bytes; mend it", func(s goSettings) bool {
		id := s.get("TransactionalID")
		return s.set("TransactionalID") && (id == "" || len(id) > 16382)
	}),
	franzRule("client-id", "ClientID", "ClientID must not be longer than 256 bytes; shorten it", func(s goSettings) bool {
		return len(s.get("ClientID")) > 256
	}),
	franzRule("batch-write", "ProducerBatchMaxBytes", "ProducerBatchMaxBytes must not be above BrokerMaxWriteBytes (100 MiB unless set); raise that", func(s goSettings) bool {
		return s.number("ProducerBatchMaxBytes") > s.number("BrokerMaxWriteBytes")
	}),
	franzRule("metadata-age", "MetadataMaxAge", "MetadataMaxAge must be at least MetadataMinAge (5s unless set); lower that", func(s goSettings) bool {
		return s.number("MetadataMaxAge") < s.number("MetadataMinAge")
	}),
	franzRule("delivery-timeout", "RecordDeliveryTimeout", "RecordDeliveryTimeout must be 0 or at least 1s; raise it", func(s goSettings) bool {
		d := s.number("RecordDeliveryTimeout")
		return d != 0 && d < float64(time.Second)
	}),
}

// kafkajsRules are those of KafkaJS; its settings are those of producer() and, as retry.retries, of its retry.
var kafkajsRules = []Rule{
	{
		ID: "kafkajs-idempotent-retries", Client: ClientKafkaJS, Severity: Error, Fields: []string{"retry.retries", "idempotent"},
		Sentence: "an idempotent producer must allow retries; raise retry.retries", Source: "src/producer/index.js of KafkaJS 2.2",
		check: when(func(c *Config) bool {
			retries, set := c.Get("retry.retries")
			n, err := strconv.Atoi(retries)
			idempotent, _ := c.Get("idempotent")
			return idempotent == "true" && set && err == nil && n < 1
		}),
	},
	{
		ID: "kafkajs-idempotent-acks", Client: ClientKafkaJS, Severity: Error, Fields: []string{"acks", "idempotent"},
		Sentence: "an idempotent producer needs acks -1; set it in send()", Source: "src/producer/messageProducer.js of KafkaJS 2.2",
		check: when(func(c *Config) bool {
			acks, set := c.Get("acks")
			idempotent, _ := c.Get("idempotent")
			return idempotent == "true" && set && acks != "-1"
		}),
	},
}
