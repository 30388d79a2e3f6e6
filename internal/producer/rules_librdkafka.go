package producer

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var librdkafkaByName = func() map[string]rdProperty {
	byName := make(map[string]rdProperty, len(librdkafkaProperties))
	for _, p := range librdkafkaProperties {
		byName[p.name] = p
	}
	return byName
}()

// rdGet is a setting by its name or by any other name of it; the client's default where it is not set. Of two names the
// later one wins, as it does when the settings are set in order.
func (c *Config) rdGet(name string) (text string, set bool) {
	text = librdkafkaByName[name].otherwise
	for _, n := range c.Names() {
		if n == name || librdkafkaByName[n].alias == name {
			text, set = c.Values[n].Text, true
		}
	}
	return text, set
}

func (c *Config) rdNumber(name string) (float64, bool) {
	text, set := c.rdGet(name)
	n, _ := rdParse(librdkafkaByName[name], text)
	return n, set
}

func (c *Config) rdTrue(name string) (value, set bool) {
	text, set := c.rdGet(name)
	n, _ := rdParse(librdkafkaByName[name], text)
	return n == 1, set
}

// rdIdempotent says whether the producer is idempotent: a transactional.id makes it so.
func (c *Config) rdIdempotent() bool {
	on, set := c.rdTrue(propIdempotence)
	return on || c.rdIsTransactional() && !set
}

var cInteger = regexp.MustCompile(`^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)`)

// rdInt reads an integer as C's strtol does with base 0, which takes 0x10 and 010, passes over what comes behind the
// digits, and is cut to 32 bits afterwards.
func rdInt(value string) (n int64, digits bool) {
	m := cInteger.FindStringSubmatch(value)
	if m == nil {
		return 0, false
	}
	text := m[2]
	if len(text) > 1 && text[0] == '0' && text[1] != 'x' && text[1] != 'X' {
		if octal := strings.IndexAny(text, "89"); octal > 0 {
			text = text[:octal] // strtol stops at a digit that is not octal
		}
	}
	if text == "" {
		return 0, true
	}
	u, err := strconv.ParseUint(text, 0, 63)
	if err != nil {
		u = math.MaxInt64
	}
	n = int64(u)
	if m[1] == "-" {
		n = -n
		if err != nil {
			n = math.MinInt64
		}
	}
	return int64(int32(n)), true
}

var cFloat = regexp.MustCompile(`^[ \t\n\v\f\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?`)

// rdParse reads a value as librdkafka does: a number, 0 or 1 for a boolean, 0 for text.
func rdParse(p rdProperty, value string) (float64, error) {
	switch p.kind {
	case rdInteger:
		n, digits := rdInt(value)
		if !digits {
			if slices.ContainsFunc(p.words, func(w string) bool { return strings.EqualFold(w, value) }) {
				return -1, nil // acks=all
			}
			return 0, errors.New("must be a whole number")
		}
		return float64(n), p.inRange(float64(n))
	case rdFloat:
		text := strings.TrimSpace(cFloat.FindString(value))
		f, err := strconv.ParseFloat(text, 64)
		if err != nil && !math.IsInf(f, 0) {
			return 0, errors.New("must be a number")
		}
		return f, p.inRange(f)
	case rdBoolean:
		switch strings.ToLower(value) {
		case "true", "t", "1":
			return 1, nil
		case "false", "f", "0":
			return 0, nil
		}
		return 0, errors.New("must be true or false")
	case rdFunction:
		return 0, errors.New("can be set from a program only")
	}
	return 0, p.checkWords(value)
}

func (p rdProperty) inRange(n float64) error {
	if n < p.min || n > p.max {
		return fmt.Errorf("must be %s to %s", number(p.min), number(p.max))
	}
	return nil
}

