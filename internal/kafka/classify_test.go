package kafka_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/kafka"
)

// The classes that reconciles act on (topics.md, trap 14).
func TestFromCode(t *testing.T) {
	tests := map[*kerr.Error]kafka.Class{
		kerr.NotController:              kafka.ClassTransient,
		kerr.LeaderNotAvailable:         kafka.ClassTransient,
		kerr.ReassignmentInProgress:     kafka.ClassTransient,
		kerr.RequestTimedOut:            kafka.ClassOutcomeUnknown,
		kerr.UnknownServerError:         kafka.ClassOutcomeUnknown,
		kerr.ThrottlingQuotaExceeded:    kafka.ClassThrottled,
		kerr.UnknownTopicOrPartition:    kafka.ClassAbsent,
		kerr.UnknownTopicID:             kafka.ClassAbsent,
		kerr.TopicAlreadyExists:         kafka.ClassExists,
		kerr.TopicAuthorizationFailed:   kafka.ClassUnauthorized,
		kerr.ClusterAuthorizationFailed: kafka.ClassUnauthorized,
		kerr.SaslAuthenticationFailed:   kafka.ClassUnauthenticated,
		kerr.UnsupportedSaslMechanism:   kafka.ClassUnauthenticated,
		kerr.InvalidConfig:              kafka.ClassInvalidConfig,
		kerr.InvalidPartitions:          kafka.ClassInvalid,
		kerr.InvalidReplicationFactor:   kafka.ClassInvalid,
		kerr.InvalidTopicException:      kafka.ClassInvalid,
		kerr.PolicyViolation:            kafka.ClassPolicy,
		kerr.TopicDeletionDisabled:      kafka.ClassDeletionDisabled,
		kerr.UnsupportedVersion:         kafka.ClassUnsupported,
		kerr.InconsistentClusterID:      kafka.ClassIdentityChanged,
		kerr.SecurityDisabled:           kafka.ClassNoAuthorizer,
		kerr.MessageTooLarge:            kafka.ClassUnexpected,
	}
	for code, want := range tests {
		t.Run(code.Message, func(t *testing.T) {
			err := kafka.FromCode(code.Code, nil)
			if got := kafka.ClassOf(err); got != want {
				t.Errorf("class %d, want %d", got, want)
			}
			if !errors.Is(err, code) {
				t.Errorf("%v does not unwrap to %v", err, code)
			}
			if !strings.HasPrefix(err.Error(), code.Message+": ") {
				t.Errorf("%q does not begin with Kafka's own name of the error", err)
			}
		})
	}
}

func TestFromCodeMessages(t *testing.T) {
	if err := kafka.FromCode(0, new("ignored")); err != nil {
		t.Errorf("code 0 is no error: %v", err)
	}
	words := "Unable to replicate the partition 3 time(s): only 1 broker(s) are registered."
	if got, want := kafka.FromCode(kerr.InvalidReplicationFactor.Code, &words).Error(), "INVALID_REPLICATION_FACTOR: "+words; got != want {
		t.Errorf("%q, want the broker's own words: %q", got, want)
	}
	if got := kafka.FromCode(kerr.InvalidConfig.Code, new("")).Error(); !strings.Contains(got, kerr.InvalidConfig.Description) {
		t.Errorf("%q, want the description where the broker says nothing", got)
	}
	unknown := kafka.FromCode(9999, nil)
	if kafka.ClassOf(unknown) != kafka.ClassUnexpected || !strings.Contains(unknown.Error(), "9999") {
		t.Errorf("a code that nobody knows: class %d, %q", kafka.ClassOf(unknown), unknown)
	}
	if got := kafka.FromCode(9999, &words).Error(); !strings.Contains(got, words) {
		t.Errorf("%q does not have the broker's words", got)
	}
}

