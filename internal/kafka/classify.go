package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Class says what an error means for whoever asked.
type Class int

// The classes.
const (
	// ClassUnexpected is an error that no request of ours should get: it is retried slowly and shown.
	ClassUnexpected Class = iota
	// ClassTransient passes by itself within seconds.
	ClassTransient
	// ClassOutcomeUnknown: the request may have been carried out. Look, then decide.
	ClassOutcomeUnknown
	// ClassThrottled: the controller mutation quota is used up (KIP-599).
	ClassThrottled
	// ClassAbsent: there is no such topic.
	ClassAbsent
	// ClassExists: there is such a topic already.
	ClassExists
	// ClassUnauthorized: an ACL is missing. It does not mean that the topic is missing.
	ClassUnauthorized
	// ClassUnauthenticated: the broker refuses the credentials.
	ClassUnauthenticated
	// ClassUntrusted: one side does not trust the other's certificate.
	ClassUntrusted
	// ClassInvalidConfig: a configuration key or value is not one of Kafka's.
	ClassInvalidConfig
	// ClassInvalid: the request cannot be carried out on this cluster as it is.
	ClassInvalid
	// ClassPolicy: the broker's create.topic.policy or alter.config.policy, or a limit of its own, refuses it.
	ClassPolicy
	// ClassDeletionDisabled: delete.topic.enable is false.
	ClassDeletionDisabled
	// ClassUnsupported: this cluster's version cannot do it.
	ClassUnsupported
	// ClassNotConnected: nothing is known of the cluster yet, neither good nor bad.
	ClassNotConnected
	// ClassUnreachable: no broker answers.
	ClassUnreachable
	// ClassIdentityChanged: the bootstrap servers answer with another cluster ID than before.
	ClassIdentityChanged
	// ClassNoAuthorizer: the cluster has no authorizer, and so no ACLs.
	ClassNoAuthorizer
)

// String is for metrics and logs.
func (c Class) String() string {
	names := [...]string{"unexpected", "transient", "outcome_unknown", "throttled", "absent", "exists", "unauthorized", "unauthenticated",
		"untrusted", "invalid_config", "invalid", "policy", "deletion_disabled", "unsupported", "not_connected", "unreachable", "identity_changed", "no_authorizer"}
	if c < 0 || int(c) >= len(names) {
		return "unexpected"
	}
	return names[c]
}

// Error is an error of a Kafka cluster, classified.
type Error struct {
	Class Class
	// Message is for people: the broker's own words where it had any.
	Message string
	// RetryAfter is how long the broker asks to wait; ClassThrottled only.
	RetryAfter time.Duration
	cause      error
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the error that the library returned, if any.
func (e *Error) Unwrap() error { return e.cause }

// ClassOf is the class of an error of this package; ClassUnexpected for any other.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ClassUnexpected
}

// NewError makes an Error that no broker sent.
func NewError(class Class, format string, args ...any) *Error {
	return &Error{Class: class, Message: fmt.Sprintf(format, args...)}
}

// FromCode classifies an error code of a response, with the message that came beside it, if any. Code 0 is nil.
func FromCode(code int16, message *string) error {
	if code == 0 {
		return nil
	}
	cause := kerr.ErrorForCode(code)
	var known *kerr.Error
	if !errors.As(cause, &known) || known.Code != code { // the library says UNKNOWN_SERVER_ERROR of a code that it does not know
		text := "this version of Mooring does not know it"
		if message != nil && *message != "" {
			text = *message
		}
		return &Error{Class: ClassUnexpected, Message: fmt.Sprintf("broker error code %d: %s", code, text)}
	}
	text := known.Description
	if message != nil && *message != "" {
		text = *message
	}
	return &Error{Class: classOfCode(known), Message: known.Message + ": " + text, cause: cause}
}

// FromClient classifies an error that the client library returned instead of a response.
func FromClient(err error) error {
	if err == nil {
		return nil
	}
	var classified *Error
	if errors.As(err, &classified) {
		return err
	}
	var coded *kerr.Error
	if errors.As(err, &coded) {
		return &Error{Class: classOfCode(coded), Message: err.Error(), cause: err}
	}
	return &Error{Class: classOfClientError(err), Message: err.Error(), cause: err}
}

func classOfClientError(err error) Class {
	var (
		unknownCA *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &unknownCA), errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &record):
		return ClassUntrusted
	case errors.As(err, &alert):
		return ClassUntrusted
	case strings.Contains(err.Error(), "remote error: tls"):
		// An alert that arrives after the handshake (TLS 1.3 tells a client late that its certificate is refused) comes
		// wrapped by net.OpError and has no type of its own.
		return ClassUntrusted
	case strings.Contains(err.Error(), "broker is too old"): // the library has no type for it
		return ClassUnsupported
	}
	// A dial that ran out of time is a deadline too, but nothing was asked yet, so its outcome is plain. A TLS handshake
	// that gets no answer is part of the dial, and has no type of its own.
	var network *net.OpError
	if (errors.As(err, &network) && network.Op == "dial") || strings.HasPrefix(err.Error(), "unable to dial: ") {
		return ClassUnreachable
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout()) {
		return ClassOutcomeUnknown
	}
	return ClassTransient
}
