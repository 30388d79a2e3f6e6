// Package pki makes the keys and certificates of one local control plane: its
// authorities, and the leaf certificates they sign.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

const (
	// authorityValidity and leafValidity outlive any test run by far; a control
	// plane kept for longer gets new leaves each time it is started.
	authorityValidity = 10 * 365 * 24 * time.Hour
	leafValidity      = 365 * 24 * time.Hour
	// clockSkew is how far in the past a certificate starts to be valid, for a
	// reader whose clock is behind.
	clockSkew = 5 * time.Minute
)

// Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pair Pair
}

// Pair is a certificate and its private key, both as PEM.
type Pair struct {
	Cert, Key []byte
}

// Request says what a leaf certificate is for.
type Request struct {
	// CommonName is the user name that Kubernetes reads from a client
	// certificate, and Organizations are the user's groups.
	CommonName    string
	Organizations []string
	// DNSNames and IPs are the names a server answers to; empty for a client.
	DNSNames []string
	IPs      []net.IP
	// Server and Client say at which ends of a connection it may be used.
	Server, Client bool
}

// NewAuthority makes a self-signed authority, valid for ten years from now.
func NewAuthority(commonName string, now time.Time) (*Authority, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, err
	}
	template, err := newTemplate(commonName, now, authorityValidity)
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.DNSNames = []string{commonName}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("cannot sign the authority %s: %w", commonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("cannot read back the authority %s: %w", commonName, err)
	}
	return &Authority{cert: cert, key: key, pair: Pair{Cert: encode("CERTIFICATE", der), Key: keyPEM}}, nil
}

// ParseAuthority reads an authority back from what PEM returned.
func ParseAuthority(pair Pair) (*Authority, error) {
	certBlock, _ := pem.Decode(pair.Cert)
	keyBlock, _ := pem.Decode(pair.Key)
	if certBlock == nil || keyBlock == nil {
		return nil, fmt.Errorf("the authority's certificate or key is not PEM")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authority's certificate: %w", err)
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authority's key: %w", err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("the authority's key does not belong to its certificate")
	}
	return &Authority{cert: cert, key: key, pair: pair}, nil
}

// PEM returns the authority's own certificate and key.
func (a *Authority) PEM() Pair { return a.pair }

// Issue signs a leaf certificate, valid for one year from now.
func (a *Authority) Issue(request Request, now time.Time) (Pair, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return Pair{}, err
	}
	template, err := newTemplate(request.CommonName, now, leafValidity)
	if err != nil {
		return Pair{}, err
	}
	template.Subject.Organization = request.Organizations
	template.DNSNames = request.DNSNames
	template.IPAddresses = request.IPs
	template.KeyUsage = x509.KeyUsageDigitalSignature
	if request.Server {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if request.Client {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("cannot sign the certificate of %s: %w", request.CommonName, err)
	}
	return Pair{Cert: encode("CERTIFICATE", der), Key: keyPEM}, nil
}

// NewSigningKey makes the key pair that service account tokens are signed with:
// Key is the private half, Cert the public one.
func NewSigningKey() (Pair, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return Pair{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return Pair{}, fmt.Errorf("cannot encode the public half of the service account key: %w", err)
	}
	return Pair{Cert: encode("PUBLIC KEY", der), Key: keyPEM}, nil
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a key: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot encode a key: %w", err)
	}
	return key, encode("EC PRIVATE KEY", der), nil
}

func newTemplate(commonName string, now time.Time, validity time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, fmt.Errorf("cannot make a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: commonName},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(validity),
		BasicConstraintsValid: true,
	}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
