package node

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
)

// Capabilities of Linux, by their numbers in capability.h.
const (
	capNetAdmin    = 12
	capSysAdmin    = 21
	capSysResource = 24
)

// need is a program that is taken from the machine.
type need struct {
	// file is a program's name, or its absolute path where it is on no PATH.
	file string
	// debian is the package that has it.
	debian string
}

func needs() []need {
	return []need{
		{"runc", "runc"},
		{filepath.Join(component.CNIBinDir, "ptp"), "containernetworking-plugins"},
		{"ip", "iproute2"},
		{"nft", "nftables"},
	}
}

// missingPackages are those that have to be installed.
func missingPackages() []string {
	var packages []string
	for _, n := range needs() {
		if !present(n.file) {
			packages = append(packages, n.debian)
		}
	}
	return packages
}

func present(file string) bool {
	if !filepath.IsAbs(file) {
		for _, dir := range []string{"/usr/sbin", "/sbin"} {
			if present(filepath.Join(dir, file)) {
				return true
			}
		}
		_, err := exec.LookPath(file)
		return err == nil
	}
	info, err := os.Stat(file)
	return err == nil && info.Mode().Perm()&0o111 != 0
}

// CheckMachine says why this machine cannot run a node, whatever is installed on
// it. It changes nothing.
func CheckMachine() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("a node needs Linux, and this is %s", runtime.GOOS)
	}
	if os.Geteuid() != 0 {
		return errors.New("a node needs root: run localkube as root")
	}
	capabilities, err := readCapabilities("/proc/self/status")
	if err != nil {
		return err
	}
	for number, name := range map[int]string{capSysAdmin: "CAP_SYS_ADMIN", capNetAdmin: "CAP_NET_ADMIN"} {
		if capabilities&(1<<number) == 0 {
			return fmt.Errorf("a node needs %s, which this root lacks: run outside of a restricted container", name)
		}
	}
	if filesystems, err := os.ReadFile("/proc/filesystems"); err == nil && !strings.Contains(string(filesystems), "\toverlay\n") {
		return errors.New("a node needs the overlay file system, which this kernel lacks: load the module overlay")
	}
	if _, err := hierarchies(); err != nil {
		return err
	}
	return checkNoKubelet(deviceSocket)
}

// deviceSocket is where any kubelet listens, wherever its folder is.
const deviceSocket = "/var/lib/kubelet/device-plugins/kubelet.sock"

func checkNoKubelet(socket string) error {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return nil //nolint:nilerr // nobody listens, as it should be
	}
	_ = conn.Close()
	return fmt.Errorf("a kubelet runs on this machine already and listens on %s, which a second one would take from it: stop that one, or use another machine", socket)
}

func readCapabilities(file string) (uint64, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("cannot tell this process's capabilities: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		if text, found := strings.CutPrefix(line, "CapEff:"); found {
			return strconv.ParseUint(strings.TrimSpace(text), 16, 64)
		}
	}
	return 0, fmt.Errorf("%s does not say what this process may do", file)
}

// restrictOOM says that no process may be made safer from the OOM killer.
func restrictOOM() bool {
	capabilities, err := readCapabilities("/proc/self/status")
	return err == nil && capabilities&(1<<capSysResource) == 0
}
