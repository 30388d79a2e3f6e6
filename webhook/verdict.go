package webhook

import (
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// refuse makes one refusal of all that was found, each with its field; nil when nothing was.
func refuse(kind, name string, found []topic.Violation) error {
	if len(found) == 0 {
		return nil
	}
	errs := make(field.ErrorList, 0, len(found))
	for _, v := range found {
		if v.Value == nil {
			errs = append(errs, &field.Error{Type: field.ErrorTypeRequired, Field: v.Field, Detail: v.Detail})
			continue
		}
		errs = append(errs, &field.Error{Type: field.ErrorTypeInvalid, Field: v.Field, BadValue: v.Value, Detail: v.Detail})
	}
	return apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind(kind).GroupKind(), name, errs)
}

// ratchet refuses what an update brings, and only warns of what was there before: a policy that has become stricter must
// not stand in the way of an update about something else. The reconcile judges the object in any case.
func ratchet(kind, name string, before, after []topic.Violation, warnings admission.Warnings) (admission.Warnings, error) {
	var brought []topic.Violation
	for _, v := range after {
		if slices.Contains(before, v) {
			warnings = append(warnings, "against the policy, as before: "+v.Refusal().Message)
			continue
		}
		brought = append(brought, v)
	}
	return warnings, refuse(kind, name, brought)
}

// fault is an error of ours. See server for what becomes of it.
func fault(err error) error { return apierrors.NewInternalError(err) }
