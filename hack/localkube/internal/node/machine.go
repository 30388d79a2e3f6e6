package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mooring.dev/mooring/hack/localkube/internal/component"
)

// machine is what a node's components change of the machine, as it was before.
type machine struct {
	// Settings are kernel settings, by their file. A kubelet sets them, and has no
	// flag not to.
	Settings map[string]string `json:"settings"`
	// Absent are folders that were not there. Their paths are fixed in the
	// components.
	Absent []string `json:"absent"`
}

func kernelSettings() []string {
	return []string{
		"/proc/sys/vm/overcommit_memory", "/proc/sys/vm/panic_on_oom", "/proc/sys/kernel/panic", "/proc/sys/kernel/panic_on_oops",
		"/proc/sys/kernel/keys/root_maxkeys", "/proc/sys/kernel/keys/root_maxbytes",
	}
}

// fixedFolders are in the order in which they are made.
func fixedFolders() []string {
	return []string{
		"/run/containerd", "/run/containerd/s", "/var/lib/cni", "/var/lib/cni/results", "/var/log/containers",
		"/var/lib/kubelet", "/var/lib/kubelet/device-plugins",
	}
}

func machineFile(l component.Layout) string { return l.NodePath("machine.json") }

// remember writes down how the machine is, unless that is known from a start that
// was not torn down since.
func remember(l component.Layout) error {
	file := machineFile(l)
	if isFile(file) {
		return nil
	}
	was := machine{Settings: map[string]string{}}
	for _, setting := range kernelSettings() {
		if content, err := os.ReadFile(setting); err == nil {
			was.Settings[setting] = strings.TrimSpace(string(content))
		}
	}
	for _, dir := range fixedFolders() {
		if !isFile(dir) {
			was.Absent = append(was.Absent, dir)
		}
	}
	content, err := json.MarshalIndent(was, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".tmp", content, 0o600); err != nil {
		return fmt.Errorf("cannot write down how the machine was: %w", err)
	}
	return os.Rename(file+".tmp", file)
}

// restore makes the machine as it was. A folder that somebody else uses by now
// stays.
func restore(l component.Layout) error {
	content, err := os.ReadFile(machineFile(l))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var was machine
	if err := json.Unmarshal(content, &was); err != nil {
		return fmt.Errorf("cannot read %s, which says how the machine was: %w", machineFile(l), err)
	}
	var failures []error
	for _, setting := range kernelSettings() {
		now, err := os.ReadFile(setting)
		if value, known := was.Settings[setting]; known && err == nil && strings.TrimSpace(string(now)) != value {
			failures = append(failures, os.WriteFile(setting, []byte(value), 0o644))
		}
	}
	for _, dir := range slices.Backward(was.Absent) {
		if dir == filepath.Dir(deviceSocket) {
			// The kubelet leaves its socket and a warning, and nobody listens any more.
			_ = os.Remove(deviceSocket)
			_ = os.Remove(filepath.Join(dir, "DEPRECATION"))
		}
		_ = os.Remove(dir)
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	return os.Remove(machineFile(l))
}

// removeLinks removes the links that the kubelet makes to its containers' logs.
func removeLinks(l component.Layout) error {
	links, err := filepath.Glob("/var/log/containers/*.log")
	if err != nil {
		return err
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, l.PodLogs()+"/") {
			if err := os.Remove(link); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeResults removes what libcni wrote down of the pods' networks.
func removeResults(n *component.Node) error {
	files, err := filepath.Glob(filepath.Join("/var/lib/cni/results", n.CNIName()+"-*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}
