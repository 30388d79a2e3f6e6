// Package protocol is what mooring-shim and mooring-schemas say to each other. It has none of the libraries that encode.
package protocol

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// The protocol between the shim and mooring-schemas: on each side frames, one question and one answer after the other. A frame has its
// length in four bytes, one byte that says what it is, and the rest.

// Questions. Both go on with the schema's handle in four bytes, a number that the shim gives it.
const (
	// AskCompile has then a Source as JSON.
	AskCompile = 'C'
	// AskEncode has then the value.
	AskEncode = 'E'
)

// Answers.
const (
	// Done has the encoded value, or nothing.
	Done = 'D'
	// Refused has a sentence.
	Refused = 'R'
	// Unknown says that the handle is of no schema that is kept.
	Unknown = 'U'
)

// MaxFrame bounds a frame, in bytes.
const MaxFrame = 512 << 20

// Format of a schema.
type Format string

// The formats, as Confluent's registry calls the types of schemas.
const (
	Avro       Format = "AVRO"
	JSONSchema Format = "JSON"
	Protobuf   Format = "PROTOBUF"
)

// Argument of the program.
const Argument = "serve-schemas"

// Source of a schema.
type Source struct {
	Format Format `json:"format"`
	Schema string `json:"schema"`
	// References by the names that the schema has for them, each after those that it refers to itself.
	References []Reference `json:"references,omitempty"`
}

// Reference of a schema.
type Reference struct {
	Name   string `json:"name"`
	Schema string `json:"schema"`
}

// Size in bytes.
func (s Source) Size() int {
	n := len(s.Schema)
	for _, r := range s.References {
		n += len(r.Name) + len(r.Schema)
	}
	return n
}

// WriteFrame of parts.
func WriteFrame(w *bufio.Writer, what byte, parts ...[]byte) error {
	n := 1
	for _, p := range parts {
		n += len(p)
	}
	if n > MaxFrame {
		return fmt.Errorf("a frame of %d bytes", n)
	}
	var head [5]byte
	binary.BigEndian.PutUint32(head[:], uint32(n))
	head[4] = what
	_, err := w.Write(head[:])
	for _, p := range parts {
		if err == nil {
			_, err = w.Write(p)
		}
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// ReadFrame into a buffer, which grows where it must.
func ReadFrame(r *bufio.Reader, into []byte) (what byte, rest []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, into, err
	}
	n := int(binary.BigEndian.Uint32(head[:])) - 1
	if n < 0 || n > MaxFrame {
		return 0, into, fmt.Errorf("a frame of %d bytes", n)
	}
	if cap(into) < n {
		into = make([]byte, n)
	}
	_, err = io.ReadFull(r, into[:n])
	return head[4], into[:n], err
}
