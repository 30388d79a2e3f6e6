package inject

import (
	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// judgeGrace holds the time that the pod has to end against what its last records may take. It returns the grace period to
// set, or nil.
func judgeGrace(pod *corev1.Pod, b Binding) (*Grace, []Decision, *Refusal) {
	seconds := int64(defaultGrace)
	was := pod.Spec.TerminationGracePeriodSeconds
	if was != nil {
		seconds = *was
	}
	found := producer.CheckGrace(b.Config, seconds)
	if len(found) == 0 {
		return nil, nil, nil
	}
	const field = "spec.terminationGracePeriodSeconds"
	switch b.injection().Grace {
	case v1alpha1.GraceDeny:
		return nil, nil, refuse(ReasonGraceTooShort, field, "%s", found[0].Message)
	case v1alpha1.GraceRaise:
		now := leastGrace(b, seconds)
		return &Grace{Was: was, Now: now}, []Decision{{ReasonGraceRaised, "", field, found[0].Message}}, nil
	}
	return nil, []Decision{{ReasonGraceTooShort, "", field, found[0].Message}}, nil
}

// leastGrace is the least grace period above seconds that the configuration is content with.
func leastGrace(b Binding, seconds int64) int64 {
	low, high := seconds, int64(1)<<31/1000+1 // Kafka's timeouts have 32 bits of milliseconds
	for low+1 < high {
		middle := (low + high) / 2
		if len(producer.CheckGrace(b.Config, middle)) == 0 {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
