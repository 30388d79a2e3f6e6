package proxy

import (
	"net"

	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

// outgoing are requests on their way to the broker. Several that came together go there together, in one system call: they
// wait for push, which the goroutine of requests calls before it waits for anything. Only that goroutine uses it.
type outgoing struct {
	up    *upstream.Conn
	bytes net.Buffers
	// users of the bytes: to be told when they are written.
	users []user
	// spare is the memory of bytes, for the next ones: writing uses bytes up.
	spare [][]byte
}

// user of the bytes of a request: one of both.
type user struct {
	frame   *wire.Frame
	produce *produced
}

// written says that nobody writes these bytes any more.
func (c *conn) written(u user) {
	if u.produce == nil {
		u.frame.Release()
		return
	}
	p := u.produce
	c.mu.Lock()
	p.writing = false
	awaited := p.awaited
	c.mu.Unlock()
	if awaited {
		c.changed.Broadcast()
	}
	p.release()
}

// post a request to a broker, at the next push.
func (c *conn) post(up *upstream.Conn, request []byte, u user) {
	o := &c.posted
	if o.up != up {
		c.push() //nolint:errcheck // the connection is another now
		o.up = up
	}
	if o.bytes == nil {
		o.bytes = o.spare[:0]
	}
	o.bytes = append(o.bytes, request)
	o.users = append(o.users, u)
}

// push what was posted. On an error the connection to the broker is closed, and the goroutine of answers settles what was sent;
// the error is nil if the client's connection goes on all the same.
func (c *conn) push() error {
	o := &c.posted
	if len(o.bytes) == 0 {
		return nil
	}
	o.spare = o.bytes
	var err error
	if len(o.bytes) == 1 {
		_, err = o.up.Write(o.bytes[0])
	} else {
		_, err = o.bytes.WriteTo(o.up.Conn) // the connection itself: only that has writev(2)
	}
	clear(o.spare)
	o.bytes = nil
	for i, u := range o.users {
		o.users[i] = user{}
		c.written(u)
	}
	o.users = o.users[:0]
	if err == nil {
		return nil
	}
	o.up.Close()
	if c.unheard.Load() || c.keeps.Load() || !c.bound.Load() {
		return nil
	}
	return err
}
