package producer

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
)

// profileYAML reads the spec of a profile.
func profileYAML(t testing.TB, spec string) *v1alpha1.ProducerProfile {
	t.Helper()
	p := &v1alpha1.ProducerProfile{}
	p.Namespace, p.Name, p.Generation = "shop", "orders", 3
	if err := yaml.UnmarshalStrict([]byte(spec), &p.Spec); err != nil {
		t.Fatal(err)
	}
	return p
}

// Each row breaks one rule of Mooring's own, and none that is graver.
func TestValidateFinds(t *testing.T) {
	const twice = "transactions: {idTemplate: '{namespace}-{workload}-{ordinal}'"
	for rule, tc := range map[string]struct{ reason, spec, field string }{
		"acks-below-guarantee":        {"acks 1 loses what it acknowledged", "delivery: {acks: '1'}", "spec.delivery.acks"},
		"acks-above-at-most-once":     {"the guarantee and acks say different things", "{guarantee: AtMostOnce, delivery: {acks: all}}", "spec.delivery.acks"},
		"retries-at-most-once":        {"a retry can duplicate", "{guarantee: AtMostOnce, delivery: {retries: 3}}", "spec.delivery.retries"},
		"in-flight-above-five":        {"brokers remember five batches", "delivery: {maxInFlightRequests: 6}", "spec.delivery.maxInFlightRequests"},
		"in-flight-breaks-order":      {"a retry overtakes", "{guarantee: AtLeastOnce, ordering: Strict, delivery: {maxInFlightRequests: 2}}", "spec.delivery.maxInFlightRequests"},
		"retries-zero":                {"every leader change loses records", "delivery: {retries: 0}", "spec.delivery.retries"},
		"retries-bounded":             {"ten tries can be over in a second", "delivery: {retries: 10}", "spec.delivery.retries"},
		"ordering-without-effect":     {"Idempotent always keeps order", "ordering: Relaxed", "spec.ordering"},
		"transactions-need-guarantee": {"a transactional.id makes the producer transactional", twice + "}", "spec.transactions"},
		"transactional-id-missing":    {"there is no transaction without an ID", "guarantee: Transactional", "spec.transactions.idTemplate"},
		"transactional-id-placeholder": {"replica is no placeholder",
			"{guarantee: Transactional, transactions: {idTemplate: '{namespace}-{workload}-{ordinal}-{replica}'}}", "spec.transactions.idTemplate"},
		"transactional-id-shared": {"all replicas would fence each other", "{guarantee: Transactional, transactions: {idTemplate: checkout}}", "spec.transactions.idTemplate"},
		"transactional-id-collides": {"pod 0 of every StatefulSet would have the ID 0",
			"{guarantee: Transactional, transactions: {idTemplate: 'tx-{ordinal}'}}", "spec.transactions.idTemplate"},
		"two-phase-commit-timeout": {"the Java client does not start",
			"{guarantee: Transactional, " + twice + ", timeout: 60s}, properties: {transaction.two.phase.commit.enable: 'true'}}", "spec.transactions.timeout"},
		"transaction-timeout-above-broker": {"the broker refuses it", "{guarantee: Transactional, " + twice + ", timeout: 16m}}", "spec.transactions.timeout"},
		"delivery-outlives-transaction": {"the transaction is aborted first",
			"{guarantee: Transactional, " + twice + ", timeout: 60s}, delivery: {deliveryTimeout: 90s}}", "spec.delivery.deliveryTimeout"},
		"duration-delivery-delivery-timeout":    {"32 bits of milliseconds", "delivery: {deliveryTimeout: 600h}", "spec.delivery.deliveryTimeout"},
		"duration-delivery-request-timeout":     {"nothing could be answered in no time", "delivery: {requestTimeout: 0s}", "spec.delivery.requestTimeout"},
		"duration-delivery-retry-backoff":       {"time does not run backwards", "delivery: {retryBackoff: -1s}", "spec.delivery.retryBackoff"},
		"duration-batching-linger":              {"time does not run backwards", "batching: {linger: -1ms}", "spec.batching.linger"},
		"duration-transactions-timeout":         {"a transaction needs time", "{guarantee: Transactional, " + twice + ", timeout: 0s}}", "spec.transactions.timeout"},
		"duration-connections-metadata-max-age": {"metadata for every record", "connections: {metadataMaxAge: 0s}", "spec.connections.metadataMaxAge"},
		"duration-connections-idle-timeout":     {"every connection would be idle at once", "connections: {idleTimeout: 0s}", "spec.connections.idleTimeout"},
		"duration-shim-drain":                   {"time does not run backwards", "shim: {listeners: None, drain: -1s}", "spec.shim.drain"},
		"duration-below-millisecond":            {"Kafka counts milliseconds", "batching: {linger: 1500us}", "spec.batching.linger"},
		"delivery-timeout-too-short":            {"the Java client does not start", "delivery: {deliveryTimeout: 30s}", "spec.delivery.deliveryTimeout"},
		"request-timeout-short":                 {"a slow replica costs a second write", "delivery: {requestTimeout: 5s}", "spec.delivery.requestTimeout"},
		"retry-backoff-above-max":               {"the pause would not grow", "delivery: {retryBackoff: 2s}", "spec.delivery.retryBackoff"},
		"linger-above-a-minute":                 {"franz-go takes a minute", "batching: {linger: 61s}", "spec.batching.linger"},
		"drain-shorter-than-delivery":           {"records would be given up", "shim: {listeners: Kafka, drain: 10s}", "spec.shim.drain"},
		"size-batch":                            {"half a byte", "batching: {batchSize: 500m}", "spec.batching.batchSize"},
		"size-max-request":                      {"nothing could be sent", "batching: {maxRequestSize: '0'}", "spec.batching.maxRequestSize"},
		"batch-above-buffer":                    {"no batch could be made", "batching: {batchSize: 64Ki, bufferMemory: 32Ki, maxRequestSize: 32Ki}", "spec.batching.bufferMemory"},
		"request-above-buffer":                  {"the largest record does not fit", "batching: {bufferMemory: 512Ki}", "spec.batching.maxRequestSize"},
		"batch-above-request":                   {"brokers may refuse the batch", "batching: {batchSize: 2Mi}", "spec.batching.batchSize"},
		"property-unknown":                      {"a typing error", "properties: {max.blok.ms: '1'}", "spec.properties[max.blok.ms]"},
		"property-value":                        {"not a number", "properties: {max.block.ms: soon}", "spec.properties[max.block.ms]"},
		"property-has-field":                    {"two places for one value", "properties: {acks: all}", "spec.properties[acks]"},
		"property-of-cluster":                   {"the cluster says it", "properties: {security.protocol: SSL}", "spec.properties[security.protocol]"},
		"property-secret":                       {"many may read it", "properties: {ssl.key.password: hunter2}", "spec.properties[ssl.key.password]"},
		"property-class":                        {"it must be on the class path", "properties: {interceptor.classes: com.example.Audit}", "spec.properties[interceptor.classes]"},
		"property-recent":                       {"3.9 ignores it", "properties: {metadata.recovery.rebootstrap.trigger.ms: 60000}", "spec.properties[metadata.recovery.rebootstrap.trigger.ms]"},
		"client-id-twice":                       {"the quota would bind nobody", "{quota: {clientID: a, producerByteRate: 1Mi}, properties: {client.id: b}}", "spec.properties[client.id]"},
		"word-unknown":                          {"a typing error", "shim: {mode: Upgarde}", "spec.shim.mode"},
		"topics-empty":                          {"nothing could be written", "topics: {}", "spec.topics"},
		"topic-name":                            {"no topic has such a name", "topics: {names: [orders, 'a b']}", "spec.topics.names[1]"},
		"topic-prefix":                          {"Kafka's own topics", "topics: {prefixes: [__]}", "spec.topics.prefixes[0]"},
		"quota-empty":                           {"it bounds nothing", "quota: {user: alice}", "spec.quota"},
		"quota-rate":                            {"nothing could be sent", "quota: {user: alice, producerByteRate: '0'}", "spec.quota.producerByteRate"},
		"selector-selects-all":                  {"every pod of the namespace", "selector: {}", "spec.selector"},
		"quota-client-id-spring":                {"the brokers see checkout-1", "{quota: {user: checkout, clientID: checkout, producerByteRate: 1Mi}, injection: {formats: [spring]}}", "spec.quota.clientID"},
		"round-robin-scatters-keys":             {"the order of a key is lost", "partitioner: RoundRobin", "spec.partitioner"},
		"credentials-certificate-without-tls":   {"a certificate needs TLS", "credentials: {secretRef: {name: kafka}}", "spec.credentials.mechanism"},
		"credentials-in-the-clear":              {"anybody on the way reads the password", "credentials: {secretRef: {name: kafka}, mechanism: PLAIN}", "spec.credentials.mechanism"},
	} {
		t.Run(rule, func(t *testing.T) {
			findings := Validate(Resolve(profileYAML(t, tc.spec), testCluster(), "shop"))
			if len(findings) == 0 || findings[0].Rule != rule || findings[0].Field != tc.field || HasErrors(findings[1:]) {
				t.Errorf("%s: want this finding at %s first, and no other error, got %v", tc.reason, tc.field, findings)
			}
		})
	}
}

