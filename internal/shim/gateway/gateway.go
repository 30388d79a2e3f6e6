package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/gateway/replay"
	"mooring.dev/mooring/internal/shim/gateway/schema"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// Bounds of the server.
const (
	// MaxHeader of a request, in bytes, give or take a buffer of 4 KiB. It bounds keys and record headers that come in HTTP headers.
	MaxHeader = 16 << 10
	// MaxConnections; more wait until one ends.
	MaxConnections = 1024
	// HeaderTimeout, BodyTimeout and IdleTimeout of a connection. A v3 stream has StreamIdle instead of BodyTimeout.
	HeaderTimeout = 10 * time.Second
	BodyTimeout   = time.Minute
	IdleTimeout   = 5 * time.Minute
	// StreamIdle is how long a v3 stream may send nothing, and how long its reader may take nothing.
	StreamIdle = 5 * time.Minute
)

// Gateway is the HTTP listener. Make it with New.
type Gateway struct {
	sink   *sink.Sink
	window *replay.Window
	routes []route
	server *http.Server
	// stopping ends streams when the listener drains.
	stopping                             context.Context
	stop                                 context.CancelFunc
	asyncFailures, replayed, connections atomic.Int64
	clusterID                            atomic.Pointer[string]
	// schemas is the registry of the contract, nil for none; registry is where it was said to be.
	schemas  atomic.Pointer[schema.Registry]
	registry *contract.SchemaRegistry
}

// New is a gateway under a contract; connect says where its brokers are. It connects when there is something to send.
func New(c contract.Contract, connect sink.Connect) (*Gateway, error) {
	registry, err := registryOf(c)
	if err != nil {
		return nil, err
	}
	s, err := sink.New(c, connect)
	if err != nil {
		return nil, err
	}
	g := &Gateway{sink: s, window: replay.NewWindow(), registry: c.SchemaRegistry}
	g.schemas.Store(registry)
	g.stopping, g.stop = context.WithCancel(context.Background())
	g.routes = g.table()
	g.server = &http.Server{
		Handler:           g.Handler(),
		ReadHeaderTimeout: HeaderTimeout,
		ReadTimeout:       BodyTimeout,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    MaxHeader - 4096, // net/http adds 4096
		ErrorLog:          nil,
	}
	return g, nil
}

// Reload puts another contract in force; see sink.Sink.Reload. On an error the old one stays. It is not called concurrently.
func (g *Gateway) Reload(c contract.Contract) error {
	registry := g.schemas.Load()
	if !reflect.DeepEqual(g.registry, c.SchemaRegistry) {
		var err error
		if registry, err = registryOf(c); err != nil {
			return err
		}
	}
	if err := g.sink.Reload(c); err != nil {
		return err
	}
	g.clusterID.Store(nil)
	g.registry = c.SchemaRegistry
	if old := g.schemas.Swap(registry); old != nil && old != registry {
		old.Close()
	}
	return nil
}

// Serve takes connections until Drain; it then returns nil.
func (g *Gateway) Serve(l net.Listener) error {
	err := g.server.Serve(&bounded{Listener: l, room: make(chan struct{}, MaxConnections), open: &g.connections})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Away says why records are refused because no broker can be reached; nil while they are not.
func (g *Gateway) Away() error { return g.sink.Away() }

// Totals of records since the start.
func (g *Gateway) Totals() sink.Totals { return g.sink.Totals() }

// Report of a drain.
type Report struct {
	// Acknowledged records since the start; Flushed are those of them that were acknowledged after the drain began.
	Acknowledged, Flushed int64
	// Failed records since the start. Their senders were told so, except those of async requests, AsyncFailed.
	Failed, AsyncFailed int64
	// Lost records were accepted and have no outcome: they may or may not be written. Their senders got no acknowledgement.
	Lost int64
	// Cut are connections that were closed before their request was answered.
	Cut int64
}

// String is fit for the termination message.
func (r Report) String() string {
	text := fmt.Sprintf("http acknowledged=%d flushed=%d failed=%d lost=%d", r.Acknowledged, r.Flushed, r.Failed, r.Lost)
	if r.AsyncFailed > 0 {
		text += fmt.Sprintf(" async-failed=%d", r.AsyncFailed)
	}
	if r.Lost > 0 || r.Cut > 0 {
		text += fmt.Sprintf(" (the deadline came first: %d connections were cut, and of the lost it is not known whether they were written)", r.Cut)
	}
	return text
}

// Drain stops taking connections and stream records, answers the requests that are there, and flushes. When the context ends
// first, it says so with counts. The gateway is closed then.
func (g *Gateway) Drain(ctx context.Context) Report {
	written := g.sink.Totals().Written
	g.stop()
	g.server.SetKeepAlivesEnabled(false)
	var cut int64
	if err := g.server.Shutdown(ctx); err != nil {
		cut = g.connections.Load()
		_ = g.server.Close() // the listener is closed already
	}
	t := g.sink.Drain(ctx)
	g.sink.Close()
	if registry := g.schemas.Load(); registry != nil {
		registry.Close()
	}
	return Report{Acknowledged: t.Written, Flushed: t.Written - written, Failed: t.Failed, AsyncFailed: g.asyncFailures.Load(), Lost: t.Pending, Cut: cut}
}

// bounded accepts no more connections than there is room for.
type bounded struct {
	net.Listener
	room chan struct{}
	open *atomic.Int64
	once sync.Once
	done chan struct{}
}

func (b *bounded) closed() chan struct{} {
	b.once.Do(func() { b.done = make(chan struct{}) })
	return b.done
}

// Accept waits for room and for a connection.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.room <- struct{}{}:
	case <-b.closed():
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.room
		return nil, err
	}
	b.open.Add(1)
	return &boundedConn{Conn: c, of: b}, nil
}

// Close the listener, and end a wait for room.
func (b *bounded) Close() error {
	closed := b.closed()
	select {
	case <-closed:
	default:
		close(closed)
	}
	return b.Listener.Close()
}

type boundedConn struct {
	net.Conn
	of   *bounded
	once sync.Once
}

// Close the connection, and make room.
func (c *boundedConn) Close() error {
	c.once.Do(func() {
		c.of.open.Add(-1)
		<-c.of.room
	})
	return c.Conn.Close()
}
