// Package health is the shim's status listener: /livez, /readyz, /metrics and the audit view, /audit.
package health

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/audit"
)

// Status is what the listener tells.
type Status struct {
	Book     *audit.Book
	Contract func() contract.Contract
	// Version of the program.
	Version string

	ready atomic.Pointer[string]
	more  atomic.Pointer[func(io.Writer)]
}

// AlsoMetrics adds what another listener counts to /metrics.
func (s *Status) AlsoMetrics(write func(io.Writer)) { s.more.Store(&write) }

// SetReady says that the shim serves; a reason says why it does not.
func (s *Status) SetReady(reason string) { s.ready.Store(&reason) }

// Handler of all paths.
func (s *Status) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }) //nolint:errcheck // the client is gone
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /audit", s.audit)
	return mux
}

func (s *Status) readyz(w http.ResponseWriter, _ *http.Request) {
	switch reason := s.ready.Load(); {
	case reason == nil:
		http.Error(w, "the cluster has not answered yet", http.StatusServiceUnavailable)
	case *reason != "":
		http.Error(w, *reason, http.StatusServiceUnavailable)
	default:
		w.Write([]byte("ok\n")) //nolint:errcheck // the client is gone
	}
}

func (s *Status) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s.Book.WriteMetrics(w, s.Contract())
	if more := s.more.Load(); more != nil {
		(*more)(w)
	}
}

// View is the audit view.
type View struct {
	Version  string             `json:"version"`
	Profile  contract.Profile   `json:"profile"`
	Cluster  string             `json:"cluster"`
	Hash     string             `json:"contractHash"`
	Mode     contract.Mode      `json:"mode"`
	Promises contract.Guarantee `json:"guarantee"`
	Clients  []audit.View       `json:"clients"`
}

func (s *Status) audit(w http.ResponseWriter, _ *http.Request) {
	c := s.Contract()
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.Encode(View{s.Version, c.Profile, c.Cluster.Name, c.Hash, c.Enforcement.Mode, c.Guarantee, s.Book.Clients()}) //nolint:errcheck // the client is gone
}

// Serve the status on a listener until it is closed.
func (s *Status) Serve(l net.Listener) error {
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	return server.Serve(l)
}
