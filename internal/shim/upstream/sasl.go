package upstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"mooring.dev/mooring/internal/contract"
)

// Asker sends a request on a connection and waits for the answer.
type Asker func(context.Context, kmsg.Request) (kmsg.Response, error)

func (c *Conn) authenticate(ctx context.Context) (err error) {
	c.Expires, err = Authenticate(ctx, c.settings.SASL, c.RemoteAddr().String(), c.Ask)
	return err
}

// Authenticate on a connection, for the first time or again (KIP-368). It returns when the broker wants it the next time,
// less a tenth; zero is never.
func Authenticate(ctx context.Context, s *contract.SASL, host string, ask Asker) (time.Time, error) {
	m, err := mechanism(ctx, s)
	if err != nil {
		return time.Time{}, err
	}
	hello := kmsg.NewPtrSASLHandshakeRequest()
	hello.Version, hello.Mechanism = 1, m.Name()
	answer, err := ask(ctx, hello)
	if err != nil {
		return time.Time{}, fmt.Errorf("SASL handshake: %w", err)
	}
	if resp := answer.(*kmsg.SASLHandshakeResponse); resp.ErrorCode != 0 {
		return time.Time{}, fmt.Errorf("SASL handshake: %w; the brokers speak %v", kerr.ErrorForCode(resp.ErrorCode), resp.SupportedMechanisms)
	}
	session, message, err := m.Authenticate(ctx, host)
	if err != nil {
		return time.Time{}, fmt.Errorf("SASL %s: %w", m.Name(), err)
	}
	return exchange(ctx, m.Name(), session, message, ask)
}

func exchange(ctx context.Context, name string, session sasl.Session, message []byte, ask Asker) (time.Time, error) {
	for done := false; ; {
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.Version, req.SASLAuthBytes = 1, message
		asked := time.Now()
		answer, err := ask(ctx, req)
		if err != nil {
			return time.Time{}, fmt.Errorf("SASL %s: %w", name, err)
		}
		resp := answer.(*kmsg.SASLAuthenticateResponse)
		if resp.ErrorCode != 0 {
			why := ""
			if resp.ErrorMessage != nil {
				why = ": " + *resp.ErrorMessage
			}
			return time.Time{}, fmt.Errorf("SASL %s: %w%s", name, kerr.ErrorForCode(resp.ErrorCode), why)
		}
		if done, message, err = session.Challenge(resp.SASLAuthBytes); err != nil {
			return time.Time{}, fmt.Errorf("SASL %s: %w", name, err)
		}
		if done {
			if resp.SessionLifetimeMillis <= 0 {
				return time.Time{}, nil
			}
			return asked.Add(time.Duration(resp.SessionLifetimeMillis) * time.Millisecond * 9 / 10), nil
		}
	}
}

func mechanism(ctx context.Context, s *contract.SASL) (sasl.Mechanism, error) {
	var failed error
	get := func(name string) string {
		value, err := credential(s.CredentialsDir, name)
		if err != nil && failed == nil {
			failed = fmt.Errorf("SASL credentials: %w", err)
		}
		return value
	}
	var m sasl.Mechanism
	switch s.Mechanism {
	case "PLAIN":
		m = plain.Auth{User: get(contract.FileUsername), Pass: get(contract.FilePassword)}.AsMechanism()
	case "SCRAM-SHA-256":
		m = scram.Auth{User: get(contract.FileUsername), Pass: get(contract.FilePassword)}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		m = scram.Auth{User: get(contract.FileUsername), Pass: get(contract.FilePassword)}.AsSha512Mechanism()
	case "OAUTHBEARER":
		token := get(contract.FileToken)
		if token == "" && failed == nil {
			g := grant{url: get(contract.FileTokenURL), id: get(contract.FileClientID), secret: get(contract.FileClientSecret), scope: get(contract.FileScope)}
			token, failed = tokens.token(ctx, g)
		}
		m = bearer{oauth.Auth{Token: token}.AsMechanism()}
	case "AWS_MSK_IAM":
		m = aws.Auth{AccessKey: get(contract.FileAccessKeyID), SecretKey: get(contract.FileSecretAccessKey), SessionToken: get(contract.FileSessionToken)}.AsManagedStreamingIAMMechanism()
	default:
		failed = fmt.Errorf("SASL mechanism %q is not known", s.Mechanism)
	}
	return m, failed
}

// bearer is OAUTHBEARER with the end of the exchange that the library leaves out: a broker that refuses a token says why in
// a JSON text first, and gives the error only after the client has acknowledged that (RFC 7628, section 3.2.3).
type bearer struct{ sasl.Mechanism }

// Authenticate implements sasl.Mechanism.
func (b bearer) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	session, first, err := b.Mechanism.Authenticate(ctx, host)
	return &bearerSession{Session: session}, first, err
}

type bearerSession struct {
	sasl.Session
	refusal []byte
}

// Challenge implements sasl.Session.
func (s *bearerSession) Challenge(answer []byte) (bool, []byte, error) {
	switch {
	case s.refusal != nil:
		return false, nil, errors.New("the broker refuses the token: " + string(s.refusal))
	case len(answer) > 0:
		s.refusal = answer
		return false, []byte{1}, nil
	}
	return s.Session.Challenge(answer)
}
