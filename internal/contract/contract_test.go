package contract

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the goldens of the present version anew")

// smallest is a contract with nothing that may be left out.
func smallest() Contract {
	return Contract{
		Version:     Version,
		Profile:     Profile{Namespace: "logs", Name: "lossy"},
		Cluster:     Cluster{Name: "default", BootstrapServers: []string{"kafka:9092"}},
		Hash:        "0b1c",
		Guarantee:   AtMostOnce,
		Enforcement: Enforcement{Mode: Audit, Acks: 0, Unsupported: UnsupportedCount},
		Limits:      Limits{MaxInFlight: 1000},
		Timing:      Timing{DeliveryTimeout: 120000},
	}
}

// fullest is a contract with every field.
func fullest() Contract {
	linger, batch := Millis(0), int32(65536)
	return Contract{
		Version:   Version,
		Profile:   Profile{Namespace: "shop", Name: "orders", Revision: 7},
		Cluster:   Cluster{Name: "prod", ID: "4L6g3nShT-eMCtK--X86sw", BootstrapServers: []string{"kafka-0.kafka:9092", "[fd00::1]:9093"}},
		Hash:      "5e0f",
		Guarantee: Transactional,
		Enforcement: Enforcement{
			Mode: Upgrade, Acks: -1, Idempotence: true, Unsupported: UnsupportedReject,
		},
		Listeners:      Listeners{Kafka: "127.0.0.1:9092", HTTP: "127.0.0.1:8082"},
		TLS:            &TLS{CACertificates: "-----BEGIN CERTIFICATE-----\n<&>\n-----END CERTIFICATE-----\n", CertificateFile: "/etc/mooring-tls/tls.crt", KeyFile: "/etc/mooring-tls/tls.key", ServerName: "kafka.example"},
		SASL:           &SASL{Mechanism: "SCRAM-SHA-512", CredentialsDir: "/etc/mooring-credentials"},
		SchemaRegistry: &SchemaRegistry{URL: "https://registry:8081/api", CACertificates: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", CredentialsDir: "/etc/mooring-credentials"},
		Topics:         &Topics{Names: []string{"orders"}, Prefixes: []string{"orders."}},
		Limits:         Limits{MaxInFlight: 5, MaxRequestSize: 1048576, BufferMemory: 33554432, Compression: []string{"lz4", "zstd"}},
		Timing:         Timing{DeliveryTimeout: 120000, RequestTimeout: 30000, RetryBackoff: 100, MetadataMaxAge: 300000, ConnectionsMaxIdle: 540000, Drain: 25000},
		Batching:       Batching{Linger: &linger, BatchSize: &batch, Compression: "zstd", Partitioner: "RoundRobin"},
		Transactions:   &Transactions{ID: "shop-orders-0", Timeout: 60000},
		Properties:     map[string]string{"acks": "all", "enable.idempotence": "true"},
	}
}

// The goldens are what earlier releases wrote and read: a change of the format that breaks pods which are already
// running shows here. Goldens of a released version are never written again; a new version gets files of its own.
func TestGoldensBothWays(t *testing.T) {
	for name, want := range map[string]Contract{"smallest": smallest(), "fullest": fullest()} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", "v"+Version, name+".json")
			encoded, err := Encode(want)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(path, append(encoded, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimSpace(string(golden)), string(encoded)); diff != "" {
				t.Errorf("Encode (-golden +got):\n%s", diff)
			}
			got, err := Decode(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeIgnoresWhatANewerMinorVersionAdded(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "newer-minor.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := smallest()
	want.Version = "1.9"
	got, err := Decode(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	valid, err := Encode(smallest())
	if err != nil {
		t.Fatal(err)
	}
	for reason, tc := range map[string]struct{ data, want string }{
		"a newer major version, whatever else it holds": {`{"version":"2.0","profile":17}`, "version 2.0 is newer than this shim, which reads 1.x; use the mooring image that wrote the contract"},
		"a version before the first":                    {`{"version":"0.9"}`, "version 0.9 is older than any"},
		"no version":                                    {`{}`, "version is missing"},
		"a version that is none":                        {`{"version":"one"}`, "is not major.minor"},
		"a version with a part too many":                {`{"version":"1.2.3"}`, "is not major.minor"},
		"a sign in the version":                         {`{"version":"+1.0"}`, "is not major.minor"},
		"nothing":                                       {``, "not the JSON of a contract"},
		"an array":                                      {`[]`, "not the JSON of a contract"},
		"null, which is JSON and says nothing":          {`null`, "version is missing"},
		"two objects":                                   {string(valid) + string(valid), "more after the JSON object"},
		"half an object":                                {string(valid[:len(valid)/2]), "not the JSON of a contract"},
		"more than a contract may have":                 {string(valid) + strings.Repeat(" ", MaxSize), "bytes are more than"},
		"a number too large for its field":              {strings.Replace(string(valid), `"maxInFlight":1000`, `"maxInFlight":4294967296`, 1), "not the JSON of a contract"},
		"a guarantee that this version does not know":   {strings.Replace(string(valid), "AtMostOnce", "ExactlyOnce", 1), `guarantee is "ExactlyOnce"`},
		"a mode that this version does not know":        {strings.Replace(string(valid), "Audit", "Repair", 1), `enforcement.mode is "Repair"`},
	} {
		t.Run(reason, func(t *testing.T) {
			_, err := Decode([]byte(tc.data))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestValidateRefuses(t *testing.T) {
	for reason, tc := range map[string]struct {
		change func(*Contract)
		want   string
	}{
		"no profile":                          {func(c *Contract) { c.Profile.Name = "" }, "profile.name is missing"},
		"no cluster":                          {func(c *Contract) { c.Cluster.Name = "" }, "cluster.name is missing"},
		"no address":                          {func(c *Contract) { c.Cluster.BootstrapServers = nil }, "cluster.bootstrapServers is empty"},
		"an address without a port":           {func(c *Contract) { c.Cluster.BootstrapServers = []string{"a:1", "kafka"} }, `cluster.bootstrapServers[1] is "kafka"`},
		"an address with port 0":              {func(c *Contract) { c.Cluster.BootstrapServers = []string{"kafka:0"} }, "must be host:port"},
		"acks that Kafka does not know":       {func(c *Contract) { c.Enforcement.Acks = 2 }, "enforcement.acks is 2"},
		"acks weaker than the guarantee":      {func(c *Contract) { c.Enforcement.Acks = 1 }, "guarantee Transactional needs -1"},
		"idempotence off for Transactional":   {func(c *Contract) { c.Enforcement.Idempotence = false }, "not what guarantee Transactional means"},
		"half a client certificate":           {func(c *Contract) { c.TLS.KeyFile = "" }, "needs both"},
		"a mechanism that nobody speaks":      {func(c *Contract) { c.SASL.Mechanism = "GSSAPI" }, "sasl.mechanism"},
		"a schema registry that is no URL":    {func(c *Contract) { c.SchemaRegistry.URL = "registry:8081" }, "schemaRegistry.url is \"registry:8081\"; it must be like https://registry:8081"},
		"credentials in a URL":                {func(c *Contract) { c.SchemaRegistry.URL = "https://u:p@registry" }, "credentials belong into the Secret"},
		"SASL without credentials":            {func(c *Contract) { c.SASL.CredentialsDir = "" }, "sasl.credentialsDir is missing"},
		"an empty prefix":                     {func(c *Contract) { c.Topics.Prefixes = []string{"a", ""} }, "topics.prefixes[1] is empty"},
		"six in flight with idempotence":      {func(c *Contract) { c.Limits.MaxInFlight = 6 }, "at most 5"},
		"none in flight":                      {func(c *Contract) { c.Limits.MaxInFlight = 0 }, "at least 1"},
		"a codec that Kafka does not have":    {func(c *Contract) { c.Limits.Compression = []string{"brotli"} }, "limits.compression[0]"},
		"a listener without a port":           {func(c *Contract) { c.Listeners.HTTP = "127.0.0.1" }, "listeners.http"},
		"a timeout above 32 bits":             {func(c *Contract) { c.Timing.Drain = 1 << 31 }, "timing.drainMs"},
		"no delivery timeout":                 {func(c *Contract) { c.Timing.DeliveryTimeout = 0 }, "timing.deliveryTimeoutMs"},
		"a transaction without an ID":         {func(c *Contract) { c.Transactions.ID = "" }, "transactions.id is empty"},
		"transactions with another guarantee": {func(c *Contract) { c.Guarantee = Idempotent }, "and not Transactional"},
		"a negative linger":                   {func(c *Contract) { *c.Batching.Linger = -1 }, "batching.lingerMs"},
		"a contract that grew too large":      {func(c *Contract) { c.TLS.CACertificates = strings.Repeat("A", MaxSize) }, "bytes are more than"},
	} {
		t.Run(reason, func(t *testing.T) {
			c := fullest()
			tc.change(&c)
			_, err := Encode(c)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestTopicsAllow(t *testing.T) {
	for reason, tc := range map[string]struct {
		topics *Topics
		topic  string
		want   bool
	}{
		"nil allows all":                        {nil, "anything", true},
		"a name":                                {&Topics{Names: []string{"orders"}}, "orders", true},
		"a name is no prefix":                   {&Topics{Names: []string{"orders"}}, "orders.eu", false},
		"a prefix":                              {&Topics{Prefixes: []string{"orders."}}, "orders.eu", true},
		"an allow-list with nothing in it":      {&Topics{}, "orders", false},
		"case counts, as it does for Kafka too": {&Topics{Names: []string{"orders"}}, "Orders", false},
	} {
		t.Run(reason, func(t *testing.T) {
			if got := tc.topics.Allow(tc.topic); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}

func TestMillis(t *testing.T) {
	if got := Millis(120000).Duration(); got != 2*time.Minute {
		t.Errorf("got %s", got)
	}
}

// What Decode takes, Encode writes, and it reads back the same.
func FuzzDecode(f *testing.F) {
	for _, c := range []Contract{smallest(), fullest()} {
		data, err := Encode(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"version":"2.0"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Encode(c)
		if err != nil {
			if strings.Contains(err.Error(), "bytes are more than") {
				return // escaped, the text can be longer than it came
			}
			t.Fatalf("Decode took what Encode refuses: %v", err)
		}
		back, err := Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		c.Version = Version
		if diff := cmp.Diff(c, back, cmp.Comparer(emptyIsNil)); diff != "" {
			t.Errorf("(-first +again):\n%s", diff)
		}
	})
}

// emptyIsNil compares lists as JSON with omitempty does.
func emptyIsNil(a, b []string) bool {
	return len(a) == 0 && len(b) == 0 || cmp.Equal(a, b)
}
