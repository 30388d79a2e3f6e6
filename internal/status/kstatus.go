package status

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// CheckKstatus returns what in a status would mislead a tool that reads kstatus (kubectl wait, Flux, Argo CD). Tests of
// every kind end with it.
func CheckKstatus(generation, observedGeneration int64, set []metav1.Condition) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if observedGeneration != generation {
		fault("observedGeneration is %d and generation is %d", observedGeneration, generation)
	}
	ready := meta.FindStatusCondition(set, v1alpha1.ConditionReady)
	if ready == nil {
		fault("there is no condition Ready")
		return faults
	}
	reconciling := meta.IsStatusConditionTrue(set, v1alpha1.ConditionReconciling)
	stalled := meta.IsStatusConditionTrue(set, v1alpha1.ConditionStalled)
	if reconciling && stalled {
		fault("Reconciling and Stalled are both true")
	}
	if ready.Status == metav1.ConditionTrue && (reconciling || stalled) {
		fault("Ready is true and so is Reconciling or Stalled")
	}
	if ready.Status != metav1.ConditionTrue && !reconciling && !stalled {
		fault("Ready is %s and neither Reconciling nor Stalled says why", ready.Status)
	}
	for _, c := range set {
		if c.ObservedGeneration != generation {
			fault("condition %s was judged at generation %d of %d", c.Type, c.ObservedGeneration, generation)
		}
		if c.Reason == "" || c.Message == "" {
			fault("condition %s lacks a reason or a message", c.Type)
		}
		if c.LastTransitionTime.IsZero() {
			fault("condition %s has no transition time", c.Type)
		}
	}
	return faults
}
