// Package admission_test judges manifests as the API server does at admission: defaults, schema and CEL of the generated CRDs.
package admission_test

import (
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/config/crd"
)

// kind is a CRD with what the API server does to its objects: defaults, the schema, list types and CEL.
type kind struct {
	definition apiextensionsv1.CustomResourceDefinition
	schema     *structuralschema.Structural
	types      validation.SchemaValidator
	rules      *cel.Validator
}

func load(t testing.TB, plural string) *kind {
	t.Helper()
	text, err := crd.Bases.ReadFile(path.Join("bases", "kafka.mooring.dev_"+plural+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	k := new(kind)
	if err := yaml.UnmarshalStrict(text, &k.definition); err != nil {
		t.Fatal(err)
	}
	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(k.definition.Spec.Versions[0].Schema.OpenAPIV3Schema, &props, nil); err != nil {
		t.Fatal(err)
	}
	if k.schema, err = structuralschema.NewStructural(&props); err != nil {
		t.Fatal(err)
	}
	if k.types, _, err = validation.NewSchemaValidator(&props); err != nil {
		t.Fatal(err)
	}
	k.rules = cel.NewValidator(k.schema, true, celconfig.PerCallLimit)
	return k
}

// decode reads a manifest as the API server does: whole numbers are int64, others float64.
func decode(t testing.TB, manifest string) map[string]any {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := utiljson.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// admit returns the object with its defaults, and what is wrong with it. old is nil for a create.
func (k *kind) admit(t testing.TB, object, old map[string]any) (map[string]any, field.ErrorList) {
	t.Helper()
	if unknown := pruning.PruneWithOptions(object, k.schema, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}); len(unknown) > 0 {
		t.Fatalf("the test's own manifest has unknown fields: %v", unknown)
	}
	for _, o := range []map[string]any{object, old} {
		if o == nil {
			continue
		}
		defaulting.PruneNonNullableNullsWithoutDefaults(o, k.schema)
		defaulting.Default(o, k.schema)
	}
	errs := validation.ValidateCustomResource(nil, object, k.types)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.schema, object)...)
	if len(errs) > 0 {
		return object, errs
	}
	var before any
	if old != nil {
		before = old
	}
	errs, _ = k.rules.Validate(t.Context(), nil, k.schema, object, before, celconfig.RuntimeCELCostBudget)
	return object, errs
}

// refusal is a manifest that has to be refused at a field, in words that help.
type refusal struct {
	reason string
	spec   string
	// was is the spec before; "-" for a create.
	was string
	// name of the object; orders by default.
	name  string
	field string
	says  string
}

func (k *kind) object(t testing.TB, name, spec string) map[string]any {
	t.Helper()
	if name == "" {
		name = "orders"
	}
	o := decode(t, spec)
	return map[string]any{
		"apiVersion": "kafka.mooring.dev/v1alpha1", "kind": k.definition.Spec.Names.Kind,
		"metadata": map[string]any{"name": name, "namespace": "shop"}, "spec": o,
	}
}

func (k *kind) expectRefused(t *testing.T, tt refusal) {
	t.Helper()
	var old map[string]any
	if tt.was != "" {
		old = k.object(t, tt.name, tt.was)
		if _, errs := k.admit(t, k.object(t, tt.name, tt.was), nil); len(errs) > 0 {
			t.Fatalf("what was there before is refused itself: %v", errs)
		}
	}
	_, errs := k.admit(t, k.object(t, tt.name, tt.spec), old)
	if len(errs) == 0 {
		t.Fatalf("%s, and it was taken", tt.reason)
	}
	for _, err := range errs {
		if err.Field == tt.field && strings.Contains(err.Error(), tt.says) {
			return
		}
	}
	t.Errorf("%s; want %q at %s, got:\n%v", tt.reason, tt.says, tt.field, errs.ToAggregate())
}

