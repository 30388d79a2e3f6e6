package franz_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
)

// authority signs certificates for one test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test's authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = a.newKey()
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

// issue signs a certificate for the name kafka.test and the loopback address, for both sides of a connection.
func (a *authority) issue(until time.Time) (certificate, key []byte) {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kafka.test"}, DNSNames: []string{"kafka.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	private := a.newKey()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// broker starts a fake cluster of one broker on a loopback socket: TLS needs a real connection.
func broker(t *testing.T, opts ...kfake.Opt) []string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

// connect looks at the cluster once. Connecting is tried once, because the tests below expect most of them to fail.
func connect(t *testing.T, s kafka.Settings, opts ...kgo.Opt) error {
	t.Helper()
	client, err := franz.NewClient(s, append(opts, kgo.RequestRetries(0))...)
	if err != nil {
		t.Fatalf("settings: %v", err)
	}
	a := franz.New(client, nil)
	defer a.Close()
	_, err = a.Poll(t.Context())
	return err
}

const connects = kafka.Class(-1)

func expectConnect(t *testing.T, reason string, err error, want kafka.Class) {
	t.Helper()
	if want == connects {
		if err != nil {
			t.Errorf("%s: %v", reason, err)
		}
		return
	}
	if err == nil || kafka.ClassOf(err) != want {
		t.Errorf("%s: class %d, want %d: %v", reason, kafka.ClassOf(err), want, err)
	}
}

func TestTLS(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	serverTLS := func(until time.Time, auth tls.ClientAuthType) *tls.Config {
		certificate, key := ours.issue(until)
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AddCert(ours.cert)
		return &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: auth, ClientCAs: pool}
	}
	hour := time.Now().Add(time.Hour)
	oneWay := broker(t, kfake.TLS(serverTLS(hour, tls.NoClientCert)))
	expired := broker(t, kfake.TLS(serverTLS(time.Now().Add(-time.Minute), tls.NoClientCert)))
	mutual := broker(t, kfake.TLS(serverTLS(hour, tls.RequireAndVerifyClientCert)))
	certificate, key := ours.issue(hour)
	strange, strangeKey := others.issue(hour)

	tests := map[string]struct {
		reason  string
		servers []string
		tls     *kafka.TLS
		want    kafka.Class
	}{
		"trusted":                       {"the CA signed it and the address is in it", oneWay, &kafka.TLS{CA: ours.pem}, connects},
		"trusted by another name":       {"serverName is verified instead of the host", oneWay, &kafka.TLS{CA: ours.pem, ServerName: "kafka.test"}, connects},
		"a name that is not in it":      {"a name mismatch is a matter of trust, not of the network", oneWay, &kafka.TLS{CA: ours.pem, ServerName: "other.test"}, kafka.ClassUntrusted},
		"another authority":             {"nobody vouches for the broker", oneWay, &kafka.TLS{CA: others.pem}, kafka.ClassUntrusted},
		"the system's authorities":      {"they do not know a private CA", oneWay, &kafka.TLS{}, kafka.ClassUntrusted},
		"a certificate that is over":    {"expired", expired, &kafka.TLS{CA: ours.pem}, kafka.ClassUntrusted},
		"mutual":                        {"both sides are known", mutual, &kafka.TLS{CA: ours.pem, Certificate: certificate, Key: key}, connects},
		"mutual without a certificate":  {"the broker refuses us", mutual, &kafka.TLS{CA: ours.pem}, kafka.ClassUntrusted},
		"mutual with a strange one":     {"the broker refuses us", mutual, &kafka.TLS{CA: ours.pem, Certificate: strange, Key: strangeKey}, kafka.ClassUntrusted},
		"no TLS to a listener with TLS": {"the broker cuts the connection", oneWay, nil, kafka.ClassTransient},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectConnect(t, tt.reason, connect(t, kafka.Settings{BootstrapServers: tt.servers, TLS: tt.tls}), tt.want)
		})
	}
}

