package body

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth of embedded JSON. Deeper nesting is an attack, or nothing that any consumer would read.
const MaxDepth = 100

// scanner reads JSON from the front of its data. Methods stop the scan with fail, which parsers turn into an Error.
type scanner struct {
	data []byte
	at   int
	// inner reads embedded JSON; front is what it reads from.
	inner jsontext.Decoder
	front bytes.Buffer
	// record that is being read, for errors; -1 outside of records.
	record int
}

// fail is how a scan ends early: it is recovered in catch, and nowhere else, so that every step of the grammar need not pass
// errors up.
type fail struct{ err *Error }

func (s *scanner) fail(kind Kind, format string, args ...any) {
	panic(fail{&Error{Kind: kind, Record: s.record, Offset: int64(s.at), Reason: fmt.Sprintf(format, args...)}})
}

// catch turns a fail into an error.
func catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case fail:
		*err = r.err
	default:
		panic(r)
	}
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// peek is the next byte that is not space; 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.at == len(s.data) {
		return 0
	}
	return s.data[s.at]
}

func (s *scanner) expect(c byte, what string) {
	if got := s.peek(); got != c {
		s.fail(Malformed, "%s expected, and there is %s", what, describe(got))
	}
	s.at++
}

func describe(c byte) string {
	if c == 0 {
		return "the end (was the request cut off?)"
	}
	return strconv.QuoteRune(rune(c))
}

// end demands that nothing follows.
func (s *scanner) end() {
	if s.peek() != 0 || s.at != len(s.data) {
		s.fail(Malformed, "more bytes after the JSON value")
	}
}

// object calls field for each name of an object. A name that it does not know makes it return false, and is skipped.
func (s *scanner) object(what string, field func(name string) bool) {
	s.expect('{', what+", a JSON object,")
	var seen names
	if s.peek() == '}' {
		s.at++
		return
	}
	for {
		if s.peek() != '"' {
			s.fail(Malformed, "the name of a field in quotes expected, and there is %s", describe(s.peek()))
		}
		at := s.at
		name := s.text()
		if !seen.add(name) {
			s.at = at
			s.fail(Malformed, "the name %q is twice in one object", name)
		}
		s.expect(':', "a colon")
		if !field(name) {
			s.raw()
		}
		if s.peek() == ',' {
			s.at++
			continue
		}
		s.expect('}', "a comma or the end of the object")
		return
	}
}

// array calls element for each element.
func (s *scanner) array(what string, element func()) {
	s.expect('[', what+", a JSON array,")
	if s.peek() == ']' {
		s.at++
		return
	}
	for {
		element()
		if s.peek() == ',' {
			s.at++
			continue
		}
		s.expect(']', "a comma or the end of the array")
		return
	}
}

// names seen in an object: few in the shapes that are read here, any number in what somebody sends.
type names struct {
	few  [8]string
	n    int
	many map[string]struct{}
}

func (n *names) add(name string) bool {
	for _, had := range n.few[:n.n] {
		if had == name {
			return false
		}
	}
	if n.n < len(n.few) {
		n.few[n.n] = name
		n.n++
		return true
	}
	if _, had := n.many[name]; had {
		return false
	}
	if n.many == nil {
		n.many = make(map[string]struct{})
	}
	n.many[name] = struct{}{}
	return true
}
