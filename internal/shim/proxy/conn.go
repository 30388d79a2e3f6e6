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
	// unheard says that the client expects no answers (acks=0): it believes what it has sent to be written.
	unheard atomic.Bool
	// keeps says that the shim can bring the client's batches to any broker, so that its connection is kept when that to the broker
	// is lost.
	keeps atomic.Bool
	// away says that another broker is asked in the place of the connection's own.
	away atomic.Bool
	// elsewhere is since when the client should look for the leader, in nanoseconds; 0 if it need not. See elsewhere.go.
	elsewhere        atomic.Int64
	resting, nudging bool // with mu
	// writes is since when an answer is being written to the client, in nanoseconds; 0 if none is.
	writes atomic.Int64

	// taken is how many bytes of the client's have entered their lines, and read that no more will be read. waits is the number of the
	// request that waits for another connection to read on. See lines.go.
	taken, waits atomic.Int64
	read         atomic.Bool

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

	// The goroutine that reads requests has these to itself.
	requested int64 // requests that came
	later     *later
	present   *client // who sent the last request; with seq.mu
	clients   []*client

	// The goroutine that treats requests has these to itself: it is the same one, until the client is one without acks.
	posted     outgoing
	own        int32
	identified *client // it has a producer ID
	complained time.Time

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
	posted  time.Time      // produce: when it went on its way
	answer  []byte         // local
	again   []byte         // decode: the request's body, if any broker can answer it
	reply   chan *received // own
	produce *produced
}

type received struct{ frame []byte }

func newConn(s *Server, client net.Conn, node int32) *conn {
	c := &conn{server: s, client: client, node: node, in: wire.NewReader(client, s.options.FrameLimit)}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// run serves the connection until it ends.
func (c *conn) run() {
	defer c.client.Close()
	up, err := c.dial()
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
	c.goodbye(err)
	if c.ownCourier != nil {
		c.ownCourier.close()
	}
	c.over.Store(true)
	c.server.seq.leave(c)
}

// goodbye ends the client's connection so that it has all answers, and finds out whether it has. One that did not keep to the
// protocol is not waited for.
func (c *conn) goodbye(err error) {
	rude := errors.Is(err, wire.ErrFrame) || errors.Is(err, errProtocol) || errors.Is(err, errPolicy) || errors.Is(err, errStalled)
	if closed, reset := closedByPeer(c.client); closed || rude || c.server.ctx.Err() != nil {
		c.reset.CompareAndSwap(false, reset)
		return
	}
	patience := partTime
	if c.stopping.Load() {
		patience /= 10
	}
	if c.part(patience) {
		c.reset.Store(true)
	}
}

// dial the broker that the connection is for. Where it is away the client is served by another one all the same: what it
// produces is brought to whoever leads the partition.
func (c *conn) dial() (*upstream.Conn, error) {
	up, err := c.server.connect(c.server.ctx, c.node)
	c.away.Store(err != nil)
	if err != nil && c.node != bootstrapNode && !c.ownSASL.Load() {
		up, err = c.server.connect(c.server.ctx, bootstrapNode)
	}
	return up, err
}

// upstream is the connection to the broker.
func (c *conn) upstream() *upstream.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

// reconnect to a broker for a client that is kept. It says whether answers are to be read again.
func (c *conn) reconnect() bool {
	for backoff := 50 * time.Millisecond; ; backoff = min(2*backoff, time.Second) {
		if c.closing.Load() || c.closed() || c.server.ctx.Err() != nil || (!c.unheard.Load() && c.clientGone()) {
			return false
		}
		up, err := c.dial()
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

// kept says whether the client's connection outlives that to the broker, which left so much unanswered: what the shim can bring
// elsewhere it answers itself, and for anything else the end of the connection is the answer. The caller holds mu.
func (c *conn) kept(left []*exchange) bool {
	if c.unheard.Load() {
		return true
	}
	if !c.keeps.Load() || c.ownSASL.Load() || c.stopping.Load() {
		return false
	}
	for _, x := range left {
		if x.kind == relay || (x.kind == decode && x.again == nil) || (x.kind == produce && !x.produce.entries) {
			return false
		}
	}
	return true
}

// finish waits for what is in flight when the client sends no more: Produce requests are seen to their end.
func (c *conn) finish(err error) {
	c.mu.Lock()
	waits := (c.stopping.Load() || errors.Is(err, errElsewhere)) && c.order.len() > 0
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

// patience is how long an answer is waited for when nobody at the client does, and how long when what it sends again may wait for
// this.
func (c *conn) patience() time.Duration {
	if !c.unheard.Load() && c.clientGone() {
		return 2 * time.Second
	}
	return min(c.server.Contract().Timing.DeliveryTimeout.Duration(), 30*time.Second)
}

func (c *conn) report(err error) {
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
	case errors.Is(err, errElsewhere), errors.Is(err, errAway):
		c.server.log.Info("client sent to look for a leader", "node", c.node, "client", c.client.RemoteAddr().String(), "why", err)
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
		x.posted = time.Now()
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
