package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/proc"
)

// makeNetwork makes the node's network namespace and joins it to the machine. The
// machine reaches pods and Services through the node; the node and its pods reach
// the machine, and nothing beyond it.
func makeNetwork(ctx context.Context, l component.Layout) error {
	n := l.Node
	services, err := netip.ParsePrefix(l.ServiceClusterIPRange)
	if err != nil {
		return err
	}
	if err := checkRoutes(ctx, netip.MustParsePrefix(n.Network), services); err != nil {
		return err
	}
	if err := makeNetNS(n.NetNS()); err != nil {
		return err
	}
	link := n.LinkCIDR().Bits()
	onMachine := [][]string{
		{"link", "add", n.HostDevice(), "mtu", "1400", "type", "veth", "peer", "name", n.NodeDevice(), "mtu", "1400", "netns", n.NetNS()},
		{"address", "add", netip.PrefixFrom(n.HostAddress(), link).String(), "dev", n.HostDevice()},
		{"link", "set", n.HostDevice(), "up"},
	}
	onNode := [][]string{
		{"link", "set", "lo", "up"},
		{"address", "add", netip.PrefixFrom(n.Address(), link).String(), "dev", n.NodeDevice()},
		{"link", "set", n.NodeDevice(), "up"},
		{"route", "add", "default", "via", n.HostAddress().String()},
	}
	// Last, when the node answers for them.
	routes := [][]string{
		{"route", "add", n.PodCIDR().String(), "via", n.Address().String(), "dev", n.HostDevice()},
		{"route", "add", services.String(), "via", n.Address().String(), "dev", n.HostDevice()},
	}
	if err := ipAll(ctx, onMachine); err != nil {
		return err
	}
	err = proc.InNetNS(n.NetNS(), func() error {
		if err := ipAll(ctx, onNode); err != nil {
			return err
		}
		// The namespace's own: the machine's stays as it is.
		return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
	})
	if err != nil {
		return err
	}
	return ipAll(ctx, routes)
}

// makeNetNS makes a network namespace that lives as long as the mount of the file.
func makeNetNS(file string) error {
	content, err := os.OpenFile(file, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot make the file of the network namespace: %w", err)
	}
	_ = content.Close()
	result := make(chan error, 1)
	go func() {
		// Never unlocked: this thread is in the new namespace, and ends here.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("cannot make a network namespace: %w", err)
			return
		}
		if err := unix.Mount("/proc/thread-self/ns/net", file, "", unix.MS_BIND, ""); err != nil {
			result <- fmt.Errorf("cannot keep the network namespace at %s: %w", file, err)
			return
		}
		result <- nil
	}()
	return <-result
}

// removeNetwork removes the machine's end of the pair, and with it the other end
// and the routes.
func removeNetwork(ctx context.Context, n *component.Node) error {
	device := "/sys/class/net/" + n.HostDevice()
	if !isFile(device) {
		return nil
	}
	if _, err := ip(ctx, "link", "delete", n.HostDevice()); err != nil && isFile(device) {
		return err
	}
	return nil
}

func ipAll(ctx context.Context, commands [][]string) error {
	for _, args := range commands {
		if _, err := ip(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func ip(ctx context.Context, args ...string) ([]byte, error) {
	program, err := exec.LookPath("ip")
	if err != nil {
		program = "/usr/sbin/ip"
	}
	output, err := exec.CommandContext(ctx, program, args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return output, err
}

// checkRoutes refuses addresses that this machine uses already.
func checkRoutes(ctx context.Context, node, services netip.Prefix) error {
	output, err := ip(ctx, "-4", "-json", "route", "show")
	if err != nil {
		return err
	}
	return overlaps(output, node, services)
}

func overlaps(routes []byte, node, services netip.Prefix) error {
	var listed []struct{ Dst, Dev string }
	if err := json.Unmarshal(routes, &listed); err != nil {
		return fmt.Errorf("cannot read the machine's routes: %w", err)
	}
	for _, route := range listed {
		used, err := netip.ParsePrefix(route.Dst)
		if address, addressErr := netip.ParseAddr(route.Dst); err != nil && addressErr == nil {
			used, err = address.Prefix(address.BitLen())
		}
		if err != nil || used.Bits() == 0 {
			continue
		}
		for flag, wanted := range map[string]netip.Prefix{"--node-network": node, "--service-cluster-ip-range": services} {
			if used.Overlaps(wanted) {
				return fmt.Errorf("%s is %s, and this machine has a route to %s by %s: give another one", flag, wanted, used, route.Dev)
			}
		}
	}
	return nil
}
