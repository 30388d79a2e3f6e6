package controllers

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// Events records events.k8s.io/v1 Events. Every change on a cluster is one, and every new refusal.
type Events struct {
	Recorder interface {
		Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any)
	}
}

// Actions and reasons of Events about steps that were carried out.
const (
	actionReconcile  = "Reconcile"
	eventCreated     = "TopicCreated"
	eventGrown       = "PartitionsAdded"
	eventConfigured  = "ConfigChanged"
	eventDeleted     = "TopicDeleted"
	eventRetained    = "TopicRetained"
	eventAdopted     = "TopicAdopted"
	eventReassigning = "ReplicasMoving"
	eventReassigned  = "ReplicasMoved"
	eventDrifted     = "TopicDrifted"
)

func (e Events) normal(o runtime.Object, reason, note string, args ...any) {
	e.Recorder.Eventf(o, nil, corev1.EventTypeNormal, reason, actionReconcile, "%s", Note(fmt.Sprintf(note, args...)))
}

func (e Events) warning(o runtime.Object, reason, note string, args ...any) {
	e.Recorder.Eventf(o, nil, corev1.EventTypeWarning, reason, actionReconcile, "%s", Note(fmt.Sprintf(note, args...)))
}

// expected are reasons of work that goes its way; the steps have Events of their own.
var expected = []string{v1alpha1.ReasonProgressing, v1alpha1.ReasonCreating, v1alpha1.ReasonReassigning, v1alpha1.ReasonDeleting}

// onVerdict records a change of Ready: what keeps an object from being ready is news once, not at every look.
func (e Events) onVerdict(o runtime.Object, before, after []metav1.Condition) {
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionReady), meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	if is == nil || (was != nil && was.Status == is.Status && was.Reason == is.Reason && was.Message == is.Message) {
		return
	}
	switch {
	case is.Status == metav1.ConditionTrue && was != nil:
		e.normal(o, is.Reason, "%s", is.Message)
	case meta.IsStatusConditionTrue(after, v1alpha1.ConditionStalled), is.Status == metav1.ConditionUnknown:
		e.warning(o, is.Reason, "%s", is.Message)
	case is.Status == metav1.ConditionFalse && !slices.Contains(expected, is.Reason):
		e.warning(o, is.Reason, "%s", is.Message)
	}
}
