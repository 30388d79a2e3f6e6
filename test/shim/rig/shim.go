package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/audit"
)

// BuildShim builds cmd/mooring-shim into a folder, with cmd/mooring-schemas beside, and returns the program's path; MOORING_SHIM
// names one that is built already.
func BuildShim(ctx context.Context, dir string) (string, error) {
	if program := os.Getenv("MOORING_SHIM"); program != "" {
		return filepath.Abs(program)
	}
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "mooring.dev/mooring").Output()
	if err != nil {
		return "", fmt.Errorf("where Mooring's module is cannot be found out; run this inside of it: %w", err)
	}
	program := filepath.Join(dir, "mooring-shim")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", dir+string(filepath.Separator), "./cmd/mooring-shim", "./cmd/mooring-schemas")
	build.Dir = strings.TrimSpace(string(root))
	build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the shim does not build: %w\n%s", err, out)
	}
	return program, nil
}

// Contract is a policy for the brokers: a guarantee and a mode, with the limits of a profile that says nothing else.
func Contract(bootstrap []string, g contract.Guarantee, mode contract.Mode) contract.Contract {
	c := contract.Contract{
		Version: contract.Version, Profile: contract.Profile{Name: "rig"}, Guarantee: g,
		Cluster:     contract.Cluster{Name: "rig", BootstrapServers: bootstrap},
		Enforcement: contract.Enforcement{Mode: mode, Acks: -1, Idempotence: g == contract.Idempotent || g == contract.Transactional, Unsupported: contract.UnsupportedCount},
		Limits:      contract.Limits{MaxInFlight: 5},
		Timing:      contract.Timing{DeliveryTimeout: 120000, Drain: 60000},
	}
	if g == contract.AtMostOnce {
		c.Enforcement.Acks = 0
	}
	return c
}

// Shim is a mooring-shim that runs.
type Shim struct {
	// Kafka is what clients have as bootstrap.servers, Status where /audit and /metrics are, Log the file with all it said.
	Kafka, Status, Log string
	command            *exec.Cmd
	ended              chan error
	message            string
}

// StartShim starts the program with a contract, and returns when the cluster answers it. Its files are in dir.
func StartShim(ctx context.Context, program, dir string, c contract.Contract) (*Shim, error) {
	raw, err := contract.Encode(c)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "contract.json")
	s := &Shim{Log: filepath.Join(dir, "shim.log"), message: filepath.Join(dir, "termination"), ended: make(chan error, 1)}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.message, nil, 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(s.Log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if s.Kafka, err = free(); err != nil {
		return nil, err
	}
	if s.Status, err = free(); err != nil {
		return nil, err
	}
	s.command = exec.Command(program, "--contract", file, "--kafka-listen", s.Kafka, "--status-listen", s.Status, "--termination-message", s.message)
	s.command.Stdout, s.command.Stderr = log, log
	// What the shim does must not hang on this program's life when it is killed.
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	go func() { s.ended <- s.command.Wait() }()
	if err := s.waitReady(ctx); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

// PID of the shim.
func (s *Shim) PID() int { return s.command.Process.Pid }

// free is an address of this machine that nobody listens on.
func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (s *Shim) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	ready := false
	err := Until(ctx, 20*time.Millisecond, func() bool {
		select {
		case err := <-s.ended:
			s.ended <- err
			return true
		default:
		}
		ready = s.get(ctx, "/readyz", io.Discard) == nil
		return ready
	})
	if err != nil || !ready {
		said, _ := os.ReadFile(s.Log)
		return fmt.Errorf("the shim did not become ready (%v); it said:\n%s", err, said)
	}
	return nil
}

func (s *Shim) get(ctx context.Context, path string, into io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Status+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(into, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return nil
}

// Audit is what /audit says of the clients.
func (s *Shim) Audit(ctx context.Context) ([]audit.View, error) {
	var raw bytes.Buffer
	if err := s.get(ctx, "/audit", &raw); err != nil {
		return nil, err
	}
	var view struct{ Clients []audit.View }
	if err := json.Unmarshal(raw.Bytes(), &view); err != nil {
		return nil, fmt.Errorf("/audit: %w: %s", err, raw.String())
	}
	return view.Clients, nil
}

// Metric is the value of a metric without labels.
func (s *Shim) Metric(ctx context.Context, name string) (value float64, err error) {
	var raw bytes.Buffer
	if err := s.get(ctx, "/metrics", &raw); err != nil {
		return 0, err
	}
	for line := range strings.Lines(raw.String()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			_, err := fmt.Sscan(rest, &value)
			return value, err
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}

// Stop asks the shim to end (SIGTERM), waits until it has, and returns its last message.
func (s *Shim) Stop(ctx context.Context) (string, error) {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return "", err
	}
	select {
	case err := <-s.ended:
		s.ended <- err
		said, _ := os.ReadFile(s.message)
		return string(said), err
	case <-ctx.Done():
		s.Kill()
		return "", fmt.Errorf("the shim did not end: %w", ctx.Err())
	}
}

// Kill ends the shim at once.
func (s *Shim) Kill() {
	if s.command.Process.Kill() == nil {
		err := <-s.ended
		s.ended <- err
	}
}

// Until waits for a condition, and looks every so often.
func Until(ctx context.Context, every time.Duration, ok func() bool) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
