package proxy

import (
	"encoding/binary"
	"time"
)

// maxTogether bounds the answers that are written together; a larger one is written by itself.
const maxTogether = 16 << 10

// incoming are answers on their way to the client. Those that came together go there together. Whoever holds conn.out has it.
type incoming struct {
	bytes []byte
	// unsure are the requests whose answers are in bytes, if it matters whether the client got them.
	unsure []*produced
}

// emit an answer to the client, at the next send; p is the request, if it matters whether the client got the answer. After a
// failure nothing more is written, but what is in flight is still seen to its end. The caller holds out.
func (c *conn) emit(answer []byte, p *produced) {
	if len(c.answered.bytes)+len(answer) > maxTogether {
		c.send()
	}
	if p != nil {
		c.answered.unsure = append(c.answered.unsure, p)
	}
	if len(answer) > maxTogether {
		c.write(answer)
		return
	}
	c.answered.bytes = append(c.answered.bytes, answer...)
}

// send what was emitted. The caller holds out.
func (c *conn) send() {
	if len(c.answered.bytes) > 0 {
		c.write(c.answered.bytes)
		if c.answered.bytes = c.answered.bytes[:0]; cap(c.answered.bytes) > maxTogether {
			c.answered.bytes = nil
		}
	}
}

// write to the client, and say of what was unsure whether the client got it. The caller holds out.
func (c *conn) write(answer []byte) {
	unsure := c.answered.unsure
	// A client that closed its end has not got it, although the socket takes it.
	got := len(unsure) == 0 || !c.clientGone()
	if !c.gone.Load() {
		c.writes.Store(time.Now().UnixNano())
		defer c.writes.Store(0)
		if _, err := c.client.Write(answer); err != nil {
			c.gone.Store(true)
		}
	}
	got = got && !c.gone.Load()
	for i, p := range unsure {
		unsure[i] = nil
		c.reached(p, got)
	}
	c.answered.unsure = unsure[:0]
}

// sendNow sends what was emitted. The goroutine of answers calls it before it waits for anything.
func (c *conn) sendNow() {
	c.out.Lock()
	c.send()
	c.out.Unlock()
}

// reply to the exchange that is next with a frame without its size, which waits for sendNow; nil is no answer. See emit for p.
func (c *conn) reply(frame []byte, p *produced) {
	c.out.Lock()
	defer c.out.Unlock()
	c.flush()
	if frame != nil {
		c.emit(binary.BigEndian.AppendUint32(c.head[:0], uint32(len(frame))), nil)
		c.emit(frame, p)
	}
	c.pop()
	c.flush()
}
