package local

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/twmb/franz-go/pkg/kfake"
)

// kfakeRack is the rack that kfake says every one of its brokers is in.
const kfakeRack = "krack"

// embeddedStarter starts the one process in which all embedded nodes live, with the first of them.
func (c *Cluster) embeddedStarter(cfg Config) func(Node) (*Process, error) {
	var process *Process
	return func(n Node) (*Process, error) {
		if process != nil {
			return process, nil
		}
		argv := append(append([]string{}, cfg.EmbeddedCommand...), "--dir", cfg.Dir)
		var err error
		process, err = launch(n, argv[0], argv[1:]...)
		return process, err
	}
}

// ServeEmbedded is the inside of an embedded cluster: it runs kfake's brokers on the ports that [Up] wrote into the
// folder's state.json, with their data in memory, until ctx ends. What [Config.EmbeddedCommand] names calls it.
func ServeEmbedded(ctx context.Context, dir string) error {
	s, err := loadState(dir)
	if err != nil {
		return err
	}
	if !s.Settings.Embedded {
		return fmt.Errorf("the cluster in %s is Apache Kafka, not embedded; this command is for 'localkafka up --embedded' to start", dir)
	}
	ports := make([]int, 0, len(s.Nodes))
	for _, n := range s.Nodes {
		ports = append(ports, n.Ports[ListenerPlaintext])
	}
	// kfake asks for 127.0.0.1, and is known by what it got.
	listen := func(network, address string) (net.Listener, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return net.Listen(network, net.JoinHostPort(s.Settings.Address, port))
	}
	cluster, err := kfake.NewCluster(
		kfake.Ports(ports...),
		kfake.ListenFn(listen),
		kfake.ClusterID(s.ClusterID),
		kfake.DefaultNumPartitions(1), // as Apache Kafka; kfake's own is 10
		kfake.WithLogger(kfake.BasicLogger(os.Stderr, kfake.LogLevelWarn)),
	)
	if err != nil {
		return fmt.Errorf("kfake did not start on the ports %v of %s; another process may have taken one since, so try again: %w", ports, s.Settings.Address, err)
	}
	defer cluster.Close()
	<-ctx.Done()
	return nil
}
