package local

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func writtenCertificates(t *testing.T) State {
	t.Helper()
	s := testState(t, Settings{Brokers: 1})
	s.Dir = t.TempDir()
	s.Certificates = certificatesIn(s.Dir)
	s.Nodes[0].Dir = s.Dir
	if err := writeCertificates(s, time.Now()); err != nil {
		t.Fatal(err)
	}
	return s
}

// handshake runs TLS between a server with that keystore, which demands client certificates as the MTLS listener does
// if mutual, and a client that dials 127.0.0.1.
func handshake(t *testing.T, keystorePath, ca string, client *tls.Config, mutual bool) (clientErr, serverErr error) {
	t.Helper()
	store, err := os.ReadFile(keystorePath)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(store, store)
	if err != nil {
		t.Fatal(err)
	}
	server, err := tlsConfig(ca, nil)
	if err != nil {
		t.Fatal(err)
	}
	server.ClientCAs, server.Certificates = server.RootCAs, []tls.Certificate{cert}
	if mutual {
		server.ClientAuth = tls.RequireAndVerifyClientCert
	}
	client = client.Clone()
	if client.ServerName == "" {
		client.ServerName = "127.0.0.1"
	}
	here, there := net.Pipe()
	defer here.Close()
	done := make(chan error, 1)
	go func() {
		defer there.Close()
		done <- tls.Server(there, server).HandshakeContext(t.Context())
	}()
	clientErr = tls.Client(here, client).HandshakeContext(t.Context())
	_ = here.Close()
	return clientErr, <-done
}

func TestCertificates(t *testing.T) {
	s := writtenCertificates(t)
	right, wrong := keystore(s.Nodes[0]), wrongKeystore(s.Nodes[0])
	trusting, err := s.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	if clientErr, _ := handshake(t, right, s.Certificates.CA, trusting, false); clientErr != nil {
		t.Errorf("a client that trusts the CA got %v", clientErr)
	}
	clientErr, _ := handshake(t, wrong, s.Certificates.CA, trusting, false)
	if _, ok := errors.AsType[x509.HostnameError](clientErr); !ok {
		t.Errorf("the wrong name gave %v, want a hostname error", clientErr)
	}
	named := trusting.Clone()
	named.ServerName = WrongName
	if clientErr, _ := handshake(t, wrong, s.Certificates.CA, named, false); clientErr != nil {
		t.Errorf("the wrong name, expected by the client, gave %v", clientErr)
	}
	foreign, err := tlsConfig(s.Certificates.UntrustedCA, nil)
	if err != nil {
		t.Fatal(err)
	}
	clientErr, _ = handshake(t, right, s.Certificates.CA, foreign, false)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](clientErr); !ok {
		t.Errorf("a client that trusts another CA got %v, want an authority error", clientErr)
	}
}

func TestClientCertificates(t *testing.T) {
	s := writtenCertificates(t)
	for _, tt := range []struct {
		reason string
		client KeyPair
		ok     bool
	}{
		{"the admin is let in", s.Certificates.Admin, true},
		{"the limited user is let in", s.Certificates.Limited, true},
		{"another CA's client is not", s.Certificates.Untrusted, false},
	} {
		client, err := s.MTLSConfig(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		_, serverErr := handshake(t, keystore(s.Nodes[0]), s.Certificates.CA, client, true)
		if (serverErr == nil) != tt.ok {
			t.Errorf("%s: the server says %v", tt.reason, serverErr)
		}
	}
	pair, err := tls.LoadX509KeyPair(s.Certificates.Admin.Cert, s.Certificates.Admin.Key)
	if err != nil {
		t.Fatal(err)
	}
	if got := pair.Leaf.Subject.String(); got != "CN=admin" {
		t.Errorf("the admin's subject is %s, and super.users says CN=admin", got)
	}
}

func TestUnsecuredToken(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	parts := strings.Split(UnsecuredToken("admin", now, time.Minute), ".")
	if len(parts) != 3 || parts[2] != "" {
		t.Fatalf("the token has the parts %q, want three and the last empty", parts)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Sub      string
		Iat, Exp int64
	}
	if err := json.Unmarshal(raw, &claims); err != nil || claims.Sub != "admin" || claims.Exp-claims.Iat != 60 || claims.Iat != now.Unix() {
		t.Errorf("the claims are %s, %v", raw, err)
	}
}
