package component

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
)

const (
	// DefaultNodeNetwork is where a node's addresses come from.
	DefaultNodeNetwork = "10.222.0.0/23"
	// NodeName is the node's name in the API server.
	NodeName = "node-1"
	// PauseImage holds a pod's namespaces. It is made here: no registry has it.
	PauseImage = "localhost/mooring-pause:1"
	// clusterDomain ends the names of Services.
	clusterDomain = "cluster.local"
	// longestNodeDir leaves room for the kubelet's sockets: a Unix socket's path
	// has 108 bytes.
	longestNodeDir = 60
)

// Node is a node of a control plane: a network namespace with a kubelet, a
// container runtime, and what its pods need of a network. A pair of virtual
// devices joins it to the machine; nothing else of the machine's network is
// touched.
//
// Names of what is outside of the control plane's folder all have ID in them, so
// that whoever cleans up takes what is this node's and nothing else.
type Node struct {
	// ID is derived from the folder.
	ID string `json:"id"`
	// Network is a CIDR of IPv4. Its lower half joins node and machine, its upper
	// half is for the pods.
	Network string `json:"network"`
}

// NewNode returns the node of the control plane in that folder.
func NewNode(dir, network string) *Node {
	hash := sha256.Sum256([]byte(dir))
	return &Node{ID: hex.EncodeToString(hash[:4]), Network: network}
}

func (n *Node) prefix() netip.Prefix {
	prefix, _ := netip.ParsePrefix(n.Network)
	return prefix
}

// LinkCIDR is the network between the machine and the node.
func (n *Node) LinkCIDR() netip.Prefix {
	return netip.PrefixFrom(n.prefix().Addr(), n.prefix().Bits()+1)
}

// HostAddress is the machine's address on that network, at which pods reach what
// listens on it: the API server, and Kafka.
func (n *Node) HostAddress() netip.Addr { return n.prefix().Addr().Next() }

// Address is the node's, at which the machine reaches the kubelet.
func (n *Node) Address() netip.Addr { return n.HostAddress().Next() }

// PodCIDR is the network of the pods.
func (n *Node) PodCIDR() netip.Prefix {
	bytes := n.prefix().Addr().As4()
	bit := n.prefix().Bits()
	bytes[bit/8] |= 0x80 >> (bit % 8)
	return netip.PrefixFrom(netip.AddrFrom4(bytes), bit+1)
}

// HostDevice is the machine's end of the pair, NodeDevice the other.
func (n *Node) HostDevice() string { return "mrg" + n.ID + "h" }

// NodeDevice is the node's end.
func (n *Node) NodeDevice() string { return "mrg" + n.ID + "n" }

// CgroupRoot is the cgroup of all that runs on the node, in every hierarchy.
func (n *Node) CgroupRoot() string { return "/mooring-" + n.ID }

// CNIName is the name of the pods' network; libcni keeps files under it.
func (n *Node) CNIName() string { return "mooring-" + n.ID }

// RunDir holds what has to have a short path: sockets, and what is mounted.
func (n *Node) RunDir() string { return filepath.Join("/run", "mooring-"+n.ID) }

// NetNS is the file that holds the network namespace.
func (n *Node) NetNS() string { return filepath.Join(n.RunDir(), "netns") }

// ContainerdSocket is where the kubelet and ctr call containerd.
func (n *Node) ContainerdSocket() string { return filepath.Join(n.RunDir(), "containerd.sock") }

// ContainerdState is containerd's transient state.
func (n *Node) ContainerdState() string { return filepath.Join(n.RunDir(), "containerd") }

// NodePath joins names to the node's part of the folder.
func (l Layout) NodePath(names ...string) string {
	return l.Path(append([]string{"node"}, names...)...)
}

// DNSAddress is the cluster IP of the DNS Service: the tenth, as is the custom.
func (l Layout) DNSAddress() netip.Addr {
	prefix, _ := netip.ParsePrefix(l.ServiceClusterIPRange)
	address := prefix.Addr()
	for range 10 {
		address = address.Next()
	}
	return address
}

func (l Layout) validateNode(services netip.Prefix) error {
	prefix, err := netip.ParsePrefix(l.Node.Network)
	switch {
	case err != nil || !prefix.Addr().Is4() || prefix.Addr() != prefix.Masked().Addr() || prefix.Bits() < 8 || prefix.Bits() > 26:
		return fmt.Errorf("--node-network is %q, which is not a CIDR of IPv4 between /8 and /26; give one such as %s", l.Node.Network, DefaultNodeNetwork)
	case prefix.Overlaps(services):
		return fmt.Errorf("--node-network %s and --service-cluster-ip-range %s overlap; move one of them", prefix, services)
	case len(l.Dir) > longestNodeDir:
		return fmt.Errorf("--dir is %s, which is %d bytes long; with --node give one of at most %d, because sockets lie in it", l.Dir, len(l.Dir), longestNodeDir)
	case strings.ContainsAny(l.Dir, ` ,:\"'`):
		return fmt.Errorf("--dir is %s; with --node give one without spaces, commas, colons, quotes and backslashes, because layers of images are mounted from it", l.Dir)
	}
	return nil
}
