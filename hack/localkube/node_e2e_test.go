//go:build e2e

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/node"
)

// TestNode starts a real node, runs a pod on it, and takes it down in two ways:
// after its processes were killed, and after a start that failed. Each time the
// machine must be as before. That it is so after a plain down, with Services and
// images between, is what Mooring's own tier on a node finds (test/e2e).
func TestNode(t *testing.T) {
	if err := node.CheckMachine(); err != nil {
		t.Skip(err)
	}
	// Sockets lie in it, and a test's own folder has too long a path.
	parent, err := os.MkdirTemp("/tmp", "lkn-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	h := harness{t: t, program: filepath.Join(parent, "localkube"), dir: filepath.Join(parent, "kube")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", h.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command(h.program, "down", "--dir", h.dir).Run() })
	if err := node.Install(t.Context(), t.Logf); err != nil {
		t.Fatal(err)
	}
	before := h.snapshot()

	h.must("up", "--node")
	h.checkNodeIsUp()
	h.runPause("left")
	state := h.state()
	for _, name := range []string{component.Containerd, component.Kubelet, component.KubeProxy, component.Etcd, component.APIServer} {
		if err := syscall.Kill(h.pid(name), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	h.must("down")
	h.expectNothingLeft(state)
	h.expectSame(before)

	if _, stderr, status := h.localkube("up", "--node", "--arg", "kubelet=--no-such-flag"); status != 1 || !strings.Contains(stderr, "unknown flag: --no-such-flag") {
		t.Fatal("a failed start of the kubelet does not show why")
	}
	h.must("down")
	h.expectSame(before)
}

func (h harness) snapshot() []string {
	h.t.Helper()
	lines, err := node.Snapshot(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return lines
}

func (h harness) expectSame(before []string) {
	h.t.Helper()
	was, is := map[string]bool{}, map[string]bool{}
	for _, line := range before {
		was[line] = true
	}
	for _, line := range h.snapshot() {
		if is[line] = true; !was[line] {
			h.t.Errorf("left behind: %s", line)
		}
	}
	for line := range was {
		if !is[line] {
			h.t.Errorf("taken away: %s", line)
		}
	}
}

func (h harness) checkNodeIsUp() {
	h.t.Helper()
	h.must("status")
	if _, stderr := h.must("up", "--node"); !strings.Contains(stderr, "already running") {
		h.t.Fatal("a second up did not leave the running node alone")
	}
	if got := h.kubectl("get", "node", component.NodeName, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`); got != "True" {
		h.t.Fatalf("want the node ready, got %q", got)
	}
	// The Node authorizer keeps a kubelet from what its pods do not use.
	out, err := exec.CommandContext(h.t.Context(), filepath.Join(h.state().BinaryDir, "kubectl"), "--kubeconfig", h.state().Layout.Kubeconfig(component.UserKubelet),
		"get", "secrets", "-A").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Forbidden") {
		h.t.Errorf("want a kubelet forbidden to list Secrets, got %v: %s", err, out)
	}
}

const podFormat = `apiVersion: v1
kind: Pod
metadata: {name: %[1]s, labels: {run: %[1]s}}
spec:
  containers:
  - {name: main, image: %[2]s, imagePullPolicy: Never}
`

// runPause runs a pod of the one image that every node has.
func (h harness) runPause(name string) {
	h.t.Helper()
	h.apply(fmt.Sprintf(podFormat, name, component.PauseImage))
	h.kubectl("wait", "pod/"+name, "--for=condition=Ready", "--timeout=60s")
}

func (h harness) apply(manifest string) {
	h.t.Helper()
	state := h.state()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(state.BinaryDir, "kubectl"), "--kubeconfig", state.Kubeconfig, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("kubectl apply: %v\n%s", err, out)
	}
}
