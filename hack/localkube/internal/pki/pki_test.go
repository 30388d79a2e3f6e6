package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"slices"
	"testing"
	"time"
)

// now is fixed: certificates are values here, and the tests choose their time.
var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func parse(t *testing.T, pair Pair) *x509.Certificate {
	t.Helper()
	if _, err := tls.X509KeyPair(pair.Cert, pair.Key); err != nil {
		t.Fatalf("certificate and key do not belong together: %v", err)
	}
	block, _ := pem.Decode(pair.Cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func newAuthority(t *testing.T, name string) (*Authority, *x509.CertPool) {
	t.Helper()
	authority, err := NewAuthority(name, now)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parse(t, authority.PEM()))
	return authority, pool
}

func TestIssue(t *testing.T) {
	authority, pool := newAuthority(t, "kubernetes")
	_, otherPool := newAuthority(t, "front-proxy")
	server := Request{CommonName: "kube-apiserver", DNSNames: []string{"localhost", "kubernetes.default.svc"}, IPs: []net.IP{net.ParseIP("127.0.0.1")}, Server: true}
	client := Request{CommonName: "admin", Organizations: []string{"system:masters"}, Client: true}
	tests := map[string]struct {
		reason  string
		request Request
		roots   *x509.CertPool
		dnsName string
		usage   x509.ExtKeyUsage
		at      time.Time
		valid   bool
	}{
		"server by name":         {"a client reaches it as localhost", server, pool, "localhost", x509.ExtKeyUsageServerAuth, now, true},
		"server by service name": {"a pod reaches it by its service", server, pool, "kubernetes.default.svc", x509.ExtKeyUsageServerAuth, now, true},
		"server by address":      {"the kubeconfig names the address", server, pool, "127.0.0.1", x509.ExtKeyUsageServerAuth, now, true},
		"another name":           {"a name that was not asked for is not served", server, pool, "elsewhere", x509.ExtKeyUsageServerAuth, now, false},
		"client":                 {"admin signs in with it", client, pool, "", x509.ExtKeyUsageClientAuth, now, true},
		"client as a server":     {"a stolen client certificate serves nothing", client, pool, "", x509.ExtKeyUsageServerAuth, now, false},
		"another authority":      {"the front proxy's authority signs no users in", client, otherPool, "", x509.ExtKeyUsageClientAuth, now, false},
		"a slow clock":           {"a reader a minute behind accepts it", client, pool, "", x509.ExtKeyUsageClientAuth, now.Add(-time.Minute), true},
		"two years later":        {"leaves are valid for one year", client, pool, "", x509.ExtKeyUsageClientAuth, now.Add(2 * leafValidity), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			pair, err := authority.Issue(tc.request, now)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parse(t, pair).Verify(x509.VerifyOptions{Roots: tc.roots, DNSName: tc.dnsName, KeyUsages: []x509.ExtKeyUsage{tc.usage}, CurrentTime: tc.at})
			if (err == nil) != tc.valid {
				t.Errorf("%s: want valid=%v, got %v", tc.reason, tc.valid, err)
			}
		})
	}
}

func TestIssueNamesUserAndGroups(t *testing.T) {
	authority, _ := newAuthority(t, "kubernetes")
	pair, err := authority.Issue(Request{CommonName: "admin", Organizations: []string{"system:masters"}, Client: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	subject := parse(t, pair).Subject
	if subject.CommonName != "admin" || !slices.Equal(subject.Organization, []string{"system:masters"}) {
		t.Errorf("want user admin of system:masters, got %v", subject)
	}
}

func TestParseAuthoritySignsLikeTheFirst(t *testing.T) {
	authority, pool := newAuthority(t, "kubernetes")
	again, err := ParseAuthority(authority.PEM())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := again.Issue(Request{CommonName: "admin", Client: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(t, pair).Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, CurrentTime: now}); err != nil {
		t.Error(err)
	}
}

func TestParseAuthorityRefuses(t *testing.T) {
	one, _ := newAuthority(t, "one")
	two, _ := newAuthority(t, "two")
	tests := map[string]Pair{
		"another authority's key": {Cert: one.PEM().Cert, Key: two.PEM().Key},
		"no PEM":                  {Cert: []byte("torn"), Key: one.PEM().Key},
		"a key as certificate":    {Cert: one.PEM().Key, Key: one.PEM().Key},
	}
	for name, pair := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseAuthority(pair); err == nil {
				t.Error("want an error")
			}
		})
	}
}

func TestNewSigningKey(t *testing.T) {
	pair, err := NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	private, _ := pem.Decode(pair.Key)
	public, _ := pem.Decode(pair.Cert)
	key, err := x509.ParseECPrivateKey(private.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	read, err := x509.ParsePKIXPublicKey(public.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !key.PublicKey.Equal(read) {
		t.Error("the public half does not belong to the private one")
	}
}
