package proc

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a process that this program started. It goes on when this program
// ends.
type Process struct {
	Identity
	// Exited is closed when the process has ended.
	Exited <-chan struct{}
}

// Spawn starts command in the folder dir, detached from the terminal (setsid), so
// that neither a ctrl-C there nor the terminal's end reaches it. It has no input,
// and both outputs are appended to logFile.
func Spawn(command []string, dir, logFile string) (*Process, error) {
	return SpawnIn(Place{}, command, dir, logFile)
}

// SpawnIn is Spawn in another place.
func SpawnIn(place Place, command []string, dir, logFile string) (*Process, error) {
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("cannot start %s on %s: localkube knows its processes by /proc, which only Linux has; run it on Linux", command[0], runtime.GOOS)
	}
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the log of %s: %w; choose a --dir that you may write to", command[0], err)
	}
	// The child has its own copy of the file once it is started.
	defer log.Close()

	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, place.environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := InNetNS(place.NetNS, cmd.Start); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w; if the file is broken, remove it and run again", command[0], err)
	}
	// Until the Wait below, the pid cannot be given to another process, even when
	// the child has already ended.
	identity, err := identify(cmd.Process.Pid, command)
	if err == nil {
		// Before it has started anything: it has to read its configuration first.
		err = place.enter(cmd.Process.Pid)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	if err != nil {
		_ = cmd.Process.Kill()
		<-exited
		return nil, fmt.Errorf("cannot take charge of %s (pid %d): %w; localkube needs /proc mounted", command[0], cmd.Process.Pid, err)
	}
	return &Process{Identity: identity, Exited: exited}, nil
}
