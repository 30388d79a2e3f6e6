// Package outcome is how a reconcile ends: Done, Wait, Refuse or Retry. It is the only place that builds a ctrl.Result, so
// that "terminal" and "again" cannot be mixed by accident: controller-runtime takes a join of a terminal error with a
// passing one for terminal, and ignores the Result beside any error.
package outcome

import (
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
)

// Outcome of a reconcile.
type Outcome struct {
	after time.Duration
	err   error
}

// Done: nothing more to do until something changes.
func Done() Outcome { return Outcome{} }

// Wait: look again after a while, or when a watch says so before.
func Wait(after time.Duration) Outcome { return Outcome{after: after} }

// Refuse: a person is needed, and status says for what. It is looked at again after recheck, because what a broker
// refuses (an ACL, a policy, a version) can change without any event here; 0 for what only the manifest can change.
func Refuse(recheck time.Duration) Outcome { return Outcome{after: recheck} }

// Retry: something failed that may pass. The queue's rate limiter says when.
func Retry(err error) Outcome { return Outcome{err: err} }

// Within looks again after a while at the latest, if an outcome without an error would do so later or not at all; 0 changes nothing.
func (o Outcome) Within(after time.Duration) Outcome {
	if o.err == nil && after > 0 && (o.after == 0 || after < o.after) {
		o.after = after
	}
	return o
}

// Or prefers an error of bookkeeping, such as a status that could not be written, over an outcome that would not try again.
func (o Outcome) Or(err error) Outcome {
	if o.err == nil && err != nil {
		return Retry(err)
	}
	return o
}

// Result is for controller-runtime.
func (o Outcome) Result() (ctrl.Result, error) {
	if o.err != nil {
		return ctrl.Result{}, o.err
	}
	return ctrl.Result{RequeueAfter: o.after}, nil
}
