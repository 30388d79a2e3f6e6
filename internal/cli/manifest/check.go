package manifest

import (
	"cmp"
	"context"
	"slices"
	"strings"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// fault is what is wrong with one field.
type fault struct {
	field, message string
	kind           FaultKind
}

// check does to an object what the API server does, in its order: unknown fields, defaults, metadata, schema, CEL. The
// object gets the defaults and loses what is unknown.
func (s *Schema) check(object, old map[string]any) []fault {
	var faults []fault
	unknown := pruning.PruneWithOptions(object, s.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		faults = append(faults, s.unknownField(path))
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(object, s.structural)
	defaulting.Default(object, s.structural)
	faults = append(faults, checkMetadata(object, s.namespaced)...)

	errs := validation.ValidateCustomResource(nil, object, s.validator)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	for _, err := range errs {
		faults = append(faults, faultOf(err, FaultSchema))
	}
	if nested(object, "name") != "" && !slices.ContainsFunc(errs, blocksRules) {
		faults = append(faults, s.checkRules(object, old)...)
	}
	// The schema is gone through in no order.
	slices.SortFunc(faults, func(a, b fault) int { return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.message, b.message)) })
	return slices.Compact(faults)
}

// checkRules judges the CEL rules; those about a change need what there was before.
func (s *Schema) checkRules(object, old map[string]any) []fault {
	var before any
	if old != nil {
		before = old
	}
	errs, _ := s.rules.Validate(context.Background(), nil, s.structural, object, before, celconfig.RuntimeCELCostBudget)
	var faults []fault
	for _, err := range errs {
		faults = append(faults, faultOf(err, FaultRule))
	}
	return faults
}

// blocksRules says whether the API server judges no CEL rule after this error: rules would trip over a wrong type.
func blocksRules(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	}
	return false
}

func checkMetadata(object map[string]any, namespaced bool) []fault {
	meta, found, unknown, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return []fault{{"metadata", err.Error(), FaultMetadata}}
	}
	if !found {
		return []fault{{"metadata.name", "is missing", FaultMetadata}}
	}
	var faults []fault
	for _, path := range unknown {
		faults = append(faults, fault{path, "there is no such field", FaultUnknownField})
	}
	if meta.Name == "" {
		return append(faults, fault{"metadata.name", "is missing; a topic has to be known by its name before it can be planned", FaultMetadata})
	}
	for _, err := range apivalidation.ValidateObjectMeta(meta, namespaced, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata")) {
		faults = append(faults, faultOf(err, FaultMetadata))
	}
	return faults
}

// unknownField says which fields there are where an unknown one was found, because most of them are misspelt.
func (s *Schema) unknownField(path string) fault {
	parts := strings.Split(path, ".")
	node := s.structural
	for _, part := range parts[:len(parts)-1] {
		child, ok := node.Properties[part]
		if !ok {
			return fault{path, "there is no such field", FaultUnknownField}
		}
		node = &child
	}
	var names []string
	wanted := parts[len(parts)-1]
	for name := range node.Properties {
		if strings.EqualFold(name, wanted) || distance(strings.ToLower(name), strings.ToLower(wanted)) <= 2 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return fault{path, "there is no such field", FaultUnknownField}
	}
	slices.Sort(names)
	return fault{path, "there is no such field; did you mean " + strings.Join(names, " or ") + "?", FaultUnknownField}
}

// distance is the number of letters to change, add or drop (Levenshtein), exact up to 2.
func distance(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
