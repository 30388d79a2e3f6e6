package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"

	"mooring.dev/mooring/hack/localkube/internal/component"
)

// Free ports are looked for below the range from which Linux gives ports to
// outgoing connections. A port from that range could be taken while a component
// is stopped, and it has to come back on the same one.
const (
	lowestPort  = 20000
	highestPort = 32767
	portTries   = 200
)

// choosePorts returns the ports to use: those that are given, and free ones where
// 0 is. Kept ports are those of the last run, used again where they are free.
func choosePorts(given, kept component.Ports, bindAddress string) (component.Ports, error) {
	const loopback = "127.0.0.1"
	chosen := given
	taken := map[int]bool{}
	for _, p := range []struct {
		what string
		host string
		port *int
		kept int
	}{
		{"--etcd-port", loopback, &chosen.EtcdClient, kept.EtcdClient},
		{"--etcd-peer-port", loopback, &chosen.EtcdPeer, kept.EtcdPeer},
		{"--apiserver-port", bindAddress, &chosen.APIServer, kept.APIServer},
		{"--controller-manager-port", loopback, &chosen.ControllerManager, kept.ControllerManager},
		{"--scheduler-port", loopback, &chosen.Scheduler, kept.Scheduler},
	} {
		port, err := choosePort(p.what, p.host, *p.port, p.kept, taken)
		if err != nil {
			return component.Ports{}, err
		}
		taken[port] = true
		*p.port = port
	}
	return chosen, nil
}

func choosePort(what, host string, given, kept int, taken map[int]bool) (int, error) {
	free := func(port int) bool { return !taken[port] && isFree(host, port) }
	switch {
	case given != 0 && free(given):
		return given, nil
	case given != 0:
		return 0, fmt.Errorf("%s is %d, which is in use on %s or cannot be listened on; give another one, or leave the flag out for a free one", what, given, host)
	case kept != 0 && free(kept):
		return kept, nil
	}
	for range portTries {
		if port := lowestPort + rand.IntN(highestPort-lowestPort+1); free(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("found no free port on %s between %d and %d in %d tries; is the address one of this machine's? Give a port with %s, or another --bind-address", host, lowestPort, highestPort, portTries, what)
}

func isFree(host string, port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
