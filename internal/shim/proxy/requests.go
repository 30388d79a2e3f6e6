package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

var (
	// errProtocol is a request that the shim cannot let through, because it does not know what the answer holds.
	errProtocol = errors.New("a request that this shim does not know")
	errStalled  = errors.New("the client began a request and did not end it in time")
	// errPolicy ends the connection of a client that expects no answer (acks=0), as a broker does on an error.
	errPolicy = errors.New("the policy refuses a request with acks=0")
	errGone   = errors.New("the client has gone, with a request that was not sent yet")
	// errElsewhere ends a connection whose client has to look for a new leader.
	errElsewhere = errors.New("a partition of the client has another leader")
	// errAway is a request that only a broker can answer that is away.
	errAway = errors.New("the broker that this request is for is away")
)

func newestOf(key int16) int16 { return wire.Newest(key) }

// requests reads the client until it, or the connection, ends.
func (c *conn) requests() error {
	err := c.readRequests()
	c.read.Store(true)
	c.server.seq.wake()
	if later := c.endLater(); later != nil {
		err = later
	}
	if pushed := c.push(); err == nil {
		err = pushed
	}
	return err
}

func (c *conn) readRequests() error {
	for {
		c.unspilled()
		if c.in.Ready() {
			c.caughtUp(c.in.Arrived() - int64(c.in.Buffered()))
		} else {
			if c.later == nil {
				if err := c.push(); err != nil {
					return err
				}
			}
			c.caughtUp(c.in.Arrived())
			if c.hold() {
				return c.goElsewhere()
			}
		}
		if err := c.nextRequest(); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) && c.stopping.Load() {
				return nil
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				return err
			}
			switch was, ends := c.nudged(); {
			case was && ends:
				return c.goElsewhere()
			case !was:
				return err
			}
			continue
		}
		frame, err := c.readFrame()
		if err != nil {
			return err
		}
		if err := c.request(frame); err != nil {
			return err
		}
	}
}

// nextRequest waits for the next request.
func (c *conn) nextRequest() error {
	if c.stopping.Load() {
		c.client.SetReadDeadline(c.lastWord()) //nolint:errcheck // then it is closed already
	}
	if c.in.Ready() {
		_, err := c.in.Next()
		return err
	}
	c.rests(true)
	_, err := c.in.Next()
	c.rests(false)
	return err
}

// readFrame reads the present frame. The watch of the server ends the connection if the rest of it takes too long.
func (c *conn) readFrame() (*wire.Frame, error) {
	buffers := c.server.buffers
	buffers.Reserve(c.in, c.beforeWaiting)
	c.waits.Store(0)
	if c.in.Remaining() <= c.in.Buffered() {
		return buffers.ReadReserved(c.in)
	}
	now := c.slow.Add(1)
	frame, err := buffers.ReadReserved(c.in)
	if !c.slow.CompareAndSwap(now, now+1) {
		if err == nil {
			frame.Release()
		}
		return nil, errStalled
	}
	return frame, err
}

// beforeWaiting is called before the connection waits for memory.
func (c *conn) beforeWaiting() {
	if c.later == nil {
		c.push() //nolint:errcheck // the next one has the error too
	}
	c.waits.Store(math.MaxInt64)
	c.server.seq.wake()
}

// request takes one request. The frame is released, or belongs to the exchange.
func (c *conn) request(f *wire.Frame) error {
	c.requested++
	h, err := wire.ParseHeader(f.Bytes)
	if err != nil {
		f.Release()
		return err
	}
	if newest := wire.Newest(h.Key); h.Version < 0 || h.Version > newest {
		if kmsg.Key(h.Key) == kmsg.ApiVersions && h.Version > newest {
			defer f.Release()
			return c.answerVersions(h)
		}
		f.Release()
		return fmt.Errorf("%w: API key %d version %d", errProtocol, h.Key, h.Version)
	}
	r := asked{frame: f, head: h}
	switch kmsg.Key(h.Key) {
	case kmsg.Produce:
		if r.produce, err = c.readProduce(f, h); err != nil {
			return err
		}
	case kmsg.ApiVersions:
		c.introduce(f.Bytes[h.Body:], h)
	}
	if c.unheard.Load() {
		return c.postpone(r)
	}
	return c.treat(r)
}

