package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// ClusterFacts are what one reconcile of a KafkaCluster saw.
type ClusterFacts struct {
	// Cluster as it was read; its status is the one before.
	Cluster *v1alpha1.KafkaCluster
	// Seen says that the cluster has answered at least once in this process; otherwise the status before stays.
	Seen         bool
	ClusterID    string
	KafkaVersion string
	ControllerID int32
	Brokers      []v1alpha1.BrokerStatus
	Topics       v1alpha1.TopicCounts
	Verdict      Verdict
	Now          metav1.Time
}

// SummarizeCluster computes the status of a KafkaCluster.
func SummarizeCluster(f ClusterFacts) v1alpha1.KafkaClusterStatus {
	s := *f.Cluster.Status.DeepCopy()
	s.ObservedGeneration = f.Cluster.Generation
	if f.Seen {
		s.ClusterID, s.KafkaVersion, s.ControllerID = f.ClusterID, f.KafkaVersion, new(f.ControllerID)
		s.Brokers, s.LiveBrokers, s.Topics = f.Brokers, new(live(f.Brokers)), new(f.Topics)
	}
	c := conditions{set: s.Conditions, generation: f.Cluster.Generation, now: f.Now}
	c.verdict(f.Verdict)
	s.Conditions = c.set
	return s
}

func live(brokers []v1alpha1.BrokerStatus) int32 {
	var n int32
	for _, b := range brokers {
		if !b.Fenced {
			n++
		}
	}
	return n
}
