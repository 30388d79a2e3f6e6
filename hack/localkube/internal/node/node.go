package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

// SetUp makes the place that the node's components run in.
func SetUp(ctx context.Context, l component.Layout, progress report.Func) error {
	n := l.Node
	began := time.Now()
	for _, dir := range []string{l.NodePath(), l.CNIConfigDir(), l.PodLogs(), n.RunDir()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cannot make the node's folder: %w", err)
		}
	}
	if err := remember(l); err != nil {
		return err
	}
	if err := makeCgroups(n); err != nil {
		return err
	}
	if err := makeNetwork(ctx, l); err != nil {
		return fmt.Errorf("cannot make the node's network: %w", err)
	}
	if err := writeFiles(l); err != nil {
		return err
	}
	progress("the node's place is made in %.1f s: network namespace %s, %s for pods, this machine is %s there",
		time.Since(began).Seconds(), n.NetNS(), n.PodCIDR(), n.HostAddress())
	return nil
}

func writeFiles(l component.Layout) error {
	for file, content := range map[string][]byte{
		l.ContainerdConfigFile(): l.ContainerdConfig(restrictOOM()),
		l.CNIConfigFile():        l.CNIConfig(),
		l.KubeletConfigFile():    l.KubeletConfig(),
		l.KubeProxyConfigFile():  l.KubeProxyConfig(),
		l.CorefileFile():         l.Corefile(),
	} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return fmt.Errorf("cannot write the configuration of a component: %w", err)
		}
	}
	return nil
}

// TearDown removes everything that SetUp made and everything that the node's
// components left: processes, mounts, devices, cgroups, files outside of the
// folder. It goes on after a failure, and returns all of them.
func TearDown(ctx context.Context, l component.Layout, progress report.Func) error {
	n := l.Node
	ctx = context.WithoutCancel(ctx)
	began := time.Now()
	killed, err := killAll(ctx, n)
	failures := []error{err}
	for _, step := range []func() error{
		func() error { return removeShimSockets(n) },
		// Before its namespace is unmounted, whose end would take the device away at a
		// moment of the kernel's choice.
		func() error { return removeNetwork(ctx, n) },
		func() error { return unmountBelow(l.NodePath(), n.RunDir()) },
		func() error { return removeCgroups(n) },
		func() error { return removeLinks(l) },
		func() error { return removeResults(n) },
		func() error { return restore(l) },
		func() error { return os.RemoveAll(n.RunDir()) },
		// Addresses of pods that are gone.
		func() error { return os.RemoveAll(l.NodePath("ipam")) },
	} {
		failures = append(failures, step())
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("the node could not be taken down whole: %w; run down again", err)
	}
	progress("the node is taken down after %.1f s: %d processes of pods, mounts, devices and cgroups", time.Since(began).Seconds(), killed)
	return nil
}

// removeShimSockets removes the sockets of killed containerd-shims, which lie in a
// folder that all containerds of a machine share.
func removeShimSockets(n *component.Node) error {
	files, err := filepath.Glob(filepath.Join(n.ContainerdState(), "io.containerd.runtime.v2.task", "*", "*", "bootstrap.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var shim struct{ Address string }
		if json.Unmarshal(content, &shim) != nil {
			continue
		}
		socket, found := strings.CutPrefix(shim.Address, "unix://")
		if !found {
			continue
		}
		if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
