package upstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	a.pem, a.cert, a.key = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a *authority) sign(c *x509.Certificate) (string, *x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), cert, key
}

// pair writes a certificate and its key to files.
func (a *authority) pair(name string) (certFile, keyFile string) {
	a.t.Helper()
	text, _, key := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	})
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	dir := a.t.TempDir()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, data := range map[string][]byte{certFile: []byte(text), keyFile: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestMutualTLS(t *testing.T) {
	ca := newAuthority(t)
	certFile, keyFile := ca.pair("kafka.example")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	ours, key := ca.pair("app")
	strangers, strangersKey := newAuthority(t).pair("stranger")
	for _, tt := range []struct {
		name string
		tls  contract.TLS
		ok   bool
	}{
		{"with the right certificate", contract.TLS{CACertificates: ca.pem, CertificateFile: ours, KeyFile: key}, true},
		{"with a name to verify", contract.TLS{CACertificates: ca.pem, CertificateFile: ours, KeyFile: key, ServerName: "kafka.example"}, true},
		{"with a name that the broker has not", contract.TLS{CACertificates: ca.pem, CertificateFile: ours, KeyFile: key, ServerName: "other"}, false},
		{"without a certificate", contract.TLS{CACertificates: ca.pem}, false},
		{"with a stranger's certificate", contract.TLS{CACertificates: ca.pem, CertificateFile: strangers, KeyFile: strangersKey}, false},
		{"without the CA", contract.TLS{CertificateFile: ours, KeyFile: key}, false},
		{"with a CA that is none", contract.TLS{CACertificates: "none"}, false},
		{"with a file that is not there", contract.TLS{CACertificates: ca.pem, CertificateFile: "/none", KeyFile: "/none"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := ask(t, Settings{TLS: &tt.tls}, cluster.ListenAddrs()[0])
			if (err == nil) != tt.ok {
				t.Errorf("%v", err)
			}
		})
	}
}

func ask(t *testing.T, s Settings, address string) error {
	t.Helper()
	conn, err := Dial(t.Context(), s, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 9
	_, err = conn.Ask(t.Context(), req)
	return err
}

func TestAnAnswerThatNeverComesEndsWithTheContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := Dial(t.Context(), Settings{}, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := conn.Ask(ctx, kmsg.NewPtrMetadataRequest()); err == nil {
		t.Error("nobody answered")
	}
}

func TestTokensAreFetchedOnceUntilTheyExpire(t *testing.T) {
	var fetched atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		id, secret, _ := r.BasicAuth()
		if r.FormValue("grant_type") != "client_credentials" || id != "id" || secret != "s" || r.FormValue("scope") != "kafka" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"access_token": "t", "expires_in": 3600}) //nolint:errcheck // the client sees it
	}))
	defer server.Close()
	var c tokenCache
	g := grant{url: server.URL, id: "id", secret: "s", scope: "kafka"}
	for range 3 {
		if token, err := c.token(t.Context(), g); err != nil || token != "t" {
			t.Fatalf("%q %v", token, err)
		}
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("%d requests for one token", n)
	}
	g.secret = "wrong"
	if _, err := c.token(t.Context(), g); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("%v", err)
	}
}
