//go:build conformance

package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"mooring.dev/mooring/internal/producer"
)

// maker makes configurations.
type maker struct{ r *rand.Rand }

func newMaker(n uint64) maker { return maker{rand.New(rand.NewPCG(seed, n))} }

func (m maker) pick(from ...string) string { return from[m.r.IntN(len(from))] }

// unaskable are properties whose values the client looks up on its class path, in the DNS, or on disk.
var unaskable = []string{
	"key.serializer", "value.serializer", "interceptor.classes", "metric.reporters", "config.providers", "security.providers",
	"security.protocol", "sasl.mechanism", "bootstrap.servers", "partitioner.class",
}

// edges are the keys that rules speak of, with the values around which they turn.
var edges = map[string][]string{
	"acks":                                  {"all", "all", "-1", "1", "0", "ALL", "All", " all ", "2", "-2", "", "one"},
	"enable.idempotence":                    {"true", "true", "false", "TRUE", " false ", "yes", "1", ""},
	"retries":                               {"2147483647", "0", "1", "-1", "2147483648", " 3 ", "+5", "many", "0x10"},
	"max.in.flight.requests.per.connection": {"5", "1", "6", "0", "-1", "1000000", "5.0", " 4 "},
	"delivery.timeout.ms":                   {"120000", "30005", "30004", "30000", "0", "2147483647", "2147483648", "-1", "2m"},
	"linger.ms":                             {"5", "0", "10", "90000", "90001", "2147483647", "2147483648", "9223372036854775807", "-1", "1.5"},
	"request.timeout.ms":                    {"30000", "29995", "29996", "1", "0", "2147483647", "-1"},
	"transactional.id":                      {"tx", "tx", "", " ", "ü"},
	"transaction.timeout.ms":                {"60000", "0", "-1", "900001", "x"},
	"transaction.two.phase.commit.enable":   {"true", "false", "True", "no"},
}

// bootstraps are lists of servers that need no DNS.
var bootstraps = []string{
	"127.0.0.1:9092,127.0.0.1:9093", "", ",", "127.0.0.1:9092,", "127.0.0.1:9092,127.0.0.1:9092", "127.0.0.1", "127.0.0.1:65536",
	"127.0.0.1:0", "[::1]:9092", "http://127.0.0.1:9092", "127.0.0.1:port", "127.0.0.1:99999999999", " 127.0.0.1:9092 , 127.0.0.1:9093 ",
}

// java makes a configuration of the Java client: the keys that matter more often than others, edges more often than not.
func (m maker) java() map[string]string {
	settings := map[string]string{"bootstrap.servers": "127.0.0.1:9092"}
	if m.r.IntN(20) == 0 {
		settings["bootstrap.servers"] = m.pick(bootstraps...)
	}
	keys := slices.Sorted(func(yield func(string) bool) {
		for key := range edges {
			if !yield(key) {
				return
			}
		}
	})
	for _, key := range keys {
		if m.r.IntN(4) == 0 {
			settings[key] = m.edge(edges[key])
		}
	}
	properties := producer.Properties()
	for range m.r.IntN(3) {
		p := properties[m.r.IntN(len(properties))]
		if _, has := edges[p.Name]; !has && !slices.Contains(unaskable, p.Name) {
			settings[p.Name] = m.value(p)
		}
	}
	m.rarities(settings)
	return settings
}

// edge takes the first, harmless values more often, so that whole configurations are accepted often enough.
func (m maker) edge(values []string) string {
	if m.r.IntN(3) > 0 {
		return values[m.r.IntN(min(3, len(values)))]
	}
	return m.pick(values...)
}

func (m maker) rarities(settings map[string]string) {
	switch m.r.IntN(25) {
	case 0:
		settings["no.such.property"] = "whatever"
	case 1:
		settings["partitioner.class"] = m.pick("org.apache.kafka.clients.producer.RoundRobinPartitioner", "", "not a class", "1x", "a..b")
	case 2:
		settings["security.protocol"] = m.pick("PLAINTEXT", "plaintext", " Plaintext ", "", "TLS")
	case 3:
		settings["security.protocol"], settings["sasl.mechanism"] = m.pick("SASL_PLAINTEXT", "sasl_plaintext"), m.pick("", " ")
	case 4:
		settings["sasl.mechanism"] = m.pick("", "PLAIN", "nonsense")
	case 5:
		settings["interceptor.classes"] = m.pick("", " ")
	}
}

// value makes a value of a property by its type: mostly good ones, and those just beyond.
func (m maker) value(p producer.Property) string {
	switch p.Type {
	case producer.Boolean:
		return m.edge([]string{"true", "false", "TRUE", "t", "1", "", "falsee"})
	case producer.Int, producer.Short, producer.Long:
		return m.edge(numbersAround(p))
	case producer.Double:
		return m.edge([]string{"0.8", "0.5", "0.05", "1", "1.0", "0", "-0.1", "1.1", "0.26", "NaN", "1e400", "x", "", ".5f", "0,5"})
	case producer.List:
		return m.edge([]string{"a", "a,b", "a , b", "", "a,a", "a,,b", ",", "a,"})
	case producer.Class:
		return m.pick("not a class", "", "9lives", "a.", "java.lang.Object")
	}
	if len(p.Valid.OneOf) > 0 {
		word := m.pick(p.Valid.OneOf...)
		return m.edge([]string{word, word, " " + word + " ", strings.ToUpper(word), strings.ToLower(word), "bogus", ""})
	}
	return m.pick("text", "", " ", "ü", "a=b", "100")
}

func numbersAround(p producer.Property) []string {
	good, _ := p.DefaultValue()
	if good == "" {
		good = "1000"
	}
	values := []string{good, good, " " + good + " "}
	if p.Valid.Min != nil {
		values = append(values, fmt.Sprintf("%.0f", *p.Valid.Min), fmt.Sprintf("%.0f", *p.Valid.Min-1))
	}
	if p.Valid.Max != nil {
		values = append(values, fmt.Sprintf("%.0f", *p.Valid.Max), fmt.Sprintf("%.0f", *p.Valid.Max+1))
	}
	return append(values, "32767", "32768", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "-2", "x", "", "1_0", "1.0", "1e3")
}
