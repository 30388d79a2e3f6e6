package inject

import "fmt"

// Verdict is what became of a pod.
type Verdict string

// The verdicts.
const (
	// Injected: the pod carries the contract.
	Injected Verdict = "Injected"
	// Audited: the profile only audits; the pod is as it was, and its status says what would have been done.
	Audited Verdict = "Audited"
	// Refused: the policy does not let the pod start.
	Refused Verdict = "Refused"
	// LeftAlone: nobody asked for a profile.
	LeftAlone Verdict = "LeftAlone"
)

// Decision is one thing that was decided, and why.
type Decision struct {
	Reason Reason `json:"reason"`
	// Container that it is about, "" for the pod.
	Container string `json:"container,omitempty"`
	// Subject is the variable, volume, port or annotation.
	Subject string `json:"subject,omitempty"`
	Message string `json:"message"`
}

// Refusal is why a pod may not start: which object, which field, what is wrong, how to mend it.
type Refusal struct {
	Reason Reason
	// Field of the pod, or of another object that the message names.
	Field   string
	Message string
}

// Sentence is the refusal in one line.
func (r Refusal) Sentence() string {
	if r.Field == "" {
		return r.Message
	}
	return r.Field + ": " + r.Message
}

func refuse(reason Reason, field, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Report is what Mutate did.
type Report struct {
	Verdict Verdict
	// Profile is namespace/name.
	Profile string
	Hash    string
	// Containers that were injected.
	Containers []string
	Decisions  []Decision
	// Refusal is set when the verdict is Refused, or would have been but for enforcement Audit.
	Refusal *Refusal
}

// Reason sums the report up for a metric: that of the refusal, or of the pod that was left alone, or "".
func (r Report) Reason() Reason {
	switch {
	case r.Refusal != nil:
		return r.Refusal.Reason
	case r.Verdict == LeftAlone && len(r.Decisions) > 0:
		return r.Decisions[0].Reason
	}
	return ""
}