// A listener without TLS waits for the rest of what it takes for a request, or cuts the connection: nobody answers there.
func TestTLSToAListenerWithout(t *testing.T) {
	t.Parallel()
	settings := kafka.Settings{BootstrapServers: broker(t), TLS: &kafka.TLS{}}
	expectConnect(t, "no handshake", connect(t, settings, kgo.DialTimeout(100*time.Millisecond)), kafka.ClassUnreachable)
}

func credentials(user, password string) map[string]string {
	return map[string]string{v1alpha1.SecretKeyUsername: user, v1alpha1.SecretKeyPassword: password}
}

func TestSASL(t *testing.T) {
	servers := broker(t, kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "p", "secret"), kfake.Superuser("SCRAM-SHA-256", "s256", "secret"), kfake.Superuser("SCRAM-SHA-512", "s512", "secret"))
	tests := map[string]struct {
		sasl *kafka.SASL
		want kafka.Class
	}{
		"PLAIN":                             {&kafka.SASL{Mechanism: "PLAIN", Values: credentials("p", "secret")}, connects},
		"SCRAM-SHA-256":                     {&kafka.SASL{Mechanism: "SCRAM-SHA-256", Values: credentials("s256", "secret")}, connects},
		"SCRAM-SHA-512":                     {&kafka.SASL{Mechanism: "SCRAM-SHA-512", Values: credentials("s512", "secret")}, connects},
		"a mechanism that the broker lacks": {&kafka.SASL{Mechanism: "OAUTHBEARER", Values: map[string]string{v1alpha1.SecretKeyToken: "t"}}, kafka.ClassUnauthenticated},
		"no SASL":                           {nil, kafka.ClassTransient},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectConnect(t, name, connect(t, kafka.Settings{BootstrapServers: servers, SASL: tt.sasl}), tt.want)
		})
	}
}

// Apache Kafka answers wrong credentials with a code and a sentence; kfake cuts the connection, so it is told to answer.
func TestSASLRefused(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "p", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode, resp.ErrorMessage = kerr.SaslAuthenticationFailed.Code, new("Authentication failed: Invalid username or password")
		return resp, nil, true
	})
	err = connect(t, kafka.Settings{BootstrapServers: c.ListenAddrs(), SASL: &kafka.SASL{Mechanism: "PLAIN", Values: credentials("p", "wrong")}})
	expectConnect(t, "wrong password", err, kafka.ClassUnauthenticated)
	if err != nil && !strings.Contains(err.Error(), "SASL_AUTHENTICATION_FAILED") {
		t.Errorf("%v", err)
	}
	t.Log(err)
}

// A broker that refuses a token says why in a JSON text first, and gives the error once that is acknowledged (RFC 7628).
func TestOAuthBearerRefused(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLHandshakeResponse)
		resp.SupportedMechanisms = []string{"OAUTHBEARER"}
		return resp, nil, true
	})
	var mu sync.Mutex
	var heard []string
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, string(r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes))
		resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		if len(heard)%2 == 1 {
			resp.SASLAuthBytes = []byte(`{"status":"invalid_token"}`)
			return resp, nil, true
		}
		resp.ErrorCode, resp.ErrorMessage = kerr.SaslAuthenticationFailed.Code, new("the token has expired")
		return resp, nil, true
	})
	sasl := &kafka.SASL{Mechanism: "OAUTHBEARER", Values: map[string]string{v1alpha1.SecretKeyToken: "stale"}}
	err = connect(t, kafka.Settings{BootstrapServers: c.ListenAddrs(), SASL: sasl})
	expectConnect(t, "a token that the broker refuses", err, kafka.ClassUnauthenticated)
	if err != nil && !strings.Contains(err.Error(), "the token has expired") {
		t.Errorf("the broker's words are lost: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(heard) < 2 || !strings.Contains(heard[0], "auth=Bearer stale") || heard[1] != "\x01" {
		t.Errorf("the broker heard %q", heard)
	}
}

