package kafka_test

import (
	"testing"
	"time"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// Two settings with one hash share a client; a field that is left out of it would be ignored until a restart.
func TestConnectionHash(t *testing.T) {
	base := func() kafka.Settings {
		return kafka.Settings{
			BootstrapServers: []string{"a:1", "b:2"},
			TLS:              &kafka.TLS{CA: []byte("ca"), Certificate: []byte("crt"), Key: []byte("key"), ServerName: "s"},
			SASL:             &kafka.SASL{Mechanism: "PLAIN", Values: map[string]string{"username": "u", "password": "p"}},
		}
	}
	changes := map[string]struct {
		change func(*kafka.Settings)
		other  bool
	}{
		"nothing":             {func(*kafka.Settings) {}, false},
		"the interval":        {func(s *kafka.Settings) { s.Interval = time.Minute }, false},
		"the expected ID":     {func(s *kafka.Settings) { s.ExpectedClusterID = "x" }, false},
		"a server":            {func(s *kafka.Settings) { s.BootstrapServers[1] = "c:3" }, true},
		"no TLS":              {func(s *kafka.Settings) { s.TLS = nil }, true},
		"TLS with the system": {func(s *kafka.Settings) { s.TLS = &kafka.TLS{} }, true},
		"the CA":              {func(s *kafka.Settings) { s.TLS.CA = []byte("other") }, true},
		"the certificate":     {func(s *kafka.Settings) { s.TLS.Certificate = []byte("other") }, true},
		"the key":             {func(s *kafka.Settings) { s.TLS.Key = []byte("other") }, true},
		"the server name":     {func(s *kafka.Settings) { s.TLS.ServerName = "other" }, true},
		"no SASL":             {func(s *kafka.Settings) { s.SASL = nil }, true},
		"the mechanism":       {func(s *kafka.Settings) { s.SASL.Mechanism = "SCRAM-SHA-256" }, true},
		"the password":        {func(s *kafka.Settings) { s.SASL.Values["password"] = "other" }, true},
	}
	seen := make(map[string]string)
	for name, tt := range changes {
		s := base()
		tt.change(&s)
		hash := s.ConnectionHash()
		if other := hash != base().ConnectionHash(); other != tt.other {
			t.Errorf("%s: another connection = %t, want %t", name, other, tt.other)
		}
		if before, twice := seen[hash]; twice && tt.other {
			t.Errorf("%s has the hash of %s", name, before)
		}
		seen[hash] = name
	}
	if len((kafka.Settings{}).ConnectionHash()) != 64 {
		t.Error("the hash of secrets must be a digest of them, not the secrets")
	}
}

func TestFreshness(t *testing.T) {
	if !kafka.Cached().Admits(0) || !kafka.Cached().Admits(9) {
		t.Error("cached takes anything")
	}
	if kafka.After(5).Admits(4) || !kafka.After(5).Admits(5) || !kafka.After(5).Admits(6) {
		t.Error("after 5 takes 5 and later")
	}
}

func TestClusterOfInfo(t *testing.T) {
	info := kafka.ClusterInfo{Brokers: []kafka.Broker{
		{Broker: topic.Broker{ID: 1, Rack: "a"}, Host: "h", Port: 1}, {Broker: topic.Broker{ID: 2, Fenced: true}},
	}}
	c := info.Cluster()
	if len(c.Brokers) != 2 || c.Brokers[0] != (topic.Broker{ID: 1, Rack: "a"}) || !c.Brokers[1].Fenced {
		t.Errorf("%+v", c)
	}
}
