package component

import (
	"encoding/json"
	"fmt"
	"net/netip"
)

const (
	kubeletPort         = 10250
	kubeProxyHealthPort = 10256
	dnsReadyPort        = 8181
)

// Their ports are fixed: the node's network namespace is theirs alone.
var kubeletService = Service{
	Args:       kubeletArgs,
	URL:        func(l Layout) string { return httpsURL(l.Node.Address().String(), kubeletPort) },
	HealthPath: "/healthz",
	Trust:      adminTrust,
	InNode:     true,
}

func kubeletArgs(l Layout) []string {
	return []string{
		"--config=" + l.KubeletConfigFile(),
		"--kubeconfig=" + l.Kubeconfig(UserKubelet),
		"--hostname-override=" + NodeName,
		"--node-ip=" + l.Node.Address().String(),
		"--root-dir=" + l.NodePath("kubelet"),
		"--cert-dir=" + l.NodePath("kubelet", "pki"),
	}
}

// KubeletConfigFile is written before the kubelet starts.
func (l Layout) KubeletConfigFile() string { return l.NodePath("kubelet.json") }

// PodLogs is the folder of the containers' logs.
func (l Layout) PodLogs() string { return l.NodePath("pod-logs") }

// KubeletConfig is that file: a kubelet that asks as much of its callers as one
// in production, and asks little of the machine.
func (l Layout) KubeletConfig() []byte {
	socket := "unix://" + l.Node.ContainerdSocket()
	return encode(map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",
		"address":    l.Node.Address().String(),
		"port":       kubeletPort,
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"webhook":   map[string]any{"enabled": true},
			"x509":      map[string]any{"clientCAFile": l.Cert(CertCA)},
		},
		"authorization":     map[string]any{"mode": "Webhook"},
		"tlsCertFile":       l.Cert(CertKubeletServer),
		"tlsPrivateKeyFile": l.Key(CertKubeletServer),
		// The secure port has /healthz too.
		"healthzPort":              0,
		"containerRuntimeEndpoint": socket,
		"clusterDNS":               []string{l.DNSAddress().String()},
		"clusterDomain":            clusterDomain,
		// The machine's name servers are out of the pods' reach.
		"resolvConf":             "",
		"podLogsDir":             l.PodLogs(),
		"volumePluginDir":        l.NodePath("kubelet", "volume-plugins"),
		"makeIPTablesUtilChains": false,
		"cgroupDriver":           "cgroupfs",
		"cgroupRoot":             l.Node.CgroupRoot(),
		"failCgroupV1":           false,
		"failSwapOn":             false,
		"oomScoreAdj":            0,
		// The machine is shared with other work, and is not this node's to ration.
		"enforceNodeAllocatable":      []string{},
		"imageGCHighThresholdPercent": 100,
		"evictionHard": map[string]string{
			"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%", "imagefs.inodesFree": "0%",
		},
		// A default of five a second makes a hundred pods slow.
		"kubeAPIQPS":   200,
		"kubeAPIBurst": 400,
		// ConfigMaps and the downward API reach a running pod in seconds by a watch,
		// and the volume is written at the next sync.
		"configMapAndSecretChangeDetectionStrategy": "Watch",
	})
}

var kubeProxyService = Service{
	Args:       func(l Layout) []string { return []string{"--config=" + l.KubeProxyConfigFile()} },
	URL:        func(l Layout) string { return httpURL(l.Node.Address(), kubeProxyHealthPort) },
	HealthPath: "/healthz",
	InNode:     true,
}

// KubeProxyConfigFile is written before kube-proxy starts.
func (l Layout) KubeProxyConfigFile() string { return l.NodePath("kube-proxy.json") }

// KubeProxyConfig is that file. Its tables are in the node's network namespace,
// and end with it.
func (l Layout) KubeProxyConfig() []byte {
	return encode(map[string]any{
		"apiVersion":         "kubeproxy.config.k8s.io/v1alpha1",
		"kind":               "KubeProxyConfiguration",
		"mode":               "nftables",
		"clientConnection":   map[string]any{"kubeconfig": l.Kubeconfig(UserKubeProxy)},
		"hostnameOverride":   NodeName,
		"detectLocalMode":    "ClusterCIDR",
		"clusterCIDR":        l.Node.PodCIDR().String(),
		"healthzBindAddress": netip.AddrPortFrom(l.Node.Address(), kubeProxyHealthPort).String(),
		"metricsBindAddress": "127.0.0.1:10249",
		// These are the machine's to set, and no network namespace's.
		"conntrack": map[string]any{"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
	})
}

// DNSUser reads Services, and is given that by RBAC.
const DNSUser = "localkube:dns"

var dnsService = Service{
	Args:       func(l Layout) []string { return []string{"-conf=" + l.CorefileFile()} },
	URL:        func(l Layout) string { return httpURL(l.Node.Address(), dnsReadyPort) },
	HealthPath: "/ready",
	InNode:     true,
}

// CorefileFile is written before the DNS server starts.
func (l Layout) CorefileFile() string { return l.NodePath("Corefile") }

const corefileFormat = `.:53 {
    bind %[1]s
    errors
    ready %[1]s:%[2]d
    kubernetes %[3]s in-addr.arpa {
        kubeconfig %[4]s
        pods verified
    }
}
`

// Corefile is that file: the names of Services and of pods, and no others. It
// runs as a process of the node, because a pod would need an image of it.
func (l Layout) Corefile() []byte {
	return fmt.Appendf(nil, corefileFormat, l.Node.Address(), dnsReadyPort, clusterDomain, l.Kubeconfig(UserDNS))
}

func httpURL(address netip.Addr, port uint16) string {
	return "http://" + netip.AddrPortFrom(address, port).String()
}

// encode writes what is made of strings and numbers alone, and so cannot fail.
func encode(config map[string]any) []byte {
	content, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		panic(err)
	}
	return append(content, '\n')
}
