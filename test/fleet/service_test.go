//go:build fleet

package fleet

import (
	"io"
	"net"
	"sync"
	"time"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Service is the address that the API server calls, as a Kubernetes Service is: each connection goes to one of the replicas
// in turn, and one that does not take it is passed over.
type Service struct {
	listener net.Listener
	backends []string

	mu   sync.Mutex
	next int
	open map[string]int // connections by replica
	all  map[net.Conn]bool
}

// StartService listens at the address of the webhooks.
func StartService(o *envtest.WebhookInstallOptions, backends ...string) *Service {
	l, err := net.Listen("tcp", addressOf(o))
	Expect(err).NotTo(HaveOccurred())
	s := &Service{listener: l, backends: backends, open: make(map[string]int), all: make(map[net.Conn]bool)}
	go s.serve()
	return s
}

// Stop closes the address and every connection.
func (s *Service) Stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.all {
		_ = c.Close()
	}
}

// Asked is the replica that has connections of the API server now; "" for none.
func (s *Service) Asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for backend, n := range s.open {
		if n > 0 {
			return backend
		}
	}
	return ""
}

func (s *Service) serve() {
	for {
		in, err := s.listener.Accept()
		if err != nil {
			return // Stop
		}
		go s.join(in)
	}
}

func (s *Service) join(in net.Conn) {
	defer in.Close()
	out, backend := s.dial()
	if out == nil {
		return
	}
	defer out.Close()
	s.note(backend, 1, in, out)
	defer s.note(backend, -1, in, out)
	var group sync.WaitGroup
	pipe := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // either side may go, and then both do
		_ = to.Close()
		_ = from.Close()
	}
	group.Go(func() { pipe(out, in) })
	group.Go(func() { pipe(in, out) })
	group.Wait()
}

func (s *Service) dial() (net.Conn, string) {
	for range s.backends {
		s.mu.Lock()
		backend := s.backends[s.next%len(s.backends)]
		s.next++
		s.mu.Unlock()
		if c, err := net.DialTimeout("tcp", backend, time.Second); err == nil {
			return c, backend
		}
	}
	return nil, ""
}

func (s *Service) note(backend string, change int, conns ...net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[backend] += change
	for _, c := range conns {
		if change > 0 {
			s.all[c] = true
		} else {
			delete(s.all, c)
		}
	}
}
