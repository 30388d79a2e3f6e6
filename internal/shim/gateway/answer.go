package gateway

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// answer to a request. Its body is built in out and written at once, except by streams.
type answer struct {
	w       http.ResponseWriter
	dialect dialect
	status  int // 0 until it was written
	out     []byte
}

var answers = sync.Pool{New: func() any { return new(answer) }}

// keepOut is how large a buffer a pooled answer may keep, in bytes.
const keepOut = 16 << 10

func newAnswer(w http.ResponseWriter, d dialect) *answer {
	a := answers.Get().(*answer)
	a.w, a.dialect, a.status, a.out = w, d, 0, a.out[:0]
	return a
}

func (a *answer) free() {
	if cap(a.out) > keepOut {
		a.out = nil
	}
	a.w = nil
	answers.Put(a)
}

// The values of Content-Type. They are shared: nobody changes a header's slice.
var (
	typeJSON    = []string{"application/json"}
	typeProblem = []string{"application/problem+json"}
	typeV2      = []string{"application/vnd.kafka.v2+json"}
	typeYAML    = []string{"application/yaml"}
)

// send what is in out.
func (a *answer) send(status int, contentType []string) {
	a.status = status
	h := a.w.Header()
	if len(a.out) > 0 {
		h["Content-Type"] = contentType
		h["Content-Length"] = []string{strconv.Itoa(len(a.out))}
	}
	a.w.WriteHeader(status)
	if len(a.out) > 0 {
		_, _ = a.w.Write(a.out) // who does not read the answer misses it
	}
}

// fault answers with one.
func (a *answer) fault(f *fault) {
	a.retryAfter(f)
	a.out = a.out[:0]
	switch a.dialect {
	case v2:
		a.confluent(f)
		a.send(f.status, typeV2)
	case v3:
		a.confluent(f)
		a.send(f.status, typeJSON)
	case raw:
		a.problem(f)
		a.out = append(a.out, '}', '\n')
		a.send(f.status, typeProblem)
	}
}

func (a *answer) retryAfter(f *fault) {
	if f.retryAfter > 0 {
		a.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.retryAfter.Seconds()))))
	}
}

// confluent is the error of Confluent REST, v2 and v3.
func (a *answer) confluent(f *fault) {
	a.text(`{"error_code":`).number(int64(f.errorCode())).text(`,"message":`).quote(f.message).text("}")
}

// problem is RFC 9457's, without the closing brace.
func (a *answer) problem(f *fault) {
	a.text(`{"title":`).quote(http.StatusText(f.status)).text(`,"status":`).number(int64(f.status)).text(`,"detail":`).quote(f.message)
}

func (a *answer) text(s string) *answer {
	a.out = append(a.out, s...)
	return a
}

func (a *answer) number(n int64) *answer {
	a.out = strconv.AppendInt(a.out, n, 10)
	return a
}

// instant as ISO 8601 in UTC.
func (a *answer) instant(ms int64) *answer {
	a.out = append(a.out, '"')
	a.out = time.UnixMilli(ms).UTC().AppendFormat(a.out, "2006-01-02T15:04:05.000Z")
	a.out = append(a.out, '"')
	return a
}

const hex = "0123456789abcdef"

// quote a string as JSON.
func (a *answer) quote(s string) *answer {
	a.out = append(a.out, '"')
	for _, r := range s { // what is not UTF-8 becomes the replacement character
		switch {
		case r == '"' || r == '\\':
			a.out = append(a.out, '\\', byte(r))
		case r < ' ':
			a.out = append(a.out, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			a.out = utf8.AppendRune(a.out, r)
		}
	}
	a.out = append(a.out, '"')
	return a
}
