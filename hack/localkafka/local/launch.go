package local

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// launch starts a node's program in the background, in a process group of its own (setsid) so that neither the caller's end nor a
// Ctrl-C in its terminal reaches it, with all it says appended to the node's log.
func launch(node Node, program string, args ...string) (*Process, error) {
	log, err := os.OpenFile(node.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, startError(node, fmt.Errorf("its log can't be written; look at the folder's rights: %w", err))
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = node.Dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, startError(node, fmt.Errorf("%s could not be run: %w", program, err))
	}
	process, err := identify(cmd.Process.Pid)
	// Someone must collect the child, or it stays as a zombie for as long as we live.
	go func() { _ = cmd.Wait() }()
	if err != nil {
		return nil, startError(node, err)
	}
	return &process, nil
}

func launchBroker(j jvm, s State, node Node) (*Process, error) {
	return launch(node, j.java, j.Args(brokerOptions(s.Settings), "kafka.Kafka", node.Properties)...)
}
