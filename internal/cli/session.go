package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/connect"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

// session is one Kafka cluster that has answered.
type session struct {
	*franz.Admin
	client *kgo.Client
}

// topics are all topics of the cluster that this principal may see, without their configuration.
func (s *session) topics(ctx context.Context) (map[string]wirereq.Answer[topic.Observed], error) {
	resp, err := wirereq.Metadata(nil).RequestWith(ctx, s.client)
	if err != nil {
		return nil, kafka.FromClient(err)
	}
	return wirereq.MetadataAnswers(resp), nil
}

// open connects and looks once. The error is a sentence for people.
func (a App) open(ctx context.Context, s kafka.Settings) (*session, error) {
	if len(s.BootstrapServers) == 0 {
		return nil, fmt.Errorf("no Kafka cluster is named; give --bootstrap-servers, or bootstrap.servers in --command-config")
	}
	client, err := a.Dial(s)
	if err != nil {
		return nil, err
	}
	admin := franz.New(client, nil)
	if _, err := admin.Poll(ctx); err != nil {
		admin.Close()
		return nil, explain(strings.Join(s.BootstrapServers, ","), err)
	}
	if id := admin.Info().ClusterID; s.ExpectedClusterID != "" && id != s.ExpectedClusterID {
		admin.Close()
		return nil, fmt.Errorf("%s answers as cluster %s, and the KafkaCluster is cluster %s; correct the addresses, or set its spec.acceptClusterID",
			strings.Join(s.BootstrapServers, ","), id, s.ExpectedClusterID)
	}
	return &session{Admin: admin, client: client}, nil
}

// explain says what an error of the first look means for whoever typed the address.
func explain(servers string, err error) error {
	switch kafka.ClassOf(err) {
	case kafka.ClassUntrusted:
		return fmt.Errorf("%s: the TLS handshake failed: %w; --tls-ca names whom to trust, --tls-cert and --tls-key who you are", servers, err)
	case kafka.ClassUnauthenticated:
		return fmt.Errorf("%s refuses the credentials: %w", servers, err)
	case kafka.ClassUnauthorized:
		return fmt.Errorf("%s lets this principal in, and not look: %w", servers, err)
	}
	return fmt.Errorf("no broker at %s answers: %w; check the addresses, and whether that listener wants TLS or SASL", servers, err)
}

// settings are those of the flags, or of a KafkaCluster where the flags say nothing.
func (a App) settings(ctx context.Context, t *target, k *kube, cluster *v1alpha1.KafkaCluster) (kafka.Settings, error) {
	fromFlags, err := t.Flags.Settings(readFile)
	if err != nil {
		return kafka.Settings{}, err
	}
	if cluster == nil {
		return fromFlags, nil
	}
	if t.Security() {
		fromFlags.ExpectedClusterID = kafka.ExpectedID(cluster)
		if len(fromFlags.BootstrapServers) == 0 {
			fromFlags.BootstrapServers = cluster.Spec.BootstrapServers
		}
		return fromFlags, nil
	}
	secrets, err := k.secrets(ctx, cluster, t.Kube.SecretsNamespace)
	if err != nil {
		return kafka.Settings{}, err
	}
	s, err := connect.FromCluster(cluster, t.Kube.SecretsNamespace, secrets)
	if err != nil {
		return kafka.Settings{}, err
	}
	if len(fromFlags.BootstrapServers) > 0 {
		s.BootstrapServers = fromFlags.BootstrapServers
	}
	return s, nil
}

// forEach does something to each of n things, so many at once, and returns when all are done.
func forEach(n, atOnce int, do func(i int)) {
	var group sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for i := range n {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			do(i)
		})
	}
	group.Wait()
}
