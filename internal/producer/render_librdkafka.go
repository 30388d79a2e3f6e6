package producer

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// librdkafkaNames are the numbers that librdkafka has too, with its own names.
var librdkafkaNames = map[string]string{
	propInFlight: propInFlight, propRetries: propRetries, propLinger: propLinger, propBatchSize: propBatchSize,
	propRetryBackoff: propRetryBackoff, propRetryBackoffMax: propRetryBackoffMax, propMaxRequestSize: "message.max.bytes",
	propMetadataMaxAge: "topic.metadata.refresh.interval.ms", propMaxIdle: propMaxIdle, propTransactionTimeout: propTransactionTimeout,
	propRequestTimeout: propRequestTimeout, propDeliveryTimeout: propDeliveryTimeout,
	"reconnect.backoff.ms": "reconnect.backoff.ms", "reconnect.backoff.max.ms": "reconnect.backoff.max.ms",
	"socket.connection.setup.timeout.ms": "socket.connection.setup.timeout.ms", "send.buffer.bytes": "socket.send.buffer.bytes",
	"receive.buffer.bytes": "socket.receive.buffer.bytes", "metadata.recovery.rebootstrap.trigger.ms": "metadata.recovery.rebootstrap.trigger.ms",
}

// librdkafkaWords are the texts that librdkafka has too, by the same name and with the same words.
var librdkafkaWords = []string{
	propBootstrap, propAcks, propIdempotence, propCompression, propTransactionalID, propClientID, "client.dns.lookup",
	"enable.metrics.push", "metadata.recovery.strategy",
}

// librdkafkaSettings are the properties of librdkafka. A property that it does not know would keep it from starting.
func librdkafkaSettings(c Config) *writer {
	w := newWriter("librdkafka")
	for _, name := range c.Names() {
		text := c.Values[name].Text
		switch rd, isNumber := librdkafkaNames[name]; {
		case isNumber:
			if n, ok := c.whole(name); ok {
				p := librdkafkaByName[rd]
				w.number(rd, n, int64(p.min), int64(p.max))
			}
		case slices.Contains(librdkafkaWords, name):
			w.set(name, javaTrim(text))
		case name == propBufferMemory:
			if n, ok := c.whole(name); ok {
				w.number("queue.buffering.max.kbytes", n/1024, 1, math.MaxInt32)
			}
		case name == propSecurityProtocol || name == propSASLMechanism || name == propPartitioner: // below
		default:
			w.note("librdkafka has no %s: it is left out", name)
		}
	}
	librdkafkaPartitioner(c, w)
	librdkafkaTimeouts(c, w)
	librdkafkaSecurity(c.Security, w)
	return w
}

// librdkafkaPartitioner makes keys go where the Java client's go. librdkafka's own partitioner is a CRC32.
func librdkafkaPartitioner(c Config, w *writer) {
	class, set := c.Get(propPartitioner)
	switch {
	case class == roundRobinClass:
		w.set("partitioner", "random")
		w.note("librdkafka has no round robin: its partitioner is random, which spreads records as evenly")
	case set:
		w.note("librdkafka cannot load %s: records keep to its partitioner murmur2_random", class)
		fallthrough
	default:
		w.set("partitioner", "murmur2_random")
	}
}

// librdkafkaTimeouts keeps the timeouts in the order that librdkafka wants: linger < message <= transaction.
func librdkafkaTimeouts(c Config, w *writer) {
	number := func(name string) int64 {
		text, set := w.values[name]
		if !set {
			text = librdkafkaByName[name].otherwise
		}
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	}
	if request, set := c.Values[propRequestTimeout]; set && request.Text != "" {
		socket := librdkafkaByName["socket.timeout.ms"]
		w.number("socket.timeout.ms", number(propRequestTimeout), int64(socket.min), int64(socket.max))
	}
	if _, transactional := w.values[propTransactionalID]; transactional {
		transaction := number(propTransactionTimeout)
		if number(propDeliveryTimeout) > transaction {
			w.note("librdkafka wants delivery.timeout.ms within transaction.timeout.ms: it is given %d", transaction)
			w.set(propDeliveryTimeout, strconv.FormatInt(transaction, 10))
		}
		if _, set := w.values["socket.timeout.ms"]; set {
			w.set("socket.timeout.ms", strconv.FormatInt(min(number("socket.timeout.ms"), transaction), 10))
		}
	}
	if d := number(propDeliveryTimeout); d > 0 && number(propLinger) >= d {
		w.set(propLinger, strconv.FormatInt(d-1, 10))
		w.note("librdkafka wants linger.ms below delivery.timeout.ms: it is given %d", d-1)
	}
	if number("reconnect.backoff.max.ms") < number("reconnect.backoff.ms") {
		// The Java client takes the first pause for the longest then.
		if first, set := w.values["reconnect.backoff.ms"]; set {
			w.set("reconnect.backoff.max.ms", first)
		} else {
			w.set("reconnect.backoff.ms", w.values["reconnect.backoff.max.ms"])
		}
	}
}

func librdkafkaSecurity(s Security, w *writer) {
	if s.Protocol() != "PLAINTEXT" {
		w.set(propSecurityProtocol, s.Protocol())
	}
	for name, path := range map[string]string{"ssl.ca.location": s.CAFile, "ssl.certificate.location": s.CertificateFile, "ssl.key.location": s.KeyFile} {
		if path != "" {
			w.set(name, path)
		}
	}
	switch v1alpha1.SASLMechanism(s.Mechanism) {
	case "":
	case v1alpha1.SASLAWSMSKIAM:
		w.set(propSASLMechanism, string(v1alpha1.SASLOAuthBearer))
		w.note("AWS_MSK_IAM is OAUTHBEARER with a token callback to librdkafka: the application sets oauthbearer_token_refresh_cb")
	case v1alpha1.SASLOAuthBearer:
		w.set(propSASLMechanism, s.Mechanism)
		w.note("the application sets sasl.oauthbearer.method=oidc and its client id, secret and token endpoint from %s", s.CredentialsDir)
	default:
		w.set(propSASLMechanism, s.Mechanism)
		w.note("the application sets sasl.username and sasl.password from %s/username and %s/password, or uses the shim", s.CredentialsDir, s.CredentialsDir)
	}
}

func renderLibrdkafka(c Config) Rendering {
	w := librdkafkaSettings(c)
	var conf strings.Builder
	typed := make(map[string]any, len(w.values))
	for _, name := range slices.Sorted(keysOf(w.values)) {
		value := w.values[name]
		conf.WriteString(name + "=" + strings.NewReplacer("\n", " ", "\r", " ").Replace(value) + "\n")
		typed[name] = typedText(value, librdkafkaByName[name].kind == rdBoolean, librdkafkaByName[name].kind == rdInteger || librdkafkaByName[name].kind == rdFloat)
	}
	return Rendering{
		Files: []File{{"librdkafka.conf", conf.String()}, {"librdkafka.json", jsonFile(typed)}},
		Notes: w.notes,
	}
}

// typedText is a text as the JSON value that it means.
func typedText(text string, isBool, isNumber bool) any {
	trimmed := javaTrim(text)
	if isBool && (strings.EqualFold(trimmed, "true") || strings.EqualFold(trimmed, "false")) {
		return strings.EqualFold(trimmed, "true")
	}
	if isNumber {
		if n, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(trimmed, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	}
	return text
}

// jsonFile writes values with their names in order.
func jsonFile(values any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(values); err != nil {
		return "{}\n" // maps of text, numbers and booleans always encode
	}
	return b.String()
}