// Settings that cannot make a client say which part of them is wrong.
func TestNewClientRefuses(t *testing.T) {
	ours := newAuthority(t)
	certificate, _ := ours.issue(time.Now().Add(time.Hour))
	_, otherKey := ours.issue(time.Now().Add(time.Hour))
	tests := map[string]struct {
		settings kafka.Settings
		says     string
	}{
		"a CA that is no PEM":           {kafka.Settings{TLS: &kafka.TLS{CA: []byte("nonsense")}}, "the CA bundle holds no PEM certificate"},
		"a key that is another's":       {kafka.Settings{TLS: &kafka.TLS{Certificate: certificate, Key: otherKey}}, "do not make a pair"},
		"a certificate without a key":   {kafka.Settings{TLS: &kafka.TLS{Certificate: certificate}}, "do not make a pair"},
		"a key without a certificate":   {kafka.Settings{TLS: &kafka.TLS{Key: otherKey}}, "do not make a pair"},
		"a mechanism that nobody knows": {kafka.Settings{SASL: &kafka.SASL{Mechanism: "GSSAPI"}}, `SASL mechanism "GSSAPI" is not one of`},
		"a server that is no address":   {kafka.Settings{BootstrapServers: []string{"host:notaport"}}, "connection settings"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.settings.BootstrapServers == nil {
				tt.settings.BootstrapServers = []string{"localhost:1"}
			}
			client, err := franz.NewClient(tt.settings)
			if err == nil {
				client.Close()
				t.Fatal("no error")
			}
			if kafka.ClassOf(err) != kafka.ClassInvalid || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("class %d: %v", kafka.ClassOf(err), err)
			}
		})
	}
}

func TestNewClientAcceptsEveryMechanism(t *testing.T) {
	for _, m := range []v1alpha1.SASLMechanism{v1alpha1.SASLPlain, v1alpha1.SASLScramSHA256, v1alpha1.SASLScramSHA512, v1alpha1.SASLOAuthBearer, v1alpha1.SASLAWSMSKIAM} {
		client, err := franz.NewClient(kafka.Settings{BootstrapServers: []string{"localhost:1"}, SASL: &kafka.SASL{Mechanism: string(m)}})
		if err != nil {
			t.Errorf("%s: %v", m, err)
			continue
		}
		client.Close()
	}
}

// The client credentials grant: one token serves every connection until it is about to expire, and a refusal of the token
// endpoint is told in its words.
func TestOAuthBearerTokens(t *testing.T) {
	var asked atomic.Int32
	var lifetime atomic.Int64
	lifetime.Store(3600)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		user, password, _ := r.BasicAuth()
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("scope") != "kafka" || user != "id" || password != "secret" {
			http.Error(w, `{"error":"invalid_client","error_description":"no such client"}`, http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","expires_in":%d}`, asked.Load(), lifetime.Load())
	}))
	defer endpoint.Close()
	values := map[string]string{
		v1alpha1.SecretKeyClientID: "id", v1alpha1.SecretKeyClientSecret: "secret", v1alpha1.SecretKeyTokenURL: endpoint.URL, v1alpha1.SecretKeyScope: "kafka",
	}
	source := franz.TokenSource(values)
	for range 3 {
		if token, err := source(t.Context()); err != nil || token != "token-1" {
			t.Errorf("%q, %v", token, err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("the endpoint was asked %d times for one token", asked.Load())
	}

	asked.Store(0)
	lifetime.Store(1) // about to expire
	source = franz.TokenSource(values)
	for n := range 2 {
		if token, err := source(t.Context()); err != nil || token != fmt.Sprintf("token-%d", n+1) {
			t.Errorf("%q, %v", token, err)
		}
	}

	values[v1alpha1.SecretKeyClientSecret] = "wrong"
	_, err := franz.TokenSource(values)(t.Context())
	var e *kafka.Error
	if !errors.As(err, &e) || e.Class != kafka.ClassUnauthenticated || !strings.Contains(err.Error(), "no such client") || !strings.Contains(err.Error(), endpoint.URL) {
		t.Errorf("%v", err)
	}
}
