//go:build conformance

package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/producer"
)

// settingsOf parses settings as an application would that reads them from JSON; what does not parse is refused.
type settingsOf struct {
	values map[string]string
	err    error
}

func (s *settingsOf) number(name string, set func(int64)) {
	if text, ok := s.values[name]; ok {
		n, err := strconv.ParseInt(text, 10, 64)
		s.keep(name, err)
		set(n)
	}
}

func (s *settingsOf) int(name string, into *int) { s.number(name, func(n int64) { *into = int(n) }) }

func (s *settingsOf) truth(name string, into *bool) {
	if text, ok := s.values[name]; ok {
		b, err := strconv.ParseBool(text)
		s.keep(name, err)
		*into = b
	}
}

func (s *settingsOf) duration(name string, set func(time.Duration)) {
	if text, ok := s.values[name]; ok {
		d, err := time.ParseDuration(text)
		s.keep(name, err)
		set(d)
	}
}

func (s *settingsOf) into(name string, into *time.Duration) {
	s.duration(name, func(d time.Duration) { *into = d })
}

func (s *settingsOf) text(name string, set func(string)) {
	if text, ok := s.values[name]; ok {
		set(text)
	}
}

func (s *settingsOf) keep(name string, err error) {
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("%s: %w", name, err)
	}
}

// unknown refuses a setting that the adapter below does not hand on, so that neither table forgets one.
func (s *settingsOf) unknown(known []producer.Setting) {
	for name := range s.values {
		if !slices.ContainsFunc(known, func(k producer.Setting) bool { return k.Name == name }) {
			s.keep(name, fmt.Errorf("no such setting"))
		}
	}
}

// saramaConfig is sarama's Config with the settings.
func saramaConfig(values map[string]string) (*sarama.Config, error) {
	s, c := &settingsOf{values: values}, sarama.NewConfig()
	s.unknown(producer.KnownSettings(producer.ClientSarama))
	s.text("ClientID", func(v string) { c.ClientID = v })
	s.text("Version", func(v string) {
		version, err := sarama.ParseKafkaVersion(v)
		s.keep("Version", err)
		c.Version = version
	})
	s.into("Metadata.RefreshFrequency", &c.Metadata.RefreshFrequency)
	s.into("Metadata.Retry.Backoff", &c.Metadata.Retry.Backoff)
	s.int("Metadata.Retry.Max", &c.Metadata.Retry.Max)
	s.into("Net.DialTimeout", &c.Net.DialTimeout)
	s.int("Net.MaxOpenRequests", &c.Net.MaxOpenRequests)
	s.into("Net.ReadTimeout", &c.Net.ReadTimeout)
	s.into("Net.WriteTimeout", &c.Net.WriteTimeout)
	s.text("Producer.Compression", func(v string) { s.keep("Producer.Compression", c.Producer.Compression.UnmarshalText([]byte(v))) })
	s.int("Producer.CompressionLevel", &c.Producer.CompressionLevel)
	s.int("Producer.Flush.Bytes", &c.Producer.Flush.Bytes)
	s.into("Producer.Flush.Frequency", &c.Producer.Flush.Frequency)
	s.int("Producer.Flush.MaxMessages", &c.Producer.Flush.MaxMessages)
	s.int("Producer.Flush.Messages", &c.Producer.Flush.Messages)
	s.truth("Producer.Idempotent", &c.Producer.Idempotent)
	s.int("Producer.MaxMessageBytes", &c.Producer.MaxMessageBytes)
	s.number("Producer.RequiredAcks", func(n int64) { c.Producer.RequiredAcks = sarama.RequiredAcks(n) })
	s.into("Producer.Retry.Backoff", &c.Producer.Retry.Backoff)
	s.int("Producer.Retry.Max", &c.Producer.Retry.Max)
	s.into("Producer.Timeout", &c.Producer.Timeout)
	s.text("Producer.Transaction.ID", func(v string) { c.Producer.Transaction.ID = v })
	s.into("Producer.Transaction.Timeout", &c.Producer.Transaction.Timeout)
	s.text("Producer.Partitioner", func(v string) {
		switch v {
		case "Hash":
		case "RoundRobin":
			c.Producer.Partitioner = sarama.NewRoundRobinPartitioner
		default:
			s.keep("Producer.Partitioner", fmt.Errorf("no such partitioner"))
		}
	})
	c.Producer.Return.Successes = true
	return c, s.err
}