func (p rdProperty) checkWords(value string) error {
	if len(p.words) == 0 {
		return nil
	}
	items := []string{value}
	if p.kind == rdFlags {
		items = strings.Split(value, ",")
	}
	for _, item := range items {
		item = strings.TrimLeft(item, " \t\n\v\f\r")
		known := func(w string) bool { return strings.EqualFold(w, item) }
		if p.kind == rdString {
			known = func(w string) bool { return w == item } // the partitioner's name is compared with its case
		}
		if item == "" && p.kind == rdFlags && value != "" {
			continue
		}
		if !slices.ContainsFunc(p.words, known) {
			return fmt.Errorf("must be one of %s", strings.Join(p.words, ", "))
		}
	}
	return nil
}

func rdRule(id, field, sentence string, broken func(c *Config) bool) Rule {
	return Rule{
		ID: "librdkafka-" + id, Client: ClientLibrdkafka, Severity: Error, Fields: []string{field},
		Sentence: sentence, Source: "rd_kafka_conf_finalize of librdkafka 2.16.0", check: when(broken),
	}
}

var librdkafkaRules = []Rule{
	{
		ID: "librdkafka-unknown", Client: ClientLibrdkafka, Severity: Error, Fields: []string{"any property"},
		Sentence: "librdkafka does not start with a property that it does not know, so a Java client's properties are never given to it; remove it",
		Source:   "rd_kafka_conf_set of librdkafka 2.16.0: No such configuration property",
		check: func(c *Config) []hit {
			var hits []hit
			for _, name := range c.Names() {
				if _, known := librdkafkaByName[name]; !known {
					hits = append(hits, hit{field: name, message: rdUnknown(name)})
				}
			}
			return hits
		},
	},
	{
		ID: "librdkafka-value", Client: ClientLibrdkafka, Severity: Error, Fields: []string{"any property"},
		Sentence: "librdkafka does not start with a value that is not what the property takes",
		Source:   "rd_kafka_anyconf_set_prop of librdkafka 2.16.0",
		check: func(c *Config) []hit {
			var hits []hit
			for _, name := range c.Names() {
				if p, known := librdkafkaByName[name]; known {
					if _, err := rdParse(p, c.Values[name].Text); err != nil {
						hits = append(hits, say(name, "%s is %.100q and %v", name, c.Values[name].Text, err)...)
					}
				}
			}
			return hits
		},
	},
	rdRule("idempotence-acks", "request.required.acks", "idempotence needs acks=all; set it, or remove acks", func(c *Config) bool {
		acks, set := c.rdNumber("request.required.acks")
		return c.rdIdempotent() && set && acks != -1
	}),
	rdRule("idempotence-in-flight", propInFlight, "idempotence needs max.in.flight of at most 5; lower it, or remove it", func(c *Config) bool {
		n, set := c.rdNumber(propInFlight)
		return c.rdIdempotent() && set && n > 5
	}),
	rdRule("idempotence-retries", "message.send.max.retries", "idempotence needs retries above 0; remove it", func(c *Config) bool {
		n, set := c.rdNumber("message.send.max.retries")
		return c.rdIdempotent() && set && n < 1
	}),
	rdRule("idempotence-queuing-strategy", "queuing.strategy", "idempotence needs queuing.strategy=fifo; remove it", func(c *Config) bool {
		s, set := c.rdGet("queuing.strategy")
		return c.rdIdempotent() && set && strings.EqualFold(s, "lifo")
	}),
	rdRule("idempotence-backpressure", "queue.buffering.backpressure.threshold", "idempotence needs queue.buffering.backpressure.threshold=1; remove it", func(c *Config) bool {
		n, set := c.rdNumber("queue.buffering.backpressure.threshold")
		return c.rdIdempotent() && set && n > 1
	}),
	rdRule("transactional-idempotence", propTransactionalID, "a transactional.id needs enable.idempotence=true; set it, or remove it", func(c *Config) bool {
		on, set := c.rdTrue(propIdempotence)
		return c.rdIsTransactional() && set && !on
	}),
	rdRule("transaction-socket-timeout", "socket.timeout.ms", "socket.timeout.ms must be at most transaction.timeout.ms + 100; lower it, or remove it", func(c *Config) bool {
		socket, set := c.rdNumber("socket.timeout.ms")
		transaction, _ := c.rdNumber(propTransactionTimeout)
		return c.rdIsTransactional() && set && socket > transaction+100
	}),
	rdRule("transaction-message-timeout", "message.timeout.ms", "message.timeout.ms must be at most transaction.timeout.ms; lower it", func(c *Config) bool {
		message, set := c.rdNumber("message.timeout.ms")
		transaction, _ := c.rdNumber(propTransactionTimeout)
		return c.rdIsTransactional() && set && message > transaction
	}),
	rdRule("message-timeout-linger", "message.timeout.ms", "message.timeout.ms must be above linger.ms; raise it", func(c *Config) bool {
		return c.rdLingersTooLong() && c.rdHasTopicSettings()
	}),
	{
		ID: "librdkafka-linger-later", Client: ClientLibrdkafka, Severity: Warning, Fields: []string{propLinger, "message.timeout.ms"},
		Sentence: "linger.ms is not below message.timeout.ms (300000 unless set): librdkafka starts, and no topic can be written; lower it",
		Source:   "rd_kafka_topic_conf_finalize of librdkafka 2.16.0",
		check:    when(func(c *Config) bool { return c.rdLingersTooLong() && !c.rdHasTopicSettings() }),
	},
	rdRule("gapless", "enable.gapless.guarantee", "enable.gapless.guarantee needs enable.idempotence=true", func(c *Config) bool {
		on, set := c.rdTrue("enable.gapless.guarantee")
		return !c.rdIdempotent() && on && set
	}),
	rdRule("reconnect-backoff", "reconnect.backoff.max.ms", "reconnect.backoff.max.ms must be at least reconnect.backoff.ms; raise it", func(c *Config) bool {
		last, _ := c.rdNumber("reconnect.backoff.max.ms")
		first, _ := c.rdNumber("reconnect.backoff.ms")
		return last < first
	}),
}

