// Package status turns facts into conditions. It is pure: reconcilers record what they saw on the way, and conditions are
// computed once, last, here.
package status

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// maxMessage keeps a condition's message within the API's bound of 32,768 bytes, and a screen.
const maxMessage = 2000

// Verdict is what a reconcile came to.
type Verdict struct {
	// Kind decides which of kstatus' conditions stand.
	Kind Kind
	// Reason and Message explain it.
	Reason, Message string
}

// Kind of verdict.
type Kind int

// The kinds.
const (
	// Ready: the object is what its manifest says.
	Ready Kind = iota
	// Working: it will be, or may be, without anybody's help.
	Working
	// Stuck: a person is needed.
	Stuck
	// Lost: nothing is known at the moment; it was ready before.
	Lost
)

// conditions builds a set on the one before, so that a time moves only when its status does.
type conditions struct {
	set        []metav1.Condition
	generation int64
	now        metav1.Time
}

func (c *conditions) add(kind string, status metav1.ConditionStatus, reason, message string) {
	if len(message) > maxMessage {
		message = message[:maxMessage-1] + "…"
	}
	// Half a character, or a broker's stray byte, would come back from the API server as another text, and be written for ever.
	message = strings.ToValidUTF8(message, "")
	meta.SetStatusCondition(&c.set, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: c.generation, LastTransitionTime: c.now,
	})
}

// verdict writes Ready, and Reconciling or Stalled where they are true; kstatus reads their absence as false.
func (c *conditions) verdict(v Verdict) {
	if v.Kind != Working && v.Kind != Lost {
		meta.RemoveStatusCondition(&c.set, v1alpha1.ConditionReconciling)
	}
	if v.Kind != Stuck {
		meta.RemoveStatusCondition(&c.set, v1alpha1.ConditionStalled)
	}
	switch v.Kind {
	case Ready:
		c.add(v1alpha1.ConditionReady, metav1.ConditionTrue, v.Reason, v.Message)
	case Working:
		c.add(v1alpha1.ConditionReady, metav1.ConditionFalse, v.Reason, v.Message)
		c.add(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v.Reason, v.Message)
	case Stuck:
		c.add(v1alpha1.ConditionReady, metav1.ConditionFalse, v.Reason, v.Message)
		c.add(v1alpha1.ConditionStalled, metav1.ConditionTrue, v.Reason, v.Message)
	case Lost:
		c.add(v1alpha1.ConditionReady, metav1.ConditionUnknown, v.Reason, v.Message)
		c.add(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v.Reason, v.Message)
	}
}