func TestFromClient(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	_ = closed.Close()
	_, refused := net.Dial("tcp", address)
	_, unresolved := (&net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server")
	}}}).DialContext(t.Context(), "tcp", "kafka.invalid:9092")
	_, late := (&net.Dialer{Timeout: time.Nanosecond}).Dial("tcp", address)
	reader, writer := net.Pipe()
	defer reader.Close()
	defer writer.Close()
	_ = reader.SetReadDeadline(time.Now().Add(-time.Second))
	_, silent := reader.Read(make([]byte, 1))
	expired, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()

	tests := map[string]struct {
		err  error
		want kafka.Class
	}{
		"connection refused":                         {refused, kafka.ClassUnreachable},
		"connection refused, wrapped":                {fmt.Errorf("unable to dial: %w", refused), kafka.ClassUnreachable},
		"a name that does not resolve":               {unresolved, kafka.ClassUnreachable},
		"dial timeout":                               {&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, kafka.ClassUnreachable},
		"dial timeout, as the system says it":        {late, kafka.ClassUnreachable},
		"a broker that never answers":                {silent, kafka.ClassOutcomeUnknown},
		"a broker that never answers, wrapped":       {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, kafka.ClassOutcomeUnknown},
		"a connection that broke":                    {&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, kafka.ClassTransient},
		"a connection that ended":                    {io.EOF, kafka.ClassTransient},
		"a client that was closed":                   {kgo.ErrClientClosed, kafka.ClassTransient},
		"the batch's deadline":                       {expired.Err(), kafka.ClassOutcomeUnknown},
		"the batch's deadline, wrapped":              {fmt.Errorf("create: %w", context.DeadlineExceeded), kafka.ClassOutcomeUnknown},
		"a certificate of an unknown authority":      {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, kafka.ClassUntrusted},
		"an unknown authority, bare":                 {x509.UnknownAuthorityError{}, kafka.ClassUntrusted},
		"a certificate for another name":             {fmt.Errorf("tls: %w", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "a"}), kafka.ClassUntrusted},
		"a certificate that has expired":             {x509.CertificateInvalidError{Reason: x509.Expired}, kafka.ClassUntrusted},
		"a listener without TLS":                     {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, kafka.ClassUntrusted},
		"an alert about our certificate":             {tls.AlertError(42), kafka.ClassUntrusted},
		"an alert about our certificate, late":       {&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, kafka.ClassUntrusted},
		"a TLS error in a dial is not 'unreachable'": {&net.OpError{Op: "dial", Err: x509.UnknownAuthorityError{}}, kafka.ClassUntrusted},
		"a code of Kafka's":                          {fmt.Errorf("sasl: %w", kerr.SaslAuthenticationFailed), kafka.ClassUnauthenticated},
		"a TLS handshake without an answer":          {fmt.Errorf("unable to dial: %w", context.DeadlineExceeded), kafka.ClassUnreachable},
		"a cluster from before the request":          {errors.New("broker is too old; the broker has already indicated it will not know how to handle the request"), kafka.ClassUnsupported},
		"anything else":                              {errors.New("?"), kafka.ClassTransient},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := kafka.FromClient(tt.err)
			if kafka.ClassOf(got) != tt.want {
				t.Errorf("%v: class %d, want %d", tt.err, kafka.ClassOf(got), tt.want)
			}
			if !errors.Is(got, tt.err) && got.Error() != tt.err.Error() {
				t.Errorf("%v became %v", tt.err, got)
			}
			if again := kafka.FromClient(fmt.Errorf("look: %w", got)); kafka.ClassOf(again) != tt.want || !strings.HasPrefix(again.Error(), "look: ") {
				t.Errorf("classified again: class %d, %v", kafka.ClassOf(again), again)
			}
		})
	}
	if kafka.FromClient(nil) != nil {
		t.Error("no error is no error")
	}
}

func TestClassOf(t *testing.T) {
	err := fmt.Errorf("a: %w", kafka.NewError(kafka.ClassPolicy, "b %d", 1))
	if kafka.ClassOf(err) != kafka.ClassPolicy || err.Error() != "a: b 1" {
		t.Errorf("class %d, %v", kafka.ClassOf(err), err)
	}
	if kafka.ClassOf(io.EOF) != kafka.ClassUnexpected || kafka.ClassOf(nil) != kafka.ClassUnexpected {
		t.Error("an error of somebody else's is unexpected")
	}
}

// The names are labels of metrics: each class has its own, and a new class must not shift the others.
func TestClassNames(t *testing.T) {
	want := map[kafka.Class]string{
		kafka.ClassUnexpected: "unexpected", kafka.ClassTransient: "transient", kafka.ClassOutcomeUnknown: "outcome_unknown",
		kafka.ClassThrottled: "throttled", kafka.ClassAbsent: "absent", kafka.ClassExists: "exists", kafka.ClassUnauthorized: "unauthorized",
		kafka.ClassUnauthenticated: "unauthenticated", kafka.ClassUntrusted: "untrusted", kafka.ClassInvalidConfig: "invalid_config",
		kafka.ClassInvalid: "invalid", kafka.ClassPolicy: "policy", kafka.ClassDeletionDisabled: "deletion_disabled",
		kafka.ClassUnsupported: "unsupported", kafka.ClassNotConnected: "not_connected", kafka.ClassUnreachable: "unreachable",
		kafka.ClassIdentityChanged: "identity_changed", kafka.ClassNoAuthorizer: "no_authorizer", -1: "unexpected", 99: "unexpected",
	}
	for class, name := range want {
		if got := class.String(); got != name {
			t.Errorf("class %d is %q, want %q", int(class), got, name)
		}
	}
}
