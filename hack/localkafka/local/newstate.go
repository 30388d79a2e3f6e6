package local

import (
	"fmt"
	"path/filepath"
)

// newState plans a cluster: who the nodes are and where they listen. Nothing is written yet.
func newState(cfg Config) (State, error) {
	s := State{
		Version:      StateVersion,
		Phase:        PhaseStarting,
		Dir:          cfg.Dir,
		ClusterID:    newClusterID(),
		KafkaVersion: KafkaVersion,
		Settings:     cfg.Settings,
	}
	listeners := listenersOf(cfg.Settings)
	ports, err := freePorts(cfg.Address, cfg.Brokers*len(listeners))
	if err != nil {
		return s, err
	}
	for i := range cfg.Brokers {
		node := newNode(cfg, i)
		for k, l := range listeners {
			if l == ListenerController && !node.Controller {
				continue
			}
			node.Ports[l] = ports[i*len(listeners)+k]
		}
		s.Nodes = append(s.Nodes, node)
	}
	s.Bootstrap = bootstrapFrom(s.Nodes)
	if cfg.Embedded {
		s.KafkaVersion = "kfake"
		return s, nil
	}
	s.Users = users()
	s.Certificates = certificatesIn(cfg.Dir)
	return s, nil
}

func listenersOf(s Settings) (listeners []Listener) {
	if s.Embedded {
		return []Listener{ListenerPlaintext}
	}
	for _, kind := range listenerKinds {
		listeners = append(listeners, kind.name)
	}
	return listeners
}

func newNode(cfg Config, i int) Node {
	node := Node{Rack: cfg.Racks[i%len(cfg.Racks)], Address: cfg.Address, Ports: map[Listener]int{}}
	if cfg.Embedded {
		node.ID, node.Dir = int32(i), cfg.Dir // kfake counts from 0
		node.Log = filepath.Join(cfg.Dir, "kfake.log")
		return node
	}
	node.ID = int32(i + 1)
	node.Controller = i < controllers(cfg.Brokers)
	node.Dir = filepath.Join(cfg.Dir, fmt.Sprintf("node-%d", node.ID))
	node.DataDir = filepath.Join(node.Dir, "data")
	node.Properties = filepath.Join(node.Dir, "server.properties")
	node.Log = filepath.Join(node.Dir, "broker.log")
	return node
}

// controllers is the size of the quorum. Two would be worse than one: either's death would end it.
func controllers(brokers int) int {
	if brokers < 3 {
		return 1
	}
	return 3
}