// These break two rules at once, or need more than a spec.
func TestValidateFindsTogether(t *testing.T) {
	one := testCluster()
	one.Spec.BootstrapServers = one.Spec.BootstrapServers[:1]
	many := testCluster()
	for i := range 5 {
		many.Spec.BootstrapServers = append(many.Spec.BootstrapServers, fmt.Sprintf("more-%d:9092", i))
	}
	strict := testCluster()
	strict.Spec.ProducerPolicy = &v1alpha1.ProducerPolicy{MinimumGuarantee: v1alpha1.Idempotent}
	sasl := testCluster()
	sasl.Spec.SASL = &v1alpha1.KafkaClusterSASL{Mechanism: v1alpha1.SASLPlain}
	for reason, tc := range map[string]struct {
		spec    string
		cluster *v1alpha1.KafkaCluster
		want    []string
	}{
		"one server is a single point of failure": {"{}", one, []string{"bootstrap-single"}},
		"seven servers are too many":              {"{}", many, []string{"bootstrap-many"}},
		"the cluster asks for more":               {"guarantee: AtLeastOnce", strict, []string{"guarantee-below-minimum"}},
		"the cluster asks for as much":            {"guarantee: Transactional\ntransactions: {idTemplate: '{pod}'}", strict, nil},
		"brokers want a principal":                {"{}", sasl, []string{"shim-without-credentials"}},
		"no cluster to judge against":             {"{}", nil, nil},
		"a guarantee that is none":                {"guarantee: ExactlyOnce", testCluster(), []string{"guarantee-unknown"}},
		"no buffer holds no request":              {"batching: {bufferMemory: '0'}", testCluster(), []string{"batch-above-buffer", "size-buffer-memory", "request-above-buffer"}},
		"a partitioner twice, of a class": {"{partitioner: Default, properties: {partitioner.class: com.example.P}}", testCluster(),
			[]string{"partitioner-twice", "property-class"}},
		"all that is wrong is said at once": {"{delivery: {acks: '0', retries: 0, maxInFlightRequests: 9}, topics: {}}", testCluster(),
			[]string{"acks-below-guarantee", "in-flight-above-five", "retries-zero", "topics-empty"}},
	} {
		t.Run(reason, func(t *testing.T) {
			var got []string
			for _, f := range Validate(Resolve(profileYAML(t, tc.spec), tc.cluster, "shop")) {
				got = append(got, f.Rule)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRuleTableIsWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range Rules() {
		switch {
		case seen[r.ID]:
			t.Errorf("rule %s is there twice", r.ID)
		case r.ID == "" || r.Sentence == "" || r.Source == "" || len(r.Fields) == 0 || r.check == nil || r.Severity == "":
			t.Errorf("rule %q lacks something: %+v", r.ID, r)
		case r.CEL != "" && (r.Severity != Error || r.Client != ""):
			t.Errorf("rule %s has CEL, which refuses, and is not an error of Mooring's own", r.ID)
		case strings.Contains(r.CEL, "''"):
			t.Errorf("rule %s has '' in its CEL, which gofmt turns into a quotation mark above the Go type", r.ID)
		}
		seen[r.ID] = true
	}
}

// fourKeys are the keys of idempotence: they are written together or not at all. Over an application's own acks=1,
// enable.idempotence=true alone would keep the Java client from starting.
var fourKeys = []string{propAcks, propIdempotence, propRetries, propInFlight}

// What Validate finds no error in, every client starts with: the promise of the package.
func TestWhatIsValidStartsEveryClient(t *testing.T) {
	maker := newSpecMaker(2)
	valid := 0
	for range 8000 {
		profile, err := profileOf(t, maker.spec())
		if err != nil {
			continue
		}
		c := Resolve(profile, testCluster(), "shop")
		if HasErrors(Validate(c)) {
			continue
		}
		valid++
		for _, client := range []Client{ClientJava, ClientJava3, ClientLibrdkafka, ClientSarama, ClientFranzGo, ClientKafkaJS} {
			settings := Settings(c, client)
			verdict := Judge(client, settings)
			if verdict.Outcome != Accepted {
				t.Fatalf("%s: %s\nsettings %v\nspec %+v", client, verdict.Findings, settings, profile.Spec)
			}
		}
		for _, key := range fourKeys {
			if _, ok := c.Get(key); !ok {
				t.Fatalf("%s is not written; the four keys of idempotence go together", key)
			}
		}
	}
	if valid < 200 {
		t.Errorf("only %d valid specs were made: the test says too little", valid)
	}
	t.Logf("%d valid specs", valid)
}

// No profile, however wrong, makes the package panic, and what it says is the same each time.
func TestNothingPanics(t *testing.T) {
	maker := newSpecMaker(3)
	for range 200 {
		profile, err := profileOf(t, maker.spec())
		if err != nil {
			continue
		}
		first := everything(t, profile)
		if diff := cmp.Diff(first, everything(t, profile)); diff != "" {
			t.Fatalf("two runs differ:\n%s", diff)
		}
	}
}

func everything(t testing.TB, p *v1alpha1.ProducerProfile) string {
	t.Helper()
	c := Resolve(p, testCluster(), "shop")
	text := fmt.Sprint(Validate(c), c.Hash())
	for _, client := range Clients() {
		for _, config := range []Config{c, c.ThroughShim(ShimKafkaAddress), c.WithTransactionalID("id")} {
			r, err := Render(config, client)
			if err != nil {
				t.Fatal(err)
			}
			text += fmt.Sprint(r)
		}
	}
	carried, err := json.Marshal(c.Contract(PodFacts{TransactionalID: "id"}))
	if err != nil {
		t.Fatal(err)
	}
	return text + string(carried)
}

func FuzzJudge(f *testing.F) {
	f.Add("java", "acks", "1", "enable.idempotence", "true")
	f.Add("librdkafka", "linger.ms", "0x10", "acks", "all")
	f.Add("sarama", "Version", "2.1.0", "Producer.Timeout", "1s")
	f.Add("franz-go", "ProducerLinger", "1h", "RequiredAcks", "all")
	f.Fuzz(func(t *testing.T, client, name, value, name2, value2 string) {
		settings := map[string]string{name: value, name2: value2}
		first := Judge(Client(client), settings)
		if diff := cmp.Diff(first, Judge(Client(client), settings)); diff != "" {
			t.Errorf("two runs differ:\n%s", diff)
		}
	})
}

func FuzzNearest(f *testing.F) {
	f.Add("enable.idempotance")
	known := []string{"acks", "batch.size", "enable.idempotence"}
	f.Fuzz(func(t *testing.T, name string) {
		if got := nearest(name, known); got != "" && !strings.Contains("acks batch.size enable.idempotence", got) {
			t.Errorf("%q is none of the known names", got)
		}
	})
}

func TestNearest(t *testing.T) {
	for name, tc := range map[string]struct{ want, reason string }{
		"enable.idempotance":     {"enable.idempotence", "one letter wrong"},
		"enableIdempotence":      {"enable.idempotence", "camel case"},
		"LINGER_MS":              {"linger.ms", "an environment variable"},
		"batch-size":             {"batch.size", "dashes"},
		"bacth.size":             {"batch.size", "two letters swapped"},
		"zzzzzzzz":               {"", "nothing is near"},
		"":                       {"", "nothing at all"},
		strings.Repeat("a", 999): {"", "too long to be a name"},
	} {
		if got := nearest(name, []string{"acks", "batch.size", "enable.idempotence", "linger.ms"}); got != tc.want {
			t.Errorf("%s: nearest(%.20q) = %q, want %q", tc.reason, name, got, tc.want)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	maker := specMaker{rand.New(rand.NewPCG(9, 9))}
	profile, err := profileOf(b, maker.spec())
	if err != nil {
		b.Skip("the generator made a spec that does not decode: ", err)
	}
	for b.Loop() {
		Validate(Resolve(profile, testCluster(), "shop"))
	}
}
