package proxy

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

// answerSASL answers a client that authenticates although the shim does that for it. Mechanisms in which the client sends
// something and hears "yes" are taken whatever they send, because whoever reaches the listener is in the pod; SCRAM would
// need the password, and is refused.
func (c *conn) answerSASL(body []byte, h wire.Header) error {
	if kmsg.Key(h.Key) == kmsg.SASLAuthenticate {
		resp := kmsg.NewPtrSASLAuthenticateResponse()
		resp.Version = h.Version
		return c.answer(h, resp)
	}
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Version = h.Version
	if err := req.ReadFrom(body); err != nil {
		return err
	}
	resp := kmsg.NewPtrSASLHandshakeResponse()
	resp.Version = h.Version
	resp.SupportedMechanisms = []string{"PLAIN", "OAUTHBEARER"}
	if (req.Mechanism != "PLAIN" && req.Mechanism != "OAUTHBEARER") || h.Version == 0 {
		resp.ErrorCode = kerr.UnsupportedSaslMechanism.Code
		c.server.log.Warn("a client authenticates although the shim does that for it; set security.protocol=PLAINTEXT", "mechanism", req.Mechanism)
	}
	return c.answer(h, resp)
}

// reauthenticate with the broker when it wants that (KIP-368), before the next request.
func (c *conn) reauthenticate() error {
	s, up := c.server.policy.Load().Contract.SASL, c.upstream()
	if s == nil || up.Expires.IsZero() || time.Now().Before(up.Expires) {
		return nil
	}
	ask := func(_ context.Context, req kmsg.Request) (kmsg.Response, error) { return c.ask(req) }
	expires, err := upstream.Authenticate(c.server.ctx, s, up.RemoteAddr().String(), ask)
	up.Expires = expires
	return err
}
