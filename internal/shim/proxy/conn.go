package proxy

import (
	"context"
	"errors"
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
	// bound says that there were requests which only the connection's own broker can answer.
	bound atomic.Bool
	// heard says that the broker has answered something.
	heard atomic.Bool
	// away says that another broker is asked in the place of the connection's own.
	away atomic.Bool
	// elsewhere is since when the client should look for the leader, in nanoseconds; 0 if it need not. See elsewhere.go.
	elsewhere        atomic.Int64
	resting, nudging bool // with mu
	// stands says that requests are not read on, and spilled how many bytes are counted that were read all the same. See spill.go.
	stands  bool
	spiller *time.Timer
	spilled int64 // with mu while it stands, else of the goroutine that reads requests
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
	backoff    time.Duration // before the next connection to a broker
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
	again   []byte         // the request's body, if any broker can answer it
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
	up, err := c.dial(false)
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
	c.server.spilled.Add(-c.spilled)
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
	if waits() {
		c.standing()
		for waits() {
			c.changed.Wait()
		}
		c.going()
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
