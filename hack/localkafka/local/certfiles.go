package local

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Certificates are the paths of PEM files for clients.
type Certificates struct {
	// CA signed all the brokers' certificates, and is the only one whose client certificates they accept.
	CA string `json:"ca,omitempty"`
	// Admin is User:CN=admin, a super user where there is an authorizer.
	Admin KeyPair `json:"admin,omitzero"`
	// Limited is User:CN=limited, which may do nothing where there is an authorizer.
	Limited KeyPair `json:"limited,omitzero"`
	// UntrustedCA signed nothing that the brokers use: a client that trusts only it must refuse them.
	UntrustedCA string `json:"untrustedCA,omitempty"`
	// Untrusted is a client certificate of UntrustedCA: the brokers must refuse it.
	Untrusted KeyPair `json:"untrusted,omitzero"`
}

// KeyPair is a certificate's file and its private key's (PKCS #8, no password).
type KeyPair struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

func certificatesIn(dir string) Certificates {
	at := func(name string) string { return filepath.Join(dir, "certs", name) }
	of := func(name string) KeyPair { return KeyPair{Cert: at(name + ".crt"), Key: at(name + ".key")} }
	return Certificates{
		CA: at("ca.crt"), Admin: of("admin"), Limited: of("limited"),
		UntrustedCA: at("untrusted-ca.crt"), Untrusted: of("untrusted"),
	}
}

// writeCertificates makes both CAs and all they sign anew.
func writeCertificates(s State, now time.Time) error {
	ca, err := newAuthority("localkafka CA", now)
	if err != nil {
		return err
	}
	foreign, err := newAuthority("localkafka untrusted CA", now)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.Certificates.CA), 0o700); err != nil {
		return fmt.Errorf("the folder for certificates can't be made; look at the rights of %s: %w", s.Dir, err)
	}
	for _, client := range []struct {
		of    *authority
		name  string
		files KeyPair
	}{
		{ca, AdminUser, s.Certificates.Admin},
		{ca, LimitedUser, s.Certificates.Limited},
		{foreign, AdminUser, s.Certificates.Untrusted},
	} {
		p, err := client.of.Client(client.name, now)
		if err != nil {
			return err
		}
		if err := writeAll(file{client.files.Cert, p.cert}, file{client.files.Key, p.key}); err != nil {
			return err
		}
	}
	for _, node := range s.Nodes {
		if err := writeKeystores(ca, node, now); err != nil {
			return err
		}
	}
	return writeAll(file{s.Certificates.CA, ca.pem}, file{s.Certificates.UntrustedCA, foreign.pem})
}

func writeKeystores(ca *authority, node Node, now time.Time) error {
	right, err := ca.Server(fmt.Sprintf("node-%d", node.ID), []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(node.Address)}, now)
	if err != nil {
		return err
	}
	wrong, err := ca.Server(WrongName, []string{WrongName}, nil, now)
	if err != nil {
		return err
	}
	return writeAll(file{keystore(node), right.Keystore()}, file{wrongKeystore(node), wrong.Keystore()})
}

func keystore(n Node) string      { return filepath.Join(n.Dir, "keystore.pem") }
func wrongKeystore(n Node) string { return filepath.Join(n.Dir, "keystore-wrong-name.pem") }

type file struct {
	path    string
	content []byte
}

func writeAll(files ...file) error {
	for _, f := range files {
		if err := writeAtomic(f.path, f.content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// TLSConfig is for a client of the TLS listeners: it trusts the cluster's CA and shows no certificate.
func (s State) TLSConfig() (*tls.Config, error) { return tlsConfig(s.Certificates.CA, nil) }

// MTLSConfig is for a client of ListenerMTLS: it trusts the cluster's CA and shows the certificate given, for example
// State.Certificates.Admin.
func (s State) MTLSConfig(client KeyPair) (*tls.Config, error) {
	return tlsConfig(s.Certificates.CA, &client)
}

func tlsConfig(ca string, client *KeyPair) (*tls.Config, error) {
	raw, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("the cluster's CA can't be read (an embedded cluster has none): %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("%s holds no certificate; take the cluster down and up again", ca)
	}
	cfg := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if client != nil {
		cert, err := tls.LoadX509KeyPair(client.Cert, client.Key)
		if err != nil {
			return nil, fmt.Errorf("the client certificate %s can't be loaded; take the cluster down and up again: %w", client.Cert, err)
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return cfg, nil
}
