package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Place is where on the machine a process runs. The zero value is here.
type Place struct {
	// NetNS is a file that holds a network namespace.
	NetNS string
	// Cgroup is the folder of a cgroup. What the process starts is in it too.
	Cgroup string
	// Path comes before the PATH of this process.
	Path string
}

// environment is this process's, with Path before its PATH. Programs that only
// root uses are not on everyone's PATH.
func (p Place) environment() []string {
	if p.Path == "" {
		return nil
	}
	return append(os.Environ(), "PATH="+p.Path+":"+os.Getenv("PATH")+":/usr/sbin:/sbin")
}

// enter moves a process that was just started into the cgroup.
func (p Place) enter(pid int) error {
	if p.Cgroup == "" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(p.Cgroup, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
		return fmt.Errorf("cannot move pid %d into the cgroup %s: %w", pid, p.Cgroup, err)
	}
	return nil
}

// InNetNS calls do on a thread that is in the network namespace of that file, and
// so are processes that do starts. An empty file is the present namespace.
func InNetNS(file string, do func() error) error {
	if file == "" {
		return do()
	}
	result := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with this goroutine, so that no other one
		// finds itself on a thread in a namespace that it did not ask for.
		runtime.LockOSThread()
		result <- func() error {
			namespace, err := os.Open(file)
			if err != nil {
				return fmt.Errorf("cannot open the network namespace: %w", err)
			}
			defer namespace.Close()
			if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("cannot enter the network namespace %s: %w", file, err)
			}
			return do()
		}()
	}()
	return <-result
}
