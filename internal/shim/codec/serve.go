package codec

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"mooring.dev/mooring/internal/shim/codec/protocol"
)

// maxKept is how many compiled schemas are kept; the shim has those compiled again that it needs again.
const maxKept = 256

// Serve answers questions until there are no more.
func Serve(in io.Reader, out io.Writer) error {
	r, w := bufio.NewReader(in), bufio.NewWriter(out)
	kept, order := make(map[uint32]codec), []uint32(nil)
	var buffer, encoded []byte
	for {
		what, rest, err := protocol.ReadFrame(r, buffer)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		buffer = rest[:0]
		if len(rest) < 4 {
			return fmt.Errorf("a question %q of %d bytes", what, len(rest))
		}
		stop := watch(MaxMemory, func() { os.Exit(3) })
		handle, rest := binary.BigEndian.Uint32(rest), rest[4:]
		answer := byte(protocol.Done)
		encoded = encoded[:0]
		switch what {
		case protocol.AskCompile:
			var c codec
			if c, err = compileJSON(rest); err == nil {
				if len(order) == maxKept {
					delete(kept, order[0])
					order = order[1:]
				}
				kept[handle], order = c, append(order, handle)
			}
		case protocol.AskEncode:
			c := kept[handle]
			if c == nil {
				answer = protocol.Unknown
				break
			}
			encoded, err = encode(c, encoded, rest)
		default:
			return fmt.Errorf("the question %q", what)
		}
		stop()
		if err != nil {
			answer, encoded = protocol.Refused, append(encoded[:0], err.Error()...)
		}
		if err := protocol.WriteFrame(w, answer, encoded); err != nil {
			return err
		}
		buffer, encoded = small(buffer), small(encoded)
	}
}

// small keeps a buffer unless it is large.
func small(b []byte) []byte {
	if cap(b) > 256<<10 {
		return nil
	}
	return b
}

func compileJSON(data []byte) (codec, error) {
	var s protocol.Source
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	return compile(s)
}
