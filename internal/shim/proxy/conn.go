package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mooring.dev/mooring/internal/shim/audit"
	"mooring.dev/mooring/internal/shim/sequence"
	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

// maxPending bounds the requests of a connection that wait for an answer, whatever they are.
const maxPending = 1024

// conn is a client connection and its connection to a broker. The goroutine of requests reads the client and writes to the
// broker; that of answers the other way about. An exchange is in order from its request to its answer, and in sent from the
// one to the other when the broker has a part in it.
type conn struct {
	server *Server
	client net.Conn
	in     *wire.Reader
	up     *upstream.Conn
	node   int32

	library audit.Key
	who     atomic.Pointer[audit.Client]
	// ownSASL says that the client authenticates itself: the shim cannot speak for it on other connections.
	ownSASL atomic.Bool

	mu       sync.Mutex
	changed  *sync.Cond
	order    queue
	sent     queue
	produces int
	ended    bool        // no more answers will come
	broken   bool        // the connection to the broker is gone, and another is being made
	stopping atomic.Bool // no more requests are taken
	closing  atomic.Bool // and none is left
	gone     atomic.Bool // the client closed its end
	over     atomic.Bool // nobody seeks the outcome of anything on it any more
	// unheard says that the client expects no answers (acks=0): it believes what it has sent to be written, so its connection
	// is kept even when that to the broker is lost.
	unheard atomic.Bool

	out      sync.Mutex // who holds it writes to the client
	answered incoming
	head     [4]byte
	// told are the batches of the last answers, and next is where those of the next go; with seq.mu.
	told  [sequence.Window][]*sequence.Entry
	next  int
	spare []*sequence.Entry // memory for the next
	reset atomic.Bool       // the client threw the connection away, with answers that it had not read

	// slow is odd while the rest of a frame is waited for, and stalled when it was waited for too long.
	slow atomic.Int64

	// The goroutine of requests has these to itself.
	posted    outgoing
	clientID  string
	requested int64 // requests that came
	producer  *producer
	own       int32
	refused   error // why there is no producer ID
	refusedAt time.Time

	// The goroutine of answers has these to itself.
	ownCourier *courier
	successes  []wire.Success
}

// kind says how the answer to a request is treated.
type kind int

const (
	relay   kind = iota // as bytes
	decode              // read, and its addresses rewritten
	produce             // a Produce that the shim has to know the outcome of
	local               // the shim's own answer
	own                 // the answer to a request of the shim's own
)

// exchange is a request and its answer.
type exchange struct {
	kind    kind
	key     int16
	version int16
	id      int32
	at      time.Time
	answer  []byte         // local
	reply   chan *received // own
	produce *produced
}

type received struct{ frame []byte }

func newConn(s *Server, client net.Conn, node int32) *conn {
	c := &conn{server: s, client: client, node: node, in: wire.NewReader(client, s.options.FrameLimit)}
	c.changed = sync.NewCond(&c.mu)
	c.producer = &producer{}
	return c
}

// run serves the connection until it ends.
func (c *conn) run() {
	defer c.client.Close()
	up, err := c.server.connect(c.server.ctx, c.node)
	if err != nil {
		c.server.log.Warn("client without a broker", "node", c.node, "err", err)
		return
	}
	c.mu.Lock()
	c.up = up
	c.mu.Unlock()
	stop := context.AfterFunc(c.server.ctx, c.abort)
	defer stop()

	var answers sync.WaitGroup
	answers.Go(func() {
		for c.answers(); c.reconnect(); {
			c.answers()
		}
		c.end()
		c.client.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // it wakes the reading of requests
	})
	err = c.requests()
	c.in.Release()
	if errors.Is(err, syscall.ECONNRESET) {
		c.reset.Store(true)
	}
	c.report(err)
	c.finish(err)
	answers.Wait()
	c.upstream().Close()
	if _, reset := closedByPeer(c.client); reset {
		c.reset.Store(true)
	}
	if c.ownCourier != nil {
		c.ownCourier.close()
	}
	c.over.Store(true)
	c.server.seq.leave(c)
}

// upstream is the connection to the broker.
func (c *conn) upstream() *upstream.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

// reconnect to a broker for a client that cannot be told that the connection is lost. It says whether answers are to be read
// again.
func (c *conn) reconnect() bool {
	if !c.unheard.Load() {
		return false
	}
	for backoff := 50 * time.Millisecond; ; backoff = min(2*backoff, time.Second) {
		if c.closing.Load() || c.server.ctx.Err() != nil {
			return false
		}
		up, err := c.server.connect(c.server.ctx, c.node)
		if err != nil && c.node != bootstrapNode {
			up, err = c.server.connect(c.server.ctx, bootstrapNode) // whoever it is, the leader is found from there
		}
		if err == nil {
			c.mu.Lock()
			c.up, c.broken = up, false
			c.mu.Unlock()
			c.changed.Broadcast()
			return !c.closing.Load()
		}
		c.server.pause(backoff)
	}
}

