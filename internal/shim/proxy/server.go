// Package proxy is the Kafka listener of the shim. A client connection has one connection to a broker and two goroutines, one
// for each direction. Frames are bytes unless a rule needs to know more: Produce requests are judged by the contract, and
// answers that carry brokers' addresses are rewritten so that no client walks around the shim.
package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/audit"
	"mooring.dev/mooring/internal/shim/policy"
	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

// Options of a Server. The zero value of each field is its default.
type Options struct {
	// FrameLimit bounds a request and a response, in bytes; 0 is wire.DefaultFrameLimit.
	FrameLimit int
	// FrameMemory bounds the requests that are in memory at once, in bytes; 0 is 10 MiB. One that is larger may be alone.
	FrameMemory int
	// MaxConnections bounds the client connections; 0 is 4096. More are closed at once.
	MaxConnections int
	// Addresses says how nodes are told apart.
	Addresses Addresses
	// Log; nil is slog.Default().
	Log *slog.Logger

	// dial makes connections to brokers; tests put something in between.
	// stall and answer are for tests too; 0 is the constant, or what the request says.
	stall, answer time.Duration
	dial          func(ctx context.Context, s upstream.Settings, address string) (*upstream.Conn, error)
}

// Server is the Kafka listener.
type Server struct {
	options Options
	log     *slog.Logger
	book    *audit.Book
	policy  atomic.Pointer[policy.Policy]
	buffers *wire.Buffers
	nodes   nodes
	topics  topics

	seq      sequencer
	draining atomic.Bool
	lost     atomic.Int64
	spilled  atomic.Int64 // bytes of connections that stand still

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[*conn]struct{}
	done      sync.WaitGroup
	ctx       context.Context
	cancel    context.CancelFunc
}

// New makes a server for a valid contract. It listens to nothing yet.
func New(c contract.Contract, book *audit.Book, o Options) *Server {
	if o.FrameLimit == 0 {
		o.FrameLimit = wire.DefaultFrameLimit
	}
	if o.FrameMemory == 0 {
		o.FrameMemory = 10 << 20
	}
	if o.dial == nil {
		o.dial = upstream.Dial
	}
	if o.stall == 0 {
		o.stall = stall
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 4096
	}
	s := &Server{options: o, log: o.Log, book: book, buffers: wire.NewBuffers(o.FrameMemory), conns: make(map[*conn]struct{})}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.seq.init()
	s.nodes.server = s
	s.policy.Store(policy.New(c))
	return s
}

// Reload puts another contract into effect: for the next request of every connection, and for the next connection to a broker.
func (s *Server) Reload(c contract.Contract) { s.policy.Store(policy.New(c)) }

// Contract in effect.
func (s *Server) Contract() contract.Contract { return s.policy.Load().Contract }

// Listen on the address that clients have as bootstrap.servers. It returns the address that it got.
func (s *Server) Listen(address string) (net.Addr, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s.nodes.home(l.Addr().(*net.TCPAddr))
	go s.watch()
	go s.watchAnswers()
	s.serve(l, bootstrapNode)
	return l.Addr(), nil
}

// serve accepts connections for a node until the listener closes.
func (s *Server) serve(l net.Listener, node int32) {
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		for {
			client, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // out of file descriptors, usually
				s.log.Warn("accept", "err", err)
				s.pause(100 * time.Millisecond)
				continue
			}
			s.admit(client, node)
		}
	}()
}

// pause waits, but not longer than the server lives.
func (s *Server) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.ctx.Done():
	}
}

func (s *Server) admit(client net.Conn, node int32) {
	c := newConn(s, client, node)
	s.mu.Lock()
	full := len(s.conns) >= s.options.MaxConnections || s.draining.Load()
	if !full {
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	if full {
		client.Close()
		return
	}
	s.book.Connections.Add(1)
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		c.run()
		s.mu.Lock()
		delete(s.conns, c)
		idle := len(s.conns) == 0
		s.mu.Unlock()
		s.book.Connections.Add(-1)
		if idle {
			s.buffers.Trim()
		}
	}()
}

// Summary of a server's life.
type Summary struct {
	// Acknowledged records, in all.
	Acknowledged int64
	// Flushed records: those that were acknowledged after the drain began.
	Flushed int64
	// Lost records: a client was told that they are written, or was told nothing (acks=0), and they are not.
	Lost int64
}

// Drain stops accepting, answers what is in flight, and closes all connections; at the latest when ctx ends.
func (s *Server) Drain(ctx context.Context) Summary {
	before := s.book.Acknowledged()
	s.draining.Store(true)
	s.mu.Lock()
	for _, l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.stopReading()
	}
	s.mu.Unlock()
	finished := make(chan struct{})
	go func() { s.done.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-ctx.Done():
		s.Close()
		<-finished
	}
	s.cancel()
	total := s.book.Acknowledged()
	return Summary{Acknowledged: total, Flushed: total - before, Lost: s.lost.Load()}
}

// Close ends everything at once.
func (s *Server) Close() {
	s.draining.Store(true)
	s.cancel()
	s.mu.Lock()
	for _, l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.abort()
	}
	s.mu.Unlock()
	s.seq.wake()
}

func (s *Server) settings() upstream.Settings {
	c := s.Contract()
	return upstream.Settings{TLS: c.TLS, SASL: c.SASL, FrameLimit: s.options.FrameLimit}
}

// connect to a node, or to the first bootstrap server that answers.
func (s *Server) connect(ctx context.Context, node int32) (*upstream.Conn, error) {
	addresses := s.Contract().Cluster.BootstrapServers
	if node != bootstrapNode {
		address, ok := s.nodes.real(node)
		if !ok {
			return nil, errors.New("no metadata names this node any more")
		}
		addresses = []string{address}
	}
	var first error
	for _, address := range addresses {
		up, err := s.options.dial(ctx, s.settings(), address)
		if err == nil {
			return up, nil
		}
		s.book.DialFailures.Add(1)
		s.log.Warn("broker does not answer", "address", address, "err", err)
		if first == nil {
			first = err
		}
	}
	return nil, first
}