// franzOptions are kgo's options with the settings.
func franzOptions(values map[string]string) ([]kgo.Opt, error) {
	var opts []kgo.Opt
	s := &settingsOf{values: values}
	s.unknown(producer.KnownSettings(producer.ClientFranzGo))
	add := func(o kgo.Opt) { opts = append(opts, o) }
	s.text("SeedBrokers", func(v string) { add(kgo.SeedBrokers(strings.Split(v, ",")...)) })
	s.text("ClientID", func(v string) { add(kgo.ClientID(v)) })
	s.number("BrokerMaxWriteBytes", func(n int64) { add(kgo.BrokerMaxWriteBytes(int32(n))) })
	s.number("ProducerBatchMaxBytes", func(n int64) { add(kgo.ProducerBatchMaxBytes(int32(n))) })
	s.number("MaxBufferedBytes", func(n int64) { add(kgo.MaxBufferedBytes(int(n))) })
	s.number("MaxBufferedRecords", func(n int64) { add(kgo.MaxBufferedRecords(int(n))) })
	s.number("MaxProduceRequestsInflightPerBroker", func(n int64) { add(kgo.MaxProduceRequestsInflightPerBroker(int(n))) })
	s.number("RecordRetries", func(n int64) { add(kgo.RecordRetries(int(n))) })
	s.duration("ConnIdleTimeout", func(d time.Duration) { add(kgo.ConnIdleTimeout(d)) })
	s.duration("MetadataMaxAge", func(d time.Duration) { add(kgo.MetadataMaxAge(d)) })
	s.duration("MetadataMinAge", func(d time.Duration) { add(kgo.MetadataMinAge(d)) })
	s.duration("ProduceRequestTimeout", func(d time.Duration) { add(kgo.ProduceRequestTimeout(d)) })
	s.duration("ProducerLinger", func(d time.Duration) { add(kgo.ProducerLinger(d)) })
	s.duration("RecordDeliveryTimeout", func(d time.Duration) { add(kgo.RecordDeliveryTimeout(d)) })
	s.duration("TransactionTimeout", func(d time.Duration) { add(kgo.TransactionTimeout(d)) })
	s.text("TransactionalID", func(v string) { add(kgo.TransactionalID(v)) })
	var noIdempotence bool
	if s.truth("DisableIdempotentWrite", &noIdempotence); noIdempotence {
		add(kgo.DisableIdempotentWrite())
	}
	s.chosen("RequiredAcks", add, map[string]kgo.Opt{
		"all": kgo.RequiredAcks(kgo.AllISRAcks()), "leader": kgo.RequiredAcks(kgo.LeaderAck()), "none": kgo.RequiredAcks(kgo.NoAck()),
	})
	s.chosen("RecordPartitioner", add, map[string]kgo.Opt{
		"StickyKey":    kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		"RoundRobin":   kgo.RecordPartitioner(kgo.RoundRobinPartitioner()),
		"UniformBytes": kgo.RecordPartitioner(kgo.UniformBytesPartitioner(64<<10, true, true, nil)),
	})
	s.chosen("ProducerBatchCompression", add, map[string]kgo.Opt{
		"none": kgo.ProducerBatchCompression(kgo.NoCompression()), "gzip": kgo.ProducerBatchCompression(kgo.GzipCompression()),
		"snappy": kgo.ProducerBatchCompression(kgo.SnappyCompression()), "lz4": kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		"zstd": kgo.ProducerBatchCompression(kgo.ZstdCompression()),
	})
	return opts, s.err
}

func (s *settingsOf) chosen(name string, add func(kgo.Opt), from map[string]kgo.Opt) {
	s.text(name, func(v string) {
		o, ok := from[v]
		if !ok {
			s.keep(name, fmt.Errorf("no such word"))
			return
		}
		add(o)
	})
}

