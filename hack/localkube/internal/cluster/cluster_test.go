package cluster

import (
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/pki"
)

// now is fixed: what is written depends on it.
var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func testLayout(t *testing.T) component.Layout {
	t.Helper()
	return component.Layout{
		Dir:                   t.TempDir(),
		BindAddress:           component.DefaultBindAddress,
		AdvertiseAddress:      component.DefaultBindAddress,
		ServiceClusterIPRange: component.DefaultServiceClusterIPRange,
		Ports:                 component.Ports{EtcdClient: 1001, EtcdPeer: 1002, APIServer: 1003, ControllerManager: 1004, Scheduler: 1005},
	}
}

func testState(t *testing.T) *State {
	t.Helper()
	components, err := component.Select(component.ForUp())
	if err != nil {
		t.Fatal(err)
	}
	return newState(testLayout(t), components, "/bin", "")
}

func quiet(string, ...any) {}

func TestStateComesBackAsItWasSaved(t *testing.T) {
	state := testState(t)
	state.Phase = Running
	state.Layout.ExtraArgs = map[string][]string{"etcd": {"--debug"}}
	state.Components[1].PID, state.Components[1].StartTime, state.Components[1].Halted = 42, 18446744073709551615, true
	if err := state.save(); err != nil {
		t.Fatal(err)
	}
	loaded, err := loadState(state.Layout.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(loaded, state) {
		t.Errorf("want %+v, got %+v", state, loaded)
	}
}

func TestNewStateLeavesOutWhatIsNoProcess(t *testing.T) {
	if got, want := strings.Join(testState(t).names(), " "), "etcd kube-apiserver kube-controller-manager kube-scheduler"; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}

func TestLoadState(t *testing.T) {
	elsewhere := testState(t)
	if err := elsewhere.save(); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(statePath(elsewhere.Layout.Dir))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ reason, content, want string }{
		"torn":          {"a file that cannot be read stops nothing", `{"version":`, "is not what localkube wrote"},
		"a newer one":   {"fields may mean something else there", `{"version": 99}`, "has version 99"},
		"a copied one":  {"two folders must not claim the same processes", string(copied), "--dir " + elsewhere.Layout.Dir},
		"an empty file": {"a full disk leaves such", "", "is not what localkube wrote"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(statePath(dir), []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := loadState(dir); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: want an error with %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
	if state, err := loadState(t.TempDir()); state != nil || err != nil {
		t.Errorf("want nothing where nothing was started, got %v, %v", state, err)
	}
}

func TestWriteCredentialsKeepsAuthoritiesAndRenewsTheRest(t *testing.T) {
	l := testLayout(t)
	read := func(path string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	if err := writeCredentials(l, now); err != nil {
		t.Fatal(err)
	}
	kept := []string{l.Cert(component.CertCA), l.Key(component.CertFrontProxyCA), l.Cert(component.CertEtcdCA), l.Path("pki", component.FileServiceAccountPrivate)}
	renewed := []string{l.Cert(component.CertAPIServer), l.Key(component.UserAdmin), l.Kubeconfig(component.UserAdmin)}
	before := map[string]string{}
	for _, path := range append(kept, renewed...) {
		before[path] = read(path)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v, %v", path, info.Mode(), err)
		}
	}
	if err := writeCredentials(l, now); err != nil {
		t.Fatal(err)
	}
	for _, path := range kept {
		if read(path) != before[path] {
			t.Errorf("%s was made anew, so kept data no longer trusts its own tokens", path)
		}
	}
	for _, path := range renewed {
		if read(path) == before[path] {
			t.Errorf("%s was not renewed", path)
		}
	}
	if err := os.WriteFile(l.Cert(component.CertCA), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeCredentials(l, now); err == nil || !strings.Contains(err.Error(), "run down") {
		t.Errorf("want a sentence about the torn authority, got %v", err)
	}
}

func TestRenderKubeconfig(t *testing.T) {
	got := string(renderKubeconfig("https://127.0.0.1:1003", "admin", []byte("ca"), pki.Pair{Cert: []byte("cert"), Key: []byte("key")}))
	for _, want := range []string{
		"server: https://127.0.0.1:1003\n",
		"certificate-authority-data: " + base64.StdEncoding.EncodeToString([]byte("ca")) + "\n",
		"client-certificate-data: " + base64.StdEncoding.EncodeToString([]byte("cert")) + "\n",
		"client-key-data: " + base64.StdEncoding.EncodeToString([]byte("key")) + "\n",
		"current-context: localkube\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in:\n%s", want, got)
		}
	}
}

func TestChoosePorts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	busy := listener.Addr().(*net.TCPAddr).Port

	chosen, err := choosePorts(component.Ports{}, component.Ports{EtcdPeer: busy}, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{busy: true}
	for _, port := range []int{chosen.EtcdClient, chosen.EtcdPeer, chosen.APIServer, chosen.ControllerManager, chosen.Scheduler} {
		if port < lowestPort || port > highestPort || seen[port] {
			t.Errorf("the port %d of %+v is out of range, twice there, or in use", port, chosen)
		}
		seen[port] = true
	}
	again, err := choosePorts(component.Ports{}, chosen, "127.0.0.1")
	if err != nil || again != chosen {
		t.Errorf("want the kept ports %+v again, got %+v, %v", chosen, again, err)
	}
	if _, err := choosePorts(component.Ports{APIServer: busy}, component.Ports{}, "127.0.0.1"); err == nil || !strings.Contains(err.Error(), "--apiserver-port is ") {
		t.Errorf("want a sentence that names the flag, got %v", err)
	}
}

func TestWithLogShowsTheEndOfThisRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	before := "an earlier run\n"
	for n, want := range map[int]int{30: logLines, 3: 3} {
		if err := os.WriteFile(path, []byte(before+strings.Repeat("this run\n", n)), 0o600); err != nil {
			t.Fatal(err)
		}
		got := withLog(os.ErrInvalid, path, int64(len(before))).Error()
		if strings.Contains(got, "earlier") || strings.Count(got, "this run") != want || !strings.Contains(got, "the rest is in "+path) {
			t.Errorf("want %d lines of this run, got %s", want, got)
		}
	}
}
