package body

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// null reads null, if it is next.
func (s *scanner) null() bool {
	if s.peek() != 'n' {
		return false
	}
	if !bytes.HasPrefix(s.data[s.at:], []byte("null")) {
		s.fail(Malformed, "a JSON value expected")
	}
	s.at += len("null")
	return true
}

// quoted finds a string's end and returns what is between its quotes, and whether it has escapes. It has not looked at the
// characters.
func (s *scanner) quoted() (inside []byte, escaped bool) {
	if s.peek() != '"' {
		s.fail(Invalid, "a string expected, and there is %s", describe(s.peek()))
	}
	rest := s.data[s.at+1:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		s.fail(Malformed, "a string without an end (was the request cut off?)")
	}
	if bytes.IndexByte(rest[:end], '\\') < 0 {
		s.at += end + 2
		return rest[:end], false
	}
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			s.at += i + 2
			return rest[:i], true
		}
	}
	s.fail(Malformed, "a string without an end (was the request cut off?)")
	return nil, false
}

// bytes of a string, unescaped: a part of the data, unless it had escapes.
func (s *scanner) bytes() []byte {
	start := s.at
	inside, escaped := s.quoted()
	if !escaped {
		if control(inside) {
			s.at = start
			s.fail(Malformed, "a control character in a string; it must be escaped")
		}
		if !utf8.Valid(inside) {
			s.at = start
			s.fail(Malformed, "a string that is not UTF-8")
		}
		return inside
	}
	quoted := s.data[s.at-len(inside)-2 : s.at]
	out, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		s.at = start
		s.fail(Malformed, "a string with an invalid escape or character")
	}
	return out
}

func control(b []byte) bool {
	for _, c := range b {
		if c < ' ' {
			return true
		}
	}
	return false
}

// text of a string. The names of fields, which are the same few in every record, are not allocated.
func (s *scanner) text() string {
	b := s.bytes()
	switch string(b) {
	case "key":
		return "key"
	case "value":
		return "value"
	case "partition":
		return "partition"
	case "headers":
		return "headers"
	case "timestamp":
		return "timestamp"
	case "type":
		return "type"
	case "data":
		return "data"
	case "name":
		return "name"
	}
	return string(b)
}

// base64 of a string, decoded in place; nil for null.
func (s *scanner) base64(what string) []byte {
	if s.null() {
		return nil
	}
	start := s.at
	inside, escaped := s.quoted()
	if escaped {
		// Legal and rare: some encoders write "\/" for "/".
		var err error
		if inside, err = jsontext.AppendUnquote(nil, s.data[s.at-len(inside)-2:s.at]); err != nil {
			s.at = start
			s.fail(Malformed, "a string with an invalid escape or character")
		}
	}
	want := base64.StdEncoding.DecodedLen(len(inside))
	for i := len(inside) - 1; i >= 0 && i >= len(inside)-2 && inside[i] == '='; i-- {
		want--
	}
	// The decoder writes behind where it reads. It also skips line breaks, which no JSON string holds unescaped: then it
	// returns less than it should.
	n, err := base64.StdEncoding.Decode(inside, inside)
	if err != nil || n != want || len(inside)%4 != 0 {
		s.at = start
		s.fail(Invalid, "the %s is not base64 (the standard alphabet, with padding)", what)
	}
	return inside[:n:n]
}

// integer of at least 0 and at most limit; ok is false for null.
func (s *scanner) integer(what string, limit int64) (n int64, ok bool) {
	if s.null() {
		return 0, false
	}
	s.space()
	start := s.at
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		s.at++
	}
	digits := s.data[start:s.at]
	n, err := strconv.ParseInt(string(digits), 10, 64)
	leadingZero := len(digits) > 1 && digits[0] == '0'
	more := s.at < len(s.data) && bytes.IndexByte([]byte(".eE+-"), s.data[s.at]) >= 0
	if err != nil || leadingZero || more || n > limit {
		s.at = start
		s.fail(Invalid, "the %s must be a whole number from 0 to %d", what, limit)
	}
	return n, true
}

// raw is any JSON value, as it was sent.
func (s *scanner) raw() []byte {
	s.space()
	start := s.at
	s.front = *bytes.NewBuffer(s.data[start:]) // the decoder reads it where it is, without a copy
	s.inner.Reset(&s.front)
	value, err := s.inner.ReadValue()
	if err != nil {
		s.at = start + int(s.inner.InputOffset())
		s.fail(Malformed, "not a JSON value: %v", trim(err))
	}
	if depth(value) > MaxDepth {
		s.fail(Invalid, "JSON nested more than %d deep", MaxDepth)
	}
	s.at = start + int(s.inner.InputOffset())
	return s.data[s.at-len(value) : s.at : s.at]
}

// trim keeps the library's name and its own offsets out of what a sender reads.
func trim(err error) string {
	text := err.Error()
	if _, after, ok := bytes.Cut([]byte(text), []byte("jsontext: ")); ok {
		text = string(after)
	}
	return text
}

// depth of brackets in a valid JSON value.
func depth(value []byte) int {
	deepest, now := 0, 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '{', '[':
			now++
			deepest = max(deepest, now)
		case '}', ']':
			now--
		case '"':
			for i++; value[i] != '"'; i++ {
				if value[i] == '\\' {
					i++
				}
			}
		}
	}
	return deepest
}
