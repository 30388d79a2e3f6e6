package component

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func nodeLayout() Layout {
	l := exampleLayout()
	l.Node = NewNode(l.Dir, DefaultNodeNetwork)
	l.BindAddress, l.AdvertiseAddress = l.Node.HostAddress().String(), l.Node.HostAddress().String()
	return l
}

func TestNodeAddresses(t *testing.T) {
	for network, want := range map[string][4]string{
		"10.222.0.0/23":  {"10.222.0.0/24", "10.222.0.1", "10.222.0.2", "10.222.1.0/24"},
		"10.8.0.0/16":    {"10.8.0.0/17", "10.8.0.1", "10.8.0.2", "10.8.128.0/17"},
		"172.20.0.64/26": {"172.20.0.64/27", "172.20.0.65", "172.20.0.66", "172.20.0.96/27"},
	} {
		n := NewNode("/tmp/kube", network)
		got := [4]string{n.LinkCIDR().String(), n.HostAddress().String(), n.Address().String(), n.PodCIDR().String()}
		if got != want {
			t.Errorf("%s: want link, machine, node and pods at %v, got %v", network, want, got)
		}
	}
}

func TestNodeNamesAreTheFoldersOwn(t *testing.T) {
	a, b := NewNode("/tmp/a", DefaultNodeNetwork), NewNode("/tmp/b", DefaultNodeNetwork)
	if a.ID == b.ID || a.ID != NewNode("/tmp/a", "10.1.0.0/16").ID {
		t.Errorf("want the ID to be the folder's, got %s and %s", a.ID, b.ID)
	}
	for _, device := range []string{a.HostDevice(), a.NodeDevice()} {
		// IFNAMSIZ, with its end.
		if len(device) > 15 || !strings.Contains(device, a.ID) {
			t.Errorf("%s is too long for a network device, or without the ID", device)
		}
	}
	for _, name := range []string{a.CgroupRoot(), a.CNIName(), a.RunDir()} {
		if !strings.HasSuffix(name, a.ID) {
			t.Errorf("%s does not tell whose it is", name)
		}
	}
}

func TestValidateNode(t *testing.T) {
	tests := map[string]struct {
		change func(*Layout)
		want   string
	}{
		"the defaults":           {func(*Layout) {}, ""},
		"no CIDR":                {func(l *Layout) { l.Node.Network = "10.222.0.1" }, "--node-network"},
		"too small":              {func(l *Layout) { l.Node.Network = "10.222.0.0/27" }, "--node-network"},
		"a host in the CIDR":     {func(l *Layout) { l.Node.Network = "10.222.0.1/23" }, "--node-network"},
		"IPv6":                   {func(l *Layout) { l.Node.Network = "fd00::/16" }, "--node-network"},
		"the Services' own":      {func(l *Layout) { l.Node.Network = "10.96.4.0/23" }, "overlap"},
		"a path too long":        {func(l *Layout) { l.Dir = "/tmp/" + strings.Repeat("x", 60) }, "--dir"},
		"a path with a space":    {func(l *Layout) { l.Dir = "/tmp/my kube" }, "--dir"},
		"what overlayfs splits":  {func(l *Layout) { l.Dir = "/tmp/a:b" }, "--dir"},
		"what a config escapes":  {func(l *Layout) { l.Dir = `/tmp/a"b` }, "--dir"},
		"another node's network": {func(l *Layout) { l.Node.Network = "10.40.0.0/16" }, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			l := nodeLayout()
			tc.change(&l)
			err := l.Validate()
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("want an error about %q, got %v", tc.want, err)
			}
		})
	}
}

// Everything of a node that is written, listened on or put into a cgroup is under
// the names that TearDown goes by.
func TestNodeConfigurationsStayWithinTheNode(t *testing.T) {
	l := nodeLayout()
	var kubelet struct {
		CgroupRoot, PodLogsDir, VolumePluginDir, ContainerRuntimeEndpoint, Address string
		MakeIPTablesUtilChains                                                     *bool
		Authentication                                                             struct{ Anonymous struct{ Enabled *bool } }
	}
	if err := json.Unmarshal(l.KubeletConfig(), &kubelet); err != nil {
		t.Fatal(err)
	}
	if kubelet.CgroupRoot != l.Node.CgroupRoot() || kubelet.Address != "10.222.0.2" ||
		!strings.HasPrefix(kubelet.PodLogsDir, "/tmp/kube/node/") || !strings.HasPrefix(kubelet.VolumePluginDir, "/tmp/kube/node/") ||
		!strings.HasPrefix(kubelet.ContainerRuntimeEndpoint, "unix://"+l.Node.RunDir()) {
		t.Errorf("the kubelet leaves the node's place: %+v", kubelet)
	}
	if kubelet.MakeIPTablesUtilChains == nil || *kubelet.MakeIPTablesUtilChains || kubelet.Authentication.Anonymous.Enabled == nil || *kubelet.Authentication.Anonymous.Enabled {
		t.Error("the kubelet makes chains, or answers to anybody")
	}
	var network struct {
		Name    string
		Plugins []struct{ Ipam struct{ DataDir string } }
	}
	if err := json.Unmarshal(l.CNIConfig(), &network); err != nil {
		t.Fatal(err)
	}
	if network.Name != l.Node.CNIName() || !strings.HasPrefix(network.Plugins[0].Ipam.DataDir, "/tmp/kube/node/") {
		t.Errorf("the pods' network leaves the node's place: %+v", network)
	}
	config := string(l.ContainerdConfig(true))
	for _, want := range []string{`root = "/tmp/kube/node/containerd"`, `state = "` + l.Node.RunDir(), "restrict_oom_score_adj = true", "netns_mounts_under_state_dir = true", PauseImage} {
		if !strings.Contains(config, want) {
			t.Errorf("containerd's configuration lacks %s", want)
		}
	}
}

func TestANodeChangesTheControlPlane(t *testing.T) {
	l := nodeLayout()
	args := command(t, APIServer, l)
	expectFlags(t, args, "--advertise-address=10.222.0.1", "--bind-address=10.222.0.1", "--kubelet-certificate-authority=/tmp/kube/pki/ca.crt")
	if slices.Contains(args, "--enable-aggregator-routing=true") {
		t.Error("webhooks are called at their endpoints, though their Services are there")
	}
	if got := l.DNSAddress().String(); got != "10.96.0.10" {
		t.Errorf("want DNS at the tenth address, got %s", got)
	}
	all, err := Select([]string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckRunnable(all, l); err != nil {
		t.Errorf("want a node to run with all components, got %v", err)
	}
	few, err := Select(ForUp())
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckRunnable(few, l); err == nil || !strings.Contains(err.Error(), Containerd) {
		t.Errorf("want a node without containerd refused, got %v", err)
	}
}
