package controllers

import (
	"errors"
	"fmt"
	"time"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/status"
)

const (
	// recheckRefused is how often a refusal of the brokers is tried again: an ACL, a policy or a version can change there
	// without any event here.
	recheckRefused = 2 * time.Minute
	// recheckAway is how often a topic of an unreachable cluster is looked at; the pool wakes it before, on connect.
	recheckAway = 5 * time.Minute
)

// failure is an error in terms of a status and an outcome.
type failure struct {
	verdict status.Verdict
	outcome outcome.Outcome
}

// failureOf explains an error of a Kafka cluster. doing says what failed, for the message: "create topic orders".
func failureOf(err error, doing string) failure {
	message := fmt.Sprintf("%s: %v", doing, err)
	stuck := func(reason string) failure {
		return failure{status.Verdict{Kind: status.Stuck, Reason: reason, Message: message}, outcome.Refuse(recheckRefused)}
	}
	working := func(reason string, o outcome.Outcome) failure {
		return failure{status.Verdict{Kind: status.Working, Reason: reason, Message: message}, o}
	}
	switch kafka.ClassOf(err) {
	case kafka.ClassUnauthorized:
		return stuck(v1alpha1.ReasonAuthorizationFailed)
	case kafka.ClassUnauthenticated:
		return stuck(v1alpha1.ReasonAuthenticationFailed)
	case kafka.ClassUntrusted:
		return stuck(v1alpha1.ReasonTLSVerificationFailed)
	case kafka.ClassInvalidConfig:
		return stuck(v1alpha1.ReasonInvalidConfig)
	case kafka.ClassInvalid:
		return stuck(v1alpha1.ReasonInvalidSpec)
	case kafka.ClassPolicy:
		return stuck(v1alpha1.ReasonPolicyViolation)
	case kafka.ClassDeletionDisabled:
		return stuck(v1alpha1.ReasonDeletionDisabled)
	case kafka.ClassUnsupported:
		return stuck(v1alpha1.ReasonUnsupported)
	case kafka.ClassIdentityChanged:
		return stuck(v1alpha1.ReasonClusterIdentityChanged)
	case kafka.ClassNotConnected:
		return working(v1alpha1.ReasonClusterNotReady, outcome.Wait(recheckAway))
	case kafka.ClassUnreachable:
		// One broker that does not answer is not a cluster that is away: the pool may find nothing wrong, and wake nobody.
		return working(v1alpha1.ReasonClusterUnreachable, outcome.Retry(fmt.Errorf("%s: %w", doing, err)))
	case kafka.ClassThrottled:
		return working(v1alpha1.ReasonThrottled, outcome.Wait(throttleOf(err)))
	default:
		return working(v1alpha1.ReasonBrokerError, outcome.Retry(fmt.Errorf("%s: %w", doing, err)))
	}
}
func throttleOf(err error) time.Duration {
	var e *kafka.Error
	if errors.As(err, &e) {
		return min(max(e.RetryAfter, 100*time.Millisecond), time.Minute)
	}
	return time.Second
}

// awaited is a failure that the pool itself has found: the cluster is away, and the pool wakes every topic when it is back.
func (f failure) awaited() failure {
	if f.verdict.Kind == status.Working {
		f.outcome = outcome.Wait(recheckAway)
	}
	return f
}
