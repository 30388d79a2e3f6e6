package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/assets"
	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/node"
	"mooring.dev/mooring/hack/localkube/internal/proc"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

// checkNode makes sure of what a node takes from the machine, before anything is
// started.
func checkNode(ctx context.Context, l component.Layout, progress report.Func) error {
	if l.Node == nil {
		return nil
	}
	if err := node.CheckMachine(); err != nil {
		return err
	}
	return node.Install(ctx, progress)
}

// portHost is where the API server's port must be free. The address of a node's
// network is not there yet, so its port is asked for at all of them.
func portHost(l component.Layout) string {
	if l.Node != nil {
		return "0.0.0.0"
	}
	return l.BindAddress
}

// placeOf is where a component runs.
func placeOf(c component.Component, state *State, entry *ComponentState) proc.Place {
	n := state.Layout.Node
	if n == nil || !c.Service.InNode {
		return proc.Place{}
	}
	// containerd finds its shim on the PATH, and the shim finds runc.
	return proc.Place{NetNS: n.NetNS(), Cgroup: node.SystemCgroup(n), Path: filepath.Dir(entry.Binary)}
}

// afterStart does what the next components rely on.
func afterStart(ctx context.Context, state *State, name string, progress report.Func) error {
	if name != component.Containerd {
		return nil
	}
	if _, err := node.Load(ctx, state.Layout.Node, state.NodeBinaryDir, filepath.Join(state.NodeBinaryDir, assets.PauseArchive)); err != nil {
		return err
	}
	progress("loaded the pause image %s", component.PauseImage)
	cmd := exec.CommandContext(ctx, filepath.Join(state.BinaryDir, component.Kubectl), "--kubeconfig", state.Kubeconfig, "apply", "--server-side", "--force-conflicts", "-f", "-")
	cmd.Stdin = bytes.NewReader(state.Layout.NodeObjects())
	// kubectl keeps what it learns of an API in the home folder, by the address.
	cmd.Env = append(cmd.Environ(), "KUBECACHEDIR="+state.Layout.NodePath("kubectl-cache"))
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot tell the API server of the node's DNS: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}

// waitNode waits until the node takes pods.
func waitNode(ctx context.Context, l component.Layout, progress report.Func) error {
	if l.Node == nil {
		return nil
	}
	began := time.Now()
	service := mustService(component.APIServer)
	client, err := newClient(service.Trust, l)
	if err != nil {
		return err
	}
	defer client.close()
	url := service.URL(l) + "/api/v1/nodes/" + component.NodeName
	err = waitUntil(ctx, func() error {
		content, err := client.get(ctx, url)
		if err != nil {
			return err
		}
		return nodeReady(content)
	}, nil)
	if err != nil {
		return withLog(fmt.Errorf("the node did not get ready: %w", err), l.Log(component.Kubelet), 0)
	}
	progress("the node %s is ready after %.1f s more", component.NodeName, time.Since(began).Seconds())
	return nil
}

// nodeReady says why a Node takes no pods.
func nodeReady(content []byte) error {
	var object struct {
		Spec struct {
			Taints []struct{ Key, Effect string }
		}
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := json.Unmarshal(content, &object); err != nil {
		return fmt.Errorf("cannot read the Node: %w", err)
	}
	for _, taint := range object.Spec.Taints {
		if taint.Effect == "NoSchedule" {
			return fmt.Errorf("it still has the taint %s", taint.Key)
		}
	}
	for _, condition := range object.Status.Conditions {
		if condition.Type == "Ready" && condition.Status == "True" {
			return nil
		} else if condition.Type == "Ready" {
			return errors.New(condition.Message)
		}
	}
	return errors.New("it has no condition Ready yet")
}

// stopWhole stops every component and takes the node down.
func stopWhole(ctx context.Context, state *State, grace time.Duration, progress report.Func) error {
	err := stopAll(ctx, state, grace, progress)
	if state.Layout.Node == nil {
		return err
	}
	return errors.Join(err, node.TearDown(ctx, state.Layout, progress))
}

// LoadOptions say what is loaded into a node.
type LoadOptions struct {
	// Dir is the control plane's folder, absolute.
	Dir string
	// Files are docker-archives, or OCI layouts in a tar.
	Files []string
	// Report is told each image.
	Report report.Func
}

// Load puts images where the node's pods find them.
func Load(ctx context.Context, o LoadOptions) error {
	state, err := loadState(o.Dir)
	if err != nil {
		return err
	}
	if state == nil || state.Phase != Running || state.Layout.Node == nil {
		return fmt.Errorf("no node runs in %s; run up --node first, or give the right --dir", o.Dir)
	}
	for _, file := range o.Files {
		names, err := node.Load(ctx, state.Layout.Node, state.NodeBinaryDir, file)
		if err != nil {
			return err
		}
		o.Report("loaded %s from %s", strings.Join(names, ", "), file)
	}
	return nil
}
