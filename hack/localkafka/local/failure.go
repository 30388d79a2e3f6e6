package local

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// StartError is why a node did not come up.
type StartError struct {
	// Node is its id.
	Node int32
	// Log is the file to read on in.
	Log string
	// Tail is the end of what the node said: 20 lines at most.
	Tail string
	Err  error
}

func (e *StartError) Error() string {
	said := "It said nothing"
	if e.Tail != "" {
		said = "The last it said:\n" + e.Tail + "\n"
	}
	return fmt.Sprintf("node %d did not start: %v. %s (see %s)", e.Node, e.Err, said, e.Log)
}

func (e *StartError) Unwrap() error { return e.Err }

func startError(node Node, err error) *StartError {
	return &StartError{Node: node.ID, Log: node.Log, Tail: logTail(node.Log, 20), Err: err}
}

// logTail reads the end of a file; a broker that logs in a loop can have made it large.
func logTail(path string, lines int) string {
	const atMost = 64 << 10
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > atMost {
		_, _ = f.Seek(-atMost, io.SeekEnd)
	}
	raw, _ := io.ReadAll(f)
	return tail(string(bytes.TrimRight(raw, "\n")), lines)
}
