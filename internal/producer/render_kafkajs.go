package producer

import (
	"math"
	"strconv"
)

// maxSafeInteger is Number.MAX_SAFE_INTEGER; below it KafkaJS warns that an idempotent producer may give up.
const maxSafeInteger = 1<<53 - 1

// kafkajsSettings are those of KafkaJS: of new Kafka() (brokers, clientId, requestTimeout, ssl), of producer(), and of
// send() (acks, timeout, compression).
func kafkajsSettings(c Config) *writer {
	w := newWriter("KafkaJS")
	if servers, ok := c.Get(propBootstrap); ok {
		w.set("brokers", servers)
	}
	w.set("acks", c.acksNumber())
	w.set("idempotent", strconv.FormatBool(c.truth(propIdempotence)))
	inFlight, _ := c.whole(propInFlight)
	if c.truth(propIdempotence) && inFlight > 1 {
		inFlight = 1
		w.note("KafkaJS keeps its sequences in order with one request in flight only: through the shim it keeps five")
	}
	w.number("maxInFlightRequests", inFlight, 1, math.MaxInt32)
	retries, _ := c.whole(propRetries)
	if retries == math.MaxInt32 {
		retries = maxSafeInteger
	}
	w.set("retry.retries", strconv.FormatInt(retries, 10))
	w.set("createPartitioner", "DefaultPartitioner")
	if c.isRoundRobin() {
		w.note("KafkaJS has no round robin partitioner: the application writes one")
	}
	c.ifSet(propRetryBackoff, func(n int64) { w.number("retry.initialRetryTime", n, 0, math.MaxInt32) })
	c.ifSet(propRetryBackoffMax, func(n int64) { w.number("retry.maxRetryTime", n, 0, math.MaxInt32) })
	c.ifSet(propRequestTimeout, func(n int64) {
		w.number("requestTimeout", n, 1, math.MaxInt32)
		w.number("timeout", n, 1, math.MaxInt32)
	})
	c.ifSet(propMetadataMaxAge, func(n int64) { w.number("metadataMaxAge", n, 0, math.MaxInt32) })
	c.ifSet(propTransactionTimeout, func(n int64) { w.number("transactionTimeout", n, 1, math.MaxInt32) })
	if codec, set := c.Get(propCompression); set {
		w.set("compression", map[string]string{"none": "None", "gzip": "GZIP", "snappy": "Snappy", "lz4": "LZ4", "zstd": "ZSTD"}[codec])
		if codec != "none" && codec != "gzip" {
			w.note("KafkaJS has %s only with a codec package of its own: the application registers it", codec)
		}
	}
	copyText(c, w, map[string]string{propTransactionalID: "transactionalId", propClientID: "clientId"})
	if c.Security.TLS {
		w.set("ssl", "true")
	}
	if c.Security.Mechanism != "" {
		w.set("sasl.mechanism", map[string]string{
			"PLAIN": "plain", "SCRAM-SHA-256": "scram-sha-256", "SCRAM-SHA-512": "scram-sha-512", "OAUTHBEARER": "oauthbearer", "AWS_MSK_IAM": "aws",
		}[c.Security.Mechanism])
		w.note("the application reads the credentials from %s, or uses the shim", c.Security.CredentialsDir)
	}
	w.note("acks, timeout and compression are given to send(), the rest to new Kafka() and producer()")
	return w
}

// kafkajsGroups says which call takes which settings.
var kafkajsGroups = map[string]string{
	"brokers": "client", "clientId": "client", "requestTimeout": "client", "ssl": "client", "sasl.mechanism": "client",
	"acks": "send", "timeout": "send", "compression": "send",
}

func renderKafkaJS(c Config) Rendering {
	w := kafkajsSettings(c)
	groups := map[string]map[string]any{"client": {}, "producer": {}, "send": {}}
	retry, sasl := make(map[string]any), make(map[string]any)
	for name, text := range w.values {
		group := kafkajsGroups[name]
		if group == "" {
			group = "producer"
		}
		value := typedText(text, true, name != "clientId" && name != "transactionalId")
		switch {
		case name == "brokers":
			groups[group][name] = splitList(text)
		case name == "sasl.mechanism":
			sasl["mechanism"] = text
			groups[group]["sasl"] = sasl
		case len(name) > 6 && name[:6] == "retry.":
			retry[name[6:]] = value
			groups[group]["retry"] = retry
		case name == "clientId" || name == "transactionalId":
			groups[group][name] = text
		default:
			groups[group][name] = value
		}
	}
	return Rendering{Files: []File{{"kafkajs.json", jsonFile(groups)}}, Notes: w.notes}
}
