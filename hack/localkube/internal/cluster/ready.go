package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

const (
	// pollEvery is how often a component is asked whether it is ready.
	pollEvery = 50 * time.Millisecond
	// askBound is how long one answer may take.
	askBound = 5 * time.Second
	// answerBound is more than any answer that is read here has bytes.
	answerBound = 1 << 20
	// logLines is how much of a log is shown with an error.
	logLines = 20
)

// client asks one component, over TLS, and shows its own certificate.
type client struct {
	http http.Client
}

// newClient's caller shows nothing and believes anybody where trustOf is nil.
func newClient(trustOf func(component.Layout) component.Trust, l component.Layout) (*client, error) {
	if trustOf == nil {
		return &client{http.Client{Timeout: askBound, Transport: &http.Transport{Proxy: nil}}}, nil
	}
	trust := trustOf(l)
	ca, err := os.ReadFile(trust.CA)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authority's certificate: %w; run down, then up", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	pair, err := tls.LoadX509KeyPair(trust.Cert, trust.Key)
	if err != nil {
		return nil, fmt.Errorf("cannot read the client certificate %s: %w; run down, then up", trust.Cert, err)
	}
	return &client{http.Client{
		Timeout: askBound,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
			// A proxy of the environment is not meant for our own loopback ports.
			Proxy: nil,
		},
	}}, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// ask returns nil when url answers 200, and otherwise an error that says what
// it answered. Of a Unix socket it asks only that somebody listens.
func (c *client) ask(ctx context.Context, url string) error {
	if socket, isSocket := strings.CutPrefix(url, "unix://"); isSocket {
		conn, err := (&net.Dialer{Timeout: askBound}).DialContext(ctx, "unix", socket)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	_, err := c.get(ctx, url)
	return err
}

// get returns what url answers with 200.
func (c *client) get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, answerBound))
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s: %s", url, response.Status, strings.Join(report.LastLines(string(body), logLines), "; "))
	}
	return body, err
}

// waitFor polls url until it answers 200. It gives up when ctx ends, and at once
// when exited is closed.
func waitFor(ctx context.Context, c *client, url string, exited <-chan struct{}) error {
	return waitUntil(ctx, func() error { return c.ask(ctx, url) }, exited)
}

// waitUntil is waitFor with another question.
func waitUntil(ctx context.Context, ask func() error, exited <-chan struct{}) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("the process ended")
		case <-ctx.Done():
			return fmt.Errorf("%w; the last answer: %v", context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

// waitReady waits until a component does its work.
func waitReady(ctx context.Context, c component.Component, l component.Layout, exited <-chan struct{}) error {
	client, err := newClient(c.Service.Trust, l)
	if err != nil {
		return err
	}
	defer client.close()
	return waitFor(ctx, client, c.HealthURL(l), exited)
}

// waitUsable waits for what every user of a cluster takes for granted and the
// readiness of the API server does not cover.
func waitUsable(ctx context.Context, l component.Layout, withControllers bool) error {
	service := mustService(component.APIServer)
	client, err := newClient(service.Trust, l)
	if err != nil {
		return err
	}
	defer client.close()
	namespace := service.URL(l) + "/api/v1/namespaces/default"
	if err := waitFor(ctx, client, namespace, nil); err != nil {
		return withLog(fmt.Errorf("the namespace default did not appear: %w", err), l.Log(component.APIServer), 0)
	}
	if !withControllers {
		return nil
	}
	// The controller manager makes it. A pod created earlier would be refused.
	if err := waitFor(ctx, client, namespace+"/serviceaccounts/default", nil); err != nil {
		return withLog(fmt.Errorf("the service account default did not appear in the namespace default: %w", err), l.Log(component.ControllerManager), 0)
	}
	return nil
}

func mustService(name string) *component.Service {
	c, err := component.Get(name)
	if err != nil || c.Service == nil {
		panic("the table has no service " + name)
	}
	return c.Service
}

// withLog adds the end of a log to an error. What was there before the offset
// from is an earlier run's.
func withLog(err error, path string, from int64) error {
	content, readErr := os.ReadFile(path)
	if readErr != nil {
		return fmt.Errorf("%w; its log cannot be read: %v", err, readErr)
	}
	lines := report.LastLines(string(content[min(from, int64(len(content))):]), logLines)
	if len(lines) == 0 {
		return fmt.Errorf("%w; it wrote nothing to its log %s", err, path)
	}
	return fmt.Errorf("%w; the end of its log, the rest is in %s:\n    %s", err, path, strings.Join(lines, "\n    "))
}

// fileSize is 0 for a file that is not there.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
