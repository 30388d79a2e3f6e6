// Package upstream makes connections to brokers: TLS and SASL are the shim's, so that the app in the pod needs neither a
// credential nor a truststore.
package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/wire"
)

// ClientID of the requests that are the shim's own.
const ClientID = "mooring-shim"

// DialTimeout bounds one attempt to connect and to authenticate.
const DialTimeout = 10 * time.Second

// Settings say how brokers are reached. The zero value is plaintext without authentication.
type Settings struct {
	TLS  *contract.TLS
	SASL *contract.SASL
	// FrameLimit bounds a response, in bytes; 0 is wire.DefaultFrameLimit.
	FrameLimit int
}

// Conn is a connection to a broker, authenticated if the settings say so.
type Conn struct {
	net.Conn
	Reader *wire.Reader
	// Expires is when the broker wants a new authentication (KIP-368); zero is never.
	Expires time.Time

	settings      Settings
	correlationID int32
}

// Dial connects to a broker, address host:port. Certificates and credentials are read from their files each time, so that
// changed ones need no restart.
func Dial(ctx context.Context, s Settings, address string) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	raw, err := (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	limit := s.FrameLimit
	if limit == 0 {
		limit = wire.DefaultFrameLimit
	}
	c := &Conn{Conn: raw, settings: s}
	if s.TLS != nil {
		if c.Conn, err = handshake(ctx, s.TLS, raw, address); err != nil {
			raw.Close()
			return nil, err
		}
	}
	c.Reader = wire.NewReader(c.Conn, limit)
	if s.SASL != nil {
		if err := c.authenticate(ctx); err != nil {
			raw.Close()
			return nil, err
		}
	}
	return c, nil
}

func handshake(ctx context.Context, s *contract.TLS, raw net.Conn, address string) (net.Conn, error) {
	config, err := tlsConfig(s, address)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS with %s: %w", address, err)
	}
	return conn, nil
}

func tlsConfig(s *contract.TLS, address string) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if s.ServerName != "" {
		config.ServerName = s.ServerName
	}
	if s.CACertificates != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(s.CACertificates)) {
			return nil, errors.New("tls.caCertificates holds no PEM certificate")
		}
	}
	if s.CertificateFile != "" {
		pair, err := tls.LoadX509KeyPair(s.CertificateFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// Ask sends one request and waits for its answer. Nobody else may use the connection meanwhile.
func (c *Conn) Ask(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	defer c.Reader.Release()                                                  // the next request may be long in coming
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // then it is closed already
	defer func() {
		if stop() {
			return
		}
		c.Close() // its deadline has passed, and an answer may still come
	}()
	c.correlationID++
	if _, err := c.Write(wire.AppendRequest(nil, c.correlationID, []byte(ClientID), req)); err != nil {
		return nil, err
	}
	if _, err := c.Reader.Next(); err != nil {
		return nil, err
	}
	frame, err := io.ReadAll(c.Reader)
	if err != nil {
		return nil, err
	}
	return Decode(frame, req)
}

// Decode the frame of a response to a request.
func Decode(frame []byte, req kmsg.Request) (kmsg.Response, error) {
	at, err := wire.ResponseBody(frame, req.Key(), req.GetVersion())
	if err != nil {
		return nil, err
	}
	resp := req.ResponseKind()
	if err := resp.ReadFrom(frame[at:]); err != nil {
		return nil, fmt.Errorf("response of %s: %w", kmsg.NameForKey(req.Key()), err)
	}
	return resp, nil
}

// credential reads one key of the mounted Secret; what is not there is empty.
func credential(dir, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return strings.TrimRight(string(data), "\r\n"), err
}
