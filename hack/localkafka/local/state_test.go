package local

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStateRoundTrip(t *testing.T) {
	s := testState(t, Settings{Authorizer: true, Properties: map[string]string{"a": "b"}})
	s.Dir = t.TempDir()
	s.Nodes[0].Process = &Process{PID: 7, StartTime: 8, BootID: "nine"}
	if err := saveState(s); err != nil {
		t.Fatal(err)
	}
	got, err := Load(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got.State()); diff != "" {
		t.Errorf("the state changed on its way: -saved +loaded\n%s", diff)
	}
	if info, err := os.Stat(statePath(s.Dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state.json, which holds passwords, has the mode %v (%v), want 0600", info.Mode(), err)
	}
}

func TestLoadRefusals(t *testing.T) {
	if _, err := Load(t.TempDir()); !errors.Is(err, ErrNoCluster) {
		t.Errorf("an empty folder gave %v, want %v", err, ErrNoCluster)
	}
	for content, says := range map[string]string{"{": "no cluster state", `{"version": 99}`: "version 99"} {
		if _, err := parseState([]byte(content), "state.json"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s gave %v, want an error that says %q", content, err, says)
		}
	}
}

func TestBootstrap(t *testing.T) {
	s := testState(t, Settings{Brokers: 2})
	want := Bootstrap{
		Plaintext:     []string{"127.0.0.1:1001", "127.0.0.1:2001"},
		TLS:           []string{"127.0.0.1:1002", "127.0.0.1:2002"},
		MTLS:          []string{"127.0.0.1:1003", "127.0.0.1:2003"},
		SASLPlaintext: []string{"127.0.0.1:1004", "127.0.0.1:2004"},
		SASLSSL:       []string{"127.0.0.1:1005", "127.0.0.1:2005"},
		TLSWrongName:  []string{"127.0.0.1:1006", "127.0.0.1:2006"},
	}
	if diff := cmp.Diff(want, s.Bootstrap); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Free ports could not be asked for at an address that is not this machine's.
func TestAnotherAddressIsEveryListeners(t *testing.T) {
	s := testState(t, Settings{Address: "127.0.0.2"})
	if want := []string{"127.0.0.2:1001", "127.0.0.2:2001", "127.0.0.2:3001"}; !cmp.Equal(want, s.Bootstrap.Plaintext) {
		t.Errorf("the bootstrap servers are %v, want %v", s.Bootstrap.Plaintext, want)
	}
	p := propertiesOf(s, s.Nodes[0])
	for _, name := range []string{"listeners", "advertised.listeners", "controller.quorum.voters"} {
		if strings.Contains(p[name], "127.0.0.1") || !strings.Contains(p[name], "127.0.0.2:1000") {
			t.Errorf("%s is %q, want 127.0.0.2 alone", name, p[name])
		}
	}
}

func TestLookups(t *testing.T) {
	s := testState(t, Settings{})
	if _, err := s.Node(4); err == nil || !strings.Contains(err.Error(), "1, 2, 3") {
		t.Errorf("node 4 of 3 gave %v, want an error that lists the nodes", err)
	}
	if u, err := s.User(LimitedUser); err != nil || u.Super {
		t.Errorf("the limited user is %+v, %v", u, err)
	}
	if _, err := s.User("nobody"); err == nil {
		t.Error("the user nobody was found")
	}
}

func TestFreePortsDiffer(t *testing.T) {
	ports, err := freePorts(DefaultAddress, 60)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		if seen[p] || p < firstPort || p > lastPort {
			t.Errorf("the port %d comes twice or is out of range", p)
		}
		seen[p] = true
	}
	if len(ports) != 60 {
		t.Errorf("there are %d ports, want 60", len(ports))
	}
}
