//go:build e2e

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mooring.dev/mooring/hack/localkube/internal/cluster"
	"mooring.dev/mooring/hack/localkube/internal/proc"
)

// harness runs the built program as a user does.
type harness struct {
	t       *testing.T
	program string
	dir     string
}

// localkube runs the program and returns its outputs and exit status.
func (h harness) localkube(args ...string) (stdout, stderr string, status int) {
	h.t.Helper()
	var out, errOut bytes.Buffer
	cmd := exec.CommandContext(h.t.Context(), h.program, append(args, "--dir", h.dir)...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		h.t.Fatal(err)
	}
	h.t.Logf("localkube %s: %d\n%s%s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), &out, &errOut)
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// must is localkube where it has to work.
func (h harness) must(args ...string) (stdout, stderr string) {
	h.t.Helper()
	stdout, stderr, status := h.localkube(args...)
	if status != 0 {
		h.t.Fatalf("localkube %s ended with %d", args[0], status)
	}
	return stdout, stderr
}

func (h harness) state() cluster.State {
	h.t.Helper()
	content, err := os.ReadFile(filepath.Join(h.dir, "state.json"))
	if err != nil {
		h.t.Fatal(err)
	}
	var state cluster.State
	if err := json.Unmarshal(content, &state); err != nil {
		h.t.Fatal(err)
	}
	return state
}

func (h harness) kubectl(args ...string) string {
	h.t.Helper()
	state := h.state()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(state.BinaryDir, "kubectl"), append([]string{"--kubeconfig", state.Kubeconfig}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// pid returns the pid of a component that must be alive.
func (h harness) pid(name string) int {
	h.t.Helper()
	return h.identity(name).PID
}

// identity returns the process of a component that must be alive.
func (h harness) identity(name string) proc.Identity {
	h.t.Helper()
	for _, c := range h.state().Components {
		if c.Name == name && c.Alive() {
			return c.Identity
		}
	}
	h.t.Fatalf("%s is not alive", name)
	return proc.Identity{}
}

// TestControlPlane needs no network if the binaries are in the cache, and builds
// them otherwise, which takes minutes: run it with -timeout 30m then.
func TestControlPlane(t *testing.T) {
	h := harness{t: t, program: filepath.Join(t.TempDir(), "localkube"), dir: filepath.Join(t.TempDir(), "control plane")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", h.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Whatever fails below, nothing stays.
	t.Cleanup(func() { _ = exec.Command(h.program, "down", "--dir", h.dir).Run() })

	h.checkUp()
	h.checkComponentRestart()
	h.checkHalfDead()
	h.checkKeepData()
	h.checkFailedStart()
	h.checkRun()
}

func (h harness) checkUp() {
	stdout, _ := h.must("up")
	if want := "export KUBECONFIG='" + filepath.Join(h.dir, "kubeconfig") + "'\n"; stdout != want {
		h.t.Fatalf("want stdout to be %q, got %q", want, stdout)
	}
	h.must("status")
	before := h.pid("kube-apiserver")
	if _, stderr := h.must("up"); !strings.Contains(stderr, "already running") || h.pid("kube-apiserver") != before {
		h.t.Fatal("a second up did not leave the running control plane alone")
	}
	if got := h.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"); got != "admin" {
		h.t.Fatalf("want to be admin by certificate, got %q", got)
	}
	// Gone only once the controller manager has finalised it.
	h.kubectl("create", "namespace", "short-lived")
	h.kubectl("delete", "namespace", "short-lived", "--timeout=60s")
	// RBAC is in force: a service account without a role may not read secrets.
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(h.state().BinaryDir, "kubectl"), "--kubeconfig", h.state().Kubeconfig,
		"auth", "can-i", "get", "secrets", "--as=system:serviceaccount:default:default")
	if out, err := cmd.Output(); err == nil || strings.TrimSpace(string(out)) != "no" {
		h.t.Fatalf("want no, got %s, %v", out, err)
	}
}

func (h harness) checkComponentRestart() {
	h.kubectl("create", "configmap", "kept", "--from-literal=a=b")
	url := h.state().APIServerURL
	for _, stop := range [][]string{{"stop-component", "kube-apiserver"}, {"stop-component", "kube-apiserver", "--kill"}} {
		h.must(stop...)
		if stdout, _, status := h.localkube("status"); status != 1 || !strings.Contains(stdout, "stopped") {
			h.t.Fatal("status does not tell that the API server is stopped")
		}
		h.must("start-component", "kube-apiserver")
		h.must("status")
		if got := h.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}"); got != "b" || h.state().APIServerURL != url {
			h.t.Fatalf("want the same data at the same URL, got %q at %s", got, h.state().APIServerURL)
		}
	}
}

func (h harness) checkHalfDead() {
	// Killed behind localkube's back, and gone: until the kernel has taken it apart, it
	// is there and does not answer.
	if _, err := proc.Stop(h.t.Context(), h.identity("etcd"), 0); err != nil {
		h.t.Fatal(err)
	}
	if stdout, _, status := h.localkube("status"); status != 1 || !strings.Contains(stdout, "dead") {
		h.t.Fatal("status does not tell that etcd is dead")
	}
	if _, stderr := h.must("up"); !strings.Contains(stderr, "half dead") {
		h.t.Fatal("up did not tell that it cleaned up")
	}
	h.must("status")
}

func (h harness) checkKeepData() {
	h.kubectl("create", "configmap", "kept", "--from-literal=a=b")
	token := h.kubectl("create", "token", "default")
	url := h.state().APIServerURL
	h.must("down", "--keep-data")
	h.must("up")
	if got := h.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}"); got != "b" || h.state().APIServerURL != url {
		h.t.Fatalf("want the same data at the same URL, got %q at %s", got, h.state().APIServerURL)
	}
	state := h.state()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(state.BinaryDir, "kubectl"), "--kubeconfig", os.DevNull, "--server", state.APIServerURL,
		"--certificate-authority", filepath.Join(h.dir, "pki", "ca.crt"), "--token", strings.TrimSpace(token), "auth", "whoami")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "system:serviceaccount:default:default") {
		h.t.Fatalf("want a token from before to be valid still, got %v\n%s", err, out)
	}
	h.must("down")
	h.must("down")
	h.expectNothingLeft(state)
}

func (h harness) checkFailedStart() {
	_, stderr, status := h.localkube("up", "--arg", "kube-apiserver=--no-such-flag")
	if status != 1 || !strings.Contains(stderr, "unknown flag: --no-such-flag") || !strings.Contains(stderr, "the rest is in") {
		h.t.Fatal("a failed start does not show why")
	}
	for _, c := range h.state().Components {
		if c.Alive() {
			h.t.Fatalf("%s was left running", c.Name)
		}
	}
	h.must("down")
}

// checkRun interrupts `run` the way a terminal or a supervisor does.
func (h harness) checkRun() {
	cmd := exec.CommandContext(h.t.Context(), h.program, "run", "--dir", h.dir, "--components", "etcd,kube-apiserver,kubectl")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	// The export line comes when everything is ready.
	if _, err := stdout.Read(make([]byte, 1)); err != nil {
		h.t.Fatal(err)
	}
	state := h.state()
	h.must("status")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		h.t.Fatal(err)
	}
	h.expectNothingLeft(state)
}

func (h harness) expectNothingLeft(state cluster.State) {
	h.t.Helper()
	for _, c := range state.Components {
		if c.Alive() {
			h.t.Errorf("%s still runs as pid %d", c.Name, c.PID)
		}
	}
	if _, err := os.Stat(h.dir); !os.IsNotExist(err) {
		h.t.Errorf("%s is still there", h.dir)
	}
}
