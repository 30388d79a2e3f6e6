package proxy

import (
	"fmt"
	"net"
	"strconv"
	"sync"
)

// bootstrapNode stands for whatever bootstrap server answers.
const bootstrapNode int32 = -1

// Addresses says how the nodes of the cluster are told apart by clients.
type Addresses string

// Ways to tell nodes apart.
const (
	// AddressesAuto takes Loopback where the listener is on 127/8 and the address can be had, else Ports. The default.
	AddressesAuto Addresses = ""
	// AddressesPorts gives each node a port of its own on the listener's address: for IPv6 alone, and for hostNetwork.
	AddressesPorts Addresses = "Ports"
	// AddressesLoopback gives each node an address, 127.66.<high byte>.<low byte>, with the listener's port.
	AddressesLoopback Addresses = "Loopback"
)

// nodes knows where the brokers are, and what clients are told instead. A local address means the same node for as long as
// the shim lives (KIP-1242): clients keep them.
type nodes struct {
	server *Server

	mu    sync.Mutex
	at    *net.TCPAddr
	known map[int32]*node
}

type node struct {
	real string
	host string
	port int32
}

func (n *nodes) home(at *net.TCPAddr) {
	n.mu.Lock()
	n.at = at
	n.mu.Unlock()
}

// real address of a node, host:port.
func (n *nodes) real(id int32) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.known[id]
	if k == nil {
		return "", false
	}
	return k.real, true
}

// ids of all known nodes.
func (n *nodes) ids() []int32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	ids := make([]int32, 0, len(n.known))
	for id := range n.known {
		ids = append(ids, id)
	}
	return ids
}

// local learns where a node is, and gives the address that clients reach it at; it listens there from now on.
func (n *nodes) local(id int32, host string, port int32) (string, int32, error) {
	real := net.JoinHostPort(host, strconv.Itoa(int(port)))
	n.mu.Lock()
	defer n.mu.Unlock()
	if k := n.known[id]; k != nil {
		if k.real != real {
			n.server.log.Info("broker moved", "node", id, "from", k.real, "to", real)
			k.real = real
		}
		return k.host, k.port, nil
	}
	if n.at == nil {
		return "", 0, fmt.Errorf("node %d: the listener is not open yet", id)
	}
	l, err := n.listen(id)
	if err != nil {
		return "", 0, fmt.Errorf("no local address for node %d: %w", id, err)
	}
	at := l.Addr().(*net.TCPAddr)
	k := &node{real: real, host: at.IP.String(), port: int32(at.Port)}
	if n.known == nil {
		n.known = make(map[int32]*node)
	}
	n.known[id] = k
	n.server.log.Info("broker found", "node", id, "at", real, "local", at.String())
	n.server.serve(l, id)
	return k.host, k.port, nil
}

func (n *nodes) listen(id int32) (net.Listener, error) {
	how := n.server.options.Addresses
	ip := n.at.IP.To4()
	loopback := ip != nil && ip[0] == 127 && id >= 0 && id < 1<<16
	if how == AddressesLoopback || (how == AddressesAuto && loopback) {
		if id < 0 || id >= 1<<16 {
			return nil, fmt.Errorf("127.66/16 has no room for node %d", id)
		}
		address := fmt.Sprintf("127.66.%d.%d:%d", id>>8, id&0xff, n.at.Port)
		l, err := net.Listen("tcp", address)
		if err == nil || how == AddressesLoopback {
			return l, err
		}
		n.server.log.Warn("no loopback address for the node, so it gets a port", "node", id, "err", err)
	}
	host := n.at.IP
	if host.IsUnspecified() {
		host = net.IPv6loopback
		if n.at.IP.To4() != nil {
			host = net.IPv4(127, 0, 0, 1)
		}
	}
	return net.Listen("tcp", net.JoinHostPort(host.String(), "0"))
}

// topics knows the names of topic IDs, from the metadata that has passed.
type topics struct {
	mu    sync.RWMutex
	names map[[16]byte]string
}

func (t *topics) name(id [16]byte) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.names[id]
}

func (t *topics) learn(id [16]byte, name string) {
	if id == [16]byte{} || name == "" || t.name(id) == name {
		return
	}
	t.mu.Lock()
	if t.names == nil {
		t.names = make(map[[16]byte]string)
	}
	t.names[id] = name
	t.mu.Unlock()
}
