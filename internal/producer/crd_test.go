package producer

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"sigs.k8s.io/yaml"
)

var markers = flag.Bool("markers", false, "print the kubebuilder markers that the rule table asks for")

// profileCRD is the CustomResourceDefinition that controller-gen wrote.
func profileCRD(t testing.TB) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", "kafka.mooring.dev_producerprofiles.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(data, &crd); err != nil {
		t.Fatal(err)
	}
	return &crd
}

// specSchema is the schema of spec, as the API server works with it.
func specSchema(t testing.TB) *structuralschema.Structural {
	t.Helper()
	var internal apiextensions.JSONSchemaProps
	version := profileCRD(t).Spec.Versions[0]
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &internal, nil); err != nil {
		t.Fatal(err)
	}
	schema, err := structuralschema.NewStructural(&internal)
	if err != nil {
		t.Fatal(err)
	}
	spec := schema.Properties["spec"]
	return &spec
}

func marker(r Rule) string {
	line := "// +kubebuilder:validation:XValidation:rule=" + strconv.Quote(r.CEL) + ",message=" + strconv.Quote(r.Sentence)
	if path := fieldPath(r); path != "" {
		line += ",fieldPath=" + strconv.Quote(path)
	}
	return line
}

func fieldPath(r Rule) string {
	path, ok := strings.CutPrefix(r.Fields[0], "spec")
	if !ok || strings.Contains(path, "[") {
		return ""
	}
	return path
}

// The validations on the CRD are the rows of the rule table, in its order and words. When this fails, run
// go test ./internal/producer -run TestCRDHasTheRules -markers, put the lines above ProducerProfileSpec, and generate.
func TestCRDHasTheRules(t *testing.T) {
	type row struct{ CEL, Sentence, Path string }
	var want, got []row
	for _, r := range Rules() {
		if r.CEL != "" {
			want = append(want, row{r.CEL, r.Sentence, fieldPath(r)})
			if *markers {
				fmt.Println(marker(r))
			}
		}
	}
	for _, v := range specSchema(t).XValidations {
		got = append(got, row{v.Rule, v.Message, v.FieldPath})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-table +CRD):\n%s", diff)
	}
}
