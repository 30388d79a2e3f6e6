package franz

import (
	"context"

	"github.com/twmb/franz-go/pkg/sasl"

	"mooring.dev/mooring/internal/kafka"
)

// bearer is OAUTHBEARER with the end of the exchange that the library leaves out. A broker that refuses a token answers
// with a JSON text first, and with the error only after the client has acknowledged that (RFC 7628, section 3.2.3). Without
// the acknowledgement a refused token is "unexpected data", which reads like a broken network.
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
		return false, nil, kafka.NewError(kafka.ClassUnauthenticated, "OAUTHBEARER: the broker refuses the token: %s", s.refusal)
	case len(answer) > 0:
		s.refusal = answer
		return false, []byte{1}, nil
	}
	return s.Session.Challenge(answer)
}
