package node

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mooring.dev/mooring/hack/localkube/internal/component"
)

func TestOverlaps(t *testing.T) {
	const routes = `[{"dst":"default","gateway":"192.168.1.1","dev":"eth0"},{"dst":"192.168.1.0/24","dev":"eth0"},{"dst":"10.96.7.7","dev":"wg0"}]`
	tests := map[string]struct{ node, services, want string }{
		"apart":                       {"10.222.0.0/23", "10.97.0.0/16", ""},
		"the machine's own network":   {"192.168.0.0/16", "10.97.0.0/16", "--node-network"},
		"one address in the Services": {"10.222.0.0/23", "10.96.0.0/16", "--service-cluster-ip-range"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := overlaps([]byte(routes), netip.MustParsePrefix(tc.node), netip.MustParsePrefix(tc.services))
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("want an error about %q, got %v", tc.want, err)
			}
		})
	}
}

func TestMountPoints(t *testing.T) {
	const mountinfo = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n" +
		"30 22 0:25 / /run/a\\040b rw - tmpfs none rw\n31 22 0:4 net:[4026532] /run/c\\134d rw - nsfs none rw\n"
	if got, want := mountPoints(mountinfo), []string{"/", "/run/a b", `/run/c\d`}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
}

func TestPodsGetAShareOfTheCPUInEitherVersionOfCgroups(t *testing.T) {
	for file, want := range map[string]string{"cpu/mooring-1/cpu.shares": "32768", "mooring-1/cpu.weight": "3200"} {
		mount := t.TempDir()
		file = filepath.Join(mount, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := giveShare(mount, "mooring-1"); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("want %s in %s, got %q, %v", want, file, got, err)
		}
	}
}

func TestReadCapabilities(t *testing.T) {
	file := filepath.Join(t.TempDir(), "status")
	if err := os.WriteFile(file, []byte("Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t000001fffeffffff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readCapabilities(file)
	if err != nil || got&(1<<capSysAdmin) == 0 || got&(1<<capNetAdmin) == 0 || got&(1<<capSysResource) != 0 {
		t.Errorf("want all but CAP_SYS_RESOURCE, got %x, %v", got, err)
	}
}

func TestASecondKubeletIsRefused(t *testing.T) {
	if err := checkNoKubelet(filepath.Join(t.TempDir(), "none.sock")); err != nil {
		t.Errorf("want no kubelet to be in nobody's way, got %v", err)
	}
}

// What remember wrote down restore brings back, once: a second restore knows
// nothing, and changes nothing.
func TestRestoreIsDoneOnce(t *testing.T) {
	l := component.Layout{Dir: t.TempDir()}
	if err := os.MkdirAll(l.NodePath(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := remember(l); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(machineFile(l))
	if err != nil {
		t.Fatal(err)
	}
	// A start after a crash finds settings that the crashed one changed.
	if err := remember(l); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(machineFile(l)); err != nil || string(after) != string(before) {
		t.Errorf("a second start wrote down the machine anew: %v", err)
	}
}

func TestMissingPackagesNamesWhatToInstall(t *testing.T) {
	for _, n := range needs() {
		if n.debian == "" || n.file == "" {
			t.Errorf("%+v says nothing to install", n)
		}
	}
	if present(filepath.Join(t.TempDir(), "no-such-program")) {
		t.Error("a program that is not there was found")
	}
}
