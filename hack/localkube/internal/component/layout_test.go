package component

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func exampleLayout() Layout {
	return Layout{
		Dir:                   "/tmp/kube",
		BindAddress:           DefaultBindAddress,
		AdvertiseAddress:      DefaultBindAddress,
		ServiceClusterIPRange: DefaultServiceClusterIPRange,
		Ports:                 Ports{EtcdClient: 1001, EtcdPeer: 1002, APIServer: 1003, ControllerManager: 1004, Scheduler: 1005},
	}
}

func command(t *testing.T, name string, l Layout) []string {
	t.Helper()
	c, err := Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return c.Command("/bin/"+name, l)
}

func expectFlags(t *testing.T, command []string, flags ...string) {
	t.Helper()
	for _, flag := range flags {
		if !slices.Contains(command, flag) {
			t.Errorf("%s lacks %s", command[0], flag)
		}
	}
}

func TestCommand(t *testing.T) {
	l := exampleLayout()
	expectFlags(t, command(t, Etcd, l),
		"--data-dir=/tmp/kube/etcd",
		"--listen-client-urls=https://127.0.0.1:1001",
		"--listen-peer-urls=https://127.0.0.1:1002",
		"--initial-cluster=localkube=https://127.0.0.1:1002",
		"--client-cert-auth",
		"--unsafe-no-fsync")
	expectFlags(t, command(t, APIServer, l),
		"--etcd-servers=https://127.0.0.1:1001",
		"--bind-address=127.0.0.1",
		"--secure-port=1003",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--client-ca-file=/tmp/kube/pki/ca.crt",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--requestheader-client-ca-file=/tmp/kube/pki/front-proxy-ca.crt",
		"--endpoint-reconciler-type=none")
	expectFlags(t, command(t, ControllerManager, l),
		"--kubeconfig=/tmp/kube/pki/kube-controller-manager.kubeconfig",
		"--secure-port=1004",
		"--leader-elect=false",
		"--root-ca-file=/tmp/kube/pki/ca.crt",
		"--cluster-signing-key-file=/tmp/kube/pki/ca.key",
		"--service-account-private-key-file=/tmp/kube/pki/service-account.key")
	expectFlags(t, command(t, Scheduler, l),
		"--kubeconfig=/tmp/kube/pki/kube-scheduler.kubeconfig",
		"--secure-port=1005")
}

func TestCommandWithAnAddressThatPodsReach(t *testing.T) {
	l := exampleLayout()
	l.BindAddress, l.AdvertiseAddress = "0.0.0.0", "10.88.0.1"
	got := command(t, APIServer, l)
	expectFlags(t, got, "--bind-address=0.0.0.0", "--advertise-address=10.88.0.1")
	if slices.Contains(got, "--endpoint-reconciler-type=none") {
		t.Error("the kubernetes Service gets no endpoint, though pods can reach the API server")
	}
	if want := "https://127.0.0.1:1003"; l.APIServerURL() != want {
		t.Errorf("want clients on this machine sent to %s, got %s", want, l.APIServerURL())
	}
}

func TestCommandPutsExtraArgsLast(t *testing.T) {
	l := exampleLayout()
	l.ExtraArgs = map[string][]string{Scheduler: {"--v=4"}}
	if got := command(t, Scheduler, l); got[len(got)-1] != "--v=4" {
		t.Errorf("want the user's flag last, got %v", got)
	}
	if slices.Contains(command(t, APIServer, l), "--v=4") {
		t.Error("another component got the scheduler's flag")
	}
}

func TestEveryServiceIsComplete(t *testing.T) {
	l := exampleLayout()
	for _, c := range table {
		if c.Service == nil || c.Service.InNode {
			continue
		}
		if !strings.HasPrefix(c.HealthURL(l), "https://127.0.0.1:100") {
			t.Errorf("%s is not asked over TLS on its own port, but at %s", c.Name, c.HealthURL(l))
		}
		if c.Service.Trust(l) == (Trust{}) {
			t.Errorf("%s has no TLS client files", c.Name)
		}
	}
}

func TestAPIServerNames(t *testing.T) {
	l := exampleLayout()
	l.BindAddress, l.AdvertiseAddress = "0.0.0.0", "10.88.0.1"
	dnsNames, addresses := l.APIServerNames()
	if !slices.Contains(dnsNames, "kubernetes.default.svc") || !slices.Contains(dnsNames, "localhost") {
		t.Errorf("a usual name is missing: %v", dnsNames)
	}
	if got, want := fmt.Sprint(addresses), "[127.0.0.1 10.88.0.1 10.96.0.1]"; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}

func TestValidate(t *testing.T) {
	tests := map[string]struct {
		change func(*Layout)
		want   string
	}{
		"the defaults":       {func(*Layout) {}, ""},
		"a host name":        {func(l *Layout) { l.BindAddress = "localhost" }, "--bind-address"},
		"no advertise":       {func(l *Layout) { l.AdvertiseAddress = "" }, "--advertise-address"},
		"an address":         {func(l *Layout) { l.ServiceClusterIPRange = "10.96.0.1" }, "--service-cluster-ip-range"},
		"a host in the CIDR": {func(l *Layout) { l.ServiceClusterIPRange = "10.96.0.1/16" }, "--service-cluster-ip-range"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			l := exampleLayout()
			tc.change(&l)
			err := l.Validate()
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("want an error about %q, got %v", tc.want, err)
			}
		})
	}
}

// Every file that a flag or a client names must be one that is written.
func TestCredentialsCoverWhatIsUsed(t *testing.T) {
	l := exampleLayout()
	l.Node = NewNode(l.Dir, DefaultNodeNetwork)
	written := map[string]bool{l.Path("pki", FileServiceAccountPublic): true, l.Path("pki", FileServiceAccountPrivate): true}
	for _, name := range Authorities() {
		written[l.Cert(name)], written[l.Key(name)] = true, true
	}
	for _, c := range Credentials(l) {
		written[l.Cert(c.Name)], written[l.Key(c.Name)] = true, true
		if !slices.Contains(Authorities(), c.Authority) {
			t.Errorf("%s is signed by %s, which is no authority", c.Name, c.Authority)
		}
	}
	for _, user := range Users(l) {
		written[l.Kubeconfig(user)] = true
		if !written[l.Cert(user)] {
			t.Errorf("%s has a kubeconfig but no certificate", user)
		}
	}
	for _, c := range table {
		if c.Service == nil {
			continue
		}
		var files []string
		if c.Service.Trust != nil {
			trust := c.Service.Trust(l)
			files = append(files, trust.CA, trust.Cert, trust.Key)
		}
		for _, arg := range c.Service.Args(l) {
			if _, value, found := strings.Cut(arg, "=/tmp/kube/pki/"); found {
				files = append(files, l.Path("pki", value))
			}
		}
		for _, file := range files {
			if !written[file] {
				t.Errorf("%s uses %s, which nothing writes", c.Name, file)
			}
		}
	}
}
