package rig

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Role is a process of this same program in another role, so that its CPU and memory are its alone. It says its addresses in
// one line when it is ready, with commas between them, and ends with its standard input.
type Role struct {
	Command   *exec.Cmd
	Addresses []string

	input io.WriteCloser
}

// Spawn starts a role with one argument and waits until it is ready.
func Spawn(ctx context.Context, name, argument string) (*Role, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r := &Role{Command: exec.CommandContext(ctx, self, name, argument)}
	r.Command.Stderr = os.Stderr
	if r.input, err = r.Command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.Command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.Command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		r.Stop()
		return nil, fmt.Errorf("%s did not start: %w", name, err)
	}
	r.Addresses = strings.Split(strings.TrimSpace(line), ",")
	return r, nil
}

// Stop tells it to end, and waits until it has.
func (r *Role) Stop() {
	_ = r.input.Close()
	_ = r.Command.Wait() // it was told to end
}
