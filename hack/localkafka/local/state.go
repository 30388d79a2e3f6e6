package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// StateVersion is the format of state.json. A file of another version is refused.
const StateVersion = 1

// Phase is how far a cluster came.
type Phase string

// The phases of a cluster.
const (
	// PhaseStarting is from the first file until every broker answers; a state left in it is of a start that was cut off.
	PhaseStarting Phase = "Starting"
	// PhaseRunning is after a start that succeeded. Nodes can have been stopped or have died since.
	PhaseRunning Phase = "Running"
	// PhaseFailed is after a start that failed: everything was stopped, and the logs are left to be read.
	PhaseFailed Phase = "Failed"
)

// State is all there is to know about a cluster, as state.json keeps it. Its paths are absolute.
type State struct {
	Version      int          `json:"version"`
	Phase        Phase        `json:"phase"`
	Dir          string       `json:"dir"`
	ClusterID    string       `json:"clusterID"`
	KafkaVersion string       `json:"kafkaVersion"`
	Settings     Settings     `json:"settings"`
	Bootstrap    Bootstrap    `json:"bootstrap"`
	Certificates Certificates `json:"certificates"`
	Users        []User       `json:"users,omitempty"`
	Nodes        []Node       `json:"nodes"`
}

// Bootstrap lists every node's address and port for each listener. A stopped node keeps its place.
type Bootstrap struct {
	Plaintext     []string `json:"plaintext"`
	TLS           []string `json:"tls,omitempty"`
	MTLS          []string `json:"mtls,omitempty"`
	SASLPlaintext []string `json:"saslPlaintext,omitempty"`
	SASLSSL       []string `json:"saslSSL,omitempty"`
	TLSWrongName  []string `json:"tlsWrongName,omitempty"`
}

// User is a SASL user. Both users exist in every mechanism: OAUTHBEARER knows them by the token's "sub".
type User struct {
	Name      string `json:"name"`
	Password  string `json:"password"`
	Principal string `json:"principal"`
	// Super says that the authorizer, if it is on, lets this user do everything. The other user may do nothing.
	Super bool `json:"super"`
}

// Node is one process of the cluster.
type Node struct {
	ID   int32  `json:"id"`
	Rack string `json:"rack"`
	// Controller says that the node is a voter of the KRaft quorum as well as a broker.
	Controller bool `json:"controller"`
	// Address is where it listens, on all of its Ports.
	Address string           `json:"address"`
	Ports   map[Listener]int `json:"ports"`
	// Process is the one started last; it need not be alive. Nil: none was started yet.
	Process    *Process `json:"process,omitempty"`
	Dir        string   `json:"dir"`
	DataDir    string   `json:"dataDir,omitempty"`
	Properties string   `json:"properties,omitempty"`
	Log        string   `json:"log"`
}

// The users of the SASL listeners, and of the client certificates.
const (
	AdminUser   = "admin"
	LimitedUser = "limited"
)

func users() []User {
	return []User{
		{Name: AdminUser, Password: "admin-secret", Principal: "User:" + AdminUser, Super: true},
		{Name: LimitedUser, Password: "limited-secret", Principal: "User:" + LimitedUser},
	}
}

// User finds a user by name.
func (s State) User(name string) (User, error) {
	for _, u := range s.Users {
		if u.Name == name {
			return u, nil
		}
	}
	return User{}, fmt.Errorf("the cluster in %s has no user %q; its users are %s and %s, and an embedded one has none", s.Dir, name, AdminUser, LimitedUser)
}

// Node finds a node by id.
func (s State) Node(id int32) (Node, error) {
	ids := make([]string, 0, len(s.Nodes))
	for _, n := range s.Nodes {
		if n.ID == id {
			return n, nil
		}
		ids = append(ids, fmt.Sprint(n.ID))
	}
	return Node{}, fmt.Errorf("the cluster in %s has no node %d; its nodes are %s", s.Dir, id, strings.Join(ids, ", "))
}

// bootstrapFrom lists the nodes' addresses for each listener.
func bootstrapFrom(nodes []Node) Bootstrap {
	on := func(l Listener) (addresses []string) {
		for _, n := range nodes {
			if _, ok := n.Ports[l]; ok {
				addresses = append(addresses, n.At(l))
			}
		}
		return addresses
	}
	return Bootstrap{
		Plaintext:     on(ListenerPlaintext),
		TLS:           on(ListenerTLS),
		MTLS:          on(ListenerMTLS),
		SASLPlaintext: on(ListenerSASLPlaintext),
		SASLSSL:       on(ListenerSASLSSL),
		TLSWrongName:  on(ListenerTLSWrongName),
	}
}

func (s State) clone() State {
	s.Nodes = slices.Clone(s.Nodes)
	s.Users = slices.Clone(s.Users)
	return s
}

func statePath(dir string) string { return filepath.Join(dir, "state.json") }

// ErrNoCluster is what [Load] returns (wrapped) for a folder that holds no cluster.
var ErrNoCluster = errors.New("no cluster is there")

func loadState(dir string) (State, error) {
	path := statePath(dir)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, fmt.Errorf("%w: %s is missing; bring one up with 'localkafka up', or name its folder with --dir", ErrNoCluster, path)
	}
	if err != nil {
		return State{}, fmt.Errorf("the cluster's state can't be read; look at the rights of the file: %w", err)
	}
	return parseState(raw, path)
}

func parseState(raw []byte, path string) (State, error) {
	var s State
	if err := json.Unmarshal(raw, &s); err != nil {
		return State{}, fmt.Errorf("%s is no cluster state: %w; if no broker runs from there any more, remove the folder", path, err)
	}
	if s.Version != StateVersion {
		return State{}, fmt.Errorf("%s is of version %d and this program reads version %d; take the cluster down with the program that brought it up", path, s.Version, StateVersion)
	}
	return s, nil
}

// saveState replaces state.json at once: a reader sees the old one or the new one, never half of one.
func saveState(s State) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("the state of the cluster in %s can't be written as JSON; that is a defect of localkafka: %w", s.Dir, err)
	}
	return writeAtomic(statePath(s.Dir), append(raw, '\n'), 0o600)
}

func writeAtomic(path string, content []byte, mode fs.FileMode) error {
	mend := func(err error) error {
		return fmt.Errorf("%s can't be written; look at the folder's rights and at the room on its disk: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return mend(err)
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(content); err != nil {
		_ = f.Close()
		return mend(err)
	}
	if err := f.Chmod(mode); err != nil {
		_ = f.Close()
		return mend(err)
	}
	if err := f.Close(); err != nil {
		return mend(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return mend(err)
	}
	return nil
}