// rdIsTransactional says whether there is a transactional.id. Set to nothing, librdkafka takes it for unset.
func (c *Config) rdIsTransactional() bool {
	id, set := c.rdGet(propTransactionalID)
	return set && id != ""
}

// rdLingersTooLong says whether a batch may wait for as long as its records live.
func (c *Config) rdLingersTooLong() bool {
	message, given := c.rdNumber("message.timeout.ms")
	linger, set := c.rdNumber("queue.buffering.max.ms")
	if !given && c.rdIsTransactional() && c.rdIdempotent() {
		message, _ = c.rdNumber(propTransactionTimeout) // which takes its place
	}
	return set && message != 0 && message <= linger
}

// rdTopicOnly are the settings of topics. Without one of them set, librdkafka judges topics' settings only when a topic is
// first written.
var rdTopicOnly = []string{
	"request.required.acks", propAcks, propRequestTimeout, "message.timeout.ms", propDeliveryTimeout, "queuing.strategy",
	"produce.offset.report", "partitioner", "compression.level", "auto.commit.enable", "auto.offset.reset", "offset.store.path",
	"offset.store.sync.interval.ms", "consume.callback.max.messages",
}

func (c *Config) rdHasTopicSettings() bool {
	return slices.ContainsFunc(rdTopicOnly, func(name string) bool { _, set := c.Get(name); return set })
}

func rdUnknown(name string) string {
	text := fmt.Sprintf("librdkafka has no property %.100q, and does not start with it", name)
	if _, java := PropertyOf(name); java {
		return text + "; it is the Java client's: remove it"
	}
	if near := nearest(name, slices.Sorted(keysOf(librdkafkaByName))); near != "" {
		return text + "; did you mean " + near + "?"
	}
	return text + "; remove it"
}