// goEdges are the settings that rules speak of, with the values around which they turn.
var goEdges = map[producer.Client]map[string][]string{
	producer.ClientSarama: {
		"Producer.Idempotent": {"true", "true", "false"}, "Producer.RequiredAcks": {"-1", "-1", "1", "0", "-2", "2"},
		"Net.MaxOpenRequests": {"1", "1", "5", "0", "2", "-1"}, "Producer.Retry.Max": {"3", "1", "100", "0", "-1"},
		"Producer.Transaction.ID": {"tx", "tx", ""}, "Version": {"2.1.0", "3.6.0", "2.0.0", "0.10.0.0", "0.11.0.0", "0.9.0.1", "0.10.2.1", "2.1", "x", "4.0.0", "1.0.0.0", "0.11.0"},
		"Producer.Compression": {"none", "zstd", "lz4", "gzip", "snappy", "brotli"}, "Producer.CompressionLevel": {"-1000", "1", "9", "10", "-2", "-3", "-4", "0"},
		"Producer.Flush.Messages": {"0", "10", "1"}, "Producer.Flush.MaxMessages": {"0", "10", "100", "9", "-1"},
	},
	producer.ClientFranzGo: {
		"DisableIdempotentWrite": {"true", "false", "true"}, "RequiredAcks": {"all", "all", "leader", "none"},
		"MaxProduceRequestsInflightPerBroker": {"1", "1", "5", "0", "-1"}, "TransactionalID": {"tx", "tx", "", strings.Repeat("x", 16382), strings.Repeat("x", 16383)},
		"ProducerBatchMaxBytes": {"1000012", "512", "1048576", "104857600", "104857601", "511", "1073741824", "1073741825"},
		"BrokerMaxWriteBytes":   {"104857600", "1073741824", "1048576", "1024", "1023"},
		"MetadataMaxAge":        {"5m", "5s", "1h", "4.999s", "1h1ms"}, "MetadataMinAge": {"5s", "10ms", "1s", "9ms", "6m"},
		"RecordDeliveryTimeout": {"0s", "1s", "2m", "999ms", "-1s"}, "ClientID": {"kgo", "", strings.Repeat("c", 256), strings.Repeat("c", 257)},
	},
}

func (m maker) goClient(client producer.Client, known []producer.Setting) map[string]string {
	settings := map[string]string{}
	skip := []string{"Brokers", "SeedBrokers", "DialTLS", "SASL", "Net.TLS.Enable", "Net.SASL.Enable", "Net.SASL.Mechanism"}
	for _, s := range known {
		edges := goEdges[client][s.Name]
		switch {
		case slices.Contains(skip, s.Name) || m.r.IntN(6) > 0:
		case edges != nil:
			settings[s.Name] = m.edge(edges)
		case s.Kind == "duration":
			settings[s.Name] = m.edge([]string{s.Default, time.Duration(max(s.Min, 0)).String(), "30s", time.Duration(max(s.Min, 0) - 1).String(),
				time.Duration(min(s.Max, 1e18)).String(), time.Duration(min(s.Max, 1e18) + 1e6).String(), "-1s", "0s", "1", "x"})
		case s.Kind == "int":
			settings[s.Name] = m.edge([]string{s.Default, "1", "1000", "0", "-1", "2147483647", "x", "1.5", ""})
		case s.Kind == "bool":
			settings[s.Name] = m.edge([]string{"true", "false", "false", "yes"})
		case len(s.Words) > 0:
			settings[s.Name] = m.edge(append(slices.Clone(s.Words[:2]), append([]string{"bogus"}, s.Words...)...))
		}
	}
	return settings
}

func verdictOf(settings map[string]string, err error) testCase {
	if err != nil {
		return testCase{Settings: settings, Outcome: producer.Refused, Message: err.Error()}
	}
	return testCase{Settings: settings, Outcome: producer.Accepted}
}

// Our verdict on settings is that of sarama's Config.Validate.
func TestSarama(t *testing.T) {
	begin := time.Now()
	m, known := newMaker(3), producer.KnownSettings(producer.ClientSarama)
	var cases []testCase
	for range 5000 {
		settings := m.goClient(producer.ClientSarama, known)
		config, err := saramaConfig(settings)
		if err == nil {
			err = config.Validate()
		}
		cases = append(cases, verdictOf(settings, err))
	}
	compare(t, "sarama 1.61.1", producer.ClientSarama, cases, begin)
}

// Our verdict on settings is that of franz-go's NewClient.
func TestFranzGo(t *testing.T) {
	begin := time.Now()
	m, known := newMaker(4), producer.KnownSettings(producer.ClientFranzGo)
	var cases []testCase
	for range 5000 {
		settings := m.goClient(producer.ClientFranzGo, known)
		opts, err := franzOptions(settings)
		if err == nil {
			var client *kgo.Client
			if client, err = kgo.NewClient(opts...); err == nil {
				client.Close()
			}
		}
		cases = append(cases, verdictOf(settings, err))
	}
	compare(t, "franz-go 1.22.2", producer.ClientFranzGo, cases, begin)
}
