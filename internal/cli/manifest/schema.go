package manifest

import (
	"fmt"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/config/crd"
)

// Schema judges objects of one kind as an API server with the CRD of this version of Mooring does.
type Schema struct {
	structural *structuralschema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
	namespaced bool
}

// Load compiles the CRD of KafkaTopics, once. The error is a defect of this program, and no fault of a manifest.
var Load = sync.OnceValues(func() (*Schema, error) { return loadKind(kafkaTopic.Kind) })

// loadKind compiles the CRD of a kind.
func loadKind(kind string) (*Schema, error) {
	file := "bases/kafka.mooring.dev_" + strings.ToLower(kind) + "s.yaml"
	text, err := crd.Bases.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &definition); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, version := range definition.Spec.Versions {
		if version.Name != v1alpha1.GroupVersion.Version {
			continue
		}
		s, err := compile(version.Schema.OpenAPIV3Schema)
		if err == nil {
			s.namespaced = definition.Spec.Scope == apiextensionsv1.NamespaceScoped
		}
		return s, err
	}
	return nil, fmt.Errorf("%s has no version %s", file, v1alpha1.GroupVersion.Version)
}

func compile(v1 *apiextensionsv1.JSONSchemaProps) (*Schema, error) {
	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v1, &props, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(&props)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(&props)
	if err != nil {
		return nil, err
	}
	return &Schema{
		structural: structural,
		validator:  validator,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
}