// treat a request that was read. The frame is released, or belongs to the exchange.
func (c *conn) treat(r asked) error {
	f, h := r.frame, r.head
	if err := c.reauthenticate(); err != nil {
		c.drop(r)
		return err
	}
	if p := r.produce; p != nil {
		if c.away.Load() && p.of == nil && !p.swallow { // what the shim cannot bring elsewhere; the client finds its broker again
			c.drop(r)
			return fmt.Errorf("%w: Produce", errAway)
		}
		return c.sendProduce(p)
	}
	if c.away.Load() && !anywhere(h.Key) && !opening(h.Key) {
		f.Release()
		return fmt.Errorf("%w: %s", errAway, kmsg.NameForKey(h.Key))
	}
	x := &exchange{key: h.Key, version: h.Version, id: h.CorrelationID}
	switch kmsg.Key(h.Key) {
	case kmsg.ApiVersions:
		x.kind = decode
	case kmsg.SASLHandshake, kmsg.SASLAuthenticate:
		if c.server.Contract().SASL != nil {
			defer f.Release()
			return c.answerSASL(f.Bytes[h.Body:], h)
		}
		if h.Key == int16(kmsg.SASLHandshake) && h.Version == 0 {
			f.Release()
			return fmt.Errorf("%w: SaslHandshake version 0, which is followed by bytes that are no requests; use a client that speaks version 1 (Kafka 1.0)", errProtocol)
		}
		c.ownSASL.Store(true)
	default:
		if carries(h.Key, h.Version) {
			x.kind = decode
		}
	}
	if anywhere(h.Key) && len(f.Bytes) <= maxAgain {
		x.again = bytes.Clone(f.Bytes[h.Body:])
	} else {
		c.bound.Store(true)
	}
	err := c.enqueue(x, f.Whole, user{frame: f})
	if err != nil {
		f.Release()
	}
	return err
}

// maxAgain bounds the requests that are kept to be asked again.
const maxAgain = 64 << 10

// opening says whether a request is one that a client begins with, and that any broker can answer once.
func opening(key int16) bool {
	switch kmsg.Key(key) {
	case kmsg.SASLHandshake, kmsg.SASLAuthenticate, kmsg.InitProducerID:
		return true
	}
	return false
}

// anywhere says whether any broker can answer a request, twice too: what producers ask beside what they produce.
func anywhere(key int16) bool {
	switch kmsg.Key(key) {
	case kmsg.ApiVersions, kmsg.Metadata, kmsg.FindCoordinator, kmsg.DescribeCluster, kmsg.ListOffsets, kmsg.GetTelemetrySubscriptions, kmsg.PushTelemetry:
		return true
	}
	return false
}

// introduce remembers what library the client says it is.
func (c *conn) introduce(body []byte, h wire.Header) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.Version = h.Version
	switch {
	case h.Version >= 3 && req.ReadFrom(body) == nil:
		c.library.Library, c.library.Version = req.ClientSoftwareName, req.ClientSoftwareVersion
		c.who.Store(nil)
	case c.requested == 1 && h.Version == 0 && h.ClientID != nil && len(h.ClientID) == 0:
		// kafka-go's connections begin so, and those of nobody else that is known: others have a client ID, or a null.
		c.library.Library = "kafka-go (by its requests)"
	}
}

// answerVersions answers an ApiVersions that is newer than this program, in the form of version 0 (KIP-511): the client asks
// again with a version from the answer.
func (c *conn) answerVersions(h wire.Header) error {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ErrorCode = kerr.UnsupportedVersion.Code
	k := kmsg.NewApiVersionsResponseApiKey()
	k.ApiKey, k.MaxVersion = h.Key, wire.Newest(h.Key)
	resp.ApiKeys = append(resp.ApiKeys, k)
	return c.answer(h, resp)
}

// answer a request without a broker.
func (c *conn) answer(h wire.Header, resp kmsg.Response) error {
	x := &exchange{kind: local, key: h.Key, version: h.Version, id: h.CorrelationID, answer: wire.AppendResponse(nil, h.CorrelationID, resp)}
	return c.enqueue(x, nil, user{})
}

// ask sends a request of the shim's own on the connection, between the client's.
func (c *conn) ask(req kmsg.Request) (kmsg.Response, error) {
	c.own--
	x := &exchange{kind: own, key: req.Key(), version: req.GetVersion(), id: c.own, reply: make(chan *received, 1)}
	if err := c.enqueue(x, wire.AppendRequest(nil, c.own, []byte(upstream.ClientID), req), user{}); err != nil {
		return nil, err
	}
	if err := c.push(); err != nil {
		return nil, err
	}
	r := <-x.reply
	if r == nil {
		return nil, errors.New("the connection to the broker ended")
	}
	return upstream.Decode(r.frame, req)
}
