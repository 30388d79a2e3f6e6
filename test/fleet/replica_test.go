//go:build fleet

package fleet

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Replica is bin/mooring as a process, one of two.
type Replica struct {
	name, certificates string
	webhooks, probes   string

	command *exec.Cmd
	ended   chan struct{}
}

// NewReplica prepares a replica that is not started yet.
func NewReplica(name, certificates string) *Replica {
	return &Replica{name: name, certificates: certificates, webhooks: freeAddress(), probes: freeAddress()}
}

func freeAddress() string {
	GinkgoHelper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	return l.Addr().String()
}

// Start starts the process, and waits until it is ready and answers at admission.
func (r *Replica) Start(ctx context.Context) {
	GinkgoHelper()
	log, err := os.OpenFile(filepath.Join(dir, r.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	Expect(err).NotTo(HaveOccurred())
	defer log.Close()
	r.command = exec.Command(program("mooring"), "--kubeconfig="+kube.kubeconfig, "--namespace="+operatorNamespace, "--leader-elect",
		"--metrics-bind-address=0", "--health-probe-bind-address="+r.probes, "--log-format=text", "--shim-image=mooring:fleet",
		"--webhook-bind-address="+r.webhooks, "--webhook-cert-dir="+r.certificates)
	r.command.Stdout, r.command.Stderr = log, log
	r.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	Expect(r.command.Start()).To(Succeed())
	r.ended = make(chan struct{})
	go func(command *exec.Cmd, ended chan struct{}) {
		_ = command.Wait() // a killed process ends with an error, and that is what was asked for
		close(ended)
	}(r.command, r.ended)
	Eventually(ctx, r.answers).Should(BeTrue(), "%s did not become ready", r.name)
}

func (r *Replica) answers() bool {
	c, err := net.Dial("tcp", r.webhooks)
	if err != nil {
		return false
	}
	_ = c.Close()
	answer, err := http.Get("http://" + r.probes + "/readyz")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Kill ends the process with SIGKILL: it finishes nothing.
func (r *Replica) Kill(ctx context.Context) {
	GinkgoHelper()
	Expect(r.command.Process.Kill()).To(Succeed())
	Eventually(ctx, r.ended).Should(BeClosed())
}

// Stop asks the process to end, and finds that it does so in order.
func (r *Replica) Stop(ctx context.Context) {
	GinkgoHelper()
	select {
	case <-r.ended:
		return
	default:
	}
	Expect(r.command.Process.Signal(syscall.SIGTERM)).To(Succeed())
	Eventually(ctx, r.ended).WithTimeout(45*time.Second).Should(BeClosed(), "%s did not end on SIGTERM", r.name)
}
