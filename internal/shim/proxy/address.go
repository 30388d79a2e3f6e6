package proxy

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// carries says whether the answer to a request has addresses of brokers. Every Kafka API that has is here, but for
// DescribeQuorum, whose versions are capped below the one that has, and for those that are not offered. (The addresses in the
// StreamsGroup APIs are those of the app's own instances.)
func carries(key, version int16) bool {
	switch kmsg.Key(key) {
	case kmsg.Metadata, kmsg.FindCoordinator, kmsg.DescribeCluster, kmsg.ShareFetch, kmsg.ShareAcknowledge:
		return true
	case kmsg.Produce:
		return version >= 10 // KIP-951
	case kmsg.Fetch:
		return version >= 16 // KIP-951
	}
	return false
}

// rewrite puts local addresses in the place of the brokers'. A broker for which there is none is left out, or the answer is
// an error: what a client does not learn it cannot dial.
func (s *Server) rewrite(resp kmsg.Response) error {
	switch r := resp.(type) {
	case *kmsg.MetadataResponse:
		return s.rewriteMetadata(r)
	case *kmsg.FindCoordinatorResponse:
		if r.Version < 4 {
			return s.coordinator(r.ErrorCode, r.NodeID, &r.Host, &r.Port)
		}
		for i := range r.Coordinators {
			k := &r.Coordinators[i]
			if err := s.coordinator(k.ErrorCode, k.NodeID, &k.Host, &k.Port); err != nil {
				return err
			}
		}
	case *kmsg.DescribeClusterResponse:
		if r.EndpointType > 1 { // controllers are no brokers, and have no local address
			r.Brokers = nil
		}
		for i := range r.Brokers {
			b := &r.Brokers[i]
			if err := s.local(b.NodeID, &b.Host, &b.Port); err != nil {
				return err
			}
		}
	case *kmsg.ProduceResponse:
		for i := range r.Brokers {
			if err := s.local(r.Brokers[i].NodeID, &r.Brokers[i].Host, &r.Brokers[i].Port); err != nil {
				return err
			}
		}
	case *kmsg.FetchResponse:
		for i := range r.Brokers {
			if err := s.local(r.Brokers[i].NodeID, &r.Brokers[i].Host, &r.Brokers[i].Port); err != nil {
				return err
			}
		}
	case *kmsg.ShareFetchResponse:
		for i := range r.NodeEndpoints {
			if err := s.local(r.NodeEndpoints[i].NodeID, &r.NodeEndpoints[i].Host, &r.NodeEndpoints[i].Port); err != nil {
				return err
			}
		}
	case *kmsg.ShareAcknowledgeResponse:
		for i := range r.NodeEndpoints {
			if err := s.local(r.NodeEndpoints[i].NodeID, &r.NodeEndpoints[i].Host, &r.NodeEndpoints[i].Port); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("no rule for the addresses in a response of %s", kmsg.NameForKey(resp.Key()))
	}
	return nil
}

func (s *Server) local(id int32, host *string, port *int32) (err error) {
	*host, *port, err = s.nodes.local(id, *host, *port)
	return err
}

func (s *Server) coordinator(code int16, id int32, host *string, port *int32) error {
	if code != 0 || id < 0 {
		*host, *port = "", -1
		return nil
	}
	return s.local(id, host, port)
}

var errOtherCluster = errors.New("the brokers belong to another cluster than the contract's")

func (s *Server) rewriteMetadata(r *kmsg.MetadataResponse) error {
	want := s.Contract().Cluster.ID
	if want != "" && r.ClusterID != nil && *r.ClusterID != want {
		return fmt.Errorf("%w: %.100q, and not %q", errOtherCluster, *r.ClusterID, want)
	}
	for i := range r.Brokers {
		if err := s.local(r.Brokers[i].NodeID, &r.Brokers[i].Host, &r.Brokers[i].Port); err != nil {
			return err
		}
	}
	for i := range r.Topics {
		t := &r.Topics[i]
		if t.Topic == nil || t.ErrorCode != 0 {
			continue
		}
		s.topics.learn(t.TopicID, *t.Topic)
	}
	return nil
}

// newestFetch is the newest Fetch that carries no addresses: so its answers need not be read, and go at line rate.
const newestFetch = 15

// offered is the newest version of an API that clients are told of, and false for an API that they are not told of.
func offered(key int16) (int16, bool) {
	newest := newestOf(key)
	switch kmsg.Key(key) {
	case kmsg.Fetch:
		return newestFetch, true
	case kmsg.DescribeQuorum:
		return 1, true // version 2 has the controllers' addresses
	case kmsg.LeaderAndISR, kmsg.StopReplica, kmsg.UpdateMetadata, kmsg.ControlledShutdown, kmsg.Vote, kmsg.BeginQuorumEpoch,
		kmsg.EndQuorumEpoch, kmsg.AlterPartition, kmsg.Envelope, kmsg.FetchSnapshot, kmsg.BrokerRegistration, kmsg.BrokerHeartbeat,
		kmsg.UnregisterBroker, kmsg.AllocateProducerIDs, kmsg.ControllerRegistration, kmsg.UpdateRaftVoter:
		return 0, false // brokers among themselves
	}
	return newest, newest >= 0
}

// capVersions leaves in an answer to ApiVersions what the shim can read.
func capVersions(r *kmsg.ApiVersionsResponse) {
	kept := r.ApiKeys[:0]
	for _, k := range r.ApiKeys {
		newest, ok := offered(k.ApiKey)
		if kmsg.Key(k.ApiKey) == kmsg.SASLHandshake {
			k.MinVersion = max(k.MinVersion, 1) // after version 0 come bytes that are no requests
		}
		k.MaxVersion = min(k.MaxVersion, newest)
		if ok && k.MinVersion <= k.MaxVersion {
			kept = append(kept, k)
		}
	}
	r.ApiKeys = kept
}
