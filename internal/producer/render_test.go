package producer

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/contract"
)

var update = flag.Bool("update", false, "write the goldens anew")

// sample reads testdata/NAME.yaml: a ProducerProfile and the KafkaCluster that it is resolved against.
func sample(t testing.TB, name string) Config {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var profile v1alpha1.ProducerProfile
	var cluster v1alpha1.KafkaCluster
	first, second, _ := strings.Cut(string(data), "\n---\n")
	if err := yaml.UnmarshalStrict([]byte(first), &profile); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict([]byte(second), &cluster); err != nil {
		t.Fatal(err)
	}
	return Resolve(&profile, &cluster, profile.Namespace)
}

// print shows a rendering as kubectl mooring render does.
func (r Rendering) print() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n", r.Client)
	for _, f := range r.Files {
		fmt.Fprintf(&b, "--- %s\n%s", f.Name, f.Content)
		if !strings.HasSuffix(f.Content, "\n") {
			b.WriteString("\n")
		}
	}
	for _, e := range r.Env {
		switch {
		case e.SecretKey != "":
			fmt.Fprintf(&b, "env %s from the key %s of the Secret\n", e.Name, e.SecretKey)
		case e.IfUnset:
			fmt.Fprintf(&b, "env %s=%s unless set\n", e.Name, e.Value)
		default:
			fmt.Fprintf(&b, "env %s=%s\n", e.Name, e.Value)
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	return b.String() + "\n"
}

func TestRenderGoldens(t *testing.T) {
	for _, name := range []string{"plain", "everything"} {
		t.Run(name, func(t *testing.T) {
			c := sample(t, name)
			if findings := Validate(c); HasErrors(findings) {
				t.Fatalf("the sample is not valid: %v", findings)
			}
			var text strings.Builder
			for _, client := range Clients() {
				r, err := Render(c, client)
				if err != nil {
					t.Fatal(err)
				}
				text.WriteString(r.print())
			}
			golden(t, name+".golden", text.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; look at it, and write it anew with -update (-golden +got):\n%s", path, diff)
	}
}

func TestRenderRefusesAnUnknownClient(t *testing.T) {
	_, err := Render(sample(t, "plain"), "cobol")
	if err == nil || !strings.Contains(err.Error(), `client "cobol": there is no such client; choose one of java, librdkafka`) {
		t.Errorf("got %v", err)
	}
}

// No rendering holds a secret: what is secret is named, and read where the client runs.
func TestRenderHoldsNoSecret(t *testing.T) {
	c := sample(t, "everything")
	for _, client := range Clients() {
		r, err := Render(c, client)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.Env {
			if e.SecretKey != "" && e.Value != "" {
				t.Errorf("%s: %s has a value and is secret", client, e.Name)
			}
		}
	}
}

func TestThroughTheShim(t *testing.T) {
	c := sample(t, "everything").ThroughShim(ShimKafkaAddress)
	want := map[string]string{propBootstrap: "127.0.0.1:9092", propSecurityProtocol: "PLAINTEXT"}
	for name, text := range want {
		if got, _ := c.Get(name); got != text {
			t.Errorf("%s is %q, want %q", name, got, text)
		}
	}
	if _, set := c.Get(propSASLMechanism); set {
		t.Error("the application is told to authenticate to the shim, which asks for nothing")
	}
}

func TestContractIsOneThatTheShimTakes(t *testing.T) {
	for _, name := range []string{"plain", "everything"} {
		c := sample(t, name)
		data, err := contract.Encode(c.Contract(PodFacts{ClusterID: "id", SelectedTopics: []string{"b", "a", "b"}, TransactionalID: "shop-0"}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := contract.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if got.Hash != c.Hash() || string(got.Guarantee) != string(c.Guarantee) {
			t.Errorf("%s: the contract says %s %s", name, got.Guarantee, got.Hash)
		}
	}
}

// The schema registry is for the HTTP listener, and for whoever has credentials with them; another one is another policy.
func TestContractNamesTheSchemaRegistry(t *testing.T) {
	profile := &v1alpha1.ProducerProfile{Spec: v1alpha1.ProducerProfileSpec{Shim: &v1alpha1.ProducerShim{Listeners: v1alpha1.ShimHTTP}}}
	cluster := &v1alpha1.KafkaCluster{Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: []string{"kafka:9092"}}}
	profile.Name, cluster.Name = "orders", "default"
	facts := PodFacts{RegistryCACertificates: "pem"}
	without := Resolve(profile, cluster, "shop")
	if got := without.Contract(facts).SchemaRegistry; got != nil {
		t.Errorf("%+v, and the cluster has none", got)
	}
	cluster.Spec.SchemaRegistry = &v1alpha1.SchemaRegistry{URL: "https://registry:8081"}
	with := Resolve(profile, cluster, "shop")
	if got := with.Contract(facts).SchemaRegistry; got == nil || *got != (contract.SchemaRegistry{URL: "https://registry:8081", CACertificates: "pem"}) {
		t.Errorf("%+v", got)
	}
	if with.Hash() == without.Hash() {
		t.Error("another registry has the same hash")
	}
	profile.Spec.Credentials = &v1alpha1.ProducerCredentials{Mechanism: v1alpha1.SASLMechanism("PLAIN"), SecretRef: v1alpha1.SecretReference{Name: "s"}}
	if got := Resolve(profile, cluster, "shop").Contract(facts).SchemaRegistry; got == nil || got.CredentialsDir != DirCredentials {
		t.Errorf("%+v, and the profile has credentials", got)
	}
	profile.Spec.Shim.Listeners = v1alpha1.ShimKafka
	if got := Resolve(profile, cluster, "shop").Contract(facts).SchemaRegistry; got != nil {
		t.Errorf("%+v, for the Kafka listener", got)
	}
}

// The files of the mounted Secret are the keys that the API names.
func TestSecretKeysAreTheContracts(t *testing.T) {
	pairs := map[string]string{
		contract.FileUsername: v1alpha1.SecretKeyUsername, contract.FilePassword: v1alpha1.SecretKeyPassword,
		contract.FileToken: v1alpha1.SecretKeyToken, contract.FileClientID: v1alpha1.SecretKeyClientID,
		contract.FileClientSecret: v1alpha1.SecretKeyClientSecret, contract.FileTokenURL: v1alpha1.SecretKeyTokenURL,
		contract.FileScope: v1alpha1.SecretKeyScope, contract.FileAccessKeyID: v1alpha1.SecretKeyAccessKeyID,
		contract.FileSecretAccessKey: v1alpha1.SecretKeySecretAccessKey, contract.FileSessionToken: v1alpha1.SecretKeySessionToken,
		contract.FileRegistryUsername: v1alpha1.SecretKeyRegistryUsername, contract.FileRegistryPassword: v1alpha1.SecretKeyRegistryPassword,
	}
	for file, key := range pairs {
		if file != key {
			t.Errorf("the contract's file %s is the API's key %s", file, key)
		}
	}
}

func TestResolveSaysWhereValuesComeFrom(t *testing.T) {
	c := sample(t, "everything")
	want := map[string]Value{
		propAcks:            {"all", OriginPreset, "spec.delivery.acks"},
		propIdempotence:     {"true", OriginPreset, "spec.guarantee"},
		propInFlight:        {"4", OriginProfile, "spec.delivery.maxInFlightRequests"},
		propDeliveryTimeout: {"210000", OriginPreset, "spec.delivery.deliveryTimeout"},
		propRequestTimeout:  {"200000", OriginProfile, "spec.delivery.requestTimeout"},
		propLinger:          {"10000", OriginProfile, "spec.batching.linger"},
		propBatchSize:       {"65536", OriginProfile, "spec.batching.batchSize"},
		propClientID:        {"checkout", OriginProfile, "spec.quota.clientID"},
		propMaxBlock:        {"30000", OriginProfile, "spec.properties[max.block.ms]"},
		propBootstrap:       {"kafka-0.kafka:9093,kafka-1.kafka:9093", OriginCluster, "KafkaCluster spec.bootstrapServers"},
		propSASLMechanism:   {"SCRAM-SHA-512", OriginProfile, "spec.credentials.mechanism"},
	}
	for name, value := range want {
		if diff := cmp.Diff(value, c.Values[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestHashIsOfWhatConfigures(t *testing.T) {
	preset := Resolve(profileYAML(t, "{}"), testCluster(), "shop")
	same := Resolve(profileYAML(t, "delivery: {acks: all}"), testCluster(), "other")
	other := Resolve(profileYAML(t, "delivery: {maxInFlightRequests: 1}"), testCluster(), "shop")
	if preset.Hash() != same.Hash() {
		t.Error("the same values from another place have another hash")
	}
	if preset.Hash() == other.Hash() {
		t.Error("another value has the same hash")
	}
}

func TestFillID(t *testing.T) {
	values := map[string]string{"namespace": "shop", "workload": "checkout", "ordinal": "3"}
	if got := FillID("{namespace}-{workload}-{ordinal}-{pod}", values); got != "shop-checkout-3-{pod}" {
		t.Errorf("got %s", got)
	}
}

func TestFactsOutsideTheProfile(t *testing.T) {
	c := Resolve(profileYAML(t, "{batching: {maxRequestSize: 2Mi}, shim: {listeners: Kafka, drain: 125s}}"), testCluster(), "shop")
	findings := CheckTopics(c, []TopicLimits{{"small", 1048588}, {"large", 4 << 20}, {"unknown", 0}})
	if len(findings) != 1 || !strings.Contains(findings[0].Message, "topic small takes batches of 1048588") {
		t.Errorf("topics: %v", findings)
	}
	if findings := CheckGrace(c, 30); len(findings) != 1 || !strings.Contains(findings[0].Message, "raise the grace period to 125 s") {
		t.Errorf("grace: %v", findings)
	}
	if findings := CheckGrace(c, 125); findings != nil {
		t.Errorf("grace that is long enough: %v", findings)
	}
}