// finish waits for what is in flight when the client sends no more: Produce requests are seen to their end.
func (c *conn) finish(err error) {
	c.mu.Lock()
	waits := c.stopping.Load() && c.order.len() > 0
	for _, x := range c.order.all() {
		waits = waits || x.kind == produce
	}
	if waits && !errors.Is(err, errPolicy) {
		// The goroutine of answers ends when nothing is left.
		c.up.SetReadDeadline(time.Now().Add(c.patience())) //nolint:errcheck // then it is closed already
		for c.order.len() > 0 && !c.ended {
			c.changed.Wait()
		}
	}
	c.mu.Unlock()
	c.closing.Store(true)
	c.upstream().Close()
}

// patience is how long an answer is waited for when nobody at the client does.
func (c *conn) patience() time.Duration {
	return min(c.server.Contract().Timing.DeliveryTimeout.Duration(), 30*time.Second)
}

func (c *conn) report(err error) {
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
	case errors.Is(err, wire.ErrFrame), errors.Is(err, errProtocol):
		c.server.book.Malformed.Add(1)
		c.server.log.Warn("client connection ended", "client", c.client.RemoteAddr().String(), "err", err)
	default:
		c.server.log.Debug("client connection ended", "client", c.client.RemoteAddr().String(), "err", err)
	}
}

// stopReading takes no more requests; those that were taken are answered.
func (c *conn) stopReading() {
	c.stopping.Store(true)
	c.client.SetReadDeadline(c.lastWord()) //nolint:errcheck // then it is closed already
	c.server.seq.wake()
}

// lastWord is until when another request is waited for in a drain: no longer, unless it is on the way already and the client
// believes that it is written (acks=0), or has gone and left it.
func (c *conn) lastWord() time.Time {
	if closed, _ := closedByPeer(c.client); closed || c.unheard.Load() {
		return time.Now().Add(time.Second)
	}
	return time.Unix(1, 0)
}

// abort ends the connection at once.
func (c *conn) abort() {
	c.client.Close()
	c.mu.Lock()
	up := c.up
	c.mu.Unlock()
	if up != nil {
		up.Close()
	}
	c.end()
}

func (c *conn) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.changed.Broadcast()
	c.server.seq.wake()
}

// audit is the counters of the client.
func (c *conn) audit(clientID []byte) *audit.Client {
	who := c.who.Load()
	if who != nil && (who.ClientID == string(clientID) || who.Key == audit.Other) {
		return who
	}
	key := c.library
	key.ClientID = string(clientID)
	who = c.server.book.Client(key)
	who.Connections.Add(1)
	c.who.Store(who)
	return who
}

// enqueue an exchange and, when the broker has a part in it, send its request. It waits while too many are unanswered,
// which stops the reading of the client. The user is told when the request is written, and not if there is an error.
func (c *conn) enqueue(x *exchange, request []byte, u user) error {
	limit := int(c.server.policy.Load().Contract.Limits.MaxInFlight)
	waits := func() bool {
		return !c.ended && (c.broken || c.order.len() >= maxPending || (x.kind == produce && c.produces >= limit))
	}
	c.mu.Lock()
	if waits() {
		c.mu.Unlock()
		if err := c.push(); err != nil {
			return err
		}
		c.mu.Lock()
	}
	for waits() {
		c.changed.Wait()
	}
	if c.ended {
		c.mu.Unlock()
		return net.ErrClosed
	}
	if x.kind != own {
		c.order.push(x)
	}
	if x.kind != local {
		c.sent.push(x)
	}
	if x.kind == produce {
		c.produces++
		c.server.book.InFlight.Add(1)
	}
	up := c.up
	c.mu.Unlock()
	if x.kind == local {
		c.out.Lock()
		defer c.out.Unlock()
		c.flush()
		c.send()
		return nil
	}
	c.post(up, request, u)
	return nil
}

// flush emits the shim's own answers that are next. The caller holds out.
func (c *conn) flush() {
	for {
		c.mu.Lock()
		x := c.order.first()
		c.mu.Unlock()
		if x == nil || x.kind != local {
			return
		}
		c.emit(x.answer, nil)
		c.pop()
	}
}

// pop the exchange that was answered. The caller holds out.
func (c *conn) pop() {
	c.mu.Lock()
	if c.order.first().kind == produce {
		c.produces--
		c.server.book.InFlight.Add(-1)
	}
	c.order.pop()
	c.mu.Unlock()
	c.changed.Broadcast()
}
