// Package franz is the Admin on franz-go: kgo for connections, kmsg for the batched requests (kadm's create and alter calls
// apply one setting to every name, and its metadata may be five seconds old), kadm for one-off calls.
package franz

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

const (
	dialTimeout = 5 * time.Second
	// retryTimeout bounds the library's own retries of one request. It is shorter than a batch's timeout, so that the
	// answer says what was wrong and not only that time ran out.
	retryTimeout = 10 * time.Second
)

// NewClient returns a client for the settings. It does not dial yet. The error is about the settings.
func NewClient(s kafka.Settings, extra ...kgo.Opt) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.ClientID("mooring"),
		kgo.SoftwareNameAndVersion("mooring", "v1alpha1"),
		kgo.SeedBrokers(s.BootstrapServers...),
		kgo.DialTimeout(dialTimeout),
		kgo.RetryTimeout(retryTimeout),
		kgo.RequestRetries(5),
		kgo.RetryBackoffFn(backoff),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}
	if s.TLS != nil {
		config, err := tlsConfig(*s.TLS)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	if s.SASL != nil {
		mechanism, err := mechanism(*s.SASL)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.SASL(mechanism))
	}
	client, err := kgo.NewClient(append(opts, extra...)...)
	if err != nil {
		return nil, kafka.NewError(kafka.ClassInvalid, "connection settings: %v", err)
	}
	return client, nil
}

func backoff(failures int) time.Duration {
	return min(2*time.Second, 100*time.Millisecond<<min(failures, 10))
}

func tlsConfig(s kafka.TLS) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}
	if len(s.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(s.CA) {
			return nil, kafka.NewError(kafka.ClassInvalid, "the CA bundle holds no PEM certificate")
		}
	}
	if len(s.Certificate) > 0 || len(s.Key) > 0 {
		pair, err := tls.X509KeyPair(s.Certificate, s.Key)
		if err != nil {
			return nil, kafka.NewError(kafka.ClassInvalid, "the client certificate and key do not make a pair: %v", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func mechanism(s kafka.SASL) (sasl.Mechanism, error) {
	user, password := s.Values[v1alpha1.SecretKeyUsername], s.Values[v1alpha1.SecretKeyPassword]
	switch v1alpha1.SASLMechanism(s.Mechanism) {
	case v1alpha1.SASLPlain:
		return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
	case v1alpha1.SASLScramSHA256:
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism(), nil
	case v1alpha1.SASLScramSHA512:
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism(), nil
	case v1alpha1.SASLOAuthBearer:
		if token := s.Values[v1alpha1.SecretKeyToken]; token != "" {
			return bearer{oauth.Auth{Token: token}.AsMechanism()}, nil
		}
		return bearer{oauth.Oauth(newTokenSource(s.Values).token)}, nil
	case v1alpha1.SASLAWSMSKIAM:
		return aws.Auth{
			AccessKey:    s.Values[v1alpha1.SecretKeyAccessKeyID],
			SecretKey:    s.Values[v1alpha1.SecretKeySecretAccessKey],
			SessionToken: s.Values[v1alpha1.SecretKeySessionToken],
		}.AsManagedStreamingIAMMechanism(), nil
	}
	return nil, kafka.NewError(kafka.ClassInvalid, "SASL mechanism %q is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, AWS_MSK_IAM", s.Mechanism)
}
