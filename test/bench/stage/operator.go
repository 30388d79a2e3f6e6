package stage

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Operator is bin/mooring as a process.
type Operator struct {
	cmd     *exec.Cmd
	ended   chan struct{}
	metrics string
	log     string
}

// StartOperator starts it with the webhooks of the stage, and waits until it answers.
func (s *Stage) StartOperator(ctx context.Context) (*Operator, error) {
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	o := &Operator{metrics: metrics, log: filepath.Join(s.dir, "operator.log"), ended: make(chan struct{})}
	log, err := os.OpenFile(o.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	o.cmd = exec.Command(filepath.Join(s.bin, "mooring"), "--kubeconfig="+s.Kubeconfig, "--metrics-bind-address="+metrics, "--health-probe-bind-address=0",
		"--webhook-bind-address="+s.WebhookAddress(), "--webhook-cert-dir="+s.Hooks.LocalServingCertDir)
	o.cmd.Stdout, o.cmd.Stderr = log, log
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = o.cmd.Wait(); close(o.ended) }()
	s.undo = append(s.undo, func() error { o.Stop(); return nil })
	return o, Until(ctx, "the operator to answer", func() (bool, error) {
		select {
		case <-o.ended:
			text, _ := os.ReadFile(o.log)
			return false, fmt.Errorf("the operator ended:\n%s", text)
		default:
		}
		if c, err := net.Dial("tcp", s.WebhookAddress()); err == nil {
			_, err = o.Scrape(ctx)
			return err == nil, c.Close()
		}
		return false, nil // it does not listen yet
	})
}

// Stop ends the process in order.
func (o *Operator) Stop() {
	_ = o.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-o.ended:
	case <-time.After(40 * time.Second):
		_ = o.cmd.Process.Kill()
		<-o.ended
	}
}

// Scrape reads the metrics.
func (o *Operator) Scrape(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.metrics+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(answer.Body)
}

// CPU is the time that the process has spent, in user and kernel, in ticks of the kernel's 100 a second.
func (o *Operator) CPU() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", o.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	if errUser != nil || errSystem != nil {
		return 0, fmt.Errorf("the kernel's account of the operator does not parse")
	}
	return time.Duration(user+system) * 10 * time.Millisecond, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Until polls a condition, with a bound that only a broken run reaches.
func Until(ctx context.Context, what string, is func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := is()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting for %s: %w", what, ctx.Err())
		}
	}
}
