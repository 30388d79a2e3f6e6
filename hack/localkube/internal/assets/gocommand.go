package assets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// outputBound is how long a killed go command's children may hold its outputs.
const outputBound = 5 * time.Second

// runGo runs the go command in dir and returns its outputs. When ctx ends, it is
// killed with all that it started: a compiler or a downloaded tool left behind
// would go on for minutes.
func runGo(ctx context.Context, dir string, args ...string) (stdout, stderr string, err error) {
	program, err := exec.LookPath("go")
	if err != nil {
		return "", "", errors.New("the go command is not on the PATH; install Go, or add its bin folder to the PATH")
	}
	var out, errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = goEnvironment()
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = outputBound
	if err := cmd.Run(); err != nil {
		return out.String(), errOut.String(), fmt.Errorf("go %s failed: %w", args[0], err)
	}
	return out.String(), errOut.String(), nil
}
