// Package component is the table of what localkube builds and starts: each
// component's name, where it is built from, and how it is run.
//
// Everything here is a pure function of a Layout; starting and stopping is done
// in package cluster.
package component

import (
	"fmt"
	"slices"
	"strings"
)

// KubernetesVersion is the version that is built. It is the version of
// k8s.io/kubernetes in go.mod; a test keeps the two equal.
const KubernetesVersion = "v1.36.3"

// Component is one binary of Kubernetes, or one it needs.
type Component struct {
	// Name is the binary's file name, and what the command line calls it.
	Name string
	// Package is the main package it is built from, in the modules of go.mod.
	Package string
	// Module is the folder of that go.mod, below this module's own; empty for this
	// one. What is no part of Kubernetes wants other versions of the same modules.
	Module string
	// Prebuilt says that controller-runtime's setup-envtest can download it.
	Prebuilt bool
	// Service says how it runs; nil for a binary that `localkube up` does not start.
	Service *Service
}

// Service says how a component is run as a process.
type Service struct {
	// Args are its flags.
	Args func(Layout) []string
	// URL is where it serves.
	URL func(Layout) string
	// HealthPath answers 200 under URL when it is ready for work.
	HealthPath string
	// Trust is what a caller of URL shows and believes; nil where it is plain HTTP
	// or a Unix socket.
	Trust func(Layout) Trust
	// InNode says that it runs in the node's network namespace and cgroup.
	InNode bool
}

// Trust names the files of a TLS client.
type Trust struct {
	// CA signs the server's certificate.
	CA string
	// Cert and Key are the client's own.
	Cert, Key string
}

// The names of the components.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	Kubectl           = "kubectl"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Containerd        = "containerd"
	ContainerdShim    = "containerd-shim-runc-v2"
	Ctr               = "ctr"
	Kubelet           = "kubelet"
	KubeProxy         = "kube-proxy"
	DNS               = "dns"
)

// NodeModule is the folder of the node's own go.mod.
const NodeModule = "node"

// table is in the order in which the components are built and started. kubectl
// comes third so that what envtest needs is there first.
var table = []Component{
	{Name: Etcd, Package: "go.etcd.io/etcd/server/v3", Prebuilt: true, Service: &etcdService},
	{Name: APIServer, Package: "k8s.io/kubernetes/cmd/kube-apiserver", Prebuilt: true, Service: &apiServerService},
	{Name: Kubectl, Package: "k8s.io/kubernetes/cmd/kubectl", Prebuilt: true},
	{Name: ControllerManager, Package: "k8s.io/kubernetes/cmd/kube-controller-manager", Service: &controllerManagerService},
	{Name: Scheduler, Package: "k8s.io/kubernetes/cmd/kube-scheduler", Service: &schedulerService},
	// The node's, which `localkube up` starts with --node alone: they need root.
	{Name: Containerd, Package: "github.com/containerd/containerd/v2/cmd/containerd", Module: NodeModule, Service: &containerdService},
	{Name: ContainerdShim, Package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2", Module: NodeModule},
	{Name: Ctr, Package: "github.com/containerd/containerd/v2/cmd/ctr", Module: NodeModule},
	{Name: Kubelet, Package: "k8s.io/kubernetes/cmd/kubelet", Service: &kubeletService},
	{Name: KubeProxy, Package: "k8s.io/kubernetes/cmd/kube-proxy", Service: &kubeProxyService},
	{Name: DNS, Package: "./dns", Module: NodeModule, Service: &dnsService},
}

// Command is the whole command line of a component that is a Service.
func (c Component) Command(binary string, l Layout) []string {
	command := append([]string{binary}, c.Service.Args(l)...)
	return append(command, l.ExtraArgs[c.Name]...)
}

// HealthURL answers 200 when a component that is a Service is ready.
func (c Component) HealthURL(l Layout) string {
	return c.Service.URL(l) + c.Service.HealthPath
}

// ForAssets are the components that controller-runtime's envtest needs.
func ForAssets() []string { return []string{Etcd, APIServer, Kubectl} }

// ForUp are the components of a whole control plane.
func ForUp() []string { return []string{Etcd, APIServer, Kubectl, ControllerManager, Scheduler} }

// ForNode are the components that a node adds to them.
func ForNode() []string {
	return []string{Containerd, ContainerdShim, Ctr, Kubelet, KubeProxy, DNS}
}

// OfModule are those of the components that are built from that module.
func OfModule(components []Component, module string) []Component {
	return slices.DeleteFunc(slices.Clone(components), func(c Component) bool { return c.Module != module })
}

// Names are the names of all components, in the order of the table.
func Names() []string {
	names := make([]string, len(table))
	for i, c := range table {
		names[i] = c.Name
	}
	return names
}

// Get returns the component of that name.
func Get(name string) (Component, error) {
	for _, c := range table {
		if c.Name == name {
			return c, nil
		}
	}
	return Component{}, fmt.Errorf("there is no component %q; choose from %s", name, strings.Join(Names(), ", "))
}

// Select returns the components of those names in the order of the table, each
// once. The name "all" stands for all of them.
func Select(names []string) ([]Component, error) {
	wanted := make([]string, 0, len(names))
	for _, name := range names {
		if name = strings.TrimSpace(name); name == "all" {
			return slices.Clone(table), nil
		}
		c, err := Get(name)
		if err != nil {
			return nil, fmt.Errorf("%w, or all", err)
		}
		wanted = append(wanted, c.Name)
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("no component was chosen; name some of %s, or all", strings.Join(Names(), ", "))
	}
	return slices.DeleteFunc(slices.Clone(table), func(c Component) bool { return !slices.Contains(wanted, c.Name) }), nil
}

// CheckRunnable says what is missing for the components to be run together in
// that layout.
func CheckRunnable(components []Component, l Layout) error {
	has := func(name string) bool {
		return slices.ContainsFunc(components, func(c Component) bool { return c.Name == name })
	}
	if !has(Etcd) || !has(APIServer) {
		return fmt.Errorf("a control plane needs at least %s and %s; add them to --components", Etcd, APIServer)
	}
	for _, c := range components {
		if c.Service != nil && c.Service.InNode && l.Node == nil {
			return fmt.Errorf("%s is part of a node; add --node, or leave it out of --components", c.Name)
		}
	}
	for _, name := range append(ForUp(), ForNode()...) {
		if l.Node != nil && !has(name) {
			return fmt.Errorf("a node needs %s; leave --components out", name)
		}
	}
	return nil
}
