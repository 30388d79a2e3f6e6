package proxy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

// shortAnswer is what is not read into memory of its own when it is here already.
const shortAnswer = 4 << 10

var errUpstream = errors.New("the broker does not answer as it should")

// answers reads the broker until it, or the connection, ends. What the broker still owed then is settled otherwise.
func (c *conn) answers() {
	up := c.upstream()
	err := c.readAnswers(up)
	up.Reader.Release()
	up.Close()
	c.sendNow()
	c.mu.Lock()
	c.broken = true
	left := c.sent.all()
	c.ended = c.ended || !c.kept(left) // no more requests are taken
	c.sent = queue{}
	c.mu.Unlock()
	c.changed.Broadcast()
	if !errors.Is(err, io.EOF) && !c.gone.Load() && c.server.ctx.Err() == nil {
		c.server.log.Debug("broker connection ended", "node", c.node, "err", err)
	}
	c.settleRest(left)
	c.nudge()
}

func (c *conn) readAnswers(up *upstream.Conn) error {
	for {
		if !up.Reader.Ready() {
			c.sendNow()
			c.nudge()
		}
		if _, err := up.Reader.Next(); err != nil {
			return err
		}
		head, err := up.Reader.Peek(4)
		if err != nil {
			return err
		}
		c.heard.Store(true)
		id := int32(binary.BigEndian.Uint32(head))
		c.mu.Lock()
		x := c.sent.first()
		if x != nil && x.id == id {
			c.sent.pop()
		}
		c.mu.Unlock()
		if x == nil || x.id != id {
			return fmt.Errorf("%w: correlation ID %d is not the next", errUpstream, id)
		}
		if err := c.receive(x, up.Reader); err != nil {
			return err
		}
	}
}

// receive the answer to an exchange, whose frame is next.
func (c *conn) receive(x *exchange, r *wire.Reader) error {
	switch x.kind {
	case own:
		frame, err := io.ReadAll(r)
		x.reply <- &received{frame}
		return err
	case produce:
		return c.readProduceAnswer(x, r)
	case decode:
		frame, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		answer, err := c.decoded(x, frame)
		if err != nil {
			return err
		}
		c.reply(answer[4:], nil)
		return nil
	}
	return c.relay(r)
}

// readProduceAnswer reads the answer to a Produce. Most are short, and here as a whole.
func (c *conn) readProduceAnswer(x *exchange, r *wire.Reader) error {
	if n := r.Remaining(); n <= r.Buffered() && n <= shortAnswer {
		frame, err := r.Peek(n)
		if err != nil {
			return err
		}
		r.Skip(n) // nobody reads on before the answer is treated
		return c.produceAnswer(x, frame)
	}
	frame, err := io.ReadAll(r)
	if err != nil {
		c.settleLost(x)
		return err
	}
	return c.produceAnswer(x, frame)
}

// relay the answer that is next as bytes.
func (c *conn) relay(r *wire.Reader) error {
	c.out.Lock()
	defer c.out.Unlock()
	c.flush()
	head := binary.BigEndian.AppendUint32(c.head[:0], uint32(r.Remaining()))
	if n := r.Remaining(); n <= r.Buffered() && n <= shortAnswer {
		frame, err := r.Peek(n)
		if err != nil {
			return err
		}
		c.emit(head, nil)
		c.emit(frame, nil)
		r.Skip(n)
	} else {
		c.send()
		if c.gone.Load() || r.Relay(c.client, head) != nil {
			c.gone.Store(true)
			if err := r.Discard(); err != nil {
				return err
			}
		}
	}
	c.pop()
	c.flush()
	return nil
}

// decoded is an answer with what the client must not see rewritten.
func (c *conn) decoded(x *exchange, frame []byte) ([]byte, error) {
	resp := kmsg.ResponseForKey(x.key)
	at, err := wire.ResponseBody(frame, x.key, x.version)
	if err != nil {
		return nil, err
	}
	resp.SetVersion(x.version)
	if kmsg.Key(x.key) == kmsg.ApiVersions {
		// A broker that does not know the version answers in that of version 0 (KIP-511).
		if len(frame) >= at+2 && binary.BigEndian.Uint16(frame[at:]) == 35 {
			resp.SetVersion(0)
		}
	}
	if err := resp.ReadFrom(frame[at:]); err != nil {
		return nil, fmt.Errorf("%w: %s version %d: %w", errUpstream, kmsg.NameForKey(x.key), x.version, err)
	}
	if versions, ok := resp.(*kmsg.ApiVersionsResponse); ok {
		capVersions(versions)
	} else if err := c.server.rewrite(resp); err != nil {
		c.server.log.Error("an answer of the brokers cannot be passed on", "request", kmsg.NameForKey(x.key), "err", err)
		return nil, err
	}
	return wire.AppendResponse(nil, x.id, resp), nil
}
