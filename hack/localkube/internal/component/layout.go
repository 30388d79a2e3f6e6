package component

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
)

// The defaults of Layout.
const (
	DefaultBindAddress           = "127.0.0.1"
	DefaultServiceClusterIPRange = "10.96.0.0/16"
)

const loopback = "127.0.0.1"

// Layout is where one control plane lives: its folder, its addresses and its
// ports. It is kept in the state file, so that a component that is started again
// finds everything where it was.
type Layout struct {
	// Dir is the absolute path of the folder that holds everything.
	Dir string `json:"dir"`
	// BindAddress is the address the API server listens on; the other components
	// always listen on loopback. Leave it on loopback unless a node has to reach
	// the API server: whoever has the kubeconfig is cluster admin.
	BindAddress string `json:"bindAddress"`
	// AdvertiseAddress is the address that the `kubernetes` Service gets as its
	// endpoint. On loopback, which pods could not reach, it gets none.
	AdvertiseAddress string `json:"advertiseAddress"`
	// ServiceClusterIPRange is the CIDR that Services get their addresses from.
	ServiceClusterIPRange string `json:"serviceClusterIPRange"`
	// Ports are all chosen before anything starts.
	Ports Ports `json:"ports"`
	// Node is nil for a control plane without one.
	Node *Node `json:"node,omitempty"`
	// ExtraArgs are flags for a component, by its name, after all others, so that
	// they win where a flag is given twice.
	ExtraArgs map[string][]string `json:"extraArgs,omitempty"`
}

// Ports are TCP ports. 0 stands for a free one until they are chosen.
type Ports struct {
	EtcdClient        int `json:"etcdClient"`
	EtcdPeer          int `json:"etcdPeer"`
	APIServer         int `json:"apiServer"`
	ControllerManager int `json:"controllerManager"`
	Scheduler         int `json:"scheduler"`
}

// Validate says what is wrong with the addresses that a user gave.
func (l Layout) Validate() error {
	for flag, value := range map[string]string{"--bind-address": l.BindAddress, "--advertise-address": l.AdvertiseAddress} {
		if _, err := netip.ParseAddr(value); err != nil {
			return fmt.Errorf("%s is %q, which is not an IP address; give one such as %s", flag, value, DefaultBindAddress)
		}
	}
	prefix, err := netip.ParsePrefix(l.ServiceClusterIPRange)
	if err != nil || prefix.Addr() != prefix.Masked().Addr() {
		return fmt.Errorf("--service-cluster-ip-range is %q, which is not a CIDR; give one such as %s", l.ServiceClusterIPRange, DefaultServiceClusterIPRange)
	}
	if l.Node != nil {
		return l.validateNode(prefix)
	}
	return nil
}

// Path joins names to the folder.
func (l Layout) Path(names ...string) string {
	return filepath.Join(append([]string{l.Dir}, names...)...)
}

// Cert and Key are the files of a certificate and its private key.
func (l Layout) Cert(name string) string { return l.Path("pki", name+".crt") }

// Key is the file of the private key of Cert(name).
func (l Layout) Key(name string) string { return l.Path("pki", name+".key") }

// Kubeconfig is the file with which the user of that name signs in. The admin's
// lies on top, where people look for it.
func (l Layout) Kubeconfig(user string) string {
	if user == UserAdmin {
		return l.Path("kubeconfig")
	}
	return l.Path("pki", user+".kubeconfig")
}

// Log is the file that a component's outputs go to.
func (l Layout) Log(component string) string { return l.Path("logs", component+".log") }

// APIServerURL is where clients on this machine reach the API server.
func (l Layout) APIServerURL() string {
	host := l.BindAddress
	if address, err := netip.ParseAddr(host); err == nil && address.IsUnspecified() {
		host = loopback
	}
	return httpsURL(host, l.Ports.APIServer)
}

// APIServerNames are the DNS names and addresses that the API server's
// certificate is for: every way in which a client on this machine, a node or a
// pod may reach it.
func (l Layout) APIServerNames() (dnsNames []string, addresses []net.IP) {
	dnsNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	seen := map[netip.Addr]bool{}
	add := func(address netip.Addr) {
		if address.IsValid() && !address.IsUnspecified() && !seen[address] {
			seen[address] = true
			addresses = append(addresses, address.AsSlice())
		}
	}
	for _, text := range []string{loopback, l.BindAddress, l.AdvertiseAddress} {
		address, _ := netip.ParseAddr(text)
		add(address)
	}
	// Kubernetes gives the first address of the range to the `kubernetes` Service.
	if prefix, err := netip.ParsePrefix(l.ServiceClusterIPRange); err == nil {
		add(prefix.Addr().Next())
	}
	return dnsNames, addresses
}

func httpsURL(host string, port int) string {
	return "https://" + net.JoinHostPort(host, strconv.Itoa(port))
}
