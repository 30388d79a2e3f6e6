//go:build kafka

package kafka

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Operator is bin/mooring as a process: it can be killed as a node's failure would kill it.
type Operator struct {
	binary, dir, kubeconfig string
	metrics, probes         string

	command *exec.Cmd
	ended   chan struct{}
	mark    int64 // in the log
}

// BuildOperator builds cmd/mooring as it is now.
func BuildOperator(ctx context.Context) string {
	say("operator: building cmd/mooring")
	begin := time.Now()
	dir, err := os.MkdirTemp("", "mooring-test-")
	Expect(err).NotTo(HaveOccurred())
	binary := filepath.Join(dir, "mooring")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "../../cmd/mooring")
	output, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	say("operator: built in %s", time.Since(begin).Round(100*time.Millisecond))
	return binary
}

// NewOperator prepares an operator that is not started yet.
func NewOperator(binary string, kubeconfig []byte) *Operator {
	o := &Operator{binary: binary, dir: filepath.Dir(binary), metrics: freeAddress(), probes: freeAddress()}
	o.kubeconfig = filepath.Join(o.dir, "kubeconfig")
	Expect(os.WriteFile(o.kubeconfig, kubeconfig, 0o600)).To(Succeed())
	return o
}

func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	return l.Addr().String()
}

// Start starts the process and waits until it says that it is ready.
func (o *Operator) Start(ctx context.Context) {
	log, err := os.OpenFile(o.LogPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	Expect(err).NotTo(HaveOccurred())
	defer log.Close()
	o.command = exec.Command(o.binary, "--kubeconfig="+o.kubeconfig, "--namespace="+operatorNamespace,
		"--metrics-bind-address="+o.metrics, "--health-probe-bind-address="+o.probes, "--log-format=text")
	o.command.Stdout, o.command.Stderr = log, log
	o.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	Expect(o.command.Start()).To(Succeed())
	o.ended = make(chan struct{})
	go func(command *exec.Cmd, ended chan struct{}) {
		_ = command.Wait() // a killed process ends with an error, and that is what was asked for
		close(ended)
	}(o.command, o.ended)
	Eventually(ctx, o.ready).WithTimeout(time.Minute).Should(BeTrue(), "the operator did not become ready; its log is "+o.LogPath())
	say("operator: ready (process %d)", o.command.Process.Pid)
}

func (o *Operator) ready() bool {
	resp, err := http.Get("http://" + o.probes + "/readyz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Kill ends the process with SIGKILL: it finishes nothing.
func (o *Operator) Kill(ctx context.Context) {
	phase("kill -9 of the operator (process %d)", o.command.Process.Pid)
	Expect(o.command.Process.Kill()).To(Succeed())
	Eventually(ctx, o.ended).Should(BeClosed())
}

// Restart ends the process, if it lives, and starts another.
func (o *Operator) Restart(ctx context.Context) {
	if o.alive() {
		o.Kill(ctx)
	}
	o.Start(ctx)
}

func (o *Operator) alive() bool {
	select {
	case <-o.ended:
		return false
	default:
		return o.command != nil
	}
}

// Stop asks the process to end, and finds that it does so in order.
func (o *Operator) Stop(ctx context.Context) {
	if o.command != nil && o.alive() {
		Expect(o.command.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Eventually(ctx, o.ended).WithTimeout(45*time.Second).Should(BeClosed(), "the operator did not end on SIGTERM")
	}
	if !CurrentSpecReport().Failed() {
		Expect(os.RemoveAll(o.dir)).To(Succeed())
	}
}

// LogPath is the file that every process of the suite's operator appends to.
func (o *Operator) LogPath() string { return filepath.Join(o.dir, "operator.log") }

// MarkLog makes LogSinceMark begin here.
func (o *Operator) MarkLog() {
	if info, err := os.Stat(o.LogPath()); err == nil {
		o.mark = info.Size()
	}
}

// LogSinceMark is the end of what was logged since MarkLog.
func (o *Operator) LogSinceMark(lines int) string {
	text, err := os.ReadFile(o.LogPath())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text[min(int(o.mark), len(text)):])), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
