package producer

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// The API server takes the CRD: its CEL compiles and is cheap enough.
func TestTheAPIServerTakesTheCRD(t *testing.T) {
	var internal apiextensions.CustomResourceDefinition
	crd := profileCRD(t)
	apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(crd)
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(crd, &internal, nil); err != nil {
		t.Fatal(err)
	}
	internal.Status.StoredVersions = []string{"v1alpha1"}
	for _, err := range crdvalidation.ValidateCustomResourceDefinition(t.Context(), &internal) {
		t.Error(err)
	}
}

// apiServer judges specs as the API server does.
type apiServer struct {
	schema *structuralschema.Structural
	types  validation.SchemaValidator
	cel    *cel.Validator
}

func newAPIServer(t testing.TB) apiServer {
	t.Helper()
	schema := specSchema(t)
	var internal apiextensions.JSONSchemaProps
	spec := profileCRD(t).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&spec, &internal, nil); err != nil {
		t.Fatal(err)
	}
	types, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		t.Fatal(err)
	}
	return apiServer{schema, types, cel.NewValidator(schema, false, celconfig.PerCallLimit)}
}

// judge applies defaults to the spec, and returns what the schema's types and what CEL have against it.
func (a apiServer) judge(t testing.TB, spec map[string]any) (types, rules field.ErrorList) {
	t.Helper()
	defaulting.Default(spec, a.schema)
	types = validation.ValidateCustomResource(field.NewPath("spec"), spec, a.types)
	if len(types) > 0 {
		return types, nil
	}
	rules, _ = a.cel.Validate(t.Context(), field.NewPath("spec"), a.schema, spec, nil, celconfig.RuntimeCELCostBudget)
	return nil, rules
}

// jsonNumbers makes the spec what a decoded request has: int64 and float64.
func jsonNumbers(t testing.TB, spec map[string]any) map[string]any {
	t.Helper()
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return integers(out).(map[string]any)
}

func integers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = integers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	}
	return v
}

// Every row that CEL can say has the same verdict in Go and in the CRD, over generated specs; and every such row is
// broken by some of them and kept by others, or the comparison would say nothing about it.
func TestRulesSayTheSameInGoAndInCEL(t *testing.T) {
	server, maker := newAPIServer(t), newSpecMaker(1)
	broken := make(map[string]int)
	judged := 0
	for judged < 2500 {
		spec := jsonNumbers(t, maker.spec())
		types, rules := server.judge(t, spec)
		if len(types) > 0 {
			continue // refused before any rule is asked
		}
		judged++
		inCEL := make(map[string]bool)
		for _, e := range rules {
			inCEL[e.Detail] = true
		}
		profile, err := profileOf(t, spec)
		if err != nil {
			t.Fatalf("the schema takes what does not decode: %v\n%v", err, spec)
		}
		c := Resolve(profile, testCluster(), "shop")
		inGo := make(map[string]bool)
		for _, r := range Rules() {
			if r.CEL != "" && len(r.check(&c)) > 0 {
				inGo[r.Sentence] = true
				broken[r.ID]++
			}
		}
		if diff := cmp.Diff(inGo, withoutQuota(inCEL)); diff != "" {
			data, _ := json.MarshalIndent(spec, "", " ")
			t.Fatalf("(-Go +CEL):\n%s\n%s", diff, data)
		}
	}
	for _, r := range Rules() {
		if n := broken[r.ID]; r.CEL != "" && (n == 0 || n == judged) {
			t.Errorf("rule %s was broken by %d of %d specs; the generator must make both", r.ID, n, judged)
		}
	}
}

// withoutQuota drops what the validations of spec.quota and spec.authorization themselves say, which are not in the table.
func withoutQuota(said map[string]bool) map[string]bool {
	delete(said, "a quota needs a user or a clientID to apply to")
	return said
}
