package schema

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"mooring.dev/mooring/internal/shim/codec/protocol"
)

// EnvProgram names the program that encodes, where it is not beside the shim.
const EnvProgram = "MOORING_SCHEMAS"

// encodeLimit is how long the program may take for one question. One that takes longer is ended: a schema may ask for more than any
// value is worth.
const encodeLimit = 5 * time.Second

var errClosed = errors.New("the shim is stopping")

// process is the program mooring-schemas, which starts with the first question, and again with the next one after it ended.
type process struct {
	mu     sync.Mutex
	closed bool
	last   uint32 // handle that was given
	run    *running
}

type running struct {
	command *exec.Cmd
	input   io.WriteCloser
	w       *bufio.Writer
	r       *bufio.Reader
	buffer  []byte
}

// handle for a schema.
func (p *process) handle() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	return p.last
}

func program() string {
	if path := os.Getenv(EnvProgram); path != "" {
		return path
	}
	self, err := os.Executable()
	if err != nil {
		return "mooring-schemas"
	}
	return filepath.Join(filepath.Dir(self), "mooring-schemas")
}

func start() (*running, error) {
	r := &running{command: exec.Command(program(), protocol.Argument)}
	r.command.Stderr = os.Stderr
	var err error
	if r.input, err = r.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.command.Start(); err != nil {
		return nil, fmt.Errorf("the program that encodes by schemas does not start: %w", err)
	}
	r.w, r.r = bufio.NewWriter(r.input), bufio.NewReader(out)
	return r, nil
}

func (r *running) stop() {
	r.input.Close()
	r.command.Process.Kill() //nolint:errcheck // it has ended, then
	r.command.Wait()         //nolint:errcheck // it was killed
}

// ask one question, and give the answer to a function, which must not keep its bytes. An error says that there is no answer.
func (p *process) ask(what byte, handle uint32, data []byte, answered func(what byte, rest []byte)) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	if p.run == nil {
		if p.run, err = start(); err != nil {
			p.run = nil
			return err
		}
	}
	r := p.run
	late := time.AfterFunc(encodeLimit, func() { r.command.Process.Kill() }) //nolint:errcheck // it has ended, then
	defer late.Stop()
	var number [4]byte
	binary.BigEndian.PutUint32(number[:], handle)
	answer := byte(0)
	if err = protocol.WriteFrame(r.w, what, number[:], data); err == nil {
		answer, r.buffer, err = protocol.ReadFrame(r.r, r.buffer)
	}
	if err != nil {
		r.stop()
		p.run = nil
		return fmt.Errorf("the program that encodes by schemas has ended, or took longer than %s: %w", encodeLimit, err)
	}
	answered(answer, r.buffer)
	if r.buffer = r.buffer[:0]; cap(r.buffer) > 256<<10 {
		r.buffer = nil
	}
	return nil
}

// compile a schema under a handle. An error is the schema's, if refused says so.
func (p *process) compile(handle uint32, s protocol.Source) (refused bool, err error) {
	data, err := json.Marshal(s)
	if err != nil {
		return false, err
	}
	asked := p.ask(protocol.AskCompile, handle, data, func(what byte, rest []byte) {
		if what != protocol.Done {
			refused, err = true, errors.New(string(rest))
		}
	})
	return refused, errors.Join(asked, err)
}

// encode a value by a schema: what it comes to is appended to dst. known is false if the program has no schema under the handle.
func (p *process) encode(handle uint32, dst, value []byte) (out []byte, known, refused bool, err error) {
	out, known = dst, true
	asked := p.ask(protocol.AskEncode, handle, value, func(what byte, rest []byte) {
		switch what {
		case protocol.Done:
			out = append(dst, rest...)
		case protocol.Unknown:
			known = false
		default:
			refused, err = true, errors.New(string(rest))
		}
	})
	return out, known, refused, errors.Join(asked, err)
}

func (p *process) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.run != nil {
		p.run.stop()
		p.run = nil
	}
}
