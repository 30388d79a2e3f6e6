package component

import (
	"fmt"
	"path/filepath"
)

// CNIBinDir is where Debian's containernetworking-plugins are.
const CNIBinDir = "/usr/lib/cni"

var containerdService = Service{
	Args:   func(l Layout) []string { return []string{"--config=" + l.ContainerdConfigFile()} },
	URL:    func(l Layout) string { return "unix://" + l.Node.ContainerdSocket() },
	InNode: true,
}

// ContainerdConfigFile is written before containerd starts.
func (l Layout) ContainerdConfigFile() string { return l.NodePath("containerd.toml") }

const containerdFormat = `version = 3
root = %[1]q
state = %[2]q

[grpc]
address = %[3]q

[plugins.'io.containerd.cri.v1.images'.pinned_images]
# Pulled from nowhere: it is loaded before the kubelet starts.
sandbox = %[4]q

[plugins.'io.containerd.cri.v1.runtime']
# Without CAP_SYS_RESOURCE no process may be made safer from the OOM killer than
# its parent, and every pod would fail at that.
restrict_oom_score_adj = %[5]t
# So that the pods' network namespaces are found below a folder of ours.
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
sandboxer = "podsandbox"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
# By default in a folder that all containerds of a machine share.
Root = %[8]q
SystemdCgroup = false

[plugins.'io.containerd.cri.v1.runtime'.cni]
# Without the loopback plugin, which leaves files of its own in such a folder.
use_internal_loopback = true
bin_dirs = [%[6]q]
conf_dir = %[7]q
`

// ContainerdConfig is that file. restrictOOM is for a machine without
// CAP_SYS_RESOURCE.
func (l Layout) ContainerdConfig(restrictOOM bool) []byte {
	return fmt.Appendf(nil, containerdFormat, l.NodePath("containerd"), l.Node.ContainerdState(), l.Node.ContainerdSocket(),
		PauseImage, restrictOOM, CNIBinDir, l.CNIConfigDir(), filepath.Join(l.Node.RunDir(), "runc"))
}

// CNIConfigDir holds the one network's file.
func (l Layout) CNIConfigDir() string { return l.NodePath("cni") }

// CNIConfigFile is that file's path.
func (l Layout) CNIConfigFile() string { return filepath.Join(l.CNIConfigDir(), "10-mooring.conflist") }

const cniFormat = `{
  "cniVersion": "1.0.0",
  "name": %q,
  "plugins": [
    {
      "type": "ptp",
      "mtu": 1400,
      "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}
    }
  ]
}
`

// CNIConfig gives each pod a device of its own to the node. With one bridge for
// all, the answer of a pod to its neighbour would go past the node, where the
// Service's address has to be put back in; here everything is routed.
func (l Layout) CNIConfig() []byte {
	return fmt.Appendf(nil, cniFormat, l.Node.CNIName(), l.NodePath("ipam"), l.Node.PodCIDR())
}
