package schema

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"mooring.dev/mooring/internal/contract"
)

// maxAnswer of the registry, in bytes.
const maxAnswer = 4 << 20

// options of the registry's client. Credentials are read from their files for each request, so that changed ones need no restart.
func options(s contract.SchemaRegistry) ([]sr.ClientOpt, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: maxAsking, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: Timeout}
	if s.CACertificates != "" {
		authorities := x509.NewCertPool()
		if !authorities.AppendCertsFromPEM([]byte(s.CACertificates)) {
			return nil, errors.New("schemaRegistry.caCertificates holds no PEM certificate")
		}
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities}
	}
	opts := []sr.ClientOpt{
		sr.URLs(s.URL), sr.UserAgent("mooring-shim"),
		sr.HTTPClient(&http.Client{Timeout: Timeout, Transport: bounded{transport}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}),
	}
	if dir := s.CredentialsDir; dir != "" {
		opts = append(opts, sr.PreReq(func(r *http.Request) error { return authenticate(r, dir) }))
	}
	return opts, nil
}

func authenticate(r *http.Request, dir string) error {
	user, err := os.ReadFile(filepath.Join(dir, contract.FileRegistryUsername))
	if errors.Is(err, os.ErrNotExist) {
		return nil // the Secret is for the brokers alone
	}
	if err != nil {
		return err
	}
	password, err := os.ReadFile(filepath.Join(dir, contract.FileRegistryPassword))
	if err != nil {
		return fmt.Errorf("there is a %s, and no password: %w", contract.FileRegistryUsername, err)
	}
	r.SetBasicAuth(strings.TrimRight(string(user), "\r\n"), strings.TrimRight(string(password), "\r\n"))
	return nil
}

// bounded reads no more of an answer than may be.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = limited{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

type limited struct {
	io.Reader
	io.Closer
}
