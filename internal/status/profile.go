package status

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// ProfileFacts are what one reconcile of a ProducerProfile saw and did.
type ProfileFacts struct {
	// Profile as it was read; its status is the one before.
	Profile *v1alpha1.ProducerProfile
	// Judged says that Configuration, Hash and Findings are of this reconcile. Otherwise those before stay.
	Judged        bool
	Configuration map[string]string
	Hash          string
	Findings      []producer.Finding
	// Surveyed says that Topics are of this reconcile. Otherwise those before stay.
	Surveyed bool
	Topics   []ProfileTopic
	// Managed is what the profile owns on the brokers.
	Managed *v1alpha1.ManagedAccess
	// Verdict, when set, overrides what the findings say: something stood in the way.
	Verdict *Verdict
	Now     metav1.Time
}

// SummarizeProfile computes the status of a ProducerProfile. The same facts give the same status.
func SummarizeProfile(f ProfileFacts) v1alpha1.ProducerProfileStatus {
	s := *f.Profile.Status.DeepCopy()
	s.ObservedGeneration = f.Profile.Generation
	s.Managed = f.Managed
	verdict := f.verdict()
	c := conditions{set: s.Conditions, generation: f.Profile.Generation, now: f.Now}
	c.verdict(verdict)
	if f.Judged {
		s.Configuration, s.Hash = f.Configuration, f.Hash
		c.valid(f.Findings)
	}
	switch {
	case f.Surveyed:
		judged := f.judgeTopics()
		s.Topics = listed(judged)
		c.keeps(f.Profile, judged)
	case verdict.Kind == Lost:
		c.add(v1alpha1.ConditionDurable, metav1.ConditionUnknown, v1alpha1.ReasonUnknown, verdict.Message)
	}
	for i := range c.set {
		c.set[i].ObservedGeneration = f.Profile.Generation
	}
	s.Conditions = c.set
	return s
}

// verdict is what the facts come to, gravest first.
func (f ProfileFacts) verdict() Verdict {
	errors := ofSeverity(f.Findings, producer.Error)
	switch {
	case f.Judged && len(errors) > 0 && (f.Verdict == nil || f.Verdict.Kind != Stuck):
		return Verdict{Stuck, reasonOf(errors), sentences(errors)}
	case f.Verdict != nil:
		return *f.Verdict
	}
	return Verdict{Ready, v1alpha1.ReasonReady, "producers can be given this profile"}
}

// reasonOf tells a profile that the cluster does not allow from one that does not hold together.
func reasonOf(errors []producer.Finding) string {
	for _, e := range errors {
		if e.Rule != "guarantee-below-minimum" {
			return v1alpha1.ReasonInvalidSpec
		}
	}
	return v1alpha1.ReasonPolicyViolation
}

func (c *conditions) valid(findings []producer.Finding) {
	errors := ofSeverity(findings, producer.Error)
	switch {
	case len(errors) > 0:
		c.add(v1alpha1.ConditionValid, metav1.ConditionFalse, reasonOf(errors), sentences(findings))
	case len(findings) > 0:
		c.add(v1alpha1.ConditionValid, metav1.ConditionTrue, v1alpha1.ReasonValid, "the profile breaks no rule; "+sentences(findings))
	default:
		c.add(v1alpha1.ConditionValid, metav1.ConditionTrue, v1alpha1.ReasonValid, "the profile breaks no rule")
	}
}

func ofSeverity(findings []producer.Finding, severity producer.Severity) []producer.Finding {
	var some []producer.Finding
	for _, f := range findings {
		if f.Severity == severity {
			some = append(some, f)
		}
	}
	return some
}

// sentences are the findings in their order, gravest first.
func sentences(findings []producer.Finding) string {
	texts := make([]string, 0, len(findings))
	for _, f := range findings {
		texts = append(texts, fmt.Sprintf("%s: %s: %s (%s)", f.Severity, f.Field, f.Message, f.Rule))
	}
	return strings.Join(texts, "; ")
}
