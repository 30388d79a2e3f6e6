package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
)

const cgroupMount = "/sys/fs/cgroup"

// hierarchies are the folders in which the node's cgroup is made: one with
// version 2, one for each controller with version 1.
func hierarchies() ([]string, error) {
	if content, err := os.ReadFile(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		for _, controller := range []string{"cpu", "memory", "pids"} {
			if !slices.Contains(strings.Fields(string(content)), controller) {
				return nil, fmt.Errorf("a node needs the cgroup controller %s, which is not in %s/cgroup.controllers", controller, cgroupMount)
			}
		}
		return []string{cgroupMount}, nil
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil, fmt.Errorf("a node needs cgroups, and they cannot be read: %w", err)
	}
	var dirs []string
	for _, entry := range entries {
		dir := filepath.Join(cgroupMount, entry.Name())
		// Links lead to controllers that are mounted together; "unified" is the half
		// of version 2 that a hybrid machine has, which holds no controller.
		if entry.IsDir() && entry.Name() != "unified" && isFile(filepath.Join(dir, "cgroup.procs")) {
			dirs = append(dirs, dir)
		}
	}
	for _, controller := range []string{"cpu", "cpuacct", "cpuset", "memory", "pids"} {
		if !isFile(filepath.Join(cgroupMount, controller, "cgroup.procs")) {
			return nil, fmt.Errorf("a node needs the cgroup controller %s, which is not mounted at %s/%s", controller, cgroupMount, controller)
		}
	}
	return dirs, nil
}

func isFile(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// SystemCgroup is where the node's own components run, and what they start that
// is no container. One hierarchy is enough to find them again.
func SystemCgroup(n *component.Node) string {
	if isFile(filepath.Join(cgroupMount, "cgroup.controllers")) {
		return filepath.Join(cgroupMount, n.CgroupRoot(), "system")
	}
	return filepath.Join(cgroupMount, "pids", n.CgroupRoot(), "system")
}

func makeCgroups(n *component.Node) error {
	dirs, err := hierarchies()
	if err != nil {
		return err
	}
	made := []string{SystemCgroup(n)}
	for _, dir := range dirs {
		made = append(made, filepath.Join(dir, n.CgroupRoot()))
	}
	for _, dir := range made {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cannot make the node's cgroup: %w", err)
		}
	}
	return giveShare(cgroupMount, n.CgroupRoot())
}

// share is how much CPU time all pods get together, where others want it too, as
// a multiple of what one process of this machine gets. Without it they would get
// as much as one, and a build beside them would starve a webhook among them.
const share = 32

// giveShare gives it to a cgroup: in version 1's terms where 1024 is one share,
// or in version 2's where 100 is.
func giveShare(mount, name string) error {
	for file, one := range map[string]int{
		filepath.Join(mount, "cpu", name, "cpu.shares"): 1024,
		filepath.Join(mount, name, "cpu.weight"):        100,
	} {
		if !isFile(file) {
			continue
		}
		if err := os.WriteFile(file, []byte(strconv.Itoa(share*one)), 0o644); err != nil {
			return fmt.Errorf("cannot give the node's pods their share of the CPU: %w", err)
		}
	}
	return nil
}

// killBound is how long killed processes may take to be gone. Those of a hundred
// pods take a while on a small machine.
const killBound = time.Minute

// killAll kills what is in the node's cgroups, and returns how many there were
// and when none is left. Nobody else's process is ever in them. The pods' go
// first, while their shims are there to reap them.
func killAll(ctx context.Context, n *component.Node) (int, error) {
	pods, err := killIn(ctx, func() ([]int, error) { return members(n, "kubepods") })
	if err != nil {
		return pods, err
	}
	rest, err := killIn(ctx, func() ([]int, error) { return members(n, "") })
	return pods + rest, err
}

// killIn looks less and less often: each look walks hundreds of folders where
// there are many pods, and takes that time from those that have to end.
func killIn(ctx context.Context, members func() ([]int, error)) (int, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killBound)
	defer cancel()
	seen := map[int]bool{}
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		pids, err := members()
		if err != nil || len(pids) == 0 {
			return len(seen), err
		}
		for _, pid := range pids {
			seen[pid] = true
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return len(seen), fmt.Errorf("cannot kill pid %d of the node: %w", pid, err)
			}
		}
		select {
		case <-ctx.Done():
			return len(seen), fmt.Errorf("the node's processes %v are still there %s after SIGKILL", pids, killBound)
		case <-time.After(pause):
		}
	}
}

// members are the processes in the node's cgroups, or in those below the one of
// that name, in every hierarchy.
func members(n *component.Node, below string) ([]int, error) {
	var pids []int
	err := walkCgroups(n, func(dir string) error {
		if !strings.Contains(dir+"/", filepath.Join(n.CgroupRoot(), below)+"/") {
			return nil
		}
		content, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			return nil //nolint:nilerr // it went away meanwhile, or is one of threads
		}
		for _, text := range strings.Fields(string(content)) {
			if pid, err := strconv.Atoi(text); err == nil && pid > 0 && !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	return pids, err
}

// removeCgroups removes the node's cgroups, the innermost first.
func removeCgroups(n *component.Node) error {
	var dirs []string
	if err := walkCgroups(n, func(dir string) error { dirs = append(dirs, dir); return nil }); err != nil {
		return err
	}
	for _, dir := range slices.Backward(dirs) {
		if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, syscall.ENOENT) {
			return fmt.Errorf("cannot remove the node's cgroup %s: %w", dir, err)
		}
	}
	return nil
}

// walkCgroups visits each of the node's cgroups, the outermost first.
func walkCgroups(n *component.Node, visit func(dir string) error) error {
	roots, err := filepath.Glob(filepath.Join(cgroupMount, "*", n.CgroupRoot()))
	if err != nil {
		return err
	}
	for _, root := range append(roots, filepath.Join(cgroupMount, n.CgroupRoot())) {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case !entry.IsDir():
				return nil
			}
			return visit(path)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
