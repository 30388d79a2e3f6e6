package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stage is everything that the tour runs on, and how to take it down.
type stage struct {
	dir         string // of this run; removed at the end
	bin         string // the binaries that make built
	kubeconfig  string
	kubectlPath string
	servers     []string // of Kafka
	kafkaDir    string   // of localkafka; empty for a cluster that was there
	apache      bool
	metrics     string
	operatorLog string
	namespace   string
	ownCluster  bool   // the API server is ours
	noNode      string // why there is no node; empty when there is one
	address     string // of this machine, as pods and brokers' clients reach it
	webhooks    string // manifests that call the operator's webhooks here; empty for a cluster that was there

	operatorEnded chan error
	undo          []func() error
}

func newStage() (*stage, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mooring-demo-")
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir, bin: filepath.Dir(self), namespace: "default", operatorEnded: make(chan error, 1)}
	s.undo = append(s.undo, func() error { return os.RemoveAll(dir) })
	return s, nil
}

// close takes everything down, last started first, and reports each thing that would not go.
func (s *stage) close() error {
	say("Taking everything down")
	var errs []error
	for i := len(s.undo) - 1; i >= 0; i-- {
		errs = append(errs, s.undo[i]())
	}
	return errors.Join(errs...)
}

func (s *stage) bootstrap() string { return strings.Join(s.servers, ",") }

// startKubernetes uses the cluster of KUBECONFIG when Kafka is given too, and starts a control plane otherwise.
func (s *stage) startKubernetes(ctx context.Context) error {
	if os.Getenv("KUBECONFIG") != "" && os.Getenv("KAFKA_BOOTSTRAP_SERVERS") != "" {
		say("Using the Kubernetes cluster of KUBECONFIG")
		s.kubeconfig, s.namespace = os.Getenv("KUBECONFIG"), "mooring-demo"
		path, err := exec.LookPath("kubectl")
		if err != nil {
			return fmt.Errorf("KUBECONFIG is set, and there is no kubectl on the PATH: install it, or unset KUBECONFIG to have a control plane started here")
		}
		s.kubectlPath = path
		return nil
	}
	s.ownCluster, s.noNode = true, s.whyNoNode(ctx)
	dir := filepath.Join(s.dir, "kube")
	args := []string{"up", "--dir", dir}
	if s.noNode == "" {
		say("Starting Kubernetes: a control plane, and a node (containerd, kubelet, kube-proxy, DNS) in a network of its own")
		args = append(args, "--node")
	} else {
		say("Starting a Kubernetes control plane (etcd, kube-apiserver, kube-controller-manager). There is no node, because %s", s.noNode)
		args = append(args, "--components", "etcd,kube-apiserver,kube-controller-manager,kubectl")
	}
	s.undo = append(s.undo, func() error { return s.tool("localkube", "down", "--dir", dir) })
	if err := s.toolContext(ctx, "localkube", args...); err != nil {
		return err
	}
	var state struct {
		Kubeconfig, BinaryDir string
		Layout                struct{ AdvertiseAddress string }
	}
	if err := readJSON(filepath.Join(dir, "state.json"), &state); err != nil {
		return err
	}
	s.kubeconfig, s.kubectlPath, s.address = state.Kubeconfig, filepath.Join(state.BinaryDir, "kubectl"), state.Layout.AdvertiseAddress
	return nil
}

// startKafka uses KAFKA_BOOTSTRAP_SERVERS, or starts what KAFKA names.
func (s *stage) startKafka(ctx context.Context) error {
	if servers := os.Getenv("KAFKA_BOOTSTRAP_SERVERS"); servers != "" && !s.ownCluster {
		say("Using the Kafka cluster at %s", servers)
		s.servers = strings.Split(servers, ",")
		return nil
	}
	s.kafkaDir = filepath.Join(s.dir, "kafka")
	args := []string{"up", "--dir", s.kafkaDir, "--address", s.address}
	switch kind := os.Getenv("KAFKA"); kind {
	case "", "embedded":
		say("Starting an embedded Kafka (kfake; KAFKA=apache uses three real brokers)")
		args = append(args, "--embedded")
	case "apache":
		say("Starting Apache Kafka: three brokers in three racks")
		s.apache = true
	default:
		return fmt.Errorf("KAFKA is %q: it must be embedded or apache", kind)
	}
	s.undo = append(s.undo, func() error { return s.tool("localkafka", "down", "--dir", s.kafkaDir) })
	if err := s.toolContext(ctx, "localkafka", args...); err != nil {
		return err
	}
	var state struct{ Bootstrap struct{ Plaintext []string } }
	if err := readJSON(filepath.Join(s.kafkaDir, "state.json"), &state); err != nil {
		return err
	}
	s.servers = state.Bootstrap.Plaintext
	return nil
}

// install brings the CRDs and the operator: onto the node, or beside the control plane.
func (s *stage) install(ctx context.Context) error {
	if s.ownCluster && s.noNode == "" {
		return s.installOperator(ctx)
	}
	if err := s.installCRDs(ctx); err != nil {
		return err
	}
	return s.startOperator(ctx)
}

func (s *stage) installCRDs(ctx context.Context) error {
	say("Installing the CRDs")
	if err := s.kubectl(ctx, "apply", "--server-side", "-f", "config/crd/bases"); err != nil {
		return err
	}
	return s.quietKubectl(ctx, "wait", "--for=condition=Established", "--timeout=30s", "-f", "config/crd/bases")
}

// startOperator runs bin/mooring beside the control plane, as a process that ends with this one.
func (s *stage) startOperator(ctx context.Context) error {
	say("Starting the operator")
	address, err := freeAddress()
	if err != nil {
		return err
	}
	s.metrics = address
	s.operatorLog = filepath.Join(s.dir, "operator.log")
	log, err := os.Create(s.operatorLog)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"--metrics-bind-address=" + address, "--health-probe-bind-address=0", "--log-format=text"}
	if s.ownCluster {
		hooks, err := s.prepareWebhooks()
		if err != nil {
			return err
		}
		args = append(args, hooks...)
	}
	cmd := exec.Command(filepath.Join(s.bin, "mooring"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig)
	cmd.Stdout, cmd.Stderr = log, log
	fmt.Printf("$ KUBECONFIG=%s bin/mooring &   # log %s\n", s.kubeconfig, s.operatorLog)
	return s.background(cmd, s.operatorEnded)
}

// background runs a process that ends with this one, and tells how it ended.
func (s *stage) background(cmd *exec.Cmd, tell chan<- error) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	ended := make(chan struct{})
	go func() {
		tell <- cmd.Wait()
		close(ended)
	}()
	s.undo = append(s.undo, func() error { return stopProcess(cmd, ended) })
	return nil
}

// stopProcess asks a process to end, and makes it end when it does not.
func stopProcess(cmd *exec.Cmd, ended <-chan struct{}) error {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-ended:
		return nil
	case <-time.After(40 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
		return fmt.Errorf("%s did not stop within 40 s of SIGTERM and was killed", filepath.Base(cmd.Path))
	}
}

// tool runs one of our binaries during the take-down, when the context of the tour may be over.
func (s *stage) tool(name string, args ...string) error {
	ctx, cancel := takeDownContext()
	defer cancel()
	return s.toolContext(ctx, name, args...)
}

func takeDownContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Minute)
}

func (s *stage) toolContext(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to pass on
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return nil
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
