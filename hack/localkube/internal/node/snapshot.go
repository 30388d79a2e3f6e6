package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// counters are the packets and bytes that iptables-save shows, which change by
// themselves.
var counters = regexp.MustCompile(`\[\d+:\d+\]`)

// Snapshot lists what a node could leave behind on this machine, a line each:
// mounts, devices, routes, packet filters, namespaces, cgroups, kernel settings,
// folders, and processes in a node's cgroups. Two of them are equal if nothing was.
func Snapshot(ctx context.Context) ([]string, error) {
	var lines []string
	add := func(what string, found ...string) {
		for _, text := range found {
			lines = append(lines, what+" "+text)
		}
	}
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	add("mount", mountPoints(string(mountinfo))...)
	add("device", names("/sys/class/net/*")...)
	routes, err := ip(ctx, "-4", "route", "show")
	if err != nil {
		return nil, err
	}
	add("route", split(string(routes))...)
	for _, program := range []string{"iptables-save", "ip6tables-save"} {
		add(program, filters(ctx, program)...)
	}
	add("nft", filters(ctx, "nft", "list", "ruleset")...)
	add("netns", names("/run/netns/*")...)
	add("cgroup", names(cgroupMount+"/mooring-*", cgroupMount+"/*/mooring-*")...)
	for _, setting := range append(kernelSettings(), "/proc/sys/net/ipv4/ip_forward") {
		if content, err := os.ReadFile(setting); err == nil {
			add("setting", setting+" "+strings.TrimSpace(string(content)))
		}
	}
	add("file", names(append(fixedFolders(), "/run/mooring-*", "/run/containerd/s/*", "/var/lib/cni/results/*", "/var/log/containers/*", "/var/log/pods", "/var/lib/kubelet/*", "/etc/cni", "/opt/cni")...)...)
	add("process", inCgroups()...)
	slices.Sort(lines)
	return lines, nil
}

func names(patterns ...string) []string {
	var found []string
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(pattern)
		found = append(found, matches...)
	}
	return found
}

func split(output string) []string {
	var lines []string
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// filters is nothing where the program is not there, or has nothing to say.
func filters(ctx context.Context, program string, args ...string) []string {
	output, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return nil
	}
	return split(counters.ReplaceAllString(string(output), ""))
}

// inCgroups are processes in any node's cgroups.
func inCgroups() []string {
	var found []string
	for _, file := range names("/proc/[0-9]*/cgroup") {
		content, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(content), ":/mooring-") {
			continue
		}
		if status, err := os.ReadFile(filepath.Join(filepath.Dir(file), "status")); err != nil || strings.Contains(string(status), "\nState:\tZ") {
			// It holds nothing, and whoever is its parent now will reap it.
			continue
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "comm"))
		found = append(found, fmt.Sprintf("%s %s", filepath.Base(filepath.Dir(file)), strings.TrimSpace(string(command))))
	}
	return found
}