// The API server itself checks these when a CRD is applied: that the rules compile, and that their worst case is cheap enough.
func TestTheAPIServerTakesTheCRDs(t *testing.T) {
	for _, plural := range []string{"kafkatopics", "kafkaclusters", "producerprofiles"} {
		t.Run(plural, func(t *testing.T) {
			k := load(t, plural)
			apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(&k.definition)
			var internal apiextensions.CustomResourceDefinition
			if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&k.definition, &internal, nil); err != nil {
				t.Fatal(err)
			}
			internal.Status.StoredVersions = []string{"v1alpha1"}
			for _, err := range crdvalidation.ValidateCustomResourceDefinition(t.Context(), &internal) {
				t.Error(err)
			}
			if k.definition.Spec.Versions[0].Subresources == nil || k.definition.Spec.Versions[0].Subresources.Status == nil {
				t.Error("there is no status subresource: a user could write status, and generation would move with it")
			}
		})
	}
}

func TestKafkaTopicDefaults(t *testing.T) {
	k := load(t, "kafkatopics")
	want := decode(t, `
clusterRef: {name: default}
configOwnership: Merge
adoption: Review
deletionPolicy: Retain
mode: Manage
onMissing: Alert
reassignment: {bytesPerSecond: 50Mi, partitionsAtOnce: 10}
`)
	for name, object := range map[string]map[string]any{
		"an empty spec":      k.object(t, "", "{}"),
		"no spec":            {"apiVersion": "kafka.mooring.dev/v1alpha1", "kind": "KafkaTopic", "metadata": map[string]any{"name": "orders"}},
		"an empty reference": k.object(t, "", "{clusterRef: {}, reassignment: {}}"),
		// kubectl's client-side apply turns a null into a removal on an update, and sends it on a create.
		"nulls": k.object(t, "", "{partitions: null, config: {retention.ms: null}, clusterRef: null}"),
	} {
		t.Run(name, func(t *testing.T) {
			got, errs := k.admit(t, object, nil)
			if len(errs) > 0 {
				t.Fatal(errs.ToAggregate())
			}
			spec := got["spec"].(map[string]any)
			if config, ok := spec["config"].(map[string]any); ok && len(config) == 0 {
				delete(spec, "config")
			}
			if diff := cmp.Diff(want, spec); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What bad input gets: refused at admission, with the field and the mend.
func TestKafkaTopicRefuses(t *testing.T) {
	k := load(t, "kafkatopics")
	long := strings.Repeat("a", 250)
	tests := map[string]refusal{
		"no partitions":            {reason: "a topic has at least one", spec: "{partitions: 0}", field: "spec.partitions", says: "should be greater than or equal to 1"},
		"negative partitions":      {reason: "-1 is the protocol's, and never ours", spec: "{partitions: -1}", field: "spec.partitions", says: "should be greater than or equal to 1"},
		"a fraction of partitions": {reason: "it is a number of things", spec: "{partitions: 1.5}", field: "spec.partitions", says: "must be of type int32"},
		"partitions shrink": {reason: "Kafka cannot remove partitions", was: "{partitions: 6}", spec: "{partitions: 5}",
			field: "spec.partitions", says: "keep the number, or make a new topic"},
		"replication factor 0":                    {reason: "there is no topic without replicas", spec: "{replicationFactor: 0}", field: "spec.replicationFactor", says: "should be greater than or equal to 1"},
		"replication factor above the protocol's": {reason: "it is an int16 on the wire", spec: "{replicationFactor: 40000}", field: "spec.replicationFactor", says: "should be less than or equal to 1000"},
		"min ISR 0": {reason: "Kafka takes no less than 1", spec: "{minInsyncReplicas: 0}", field: "spec.minInsyncReplicas", says: "should be greater than or equal to 1"},
		"min ISR above the replication factor": {reason: "no producer with acks=all could write", spec: "{minInsyncReplicas: 3, replicationFactor: 2}",
			field: "spec.minInsyncReplicas", says: "lower minInsyncReplicas or raise replicationFactor"},
		"min ISR in config": {reason: "it has a field of its own, with rules", spec: "{config: {min.insync.replicas: 2}}",
			field: "spec.config", says: "set spec.minInsyncReplicas instead"},
		"min ISR in config, as a string": {reason: "it has a field of its own, with rules", spec: `{config: {min.insync.replicas: "2"}}`,
			field: "spec.config", says: "set spec.minInsyncReplicas instead"},
		"a space in the name":                {reason: "Kafka does not allow it", spec: "{topicName: 'a b'}", field: "spec.topicName", says: "letters, digits, '.', '_' and '-' only"},
		"a slash in the name":                {reason: "Kafka does not allow it", spec: "{topicName: a/b}", field: "spec.topicName", says: "letters, digits, '.', '_' and '-' only"},
		"an accent in the name":              {reason: "Kafka does not allow it", spec: "{topicName: é}", field: "spec.topicName", says: "letters, digits, '.', '_' and '-' only"},
		"a line break in the name":           {reason: "$ must not match before it", spec: `{topicName: "a\n"}`, field: "spec.topicName", says: "letters, digits, '.', '_' and '-' only"},
		"a name that is a dot":               {reason: "Kafka does not allow it", spec: "{topicName: .}", field: "spec.topicName", says: "must not be '.' or '..'"},
		"a name of two dots":                 {reason: "Kafka does not allow it", spec: "{topicName: ..}", field: "spec.topicName", says: "must not be '.' or '..'"},
		"an empty name":                      {reason: "absent means metadata.name, and empty means nothing", spec: "{topicName: ''}", field: "spec.topicName", says: "should be at least 1 chars long"},
		"a name of 250 characters":           {reason: "Kafka takes 249", spec: "{topicName: " + long + "}", field: "spec.topicName", says: "Too long"},
		"an object's name of 250 characters": {reason: "Kafka takes 249", spec: "{}", name: long, field: "spec.topicName", says: "set spec.topicName"},
		"an internal topic":                  {reason: "managing it can stop consumer groups", spec: "{topicName: __consumer_offsets}", field: "spec.topicName", says: "Kafka's own"},
		"another topic name": {reason: "a topic has no second name", was: "{topicName: a}", spec: "{topicName: b}",
			field: "spec.topicName", says: "topicName cannot be changed: a topic has no second name; make a new KafkaTopic"},
		"a topic name where there was none": {reason: "it was metadata.name", was: "{}", spec: "{topicName: b}", field: "spec.topicName", says: "topicName cannot be changed"},
		"no topic name where there was one": {reason: "it would become metadata.name", was: "{topicName: a}", spec: "{}", field: "spec.topicName", says: "topicName cannot be changed"},
		"another cluster": {reason: "a topic does not move", was: "{clusterRef: {name: a}}", spec: "{clusterRef: {name: b}}",
			field: "spec.clusterRef", says: "make a KafkaTopic for the other cluster"},
		"the default cluster instead of one": {reason: "a topic does not move", was: "{clusterRef: {name: a}}", spec: "{}", field: "spec.clusterRef", says: "cannot be changed"},
		"an empty cluster":                   {reason: "it is no name", spec: "{clusterRef: {name: ''}}", field: "spec.clusterRef.name", says: "should be at least 1 chars long"},
		"1e+06 as a string":                  {reason: "Kafka parses digits", spec: `{config: {retention.ms: "1e+06"}}`, field: "spec.config", says: "1e+06 is 1000000; quote the number"},
		"1E6 as a string":                    {reason: "Kafka parses digits", spec: `{config: {retention.ms: "1E6"}}`, field: "spec.config", says: "1e+06 is 1000000"},
		"1.5e+3 as a string":                 {reason: "Kafka parses digits", spec: `{config: {retention.ms: "-1.5e+3"}}`, field: "spec.config", says: "1e+06 is 1000000"},
		"a fraction in config": {reason: "no integer key takes one, and a string says it exactly", spec: "{config: {min.cleanable.dirty.ratio: 0.5}}",
			field: "spec.config.min.cleanable.dirty.ratio", says: "must be of type"},
		"a truth value in config": {reason: "Kafka's values are text", spec: "{config: {preallocate: true}}", field: "spec.config.preallocate", says: "must be of type"},
		"a list in config":        {reason: "Kafka's values are text", spec: "{config: {cleanup.policy: [compact]}}", field: "spec.config.cleanup.policy", says: "must be of type"},
		"a bad key in config":     {reason: "Kafka's keys have no spaces", spec: "{config: {'a b': x}}", field: "spec.config", says: "config keys hold letters"},
		"an empty key in config":  {reason: "there is no such key", spec: "{config: {'': x}}", field: "spec.config", says: "config keys hold letters"},
		"an unknown policy":       {reason: "a typo must not become Retain, or Delete", spec: "{deletionPolicy: Remove}", field: "spec.deletionPolicy", says: `supported values: "Retain", "DeleteIfEmpty", "Delete"`},
		"an unknown mode":         {reason: "a typo must not write", spec: "{mode: observe}", field: "spec.mode", says: "supported values"},
		"an unknown adoption":     {reason: "a typo must not adopt", spec: "{adoption: adopt}", field: "spec.adoption", says: "supported values"},
		"an unknown ownership":    {reason: "a typo must not reset", spec: "{configOwnership: exact}", field: "spec.configOwnership", says: "supported values"},
		"an unknown onMissing":    {reason: "a typo must not recreate", spec: "{onMissing: Create}", field: "spec.onMissing", says: "supported values"},
		"an unknown danger":       {reason: "a typo acknowledges nothing", spec: "{acknowledge: [Everything]}", field: "spec.acknowledge[0]", says: "supported values"},
		"a danger twice":          {reason: "a set", spec: "{acknowledge: [RetentionCut, RetentionCut]}", field: "spec.acknowledge[1]", says: "Duplicate value"},
		"no partition at once":    {reason: "nothing would ever move", spec: "{reassignment: {partitionsAtOnce: 0}}", field: "spec.reassignment.partitionsAtOnce", says: "should be greater than or equal to 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { k.expectRefused(t, tt) })
	}
}

func TestKafkaTopicTakes(t *testing.T) {
	k := load(t, "kafkatopics")
	tests := map[string]struct{ was, spec, name string }{
		"an empty spec": {spec: "{}"},
		"everything": {spec: `
clusterRef: {name: prod}
topicName: Orders_v1.eu-west
partitions: 12
replicationFactor: 3
minInsyncReplicas: 2
config: {retention.ms: 2592000000, cleanup.policy: "compact,delete", min.cleanable.dirty.ratio: "0.5", empty: ""}
configOwnership: Exact
unmanagedConfig: [segment.ms]
adoption: Adopt
deletionPolicy: DeleteIfEmpty
mode: Observe
onMissing: Recreate
reassignment: {bytesPerSecond: 10Mi, partitionsAtOnce: 1}
acknowledge: [RetentionCut, CompactionRemoved]
acceptTopicID: AAECAwQFBgcICQoLDA0ODw
`},
		"a name of 249 characters":                   {spec: "{topicName: " + strings.Repeat("a", 249) + "}"},
		"a long object with a topic name":            {spec: "{topicName: a}", name: strings.Repeat("a", 253)},
		"a name with one underscore":                 {spec: "{topicName: _schemas}"},
		"a name of three dots":                       {spec: "{topicName: ...}"},
		"partitions grow":                            {was: "{partitions: 6}", spec: "{partitions: 7}"},
		"partitions stay":                            {was: "{partitions: 6}", spec: "{partitions: 6, replicationFactor: 3}"},
		"partitions are left to the cluster":         {was: "{partitions: 6}", spec: "{}"},
		"partitions are named":                       {was: "{}", spec: "{partitions: 1}"},
		"the replication factor goes down":           {was: "{replicationFactor: 3}", spec: "{replicationFactor: 2}"},
		"min ISR as high as the replication factor":  {spec: "{replicationFactor: 2, minInsyncReplicas: 2}"},
		"min ISR without a replication factor":       {spec: "{minInsyncReplicas: 3}"},
		"the topic name that it had anyway":          {was: "{}", spec: "{topicName: orders}"},
		"the default cluster, said":                  {was: "{}", spec: "{clusterRef: {name: default}}"},
		"an integer above 32 bits":                   {spec: "{config: {retention.ms: 31536000000}}"},
		"a negative integer":                         {spec: "{config: {retention.ms: -1}}"},
		"a string that only looks like an exponent":  {spec: "{config: {a: 1e, b: e5, c: 12ee3, d: '1e-5'}}"},
		"another config, ownership, mode and policy": {was: "{config: {a: 1}}", spec: "{config: {b: 2}, configOwnership: Exact, mode: Observe, deletionPolicy: Delete}"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var old map[string]any
			if tt.was != "" {
				old = k.object(t, tt.name, tt.was)
			}
			if _, errs := k.admit(t, k.object(t, tt.name, tt.spec), old); len(errs) > 0 {
				t.Error(errs.ToAggregate())
			}
		})
	}
}

// 1e+06 without quotes is a float to some YAML tools and an integer to others. Whatever the API server makes of it, it
// becomes 1000000 or is refused with a word about it; it never reaches Kafka as 1e+06.
func TestAnExponentWithoutQuotes(t *testing.T) {
	k := load(t, "kafkatopics")
	object, errs := k.admit(t, k.object(t, "", "{config: {retention.ms: 1e+06}}"), nil)
	if len(errs) > 0 {
		if errs[0].Field != "spec.config.retention.ms" && errs[0].Field != "spec.config" {
			t.Errorf("%v", errs.ToAggregate())
		}
		return
	}
	if got := object["spec"].(map[string]any)["config"].(map[string]any)["retention.ms"]; got != int64(1_000_000) && got != float64(1_000_000) {
		t.Errorf("%T %v", got, got)
	}
}

func TestKafkaClusterDefaults(t *testing.T) {
	k := load(t, "kafkaclusters")
	got, errs := k.admit(t, k.object(t, "", "{bootstrapServers: ['kafka:9092'], tls: {caBundleRef: {name: ca}}}"), nil)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	want := decode(t, "{bootstrapServers: ['kafka:9092'], drift: {interval: 30s}, tls: {caBundleRef: {name: ca, key: ca.crt}}}")
	if diff := cmp.Diff(want, got["spec"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestKafkaClusterRefuses(t *testing.T) {
	k := load(t, "kafkaclusters")
	servers := func(list string) string { return "{bootstrapServers: [" + list + "]}" }
	with := func(rest string) string { return "{bootstrapServers: ['a:1'], " + rest + "}" }
	const hostPort = "each entry must be host:port"
	tests := map[string]refusal{
		"no servers":                         {reason: "there is nobody to dial", spec: "{}", field: "spec.bootstrapServers", says: "Required value"},
		"an empty list":                      {reason: "there is nobody to dial", spec: servers(""), field: "spec.bootstrapServers", says: "should have at least 1 items"},
		"no port":                            {reason: "Kafka has no default port", spec: servers("kafka"), field: "spec.bootstrapServers", says: hostPort},
		"port 0":                             {reason: "nobody listens there", spec: servers("'kafka:0'"), field: "spec.bootstrapServers", says: hostPort},
		"a scheme":                           {reason: "it is no URL", spec: servers("'kafka://a:9092'"), field: "spec.bootstrapServers", says: "without a scheme"},
		"two in one string":                  {reason: "that is how the Java client has it, and a list is a list", spec: servers("'a:1,b:2'"), field: "spec.bootstrapServers", says: hostPort},
		"IPv6 without brackets":              {reason: "where the port begins is anybody's guess", spec: servers("'fe80::1:9092'"), field: "spec.bootstrapServers", says: "an IPv6 address in brackets"},
		"a space":                            {reason: "it is no part of a host", spec: servers("'a b:1'"), field: "spec.bootstrapServers", says: hostPort},
		"a server twice":                     {reason: "a set", spec: servers("'a:1', 'a:1'"), field: "spec.bootstrapServers[1]", says: "Duplicate value"},
		"an interval of nothing":             {reason: "it would look all the time", spec: with("drift: {interval: 0s}"), field: "spec.drift.interval", says: "at least 1s"},
		"an interval below zero":             {reason: "as above", spec: with("drift: {interval: -5m}"), field: "spec.drift.interval", says: "at least 1s"},
		"an unknown mechanism":               {reason: "a typo must not become no authentication", spec: with("sasl: {mechanism: SCRAM, credentialsRef: {name: s}}"), field: "spec.sasl.mechanism", says: `"SCRAM-SHA-512"`},
		"SASL without a Secret":              {reason: "there is nothing to authenticate with", spec: with("sasl: {mechanism: PLAIN}"), field: "spec.sasl.credentialsRef", says: "Required value"},
		"a schema registry without a scheme": {reason: "it is a host", spec: with("schemaRegistry: {url: 'registry:8081'}"), field: "spec.schemaRegistry.url", says: "must be like https://registry:8081"},
		"a schema registry with a password":  {reason: "many may read it", spec: with("schemaRegistry: {url: 'https://u:p@registry:8081'}"), field: "spec.schemaRegistry.url", says: "credentials"},
		"a Secret without a name":            {reason: "it names nothing", spec: with("tls: {clientCertificateRef: {name: ''}}"), field: "spec.tls.clientCertificateRef.name", says: "at least 1 chars"},
		"a policy whose bounds cross": {reason: "no topic could ever keep it", spec: with("topicPolicies: [{partitions: {min: 5, max: 4}}]"),
			field: "spec.topicPolicies[0].partitions", says: "min must not be above max"},
		"a bound that is no number": {reason: "it bounds nothing", spec: with("topicPolicies: [{config: {bounds: {retention.ms: {min: 7d}}}}]"),
			field: "spec.topicPolicies[0].config.bounds.retention.ms.min", says: "should match"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { k.expectRefused(t, tt) })
	}
}

func TestKafkaClusterTakes(t *testing.T) {
	k := load(t, "kafkaclusters")
	tests := map[string]string{
		"one server":           "{bootstrapServers: ['localhost:9092']}",
		"all kinds of servers": "{bootstrapServers: ['kafka-0.kafka.svc.cluster.local:9092', '10.0.0.1:65535', '[::1]:9092', '[2001:db8::1]:1']}",
		"everything": `
bootstrapServers: ['a:1', 'b:2']
tls: {caBundleRef: {name: ca, key: bundle.pem}, clientCertificateRef: {name: me}, serverName: kafka}
sasl: {mechanism: SCRAM-SHA-512, credentialsRef: {name: me}}
allowedNamespaces: {selector: {matchLabels: {kafka: "yes"}}}
drift: {interval: 1m30s}
topicPolicies:
- {namespaces: {}, namePattern: "{{ .Namespace }}\\..*", partitions: {min: 1, max: 1}, minInsyncReplicas: {min: 2}, config: {allowed: ["retention.*"], bounds: {retention.ms: {min: "1", max: "-1"}}}, quota: {topics: 0, partitions: 100}}
producerPolicy: {minimumGuarantee: Idempotent}
schemaRegistry: {url: 'https://registry.kafka:8081/apis/ccompat/v7', caBundleRef: {name: ca}}
acceptClusterID: abc
`,
	}
	for name, spec := range tests {
		t.Run(name, func(t *testing.T) {
			if _, errs := k.admit(t, k.object(t, "", spec), nil); len(errs) > 0 {
				t.Error(errs.ToAggregate())
			}
		})
	}
}
