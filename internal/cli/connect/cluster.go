package connect

import (
	"fmt"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// FromCluster are the settings that a KafkaCluster and its Secrets give, as the operator takes them.
func FromCluster(cluster *v1alpha1.KafkaCluster, namespace string, secrets kafka.Secrets) (kafka.Settings, error) {
	s, err := kafka.SettingsFrom(cluster, namespace, secrets)
	if err != nil {
		return s, fmt.Errorf("KafkaCluster %s: %w; name the operator's namespace with --secrets-namespace, or give the connection with flags", cluster.Name, err)
	}
	s.Interval = 0 // one look
	return s, nil
}
