package local

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are taken from below the range from which the kernel gives outgoing connections theirs (32768 up on Linux, and
// 49152 up elsewhere) and below Kubernetes' NodePorts (30000 up): a stopped node must find its port free again.
const (
	firstPort = 20000
	lastPort  = 29999
)

// freePorts finds n ports on that address that nothing listens on. Each is held until all are found, so all differ.
// Another process can still take one before the broker does; the range is random and wide so that this is rare.
func freePorts(address string, n int) ([]int, error) {
	held := make([]net.Listener, 0, n)
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	ports := make([]int, 0, n)
	for range 100 * (n + 1) {
		if len(ports) == n {
			return ports, nil
		}
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		l, err := net.Listen("tcp4", at(address, port))
		if err != nil {
			continue
		}
		held, ports = append(held, l), append(ports, port)
	}
	if len(ports) == n {
		return ports, nil
	}
	return nil, errors.New(portsTaken(address, n))
}

func portsTaken(address string, n int) string {
	return fmt.Sprintf("%d free ports between %d and %d on %s were not found; is the address this machine's? Otherwise stop what listens there (ss -ltnp shows it)", n, firstPort, lastPort, address)
}

// at joins an IPv4 address and a port.
func at(address string, port int) string { return fmt.Sprintf("%s:%d", address, port) }

// At is where the node listens for that.
func (n Node) At(l Listener) string { return at(n.Address, n.Ports[l]) }
