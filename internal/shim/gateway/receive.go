package gateway

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// firstRead is how much memory a body gets before any of it has come. A sender who announces much and sends little costs no
// more.
const firstRead = 64 << 10

// receive the whole body into the batch, at most limit bytes. Memory is taken from the account as the body comes.
func (g *Gateway) receive(r *http.Request, b *sink.Batch, limit int64) *fault {
	if r.ContentLength > limit {
		return faultf(http.StatusRequestEntityTooLarge, "the body has %d bytes, and %d are taken in one request", r.ContentLength, limit)
	}
	room := int64(4 << 10)
	if r.ContentLength >= 0 {
		room = min(r.ContentLength, firstRead)
	}
	held := int64(0)
	for {
		if refusal := g.enlarge(b, room-held); refusal != nil {
			return refusal
		}
		held = room
		if int64(cap(b.Body)) < room {
			b.Body = append(make([]byte, 0, room), b.Body...)
		}
		for int64(len(b.Body)) < room {
			n, err := r.Body.Read(b.Body[len(b.Body):room])
			b.Body = b.Body[:len(b.Body)+n]
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return faultOfRead(err, len(b.Body))
			}
		}
		switch {
		case r.ContentLength >= 0 && room >= r.ContentLength:
			return nil
		case room > limit:
			return faultf(http.StatusRequestEntityTooLarge, "the body is longer than the %d bytes that are taken in one request", limit)
		case r.ContentLength >= 0:
			room = r.ContentLength
		default:
			room = min(room*4, limit+1)
		}
	}
}

func (g *Gateway) enlarge(b *sink.Batch, n int64) *fault {
	if b.Grow(n) {
		return nil
	}
	return faultOfRefusal(g.sink.Full(n))
}

// faultOfRead is of a body of which only n bytes came.
func faultOfRead(err error, n int) *fault {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return faultf(http.StatusRequestTimeout, "the body did not come within %s: %d bytes came, and nothing was written", BodyTimeout, n)
	}
	return faultf(http.StatusBadRequest, "the body was cut off after %d bytes, and nothing was written: %v", n, err)
}

// mode is how a request wants to be sent.
type mode struct {
	async, atomic bool
	key           string // Idempotency-Key, with what it is good for
}

// modeOf a request. ?async=true is Strimzi Bridge's.
func modeOf(r *http.Request) (m mode, f *fault) {
	if r.URL.RawQuery != "" {
		q := r.URL.Query()
		for name, into := range map[string]*bool{"async": &m.async, "atomic": &m.atomic} {
			switch q.Get(name) {
			case "", "false":
			case "true":
				*into = true
			default:
				return m, faultf(http.StatusBadRequest, "the query parameter %s is %.40q; it must be true or false", name, q.Get(name))
			}
		}
	}
	if m.async && m.atomic {
		return m, faultf(http.StatusBadRequest, "async and atomic do not go together: what is atomic is known when it is committed")
	}
	keys := r.Header["Idempotency-Key"]
	if len(keys) == 0 {
		return m, nil
	}
	if len(keys) > 1 || keys[0] == "" || len(keys[0]) > maxKey {
		return m, faultf(http.StatusBadRequest, "one Idempotency-Key of 1 to %d bytes is taken", maxKey)
	}
	// The same key on another route is another key.
	m.key = r.URL.Path + "\x00" + keys[0]
	return m, nil
}

// mediaType of a request, without parameters, in lower case. Empty if it has none.
func mediaType(r *http.Request) string {
	values := r.Header["Content-Type"]
	if len(values) == 0 {
		return ""
	}
	value := values[0]
	if !strings.ContainsAny(value, "; ") && strings.ToLower(value) == value {
		return value
	}
	t, _, err := mime.ParseMediaType(value)
	if err != nil {
		t, _, _ = strings.Cut(strings.ToLower(value), ";")
	}
	return strings.TrimSpace(t)
}

// checkEncoding refuses compressed bodies: what is written must be what was sent.
func checkEncoding(r *http.Request) *fault {
	if e := r.Header["Content-Encoding"]; len(e) > 0 && e[0] != "" && e[0] != "identity" {
		return faultf(http.StatusUnsupportedMediaType, "Content-Encoding %.40q is not taken; the producer compresses batches itself", e[0])
	}
	return nil
}
